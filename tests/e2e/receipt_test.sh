#!/usr/bin/env bash
# Receipts of every kind of judge, replayed: by the screens, a classifier, a cascade and a reasoner.
source "$(dirname "$0")/lib.sh" "$1"
export SAFEGUARD_DATA="$WORK/data"
AD="Cheap followers! DM me to buy 10k real likes, 40% off today"
printf '%s' "$AD" >ad.txt
N=0
# judged ARGUMENTS...: judges the ad and keeps the receipt.
judged() {
  local code=0
  N=$((N + 1))
  safeguard classify "$AD" --policy spam --record "$@" >out 2>err || code=$?
  [ "$code" -le 1 ] || [ "$code" -eq 3 ] || fail "classify $*: exit code $code: $(cat err)"
  call 0 safeguard verdicts receipt "$N"
  cp out receipt.json
  lacks receipt.json "followers!"
}
same_again() {
  call 0 safeguard replay receipt.json --content ad.txt "$@"
  has out "The same verdict."
}

for screen in embedding trained; do
  judged --screen $screen
  has receipt.json '"judge": "screen"'
  like receipt.json '"hash": "[0-9a-f]{64}"'
  same_again
  same_again --threads 1
done
like receipt.json '"tokenizer": "[0-9a-f]{64}"'

# Where it differs is said.
sed 's/"score": [0-9.e-]*/"score": 0.25/' receipt.json >changed.json
call 1 safeguard replay changed.json --content ad.txt
has out "THE VERDICT DIFFERS"
like out 'The score differs by [+-]0\.'
call 1 safeguard replay receipt.json --content ad.txt --model "$SAFEGUARD_MODELS" --policy hate --json
like out '"what":"policy"'
printf 'Another text' >other.txt
call 2 safeguard replay receipt.json --content other.txt
has err "not the content"
call 2 safeguard replay receipt.json
has err "--content"
SAFEGUARD_MODELS="$WORK/none" call 4 safeguard replay receipt.json --content ad.txt

# A classifier of one's own.
for i in $(seq 40); do
  printf '{"text":"win free money now, click number %d","expected":"violation"}\n{"text":"we ate soup at noon on day %d","expected":"safe"}\n' "$i" "$i"
done >labels.jsonl
call 0 safeguard screen train --policy spam --data labels.jsonl
judged --judge dedicated
has receipt.json "dedicated:spam@1"
same_again

# A cascade, whose reasoner has its answers from a file.
printf '{"text": "%s", "final": "{\\"violation\\": 1, \\"policy_category\\": \\"\\", \\"rule_ids\\": [], \\"rationale\\": \\"An ad.\\"}"}\n' "$AD" >answers.jsonl
cat >route.yaml <<'YAML'
route: comments
policies:
  - {policy: spam, band: [0.01, 1]}
reasoners:
  - {name: low, judge: recorded, recorded: answers.jsonl}
YAML
N=$((N + 1))
call 1 safeguard classify "$AD" --route route.yaml --record
call 0 safeguard verdicts receipt "$N"
cp out receipt.json
has receipt.json '"layer": "recorded"'
same_again
sed -i 's/0\.01, 1/0.02, 1/' route.yaml
same_again
has out "route.hash"
sed -i 's/An ad/Not it/' answers.jsonl
call 1 safeguard replay receipt.json --content ad.txt
has out "weights:"

# A reasoner with random weights; and with others.
call 0 safeguard model synth --shape tiny --seed 5 --format gguf model.gguf
judged --judge reasoner --model model.gguf --reasoning-tokens 8 --answer-tokens 100
like receipt.json '"prompt_ids": "[0-9a-f]{64}"'
same_again
mkdir moved
mv model.gguf moved
call 4 safeguard replay receipt.json --content ad.txt
same_again --model moved/model.gguf
call 0 safeguard model synth --shape tiny --seed 6 --format gguf model.gguf
call 1 safeguard replay receipt.json --content ad.txt
has out "weights:"

# The log's own text, over HTTP too.
. "$HERE/serve_lib.sh"
serve
post /v1/judge "{\"text\": \"$AD\", \"policies\": [\"spam\"]}"
curl -fsS "$URL/v1/verdicts/$((N + 1))/receipt" >receipt.json
stop 0
same_again
N=$((N + 1))
judged --record-content
call 0 safeguard replay receipt.json
has out "The same verdict."

finish
