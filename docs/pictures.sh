#!/bin/sh
# Makes the README's picture from the running program: the embedded simulator, three jobs, one of them done.
set -eu
cd "$(dirname "$0")/.."
PICTURE_TZ=UTC cargo run --quiet --example picture -- 160x44 docs/dashboard.svg \
  "<wait:No jobs yet>" \
  "<F2>a4f/provider-2/kling-v2.1<Enter>A paper city unfolds from a book, stop motion<C-s><wait:queued j-1>" \
  "<F2>ninjachat/veo-3.1<Enter>[fail] Steam rises from a ramen bowl, close-up<C-s><wait:queued j-2>" \
  "<F2>nanogpt/veo2-video<Enter>A majestic eagle soaring through mountain peaks at sunset<C-s><wait:queued j-3>" \
  "<wait: MB ·><wait:refund>" \
  "<F2>ninjachat/seedance-2<Enter>Underwater camera glides through a coral reef, slow motion<C-s><wait:queued j-4>" \
  "<F2>ninjachat/veo-3.1<Enter>Old lighthouse keeper lights the lamp, handheld, 35 mm<C-s><wait:queued j-5>" \
  "<F2>ninjachat/veo-3.1<Enter>Drone shot slowly ascending over a misty mountain valley at golden hour, camera reveals a river below, cinematic"
