import os, time, requests

API = "https://ninjachat.ai"
HEADERS = {"Authorization": f"Bearer {os.environ['NINJACHAT_API_KEY']}"}

# 1. Submit
r = requests.post(f"{API}/api/v1/video", headers=HEADERS, json={
    "model": "google-veo-2",
    "prompt": "A timelapse of a flower blooming, macro lens, soft lighting",
    "duration": 5,
    "aspect_ratio": "16:9"
})
r.raise_for_status()
job = r.json()
request_id = job["request_id"]
print(f"Submitted: {request_id} (cost: {job['cost']['this_request']})")

# 2. Poll every 10 seconds
while True:
    s = requests.get(f"{API}/api/v1/video/status",
        headers=HEADERS, params={"request_id": request_id}).json()

    if s["status"] == "completed":
        print(f"Done! {s['result']['video_url']}")
        break
    if s["status"] == "failed":
        print(f"Failed: {s.get('error')} (you were NOT charged)")
        break

    print(f"  {s.get('progress', 0)}%...")
    time.sleep(10)
