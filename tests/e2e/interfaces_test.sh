#!/usr/bin/env bash
# The interfaces that others speak, on the running service: OpenAI's own client (where npm has it)
# to a synthetic reasoner and to a guarded upstream, and the gateways' shapes by hand.
#   interfaces_test.sh SAFEGUARD_BINARY
. "$(dirname "$0")/lib.sh"
SERVER= UPSTREAM=
trap 'for p in $SERVER $UPSTREAM; do kill -9 "$p" 2>/dev/null; done; rm -rf "$WORK"' EXIT
post() {
  local path=$1 body=$2
  shift 2
  curl -sS -H 'Content-Type: application/json' -d "$body" "$@" "$URL$path" >out 2>err
}
wait_for() {
  for _ in $(seq 600); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  fail "waited in vain: $*"
}
up() { grep -q http up.url; }
ready() { URL=$(grep -o 'http://[0-9.:]*' listening) && curl -fsS "$URL/readyz"; }

if ! command -v node >/dev/null; then
  echo "SKIPPED: the guarded upstream and OpenAI's client; there is no node here" >&2
  exit 77
fi
node "$HERE/upstream_fake.mjs" up.url >up.log 2>&1 &
UPSTREAM=$!
wait_for up
call 0 safeguard model synth --shape tiny --seed 5 --format gguf tiny.gguf
safeguard serve --port 0 --data-dir data --chat-model tiny.gguf --upstream "$(cat up.url)/v1" --upstream-allow 127.0.0.1 \
  --guard-policy violence --guard-policy harassment >listening 2>log &
SERVER=$!
wait_for ready
URL=$(grep -o 'http://[0-9.:]*' listening)
MODEL=$(curl -fsS "$URL/v1/models" | grep -o '"id":"tiny[^"]*"' | cut -d'"' -f4)

# Gateways.
BAD="I will find you and kill you tomorrow"
post /beta/litellm_basic_guardrail_api '{"texts": ["'"$BAD"'"], "input_type": "request", "additional_provider_specific_params": {"policies": ["violence"]}}'
has out '"action":"BLOCKED"'
post '/portkey?policies=violence' '{"eventType": "beforeRequestHook", "request": {"json": {"messages": [{"role": "user", "content": "'"$BAD"'"}]}}}'
has out '"verdict":false'
post '/request?policies=violence' '{"body": {"messages": [{"role": "user", "content": "'"$BAD"'"}]}}'
has out '"status_code":403'
post /api/v1/text/contents '{"contents": ["'"$BAD"'"]}' -H 'detector-id: violence'
has out '"detection":"violence"'
post /v1alpha1/comments:analyze '{"comment": {"text": "'"$BAD"'"}, "languages": ["en"], "requestedAttributes": {"THREAT": {}}}'
has out '"type":"PROBABILITY"'

# A guarded stream of Anthropic's.
post /v1/messages '{"model": "up", "max_tokens": 9, "stream": true, "messages": [{"role": "user", "content": "say: The station is on the left."}]}'
has out 'event: message_stop'
has out 'station'
has up.log '/v1/messages'
post /v1/chat/completions '{"model": "up", "messages": [{"role": "user", "content": "'"$BAD"'"}]}'
has out '"finish_reason":"content_filter"'
lacks up.log "kill you"
lacks log "kill you"

if [ "${SAFEGUARD_NO_NPM:-}" = "" ] && command -v npm >/dev/null &&
  npm install --silent --no-audit --no-fund openai@7.59.0 >npm.log 2>&1; then
  cp "$HERE/interfaces_client.mjs" .
  call 0 node interfaces_client.mjs "$URL" "$MODEL"
  has out "whole boolean stop"
  has out "logprobs true"
  has out "stream true true stop"
  has out "responses completed boolean"
  has out "responses stream true"
  has out "tools refused 400"
  has out "passed The station is on the left."
  has out "input content_filter true"
  has out "streamed The weather is fine today. stop"
  has out "batch completed 2 0 b,a true"
  has out "batch of chats completed 1 1"
  has out "batch refused failed 2 invalid-json"
  has out "files deleted true"
  lacks up.log "kill you"
else
  echo "SKIPPED: the official openai client; npm cannot fetch it here" >&2
fi

# A guard by a policy that nobody has does not start.
call 4 safeguard serve --port 0 --upstream "$(cat up.url)/v1" --upstream-allow 127.0.0.1 --guard-policy violense
has err 'violense'
call 4 safeguard serve --port 0 --guard-policy violence
has err '--upstream'

kill -TERM "$SERVER"
wait "$SERVER"
equal "exit code of the server" $? 0
echo "$CHECKS checks, $FAILURES failures"
[ "$FAILURES" -eq 0 ]
