#!/bin/sh
# Installs what the sample programs need, and ffprobe for looking at clips. Does nothing where
# everything is there. Needs Debian or Ubuntu, and root or sudo.
set -eu

missing=""
command -v python3 >/dev/null 2>&1 || missing="$missing python3"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
command -v jq >/dev/null 2>&1 || missing="$missing jq"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v ffprobe >/dev/null 2>&1 || missing="$missing ffmpeg"

sudo=""
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null 2>&1; then
  sudo="sudo"
fi

if [ -n "$missing" ]; then
  $sudo apt-get update
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends $missing
fi

# A python3 that is not Debian's does not see python3-requests, so pip is asked first.
if ! python3 -c 'import requests' >/dev/null 2>&1; then
  python3 -m pip install --quiet requests >/dev/null 2>&1 ||
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends python3-requests
fi

python3 -c 'import requests'
