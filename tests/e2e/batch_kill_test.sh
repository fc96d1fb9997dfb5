#!/usr/bin/env bash
# Kills `safeguard batch` with SIGKILL again and again: the output must come out as if it had never
# happened, no line lost, none repeated, in order.
source "$(dirname "$0")/lib.sh" "$1"

COUNT=1200
for ((i = 1; i <= COUNT; i++)); do
  if ((i % 97 == 0)); then
    echo '{"text": broken'
  else
    echo "{\"id\": \"r$i\", \"text\": \"Content nr $i: the weather is fine and the train is late.\"}"
  fi
done >in.jsonl
batch=(safeguard batch --policy spam --policy hate --in in.jsonl --batch-size 4 --out)
without_times() { sed 's/"timings_ms":{[^}]*}//' "$1"; }

begin=$(date +%s%N)
call 2 "${batch[@]}" whole.jsonl
took_ms=$((($(date +%s%N) - begin) / 1000000))
without_times whole.jsonl >whole

RANDOM=${SAFEGUARD_TEST_SEED:-1}
kills=0
for round in 1 2 3; do
  rm -f killed.jsonl killed.jsonl.resume
  for ((attempt = 0; attempt < 6; attempt++)); do
    "${batch[@]}" killed.jsonl 2>err &
    pid=$!
    # Anywhere from before the first line to a good part of the whole.
    wait_ms=$((RANDOM % (took_ms / 3 + 50)))
    sleep "$((wait_ms / 1000)).$(printf %03d $((wait_ms % 1000)))"
    kill -KILL $pid 2>/dev/null
    code=0
    wait $pid 2>/dev/null || code=$?
    [ $code -ne 137 ] || kills=$((kills + 1))
    # What stands there is a beginning of the whole, but for a torn last line.
    [ -e killed.jsonl ] || continue
    head -n "$(wc -l <killed.jsonl)" killed.jsonl >lines
    without_times lines >a
    head -n "$(wc -l <a)" whole >b
    same a b
  done
  call 2 "${batch[@]}" killed.jsonl
  without_times killed.jsonl >a
  same a whole
  # Cut in the middle of a line behind the program's back, it goes on from an earlier checkpoint.
  truncate -s -$((RANDOM % 5000 + 1)) killed.jsonl
  call 2 "${batch[@]}" killed.jsonl
  without_times killed.jsonl >a
  same a whole
done
CHECKS=$((CHECKS + 1))
[ "$kills" -ge 5 ] || fail "only $kills runs were caught alive"
echo "$kills kills"
finish
