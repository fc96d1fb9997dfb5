#!/usr/bin/env bash
# The built command as a person uses it: exit codes, output, bad input, a batch that is killed.
#   command_test.sh SAFEGUARD_BINARY
set -u
safeguard="$1"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export SAFEGUARD_CACHE="$folder/cache"
cd "$folder" || exit 1
failures=0

fail() { printf 'FAILED: %s\n' "$*"; failures=$((failures + 1)); }
expect_code() {  # CODE WHAT COMMAND...
  local wanted="$1" what="$2" got=0; shift 2
  "$@" >out 2>err || got=$?
  [ "$got" -eq "$wanted" ] || { fail "$what: exit code $got, not $wanted"; head -3 err; }
}
expect_in() { grep -q -- "$2" "$1" || { fail "\"$2\" is not in $1:"; head -5 "$1"; }; }

# Without a model nothing can be judged; that must not look like a verdict.
expect_code 4 "no model" env SAFEGUARD_MODELS="$folder/none" "$safeguard" classify hello --policy spam --model "$folder/none"
expect_in err "model"
if [ ! -e "${SAFEGUARD_MODELS:-none}/minilm-l6-v2/model.safetensors" ]; then
  echo "SKIPPED: no model folder; set SAFEGUARD_MODELS"
  [ "$failures" -eq 0 ] && exit 77
  exit 1
fi

expect_code 1 "a violation" "$safeguard" classify "Selling an undetected aimbot with wallhack, DM me for the price" --policy game-cheating
expect_in out "violation"
expect_in out "not the reasoner"
expect_code 0 "a safe text" "$safeguard" classify "The parcel arrived on Tuesday, and the jacket fits well." --policy scams
expect_code 3 "empty content" "$safeguard" classify "" --policy spam
expect_code 1 "JSON" "$safeguard" classify "Selling an undetected aimbot, DM me" --policy game-cheating --json
for field in policy policy_version policy_hash outcome reason score category rule_ids rationale evidence decided_by timings_ms; do
  expect_in out "\"$field\":"
done
expect_in out '"decided_by":"screen"'

# Bad input: one clear line, never a verdict.
expect_code 4 "no such policy" "$safeguard" classify hello --policy spamm
expect_in err "spam"
expect_code 2 "an unknown option" "$safeguard" classify hello --polcy spam
printf 'a\0b' >binary
expect_code 4 "a binary policy" "$safeguard" classify hello --policy binary
expect_code 2 "a folder as content" "$safeguard" classify --file "$folder" --policy spam
printf 'caf\351 au lait, nothing else' >latin1
"$safeguard" classify --file latin1 --policy spam --json >out 2>err
expect_in out "invalid UTF-8 at byte 3"
head -c 10485760 /dev/zero | tr '\0' 'a' >large
"$safeguard" classify --file large --policy spam --json >out 2>err && fail "10 MB of content was called safe"
mkdir -p broken && cp -rL "$SAFEGUARD_MODELS/minilm-l6-v2" broken/
head -c 1000000 "$SAFEGUARD_MODELS/minilm-l6-v2/model.safetensors" >broken/minilm-l6-v2/model.safetensors
expect_code 4 "a truncated model" "$safeguard" classify hello --policy spam --model broken/minilm-l6-v2
expect_in err "model.safetensors"

# Policies.
expect_code 0 "list" "$safeguard" policy list
expect_in out "prompt-injection"
expect_code 0 "show" "$safeguard" policy show spam
expect_in out "SP4.a"
expect_code 0 "lint of a shipped policy" "$safeguard" policy lint spam
printf 'Be generally nice.\n' >thin.md
expect_code 1 "lint of a thin policy" "$safeguard" policy lint thin.md
expect_in out "thin.md:1"

# A batch that is killed again and again ends with the lines of one that was not.
for i in $(seq 1 300); do
  printf '{"id":"r%d","text":"message number %d, click here to win a prize %d"}\n' "$i" "$i" $((i * 7))
done >records.jsonl
printf 'not json\n' >>records.jsonl
expect_code 2 "a malformed line is counted" "$safeguard" batch --policy spam --in records.jsonl --out whole.jsonl
expect_in err "301"
strip() { sed 's/"timings_ms":{[^}]*}//' "$1"; }
for attempt in $(seq 1 60); do
  "$safeguard" batch --policy spam --in records.jsonl --out killed.jsonl --batch-size 16 >out 2>err &
  job=$!
  sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
  kill -9 "$job" 2>/dev/null || true
  wait "$job" 2>/dev/null
  [ -e killed.jsonl ] && [ "$(wc -l <killed.jsonl)" -ge 300 ] && break
done
"$safeguard" batch --policy spam --in records.jsonl --out killed.jsonl --batch-size 16 >out 2>err
[ "$(wc -l <whole.jsonl)" -eq 300 ] || fail "$(wc -l <whole.jsonl) lines, not 300"
[ "$(strip whole.jsonl)" = "$(strip killed.jsonl)" ] || fail "the killed batch differs from the whole one"

# Evaluation, version, completion, plain output when not a terminal.
printf '{"id":"1","text":"Buy followers now","expected":"violation"}\n{"id":"2","text":"Good morning","expected":"safe"}\n' >golden.jsonl
expect_code 0 "eval" "$safeguard" eval --policy spam --data golden.jsonl --json
expect_in out "roc_auc"
expect_code 0 "version" "$safeguard" version
expect_code 0 "completion" "$safeguard" completion bash
bash -n out || fail "bash does not accept its completion"
expect_code 1 "no colours in a pipe" "$safeguard" classify "Selling an undetected aimbot, DM me" --policy game-cheating
grep -q $'\033' out && fail "escape codes in a pipe"

[ "$failures" -eq 0 ] && echo "all as expected"
exit $((failures > 0))
