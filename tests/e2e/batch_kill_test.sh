#!/usr/bin/env bash
# Kills `safeguard batch` with SIGKILL again and again: the output must come out as if it had never
# happened, no line lost, none repeated, in order.
source "$(dirname "$0")/lib.sh" "$1"

COUNT=4000
for ((i = 1; i <= COUNT; i++)); do
  if ((i % 97 == 0)); then
    echo '{"text": broken'
  else
    echo "{\"id\": \"r$i\", \"text\": \"Content nr $i: the weather is fine and the train is late.\"}"
  fi
done >in.jsonl
batch() { safeguard batch --policy spam --policy hate --in in.jsonl --out "$1" --batch-size 4; }
without_times() { sed 's/"timings_ms":{[^}]*}//' "$1"; }

begin=$(date +%s%N)
call 2 batch whole.jsonl
took_ms=$((($(date +%s%N) - begin) / 1000000))
without_times whole.jsonl >whole

RANDOM=${SAFEGUARD_TEST_SEED:-1}
kills=0
for round in 1 2 3; do
  rm -f killed.jsonl killed.jsonl.resume
  for ((attempt = 0; attempt < 8; attempt++)); do
    batch killed.jsonl 2>err &
    pid=$!
    # Anywhere from before the first line to a good part of the whole.
    wait_ms=$((RANDOM % (took_ms / 2 + 50)))
    sleep "$((wait_ms / 1000)).$(printf %03d $((wait_ms % 1000)))"
    # The function runs in a subshell; its only child is the command.
    child=$(pgrep -P $pid) || child=
    if [ -n "$child" ] && kill -KILL "$child" 2>/dev/null; then
      kills=$((kills + 1))
    fi
    wait $pid 2>/dev/null
    # What stands there is a beginning of the whole, but for a torn last line.
    head -n "$(wc -l <killed.jsonl)" killed.jsonl >lines
    without_times lines >a
    head -n "$(wc -l <a)" whole >b
    same a b
  done
  # A torn line is the hardest case: make one.
  head -c $(($(wc -c <killed.jsonl) - $(($(wc -c <killed.jsonl) > 10 ? 5 : 0)))) killed.jsonl >torn
  call 2 batch killed.jsonl
  without_times killed.jsonl >a
  same a whole
  # Cut behind the program's back, it goes on from an earlier checkpoint.
  cp torn killed.jsonl
  call 2 batch killed.jsonl
  without_times killed.jsonl >a
  same a whole
done
CHECKS=$((CHECKS + 1))
[ "$kills" -ge 5 ] || fail "only $kills runs were caught alive"
echo "$kills kills"
finish
