#!/usr/bin/env bash
# The screen as a whole process: contents a second by length, threads and policies; time from
# process start to the first verdict; memory. Medians of three runs.
#   bench/screen.sh [SAFEGUARD_BINARY]
set -eu
cd "$(dirname "$0")/.."
safeguard="${1:-build/safeguard}"
export SAFEGUARD_MODELS="${SAFEGUARD_MODELS:-$PWD/build/models}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
words=(the match was long and our team played well until late in the second half when rain came over the hill)

contents() {  # COUNT WORDS: distinct contents of about so many tokens, in sentences
  local i w text
  for ((i = 0; i < $1; i++)); do
    text=""
    for ((w = 0; w < $2; w++)); do
      text+="${words[(i * 7 + w * (1 + i % 5)) % ${#words[@]}]} "
      ((w % 18 == 17)) && text+="$i. "
    done
    printf '{"text":"%s"}\n' "$text"
  done
}
median() { sort -n | sed -n 2p; }
seconds() {  # COMMAND...: wall seconds
  local start end
  local code=0
  start=$(date +%s.%N); "$@" >/dev/null 2>&1 || code=$?; end=$(date +%s.%N)
  case $code in 0|1|3) ;; *) echo "screen.sh: exit code $code: $*" >&2; exit 1 ;; esac
  echo "$end - $start" | bc
}

five=(--policy spam --policy scams --policy hate --policy harassment --policy violence)
all=()
for policy in $("$safeguard" policy list --names); do all+=(--policy "$policy"); done
"$safeguard" classify warm "${all[@]}" >/dev/null 2>&1 || true  # policies embedded once, on disk

printf '%-8s %-8s %-9s %s\n' tokens threads policies contents/s
for tokens in 20 100 400; do
  count=$((48000 / (tokens + 20)))
  contents "$count" "$((tokens * 93 / 100))" >"$folder/in.jsonl"
  for threads in 1 2; do
    for policies in 1 5 12; do
      case $policies in 1) chosen=(--policy spam) ;; 5) chosen=("${five[@]}") ;; *) chosen=("${all[@]}") ;; esac
      time=$(for _ in 1 2 3; do seconds "$safeguard" batch "${chosen[@]}" --in "$folder/in.jsonl" --out "$folder/out.jsonl" --threads $threads --restart; done | median)
      printf '%-8s %-8s %-9s %s\n' $tokens $threads $policies "$(echo "$count / $time" | bc)"
    done
  done
done
echo "start to first verdict, one policy, model and policy in cache (s): $(for _ in 1 2 3; do seconds "$safeguard" classify "Good morning" --policy spam; done | median)"
echo "the same, policy not yet embedded (s): $(for _ in 1 2 3; do SAFEGUARD_CACHE=$folder/cold$RANDOM seconds "$safeguard" classify "Good morning" --policy spam; done | median)"
"$safeguard" version
