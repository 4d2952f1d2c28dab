r = requests.post(f"{API}/api/v1/video", headers=HEADERS, json={
    "model": "veo-3.1",
    "prompt": "Camera slowly pulls back, clouds drift across the sky",
    "duration": 6,
    "image_url": "https://example.com/landscape.jpg"
})
# Then poll as shown above
