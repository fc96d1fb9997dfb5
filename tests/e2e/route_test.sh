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
