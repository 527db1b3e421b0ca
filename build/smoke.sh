#!/usr/bin/env bash
# Sends a push through a running server on port 8000 and waits until it is sent: build/smoke.sh [COMMAND…]
# A command starts the server, which is stopped at the end. CENTRIPUSH_HTTP_API_KEY is its key.
set -euo pipefail
url=http://127.0.0.1:8000

if (($# > 0)); then
  "$@" &
  server=$!
  trap 'kill "$server"; wait "$server"' EXIT
fi
curl --silent --fail --output /dev/null --retry 60 --retry-delay 1 --retry-all-errors "$url/health"

commands='[
  {"device_register": {"provider": "fcm", "platform": "android", "token": "a-token", "user": "smoke"}},
  {"send_push_notification": {"uid": "smoke", "recipient": {"filter": {"users": ["smoke"]}},
    "notification": {"fcm": {"message": {"notification": {"title": "Hello"}}}}}}
]'
curl --silent --fail "$url/api/batch" --header "X-API-Key: $CENTRIPUSH_HTTP_API_KEY" --data "{\"commands\": $commands}"
for _ in {1..60}; do
  if curl --silent "$url/metrics" | grep --quiet '^centrifugo_push_notification_count{.*success="true".*} 1$'; then
    printf '\nsmoke: sent\n'
    exit 0
  fi
  sleep 0.5
done
printf '\nsmoke: not sent\n' >&2
exit 1
