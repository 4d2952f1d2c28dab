curl --request POST \
  --url https://ninjachat.ai/api/v1/video \
  --header 'Authorization: Bearer <token>' \
  --header 'Content-Type: application/json' \
  --data '
{
  "prompt": "A golden retriever running in a sunny park"
}
'
