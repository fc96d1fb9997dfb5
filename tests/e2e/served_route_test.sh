#!/usr/bin/env bash
# `serve --route`: judged by routes, put off and finished by the server itself, told in metrics.
#   served_route_test.sh SAFEGUARD_BINARY WEBHOOK_RECEIVER
RECEIVER=$(realpath "$2")
source "$(dirname "$0")/lib.sh" "$1"
source "$HERE/serve_lib.sh"

AD="Cheap followers! DM me to buy 10k real likes, 40% off today"
FINE="The meeting has moved to three on Thursday, see you there."
cat >answers.jsonl <<JSON
{"text": "$AD", "final": "{\"violation\": 1, \"policy_category\": \"\", \"rule_ids\": [], \"rationale\": \"An ad.\"}"}
{"text": "$FINE", "final": "{\"violation\": 0, \"policy_category\": \"\", \"rule_ids\": [], \"rationale\": \"A date.\"}"}
JSON
cat >comments.yaml <<'YAML'
route: comments
policies:
  - {policy: spam, band: [0.01, 1]}
reasoners:
  - {name: low, judge: recorded, recorded: answers.jsonl}
YAML
# What the screen decides here the reasoner sees later, all of it.
cat >checked.yaml <<'YAML'
route: checked
policies:
  - {policy: spam, band: [0, 0], recall_bound: 0.5}
lists: [known.jsonl]
reasoners:
  - {name: low, judge: recorded, recorded: answers.jsonl}
audit: {safe: 1, violation: 1, later: on}
YAML
list() { safeguard lists add known.jsonl --term "$1" --action violation -p spam --reason "seen often" --as ada >/dev/null; }
list "zzqx followers"
# A policy of a file, and a screen alone.
printf -- '---\nid: own\n---\n# Own\n\n## Violates\n- O1 Ads for followers or likes.\n' >own.md
printf 'route: own\npolicies: [own.md, hate]\n' >own.yaml
# wait_until COMMAND...: until what it prints is not empty.
wait_until() {
  CHECKS=$((CHECKS + 1))
  for _ in $(seq 200); do
    [ -n "$("$@")" ] && return
    sleep 0.1
  done
  fail "never came true: $*: $(tail -c 600 log)"
}
metric() { curl -fsS "$URL/metrics" | grep -F -- "$1"; }
job_state() { curl -fsS "$URL/v1/jobs/$1" | grep -oF "\"state\":\"$2\""; }
receive() {
  echo "whsec_$(head -c 32 /dev/urandom | base64)" >secrets
  "$RECEIVER" port secrets >>received 2>receiver.err &
  RECEIVER_PID=$!
  for _ in $(seq 200); do [ -s port ] && break; sleep 0.02; done
  HOOK="http://127.0.0.1:$(cat port)/hook"
}

# What cannot be is said, and nothing listens.
call 2 safeguard serve --port 0 --route comments.yaml --route comments.yaml
has err "two routes are called comments"
error_is_one_line
call 2 safeguard serve --port 0 --route checked.yaml
has err "this server keeps nothing"
call 4 safeguard serve --port 0 --route nowhere.yaml
error_is_one_line
printf 'route: a\nbudjet: {share: 1}\n' >bad.yaml
call 4 safeguard serve --port 0 --route bad.yaml
has err "route line 2: \`budjet\` is not known"
printf 'policies: [nosuch]\n' >lost.yaml
call 4 safeguard serve --port 0 --route lost.yaml
printf 'route: [comments.yaml, own.yaml]\n' >service.yaml
call 0 safeguard serve --config service.yaml --print-config
has out 'route: ["comments.yaml","own.yaml"]'
call 0 safeguard serve --config-schema
has out '"route"'

receive
# Something of a route that the server will not have.
sed 's/^route: checked/route: elsewhere/; /^lists/d' checked.yaml >elsewhere.yaml
code=0; safeguard classify "$FINE" --route elsewhere.yaml --data-dir data >out 2>err || code=$?
has out "1 verdict waits in the job queue"
serve --route comments.yaml --route checked.yaml --route own.yaml --data-dir data \
  --webhook "$HOOK" --webhook-secret-file secrets --webhook-allow 127.0.0.1

