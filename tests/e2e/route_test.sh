#!/usr/bin/env bash
# Routes: the screen with recorded answers as the reasoner, and the curve of what a budget buys.
source "$(dirname "$0")/lib.sh" "$1"

AD="Cheap followers! DM me to buy 10k real likes, 40% off today"
FINE="The meeting has moved to three on Thursday, see you there."
cat >answers.jsonl <<JSON
{"text": "$AD", "final": "{\"violation\": 1, \"policy_category\": \"\", \"rule_ids\": [], \"rationale\": \"An ad.\"}"}
{"text": "$FINE", "final": "{\"violation\": 0, \"policy_category\": \"\", \"rule_ids\": [], \"rationale\": \"A date.\"}"}
JSON
cat >route.yaml <<'YAML'
route: comments
policies:
  - {policy: spam, band: [0.01, 1]}
reasoners:
  - {name: low, judge: recorded, recorded: answers.jsonl}
audit: {safe: 0.5}
YAML

call 1 safeguard classify "$AD" --route route.yaml
has out "Way: screen:"
has out "violation (decides)"
call 0 safeguard classify "$FINE" --route route.yaml --json
has out '"decided_by":"recorded"'
has out '"path":[{"layer":"screen"'
has out '"reasoner":"low"'
# What the reasoner cannot say is undetermined, or the screen's where the route says so.
call 3 safeguard classify "Win a phone, click here now" --route route.yaml
sed 's/^audit/unanswered: provisional\naudit/' route.yaml >provisional.yaml
call 1 safeguard classify "$AD. Buy now" --route provisional.yaml --json
has out '"provisional":true'

# A screen alone.
printf 'policies: [spam, hate]\n' >alone.yaml
call 1 safeguard classify "$AD" --route alone.yaml
equal "policies judged" "$(grep -cE '^(spam|hate) +(violation|safe|undetermined)' out)" 2

printf '{"text":"%s"}\n{"text":"%s"}\n' "$AD" "$FINE" >in.jsonl
call 1 safeguard batch --route route.yaml --in in.jsonl --out out.jsonl --stats
has err "asked_low="
equal "lines of the reasoner" "$(grep -c '"decided_by":"recorded"' out.jsonl)" 2
printf 'seed: 2\n' >>route.yaml
call 2 safeguard batch --route route.yaml --in in.jsonl --out out.jsonl
has err "--restart"

# What may wait is put off, and finished by the route's reasoner.
export SAFEGUARD_DATA="$WORK/data"
sed 's/^audit.*/audit: {safe: 1, violation: 1, later: on}/; s/band: .*}/band: [0, 0]}/' route.yaml >later.yaml
code=0; safeguard classify "$AD" --route later.yaml >out 2>err || code=$?
has out "1 verdict waits in the job queue"
call 0 safeguard jobs run --route later.yaml
has out "1 judged"
call 0 safeguard verdicts --json
has out '"decided_by":"recorded"'
has out '"provisional":{'

# Two processes on one data folder share a route's budget: what both were granted is what one would have been.
for i in $(seq 400); do
  printf '{"text": "Offer %s: cheap followers, DM me to buy", "final": "{\\"violation\\": 1, \\"policy_category\\": \\"\\", \\"rule_ids\\": [], \\"rationale\\": \\"An ad.\\"}"}\n' "$i"
done >offers.jsonl
sed 's/, "final".*/}/' offers.jsonl >offers.in.jsonl
cat >capped.yaml <<'YAML'
route: capped
policies: [{policy: spam, band: [0, 1]}]
reasoners: [{name: low, judge: recorded, recorded: offers.jsonl, tokens: 50}]
budget: {tokens_per_second: 10, burst_s: 40}
unanswered: provisional
audit: {safe: 0, violation: 0}
degrade: [band, shed]
YAML
granted() {  # FOLDER FOLDER: how many verdicts of the reasoner two processes got that worked at once
  local n=0 folder
  for folder in "$1" "$2"; do
    n=$((n + 1))
    safeguard batch --route capped.yaml --in offers.in.jsonl --out "capped$n.jsonl" --restart --data-dir "$folder" 2>/dev/null &
  done
  wait
  cat capped1.jsonl capped2.jsonl | grep -c '"decided_by":"recorded"'
}
begun=$(date +%s%N)
together=$(granted both both)
allowed=$((($(date +%s%N) - begun) / 1000000 * 10 / 1000 / 50 + 400 / 50 + 1))
equal "verdicts of both" "$(cat capped1.jsonl capped2.jsonl | wc -l)" 800
apart=$(granted one other)
equal "granted together $together of at most $allowed, apart $apart" \
  "$([ "$together" -ge 4 ] && [ "$together" -le "$allowed" ] && [ "$apart" -gt "$together" ] && echo yes)" yes

# What nobody decides goes to people, and their decision into the record.
printf 'policies: [{policy: spam, band: [0, 1]}]\nreview: {undetermined: on, violations: on}\n' >people.yaml
code=0; safeguard classify "$AD" --route people.yaml >out 2>err || code=$?
call 0 safeguard review list
has out "1 open, 0 decided."
call 0 safeguard review decide 1 violation --rule SP2.a --why "sells followers" --as ada
call 2 safeguard review decide 1 safe --why "no" --as bob
call 0 safeguard review export --out decided.jsonl
like decided.jsonl '"expected": ?"violation"'
call 0 safeguard verdicts --json
has out '"decided_by":"review"'

# A cascade is measured like a judge.
printf '{"text":"%s","label":1}\n{"text":"%s","label":0}\n' "$AD" "$FINE" >labelled.jsonl
call 0 safeguard eval --route route.yaml --data labelled.jsonl --no-golden
like out '^low +2 +100.0 %'
unset SAFEGUARD_DATA

# What is wrong is said with its line.
call 4 safeguard classify "x" --route nowhere.yaml
error_is_one_line
printf 'route: a\nbudjet: {share: 1}\n' >bad.yaml
call 4 safeguard classify "x" --route bad.yaml
has err "route line 2: \`budjet\` is not known"
error_is_one_line
call 2 safeguard classify "x" --route alone.yaml --policy spam
call 2 safeguard classify "x" --route alone.yaml --judge recorded

# The curve.
call 0 safeguard eval --policy spam --run screen.run.jsonl
call 0 safeguard eval cascade screen.run.jsonl --budget 0.1 --budget 0.5 --report curve.html --report curve.md
like out '^cascade, 10 % +\d'
has out "reasoner alone"
has out "synthetic: recall 0.95"
head -c 15 curve.html | grep -q '<!doctype html>' || fail "the curve is no page"
has curve.md "| cascade, 50 % |"
call 0 safeguard eval cascade screen.run.jsonl --json
has out '"points": ['
call 2 safeguard eval cascade in.jsonl
call 2 safeguard eval cascade screen.run.jsonl --budget 7
finish
