#!/usr/bin/env bash
# Long files through the service: little memory, nothing left of what was cut off or killed, a full
# disk, and the same bytes back.
source "$(dirname "$0")/lib.sh" "$1"
source "$(dirname "$0")/serve_lib.sh"

LINE='{"custom_id": "1", "method": "POST", "url": "/v1/moderations", "body": {"input": "The jacket fits."}}'
yes "$LINE" | head -c $((40 << 20)) >lines
peak() { awk '/VmHWM/ {print $2}' "/proc/$SERVER/status"; } # KiB
upload() { curl -sS -w '%{http_code}\n' -o answer "$URL/v1/files" -F purpose=batch -F file=@lines "$@" >code 2>err; }
id() { grep -oP '"id":"\K[^"]*' answer; }
# Everything in the data folder that is no part of it.
leftovers() { find data -name '.*' -o -name '*.tmp' -o -name '*upload*' | grep -v '^data$'; }

serve --data-dir data --body-kib 65536
BEFORE=$(peak)
upload
equal "status" "$(cat code)" 200
curl -sS -o back "$URL/v1/files/$(id)/content"
same lines back
GREW=$((($(peak) - BEFORE) >> 10))
[ "$GREW" -lt 20 ] || fail "40 MiB up and down took $GREW MiB of memory"
call 0 curl -sSI "$URL/v1/files/$(id)/content"
has out "Content-Length: $((40 << 20))"
equal "leftovers" "$(leftovers)" ""

# The same again is the same file; with another body (curl makes a new boundary each time) it is
# refused.
{
  printf -- '--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
  printf -- '--x\r\nContent-Disposition: form-data; name="file"; filename="lines"\r\n\r\n'
  cat lines
  printf -- '\r\n--x--\r\n'
} >form
for answer in first again; do
  curl -sS -o "$answer" "$URL/v1/files" -H 'Idempotency-Key: k' \
    -H 'Content-Type: multipart/form-data; boundary=x' --data-binary @form
done
same again first
upload -H 'Idempotency-Key: k'
equal "status" "$(cat code)" 422
call 0 curl -sS "$URL/v1/files"
equal "files" "$(grep -o '"object":"file"' out | wc -l)" 2

# A client that goes away, then a server that is killed, in the middle.
timeout 2 curl -sS -o answer --limit-rate 4M "$URL/v1/files" -F purpose=batch -F file=@lines 2>err
curl -sS -o answer --limit-rate 4M "$URL/v1/files" -F purpose=batch -F file=@lines 2>err &
CLIENT=$!
sleep 1.5
kill -9 "$SERVER"
wait "$SERVER" 2>/dev/null
wait "$CLIENT"
equal "leftovers" "$(leftovers)" ""
serve --data-dir data --body-kib 65536
call 0 curl -sS "$URL/v1/files"
equal "files" "$(grep -o '"object":"file"' out | wc -l)" 2
upload
equal "status" "$(cat code)" 200
stop 0

# A limit on the size of files is how a full disk is made here.
(ulimit -f $((8 << 10)) && exec safeguard serve --port 0 --data-dir full --body-kib 65536) >listening 2>log &
SERVER=$!
for _ in $(seq 600); do
  URL=$(grep -o 'http://[0-9.:]*' listening) && curl -fsS -o /dev/null "$URL/readyz" 2>/dev/null && break
  sleep 0.1
done
upload
equal "status" "$(cat code)" 507
has answer '"type":"urn:safeguard:problem:no-room"'
lacks answer "$WORK"
wait_for_log body-not-kept
call 0 curl -sS "$URL/v1/files"
has out '"data":[]'
stop 0
finish
