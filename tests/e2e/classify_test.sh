#!/usr/bin/env bash
# `safeguard classify` as its users meet it.
source "$(dirname "$0")/lib.sh" "$1"

SPAM="Cheap followers! DM me to buy 10k real likes, 40% off today"
FINE="The meeting has moved to three on Thursday, see you there."

# Verdicts and exit codes.
call 1 safeguard classify "$SPAM" --policy spam
like out '^POLICY +VERDICT +RULE +SCORE +EVIDENCE +TIME$'
like out '^spam +violation +\S+ +[01]\.\d\d +".*ms$'
has out "the fast layer, not the reasoner"
lacks out $'\x1b'
call 0 safeguard classify "$FINE" --policy spam
call 3 safeguard classify "" --policy spam
has out empty_content
call 3 safeguard classify "   " --policy spam
call 1 safeguard classify "$SPAM"
equal "rows of the table, one for each shipped policy" \
  "$(grep -cE ' (violation|safe|undetermined) ' out)" "$(safeguard policy list --names | wc -l)"

# Where content comes from.
printf '%s' "$SPAM" >spam.txt
call 1 safeguard classify --file spam.txt --policy spam
call 1 bash -c 'safeguard classify --policy spam <spam.txt'
call 1 bash -c 'safeguard classify - --policy spam <spam.txt'
call 0 safeguard classify --policy spam -- "-- see you on Thursday at the meeting, at three"

# JSON: one object a line, with exactly these fields.
call 1 safeguard classify "$SPAM" --policy spam --policy hate --json
equal lines "$(wc -l <out)" 2
FIELDS='^\{"policy":"[a-z-]+","policy_version":"[^"]+","policy_hash":"[0-9a-f]{64}","outcome":"(violation|safe|undetermined)","reason":(null|"[a-z_]+"),"score":(null|[0-9.e-]+),"category":"[^"]*","rule_ids":\[.*\],"rationale":".*","evidence":\[.*\],"decided_by":"screen","timings_ms":\{.*"total":[0-9.]+.*\}'
equal "lines with the agreed fields" "$(grep -cP "$FIELDS" out)" 2
# The evidence is where its offsets say.
printf 'Ünïcode first. %s. And a last sentence.' "$SPAM" >long.txt
call 1 safeguard classify --file long.txt --policy spam --json
start=$(grep -oP '"evidence":\[\{"start":\K\d+' out)
end=$(grep -oP '"evidence":\[\{"start":\d+,"end":\K\d+' out)
text=$(grep -oP '"evidence":\[\{"start":\d+,"end":\d+,"text":"\K[^"]*' out)
equal evidence "$(head -c "$end" long.txt | tail -c +$((start + 1)))" "$text"

# Conversations.
cat >chat.json <<'JSON'
{"model": "x", "messages": [{"role": "user", "content": "hi"},
  {"role": "assistant", "content": [{"type": "text", "text": "Cheap followers! DM me to buy 10k likes"}]}]}
JSON
call 1 safeguard classify --conversation chat.json --policy spam --json
has out '"message":1'
printf '[{"role": "user"' >broken.json
call 2 safeguard classify --conversation broken.json --policy spam
error_is_one_line
head -c 200000 /dev/zero | tr '\0' '[' >deep.json
call 2 safeguard classify --conversation deep.json --policy spam

# Bad input.
call 2 safeguard classify --file nowhere.txt --policy spam
has err "nowhere.txt does not exist"
error_is_one_line
call 2 safeguard classify --file . --policy spam
has err "is a directory"
printf 'a\0b' >binary
call 2 safeguard classify --file binary --policy spam
has err "NUL byte at offset 1"
printf '\xff\xfe Cheap followers! DM me to buy 10k likes' >latin.txt
call 1 safeguard classify --file latin.txt --policy spam --json
has out "invalid UTF-8 at byte 0"
yes "all quiet here, nothing to see." | head -c 10000000 >ten_mb.txt
call 3 safeguard classify --file ten_mb.txt --policy spam --json
has out '"reason":"content_too_long"'
call 2 safeguard classify "x" --policy spam --threads 0
call 2 safeguard classify "x" --polcy spam
has err "did you mean --policy?"
error_is_one_line

# Policies.
call 4 safeguard classify "x" --policy spma
has err "did you mean spam?"
call 4 safeguard classify "x" --policy nowhere.md
call 4 safeguard classify "x" --policy .
call 4 safeguard classify "x" --policy binary
error_is_one_line
: >empty.md
call 3 safeguard classify "x" --policy empty.md --json
has out '"reason":"policy_without_rules"'
printf '# No kites\n\n## Violates\n- KT1.a Any talk of flying kites.\n\n## Allowed\n- KT0.a Talk of boats.\n' >kites.md
call 1 safeguard classify "Let us go and fly kites in the park" --policy ./kites.md
printf '{"id": "1", "text": "kites are fun", "expected": "violation"}\n' >kites.golden.jsonl
call 1 safeguard classify "Let us go and fly kites in the park" --policy kites.md
has out "kites.golden.jsonl"
printf '{oops\n' >bad.jsonl
call 4 safeguard classify "x" --policy kites.md --golden bad.jsonl
has err "bad.jsonl"

# Models.
call 4 env SAFEGUARD_MODELS="$WORK/none" safeguard classify x --policy spam
has err "./demo.sh"
has err "$WORK/none"
error_is_one_line
mkdir -p broken/minilm-l6-v2
cp "$SAFEGUARD_MODELS"/minilm-l6-v2/*.json broken/minilm-l6-v2/
head -c 1000000 "$SAFEGUARD_MODELS/minilm-l6-v2/model.safetensors" >broken/minilm-l6-v2/model.safetensors
call 4 safeguard classify x --policy spam --model broken
has err "model.safetensors"
error_is_one_line

# Terminals and pipes.
quoted="safeguard classify 'Cheap followers! DM me to buy' --policy spam"
call 1 script -qec "$quoted" /dev/null
has out $'\x1b['
call 1 script -qec "NO_COLOR=1 $quoted" /dev/null
lacks out $'\x1b['
call 1 script -qec "$quoted --color never" /dev/null
lacks out $'\x1b['
call 1 safeguard classify "Cheap followers! DM me to buy" --policy spam --color always
has out $'\x1b[1;31mviolation'
call 4 bash -c 'safeguard classify fine --policy spam >/dev/full'
has err "No space left"
call 0 bash -c 'set -o pipefail; safeguard policy list | head -1; exit 0'
equal "what a closed pipe leaves on standard error" "$(cat err)" ""
finish
