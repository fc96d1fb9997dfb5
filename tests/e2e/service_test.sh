#!/usr/bin/env bash
# `safeguard serve` as a process: starts with nothing configured, judges, keeps, locks, drains; and
# OpenAI's own client against it where npm has it.
#   service_test.sh SAFEGUARD_BINARY
. "$(dirname "$0")/lib.sh"
. "$HERE/serve_lib.sh"

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

# Later: a job that is done by itself, a case for a person, the log as lines.
serve --data-dir data
post /v1/jobs '{"text": "Rare teapots, message me", "policies": ["teapots"], "id": "post-7"}'
has out '202'
JOB=$(grep -o '"job":"[^"]*' out | cut -d'"' -f4)
for _ in $(seq 100); do
  curl -sS "$URL/v1/jobs/$JOB" >out
  grep -q '"state":"done"' out && break
  sleep 0.1
done
has out '"policy_version":"1"'
has out '"id":"post-7"'
post /v1/reviews '{"text": "Is this a teapot?", "policy": "teapots", "why": "unsure"}'
has out '201'
post /v1/reviews/next ''
has out 'Is this a teapot'
REVIEW=$(grep -o '"review":"[^"]*' out | cut -d'"' -f4)
post "/v1/reviews/$REVIEW/decision" '{"lease": 1, "outcome": "violation", "rule_ids": ["T1.a"]}'
has out '"reviewer":"local"'
curl -sS "$URL/v1/verdicts/export?policy=teapots" >out
equal "records of teapots" "$(wc -l <out)" 3
has out '"decided_by":"review"'
stop 0

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
equal "who may read the keys' hashes" "$(stat -c %a data/keys.json)" 600
call 0 safeguard key list --data-dir data
has out gateway

# A tenant is there once it has a key, and has nothing that the default tenant has.
call 0 safeguard key create acme --tenant acme --scope admin --tokens-per-minute 1000 --data-dir data
ACME="Authorization: Bearer $(cat out)"
for _ in $(seq 100); do
  curl -sS -o /dev/null -w '%{http_code}' "$URL/v1/policies" -H "$ACME" >out
  grep -q 200 out && break
  sleep 0.1
done
equal "the new tenant" "$(cat out)" 200
curl -sS "$URL/v1/policies/teapots" -H "$ACME" >out
has out 'unknown-policy'
post /v1/policies '{"id": "pans", "text": "# Pans\n\n## Violates\n- P1 Offers pans.\n"}' -H "$ACME"
has out '"state":"draft"'
post /v1/jobs '{"text": "Pans, cheap", "policies": ["pans@1"]}' -H "$ACME"
JOB=$(grep -o '"job":"[^"]*' out | cut -d'"' -f4)
for _ in $(seq 100); do
  curl -sS "$URL/v1/jobs/$JOB" -H "$ACME" >out
  grep -q '"state":"done"' out && break
  sleep 0.1
done
has out '"policy":"pans"'
curl -sS "$URL/v1/jobs/$JOB" -H "Authorization: Bearer $KEY" >out
has out 'unknown-job'
post /v1/judge '{"text": "hello", "policies": ["spam"]}' -H "$ACME" -D headers
has headers 'x-ratelimit-limit-tokens: 1000'
curl -sS "$URL/metrics" -H "$ACME" >out
has out 'metrics-of-all-tenants'
call 0 safeguard key new watch --tenant '*' --scope judge --data-dir data
WATCH="Authorization: Bearer $(cat out)"
for _ in $(seq 100); do
  curl -sS "$URL/metrics" -H "$WATCH" >out
  grep -q '^safeguard_jobs_dead' out && break
  sleep 0.1
done
has out 'safeguard_jobs_dead{tenant="acme"} 0'
has out 'safeguard_jobs_waiting{tenant="default"} 0'
call 0 safeguard verdicts pans --json --data-dir data/tenants/acme
has out '"policy":"pans"'
call 0 safeguard verdicts --json --data-dir data
lacks out '"policy":"pans"'
call 2 safeguard key new nobody --tenant ../acme --scope judge --data-dir data

# One YAML, read again on SIGHUP; what is wrong in it changes nothing.
printf 'timeout_ms: 700\nqueue: 10\n' >service.yaml
call 0 safeguard serve --config service.yaml --print-config
has out 'timeout_ms: 700'
call 2 safeguard serve --config service.yaml --prot 1
stop 0
serve --config service.yaml
printf 'timeout_ms: 900\nqueue: 20\nworkers: 3\n' >service.yaml
kill -HUP "$SERVER"
wait_for_log '"event":"reloaded"'
has log 'timeout_ms 900, queue 20; at the next start: workers'
printf 'timeout_ms: soon\n' >service.yaml
kill -HUP "$SERVER"
wait_for_log '"event":"reload-refused"'
post /v1/judge '{"text": "hello", "policies": ["spam"]}'
has out '"verdicts"'
stop 0

# TLS, with a certificate that is renewed meanwhile, and clients that must show one.
certificate() {  # NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "/CN=$1" \
    -addext "subjectAltName=IP:127.0.0.1" -keyout "$1.key" -out "$1.pem" 2>openssl.log || fail "$(cat openssl.log)"
}
certificate one
certificate two
certificate client
cp one.pem served.pem && cp one.key served.key
CURL_TLS="--cacert one.pem" serve --tls-certificate served.pem --tls-key served.key
post /v1/judge '{"text": "hello", "policies": ["spam"]}' --cacert one.pem
has out '"verdicts"'
post /v1/judge '{"text": "hello"}' --cacert two.pem
has err 'certificate'
cp two.pem served.pem && cp two.key served.key
kill -HUP "$SERVER"
wait_for_log '"event":"reloaded"'
post /v1/judge '{"text": "hello", "policies": ["spam"]}' --cacert two.pem
has out '"verdicts"'
stop 0
CURL_TLS="--cacert one.pem --cert client.pem --key client.key" \
  serve --tls-certificate one.pem --tls-key one.key --tls-client-ca client.pem
post /v1/judge '{"text": "hello", "policies": ["spam"]}' --cacert one.pem --cert client.pem --key client.key
has out '"verdicts"'
post /v1/judge '{"text": "hello", "policies": ["spam"]}' --cacert one.pem
lacks out '"verdicts"'
stop 0
call 4 safeguard serve --port 0 --tls-certificate nosuch.pem --tls-key one.key
has err 'nosuch.pem'
call 4 safeguard serve --port 0 --tls-certificate one.pem --tls-key two.key
serve --data-dir data

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