# The screen may not decide: the reasoner does, and the answer tells the way.
post /v1/judge "{\"text\": \"$AD\", \"id\": \"post-1\", \"route\": \"comments\"}"
like out '"outcome":"violation".*"decided_by":"recorded"'
has out '"path":[{"layer":"screen"'
has out '"reasoner":"low"'
has out '"route":"comments"'
post /v1/judge/batch "{\"contents\": [{\"text\": \"$AD\"}, {\"text\": \"$FINE\"}], \"route\": \"comments\"}"
equal "verdicts of the reasoner" "$(grep -o '"decided_by":"recorded"' out | wc -l)" 2
# What it cannot say is undetermined, never safe.
post /v1/judge '{"text": "Win a phone, click here now", "route": "comments"}'
has out '"outcome":"undetermined"'
post /v1/judge "{\"text\": \"$AD\", \"route\": \"own\"}"
like out '"policy":"own".*"policy":"hate"'
post /v1/judge '{"text": "a", "route": "coments"}'
has out 'urn:safeguard:problem:unknown-route'
has out 'comments, checked, own'
post /v1/judge '{"text": "a", "route": "comments", "policies": ["spam"]}'
has out '"pointer":"/route"'

# Answered by the screen at once, seen by the reasoner later, recorded and told.
post /v1/judge "{\"text\": \"$FINE\", \"id\": \"post-2\", \"route\": \"checked\"}"
has out '"decided_by":"screen"'
wait_until metric 'safeguard_route_finished_total{reason="audit",route="checked"} 1'
wait_until grep -o '"type":"verdict.final".*post-2' received
call 0 safeguard verdicts --data-dir data --json
like out '"id":"post-2".*"decided_by":"recorded".*"provisional":\{'
call 0 curl -fsS "$URL/v1/routes/checked"
like out '"screen_recall":\[\{"policy":"spam","screened":1,"audited":1'
like out '"finished_audit":1'

# A job may name a route: all of its layers judge it.
post /v1/jobs "{\"text\": \"$AD\", \"id\": \"post-3\", \"route\": \"comments\"}"
JOB=$(grep -oP '"job":"\K[^"]+' out)
wait_until job_state "$JOB" done
call 0 curl -fsS "$URL/v1/jobs/$JOB"
like out '"outcome":"violation".*"decided_by":"recorded"'
wait_until metric 'safeguard_route_finished_total{reason="asked",route="comments"} 1'
# What belongs to a route that this server has not is left alone.
curl -fsS "$URL/v1/jobs?state=waiting" >out
like out '"attempts":0.*this server has no route elsewhere'

# Lists are followed, and so is the store.
list "a text that all know"
wait_for_log '"event":"lists-reloaded"'
post /v1/judge '{"text": "A text that all know", "route": "checked"}'
has out '"decided_by":"list"'
post /v1/policies '{"id": "spam", "text": "# Spam\n\n## Violates\n- S1 Ads for followers or likes.\n"}'
post /v1/policies/spam/versions/1/promote '{"to": "active", "force": true}'
post /v1/judge "{\"text\": \"$AD\", \"route\": \"comments\"}"
like out '"policy_version":"1".*"channel":"active"'

# The metrics and the list of routes.
curl -fsS "$URL/metrics" >metrics
has metrics 'safeguard_route_verdicts_total{layer="recorded",route="comments"}'
has metrics 'safeguard_route_asked_total{reasoner="low",route="comments"}'
has metrics 'safeguard_route_deferred_total{reason="audit",route="checked"}'
has metrics 'safeguard_route_screen_audits{policy="spam",route="checked"}'
has metrics '# TYPE safeguard_route_verdicts_total counter'
call 0 curl -fsS "$URL/v1/routes"
equal "routes" "$(grep -o '"name":"[a-z]*","policies"' out | wc -l)" 3
stop 0

# Killed before it could finish: the next start does.
call 0 safeguard classify "$FINE" --route checked.yaml --data-dir again
serve --route checked.yaml --data-dir again
wait_until metric 'safeguard_route_finished_total{reason="audit",route="checked"} 1'
stop 0
kill "$RECEIVER_PID" 2>/dev/null
finish
