#!/usr/bin/env bash
# The screens as whole processes: contents a second by length, threads and policies; time from
# process start to the first verdict. Medians of three runs. The trained screen is measured where it
# is installed beside its model.
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

screens=(embedding)
[ ! -d "$SAFEGUARD_MODELS/screen" ] || screens+=(trained)
five=(--policy spam --policy scams --policy hate --policy harassment --policy violence)
all=()
for policy in $("$safeguard" policy list --names); do all+=(--policy "$policy"); done
for screen in "${screens[@]}"; do  # policies and their cases read once, and kept on disk
  "$safeguard" classify warm --screen "$screen" "${all[@]}" >/dev/null 2>&1 || true
done

printf '%-10s %-8s %-8s %-9s %s\n' screen tokens threads policies contents/s
for screen in "${screens[@]}"; do
  for tokens in 20 100 400; do
    count=$((192000 / (tokens + 20)))  # enough that the start is no part of it
    contents "$count" "$((tokens * 89 / 100))" >"$folder/in.jsonl"
    for threads in 1 2; do
      for policies in 1 5 12; do
        case $policies in 1) chosen=(--policy spam) ;; 5) chosen=("${five[@]}") ;; *) chosen=("${all[@]}") ;; esac
        time=$(for _ in 1 2 3; do seconds "$safeguard" batch --screen "$screen" "${chosen[@]}" --in "$folder/in.jsonl" --out "$folder/out.jsonl" --threads $threads --restart; done | median)
        printf '%-10s %-8s %-8s %-9s %s\n' "$screen" $tokens $threads $policies "$(echo "$count / $time" | bc)"
      done
    done
  done
  first() { seconds "$safeguard" classify "Good morning" --policy spam --screen "$screen"; }
  echo "$screen: start to first verdict, one policy, model and policy in cache (s): $(for _ in 1 2 3; do first; done | median)"
  echo "$screen: the same, policy not yet read (s): $(for _ in 1 2 3; do SAFEGUARD_CACHE=$folder/cold$RANDOM first; done | median)"
done
"$safeguard" version
