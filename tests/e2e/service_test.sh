#!/usr/bin/env bash
# `safeguard serve` as a process: starts with nothing configured, judges, keeps, locks, drains; and
# OpenAI's own client against it where npm has it.
#   service_test.sh SAFEGUARD_BINARY
. "$(dirname "$0")/lib.sh"

SERVER=
# serve ARGUMENTS...: starts one on a free port; its address is then in URL.
serve() {
  safeguard serve --port 0 "$@" >listening 2>log &
  SERVER=$!
  for _ in $(seq 600); do
    URL=$(grep -o 'http://[0-9.:]*' listening) && [ -n "$URL" ] &&
      curl -fsS -o /dev/null "$URL/readyz" 2>/dev/null && return
    kill -0 "$SERVER" 2>/dev/null || break
    sleep 0.1
  done
  fail "the server did not come up: $(head -c 600 log)"
}
# stop CODE: sends SIGTERM and waits.
stop() {
  local code=0
  kill -TERM "$SERVER"
  wait "$SERVER" || code=$?
  equal "exit code of the server" "$code" "$1"
}
# post PATH BODY CURL_ARGUMENTS...
post() {
  local path=$1 body=$2
  shift 2
  curl -sS -w '\n%{http_code}\n' -H 'Content-Type: application/json' -d "$body" "$@" "$URL$path" >out 2>err
}
trap '[ -z "$SERVER" ] || kill -9 "$SERVER" 2>/dev/null; rm -rf "$WORK"' EXIT

# Nothing configured: shipped policies, the screen, this machine alone.
serve
post /v1/judge '{"text": "Selling an undetected aimbot with wallhack, DM me", "policies": ["game-cheating"]}'
has out '"outcome":"violation"'
has out '"decided_by":"screen"'
call 1 safeguard classify "Selling an undetected aimbot with wallhack, DM me" -p game-cheating --json
CLASSIFIED=$(sed 's/"timings_ms":{[^}]*},//' out)
post /v1/judge '{"text": "Selling an undetected aimbot with wallhack, DM me", "policies": ["game-cheating"]}'
equal "the same verdict as classify --json" "$(head -1 out | sed 's/"timings_ms":{[^}]*},//')" "{\"verdicts\":[$CLASSIFIED]}"
post /v1/judge '{"text": ""}'
has out '"reason":"empty_content"'
post /v1/policies '{"text": "# A"}'
has out 'no-store'
post /v1/moderations '{"input": "I will find you and kill you tomorrow"}'
has out '"violence":true'
has out '"harassment/threatening":true'
has log '"event":"request"'
lacks log "aimbot"
lacks log "kill you"
stop 0
has log '"event":"stopped"'

# With a folder: a policy's life, and verdicts that outlive the process.
serve --data-dir data
post /v1/policies '{"id": "teapots", "text": "# Teapots\n\n## Violates\n- T1.a Offers or seeks teapots.\n\n## Allowed\n- T0.a Everything else.\n"}'
has out '"state":"draft"'
post /v1/policies/teapots/versions/1/promote '{"to": "active"}'
has out '"state":"active"'
post /v1/judge '{"text": "Lovely blue teapots for sale", "policies": ["teapots"]}'
has out '"policy_version":"1"'
kill -9 "$SERVER"
wait "$SERVER" 2>/dev/null
call 0 safeguard verdicts teapots --json --data-dir data
has out '"policy":"teapots"'
lacks out "Lovely"

# The first key locks the server, at once or within a second; each scope opens its part.
serve --data-dir data
call 0 safeguard key new gateway --scope judge --data-dir data
KEY=$(cat out)
for _ in $(seq 100); do
  curl -sS -o /dev/null -w '%{http_code}' "$URL/v1/models" >out
  grep -q 401 out && break
  sleep 0.1
done
equal "without a key" "$(cat out)" 401
post /v1/judge '{"text": "hello", "policies": ["spam"]}' -H "Authorization: Bearer $KEY"
has out '"verdicts"'
curl -sS "$URL/v1/verdicts" -H "Authorization: Bearer $KEY" >out
has out "scope-missing"
lacks log "$KEY"
lacks data/keys.json "${KEY#sg_*_}"
call 0 safeguard key list --data-dir data
has out gateway

# A server that others reach needs keys.
call 2 safeguard serve --host 0.0.0.0 --port 0 --data-dir elsewhere
has err "needs keys"

# The official client, where npm can fetch it.
if [ "${SAFEGUARD_NO_NPM:-}" = "" ] && command -v npm >/dev/null && npm install --silent --no-audit --no-fund openai@7 >npm.log 2>&1; then
  cat >client.mjs <<'JS'
import OpenAI from 'openai';
const client = new OpenAI({apiKey: process.argv[3], baseURL: process.argv[2] + '/v1', maxRetries: 0});
const one = await client.moderations.create({model: 'omni-moderation-latest', input: 'I will find you and kill you tomorrow'});
console.log('flagged', one.results[0].flagged, one.results[0].categories['violence'], Object.keys(one.results[0].categories).length);
const two = await client.moderations.create({input: ['Where is the station?', 'Bake it for an hour.']});
console.log('results', two.results.length, two.results.every((r) => typeof r.category_scores['self-harm/intent'] === 'number'));
const models = await client.models.list();
console.log('model', models.data[0].id);
try {
  await client.moderations.create({input: [{type: 'image_url', image_url: {url: 'https://a.example/x.png'}}]});
  console.log('an image passed');
} catch (error) {
  console.log('refused', error.status, error.param, error.message.includes('image'));
}
JS
  call 0 node client.mjs "$URL" "$KEY"
  has out "flagged true true 13"
  has out "results 2 true"
  has out "model safeguard-screen"
  has out "refused 400 input true"
else
  echo "SKIPPED: the official openai client; npm cannot fetch it here" >&2
fi
stop 0

echo "$CHECKS checks, $FAILURES failures"
[ "$FAILURES" -eq 0 ]
