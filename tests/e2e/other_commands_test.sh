#!/usr/bin/env bash
# eval, policy, version, help and shell completion.
source "$(dirname "$0")/lib.sh" "$1"

# Help: every command has one, and every example in it is understood.
for command in "" classify batch eval "eval rescore" "eval compare" "eval cascade" policy "policy show" "policy lint" "policy list" "policy calibrate" "policy publish" "policy approve" "policy promote" "policy rollback" "policy retire" "policy settings" "policy import" "policy export" "policy log" screen "screen train" "screen list" "screen show" "screen use" "screen remove" "screen rollback" verdicts "verdicts receipt" replay doctor lists "lists check" "lists add" "lists show" "lists lint" jobs "jobs submit" "jobs run" "jobs list" "jobs show" "jobs retry" "jobs dead" model "model info" "model pull" "model tokens" "model verify" "model synth" "model logits" "model generate" version completion; do
  call 0 safeguard $command --help
  has out "Usage: safeguard${command:+ $command} "
done
call 2 safeguard
call 2 safeguard polcy
has err "did you mean policy?"
call 0 safeguard --version
like out '^safeguard \d+\.\d+\.\d+'

# version
call 0 safeguard version --json
like out '"model_hash":"[0-9a-f]{64}"'
like out '"kernels":"(avx512|avx2|amx|reference), (8|16|32)-bit","reasoner_kernels":"[a-z0-9_-]+"'
like out '"packed_weights":"kept beside the model, else in [^"]+/packed"'
call 0 env SAFEGUARD_MODELS=/nonexistent safeguard version
has out "./demo.sh"

# model tokens
printf '{"text":"Hello world"}\n{"text":"<|start|>"}\n' >texts.jsonl
call 0 safeguard model tokens <texts.jsonl
like out '^\{"text":"Hello world","tokens":\[13225,2375\]\}$'
like out '^\{"text":"<\|start\|>","tokens":\[27,91,5236,91,29\]\}$'
echo nonsense >texts.jsonl
call 2 safeguard model tokens <texts.jsonl
has err "line 1"
call 4 safeguard model tokens /nonexistent <texts.jsonl

# policy
call 0 safeguard policy list
like out '^spam +'
for name in $(safeguard policy list --names); do
  call 0 safeguard policy show "$name"
  like out '^Rules \(\d+\)'
  call 0 safeguard policy lint "$name"
done
cat >weak.md <<'MD'
# Weak policy
Try to remove stuff that is possibly bad, usually.
- WK1 Bad things
- WK1 Other bad things
MD
call 1 safeguard policy lint weak.md
like out '^weak\.md:\d+: (error|warning|hint): '
has out "Mend: "
call 1 safeguard policy lint weak.md --json
like out '^\{"file":"weak.md","line":\d+,"severity":"[a-z]+","check":"[a-z-]+","reason":".+","mend":".*"\}$'
call 1 env SAFEGUARD_MODELS=/nonexistent safeguard policy lint weak.md
has err "not checked"
call 4 safeguard policy lint nowhere.md
call 4 safeguard policy show .
head -c 3000 /dev/urandom >binary.md
call 4 safeguard policy lint binary.md
error_is_one_line
head -c 2000000 /dev/zero | tr '\0' 'x' >huge.md
call 4 safeguard policy show huge.md

# eval
call 0 safeguard eval --policy spam
has out "cross-validated"
call 0 safeguard eval --policy spam --json
like out '"at|"roc_auc|auc'
printf 'text,label\n"Cheap followers! DM me to buy 10k likes",1\n"Good morning",0\n"Lunch at noon?",0\n' >data.csv
call 0 safeguard eval --policy spam --data data.csv --threshold 0.3 --threshold 0.9
has out "At other thresholds"
call 2 safeguard eval --policy spam --data nowhere.csv
printf 'text,label\n"a"x,1\n"Good morning",0\n"Buy followers now",1\n' >broken.csv
call 2 safeguard eval --policy spam --data broken.csv
has err "line 2"
call 4 safeguard eval --policy nothing-like-it

# completion
for shell in bash zsh fish; do
  call 0 safeguard completion $shell
  cp out completion.$shell
done
call 0 bash -n completion.bash
if command -v zsh >/dev/null; then call 0 zsh -n completion.zsh; fi
if command -v fish >/dev/null; then call 0 fish -n completion.fish; fi
# complete WORDS...: what bash would offer for the last of them
complete_words() {
  bash -c 'source completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _safeguard 2>/dev/null
    printf "%s\n" "${COMPREPLY[@]}"' bash "$@" | sort | tr '\n' ' '
}
equal "commands" "$(complete_words safeguard c)" "classify completion "
equal "commands below a command" "$(complete_words safeguard policy l)" "lint list log "
equal "options" "$(complete_words safeguard classify --po)" "--policy "
equal "options of a command below" "$(complete_words safeguard policy lint --js)" "--json "
equal "choices" "$(complete_words safeguard classify --role a)" "assistant "
equal "shipped policies" "$(complete_words safeguard classify --policy scam)" "scams "
equal "files" "$(complete_words safeguard classify --file dat)" "data.csv "
equal "shells" "$(complete_words safeguard completion z)" "zsh "
finish
