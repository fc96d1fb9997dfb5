#!/usr/bin/env bash
# The reasoner and recorded answers through the built command, on a random model of two layers.
source "$(dirname "$0")/lib.sh" "$1"

call 0 safeguard model synth --shape tiny --seed 5 --format gguf model.gguf
call 0 safeguard model synth --shape tiny --seed 5 folder
call 0 safeguard model info folder
has out "201088"
call 0 safeguard model verify model.gguf

# Both formats answer; the same question gets the same answer, whatever else is asked with it.
judge=(--judge reasoner --model model.gguf --reasoning-tokens 8 --answer-tokens 200)
status=0
safeguard classify "Buy 1000 followers now" --policy spam "${judge[@]}" --json >alone.json || status=$?
[ "$status" -eq 0 ] || [ "$status" -eq 1 ] || [ "$status" -eq 3 ] || fail "exit code $status"
safeguard classify "Buy 1000 followers now" --policy scams --policy spam "${judge[@]}" --json --threads 1 >both.json || true
strip() { sed -E 's/"timings_ms":\{[^}]*\},?//; s/"cached":[0-9]+/"cached":0/' "$1"; }
[ "$(strip alone.json)" = "$(strip both.json | tail -n 1)" ] || fail "another policy beside it changed the answer"
grep -q '"decided_by":"reasoner"' alone.json || fail "it does not say who decided"
grep -Eq '"precision":"(int16|bf16)"' alone.json || fail "it does not say how exactly it computed"
safeguard classify "Buy 1000 followers now" --policy spam "${judge[@]}" --precision int8 --json >int8.json || true
grep -q '"precision":"int8"' int8.json || fail "--precision int8 is not in the verdict"
grep -q '"template"' alone.json || fail "it does not name the template"

for form in label json rationale policy; do
  status=0
  safeguard classify "hello" --policy spam "${judge[@]}" --answer $form --json >form.json || status=$?
  [ "$status" -le 1 ] || [ "$status" -eq 3 ] || fail "answer form $form: exit code $status"
  grep -q '"score":[01]' form.json || fail "answer form $form gave no score"
done
status=0
safeguard classify "hello" --policy spam --judge reasoner --model folder --instant --json >instant.json || status=$?
[ "$status" -le 1 ] || fail "instant: exit code $status"
grep -q '"reasoning":0' instant.json || fail "an instant score reasoned"

# Packed weights are kept in a file beside the model, and answers are the same with it.
generate() { safeguard model generate model.gguf --ids 1,2,3 --greedy --max-tokens 3 --json "$@" >out 2>err || fail "generate failed"; }
ids() { grep -o '"ids":\[[0-9,]*\],"logprobs":\[[^]]*\]' out; }
generate
has out "packed in memory"
alone=$(ids)
call 0 safeguard model pack model.gguf
has out "wrote "
[ "$(ls ./*.packed | wc -l)" -eq 1 ] || fail "model pack left $(ls)"
generate
has out "mapped from"
equal "answers with packed weights" "$alone" "$(ids)"
generate --no-packed-file
has out "packed in memory"
SAFEGUARD_PACKED=off generate
has out "packed in memory"
call 0 safeguard model pack model.gguf --json
has out '"was_there":true'
printf 'damage' | dd of="$(ls ./*.packed)" bs=1 seek=3000000 conv=notrunc status=none
generate
has err ".packed: its weights are damaged"
has out "packed in memory"
equal "answers beside damage" "$alone" "$(ids)"
call 0 safeguard model pack model.gguf
has out "wrote "
call 2 safeguard model pack model.gguf --precision f32
call 4 safeguard model pack nowhere
rm ./*.packed

# Time that runs out, and wrong use.
SAFEGUARD_CACHE=off call 3 safeguard classify "hello" --policy spam --judge reasoner --model model.gguf --time-limit 0.001
has out "timeout"
call 2 safeguard classify "hello" --policy spam --judge reasoner
has err "needs --model"
call 4 safeguard classify "hello" --policy spam --judge reasoner --model nowhere
head -c 100000 model.gguf >cut.gguf
call 4 safeguard classify "hello" --policy spam --judge reasoner --model cut.gguf
has err "cut.gguf"

# A batch resumes only with the same judge.
printf '{"text":"one"}\n{"text":"two"}\n' >in.jsonl
status=0
safeguard batch --policy spam --in in.jsonl --out out.jsonl --judge reasoner --model model.gguf --instant >/dev/null 2>&1 || status=$?
[ "$status" -le 1 ] || fail "batch: exit code $status"
[ "$(wc -l <out.jsonl)" -eq 2 ] || fail "batch wrote $(wc -l <out.jsonl) lines"
call 2 safeguard batch --policy spam --in in.jsonl --out out.jsonl --judge reasoner --model model.gguf --instant --effort high

# A policy that was read ahead of time is not read again, in this process or another; it is in the
# folder of caches, and a damaged file is told and written anew.
export SAFEGUARD_CACHE="$WORK/warm"
call 0 safeguard policy warm spam scams --model model.gguf
has out "computed and kept"
call 0 safeguard policy warm spam --model model.gguf --json
has out '"was_there":true'
call 0 safeguard policy warm spam scams --together --model model.gguf
has out "spam + scams"
stats() {
  safeguard batch --policy spam --in in.jsonl --out "$1" --restart --judge reasoner --model model.gguf --instant --stats >/dev/null 2>err || true
}
stats warm.jsonl
has err "prefix_disk_loads=1"
has err "prefix_misses=0"
has err "logit_rows_restricted=2"
for file in "$WORK"/warm/prefixes/*.prefix; do printf 'x' | dd of="$file" bs=1 seek=100 conv=notrunc status=none; done
stats damaged.jsonl
has err "written anew"
has err "prefix_disk_loads=0"
equal "verdicts" "$(strip warm.jsonl)" "$(strip damaged.jsonl)"
stats mended.jsonl
has err "prefix_disk_loads=1"
SAFEGUARD_CACHE=off call 4 safeguard policy warm spam --model model.gguf
has err "SAFEGUARD_CACHE"
call 2 safeguard policy warm spam
export SAFEGUARD_CACHE="$WORK/cache"

# Recorded answers are read by the same parser.
cat >answers.jsonl <<'ANSWERS'
{"text":"ad","final":"{\"violation\":1,\"rule_ids\":[\"SP2.a\",\"SP9.z\"],\"rationale\":\"ad\"}"}
{"text":"hi","final":"{\"violation\":0}"}
{"text":"no","final":"I'm sorry, but I can't help with that."}
ANSWERS
call 1 safeguard classify "ad" --policy spam --judge recorded --recorded answers.jsonl
has out "SP2.a"
has out "SP9.z"
call 0 safeguard classify "hi" --policy spam --judge recorded --recorded answers.jsonl
call 3 safeguard classify "no" --policy spam --judge recorded --recorded answers.jsonl
has out "refusal"
call 3 safeguard classify "never asked" --policy spam --judge recorded --recorded answers.jsonl

# Tokens from each source are the same.
printf '{"text":"Hello <|end|> world"}\n' >texts.jsonl
safeguard model tokens <texts.jsonl >built-in.jsonl
safeguard model tokens model.gguf <texts.jsonl >gguf.jsonl
cmp -s built-in.jsonl gguf.jsonl || fail "the GGUF's tokenizer differs from the built-in one"
finish
