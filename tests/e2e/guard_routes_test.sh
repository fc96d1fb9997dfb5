#!/usr/bin/env bash
# The guarding proxy with routes on one server: each with its own policies, contract and fail modes,
# chosen by a header or by the path, in front of an upstream that says what it is told to.
#   guard_routes_test.sh SAFEGUARD_BINARY
. "$(dirname "$0")/lib.sh"
. "$HERE/serve_lib.sh"
UPSTREAM=
trap 'for p in $SERVER $UPSTREAM; do kill -9 "$p" 2>/dev/null; done; rm -rf "$WORK"' EXIT
if ! command -v node >/dev/null; then
  echo "SKIPPED: the guarded upstream; there is no node here" >&2
  exit 77
fi
node "$HERE/upstream_fake.mjs" up.url >up.log 2>&1 &
UPSTREAM=$!
for _ in $(seq 600); do
  grep -qs http up.url && break
  sleep 0.1
done
BEHIND="--upstream $(cat up.url)/v1 --upstream-allow 127.0.0.1"

# One for everybody; one that shows nothing unjudged; one whose screen knows no answer, open for
# requests and closed for answers; one that takes no traffic.
cat >assistant.yaml <<'YAML'
route: assistant
policies: [violence, harassment]
guard: {input: score, visible_tokens: 64, visible_ms: 5000}
YAML
cat >minors.yaml <<'YAML'
route: minors
policies: [violence, harassment, self-harm]
guard: {output_policies: [violence, self-harm]}
YAML
: >none.jsonl
cat >dark.yaml <<'YAML'
route: dark
policies: [violence]
screen: {judge: recorded, recorded: none.jsonl}
guard: {input_fails: open, output_fails: closed}
YAML
printf 'route: comments\npolicies: [spam]\n' >comments.yaml
serve $BEHIND --guard-policy violence --data-dir data \
  --route assistant.yaml --route minors.yaml --route dark.yaml --route comments.yaml

BAD="I will find you and kill you tomorrow"
# ask ROUTE TEXT CURL_ARGUMENTS...: chat by the header.
ask() {
  local route=$1 text=$2
  shift 2
  post /v1/chat/completions '{"model": "up", "messages": [{"role": "user", "content": "'"$text"'"}]}' \
    -H "X-Safeguard-Route: $route" -D headers "$@"
}

# By the header and by the path; each route's mode is its own.
ask minors "$BAD"
has out '"finish_reason":"content_filter"'
like headers '(?i)^x-safeguard-route: minors'
lacks up.log "kill you"
ask assistant "say: The station is on the left."
has out 'The station is on the left.'
like headers '(?i)^x-safeguard-route: assistant'
post /routes/assistant/v1/chat/completions \
  '{"model": "up", "messages": [{"role": "user", "content": "'"$BAD"'"}], "moderation": {}}' -D headers
has out '"input":{"type":"moderation_results","model":"safeguard-cascade","results":[{"flagged":true'
has out '"output":{"type":"moderation_results"'
like headers '(?i)^x-safeguard-input: violation'
lacks up.log x-safeguard-route
# Without one: the server's own settings.
post /v1/chat/completions '{"model": "up", "messages": [{"role": "user", "content": "'"$BAD"'"}]}' -D headers
has out '"finish_reason":"content_filter"'
lacks headers x-safeguard-route

# Streams of the three APIs, by the path.
SAY='say: The weather is fine today, and the station is on the left.'
post /routes/minors/v1/chat/completions '{"model": "up", "stream": true, "messages": [{"role": "user", "content": "'"$SAY"'"}]}' -D headers
has out 'data: [DONE]'
has out 'station'
like headers '(?i)^x-safeguard-route: minors'
post /routes/assistant/v1/messages '{"model": "up", "max_tokens": 9, "stream": true, "messages": [{"role": "user", "content": "'"$SAY"'"}]}' -D headers
has out 'event: message_stop'
like headers '(?i)^x-safeguard-route: assistant'

post /routes/minors/v1/responses '{"model": "up", "stream": true, "input": "'"$SAY"'"}' -D headers
has out 'event: response.completed'
like headers '(?i)^x-safeguard-route: minors'
post /routes/minors/v1/responses '{"model": "up", "input": "'"$SAY"'"}' -D headers
has out 'The weather is fine today'

# Fail modes of each direction act, and say so.
ask dark "say: The station is on the left."
has out output-not-judged
has out '"fail_modes":{"input":["open"],"output":["closed"]}'
like headers '(?i)^x-safeguard-failed-open: input'
like headers '(?i)^x-safeguard-failed-closed: output'
wait_for_log '"event":"failed-closed"'
like log '"event":"failed-open".*"side":"input".*"route":"dark"'
curl -fsS "$URL/metrics" >metrics
has metrics 'safeguard_fail_modes_total{mode="closed",route="dark",side="output"} 1'
has metrics 'safeguard_guarded_total{route="minors",state="input_blocked"} 1'

# What is no route, or guards nothing, in the shape of the API.
ask nobody hello
has out '"code":"unknown-route"'
like out '^404$'
ask comments hello
has out '"code":"unknown-route"'
post /routes/minors/v1/chat/completions '{"model": "up", "messages": [{"role": "user", "content": "hi"}]}' -H 'X-Safeguard-Route: assistant'
like out '^400$'
stop 0

serve $BEHIND --require-route --route minors.yaml
post /v1/chat/completions '{"model": "up", "messages": [{"role": "user", "content": "hi"}]}'
has out '"code":"route-required"'
ask minors "say: The station is on the left."
has out 'The station is on the left.'
stop 0

# What contradicts itself does not start.
call 4 safeguard serve --port 0 $BEHIND --require-route --route comments.yaml
has err require-route
printf 'route: wrong\nguard:\n  visible_tokens: 8\n  visible_ms: 0\n' >wrong.yaml
call 4 safeguard serve --port 0 $BEHIND --route wrong.yaml
has err 'route line 4: `guard.visible_ms`'
printf 'route: wrong\npolicies: [spam]\nguard: {output_fails: degrade}\n' >degrade.yaml
call 4 safeguard serve --port 0 $BEHIND --route degrade.yaml
has err 'slow-judge'
call 4 safeguard serve --port 0 --require-route
has err '--upstream'

echo "$CHECKS checks, $FAILURES failures"
[ "$FAILURES" -eq 0 ]
