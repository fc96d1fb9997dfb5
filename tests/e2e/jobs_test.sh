#!/usr/bin/env bash
# Answers now, final verdicts later: submitted, killed, worked on, told, given up, redriven.
RECEIVER=$(realpath "$2")
source "$(dirname "$0")/lib.sh" "$1"
export SAFEGUARD_DATA="$WORK/data"
VIOLATING="Cheap followers! DM me to buy 10k likes"
echo "whsec_$(head -c 32 /dev/urandom | base64)" >secrets
# What the reasoner would say, so that no checkpoint is needed.
echo '{"text": "'"$VIOLATING"'", "final": "1"}' >answers.jsonl
for i in $(seq 20); do echo '{"text": "number '"$i"'", "final": "0"}'; done >>answers.jsonl
receive() {  # STATUS...: starts a receiver; its URL is then in $URL
  rm -f port
  "$RECEIVER" port secrets "$@" >>received 2>receiver.err &
  RECEIVER_PID=$!
  for _ in $(seq 200); do [ -s port ] && break; sleep 0.02; done
  URL="http://127.0.0.1:$(cat port)/hook"
}
run() {  # EXIT_CODE MORE...
  local code=$1
  shift
  call "$code" safeguard jobs run --judge recorded --recorded answers.jsonl --webhook-secret-file secrets \
    --webhook-allow 127.0.0.1 --retry 0.01 "$@"
}

call 4 safeguard jobs list
has err "there is no $SAFEGUARD_DATA/jobs.db"
error_is_one_line

# The screen answers at once, and the same key is the same job.
receive
call 1 safeguard jobs submit "$VIOLATING" -p spam --key one --id post-1 --webhook "$URL" --json
JOB=$(grep -oP '"job":"\K[^"]+' out)
like out '"provisional":true'
call 1 safeguard jobs submit "$VIOLATING" -p spam --key one --id post-1 --webhook "$URL"
has out "The key one was submitted before: job $JOB."
call 2 safeguard jobs submit "something else" -p spam --key one
call 0 safeguard jobs list
has out "1 waiting, 0 leased, 0 done, 0 dead."

# Finished by another judge, recorded with what changed, told with a signature that holds.
run 0
has out "1 judged, 1 told, 0 put back, 0 given up."
like received "^msg_$JOB.final signed .*\"type\":\"verdict.final\""
call 0 safeguard jobs show "$JOB" --json
like out '"state":"done".*"provisional":\{"outcome":'
call 0 safeguard verdicts --json
like out '"changed":\{"outcome":(true|false)'
lacks out "Cheap followers"

# Workers that are killed at any moment lose nothing and record nothing twice.
for i in $(seq 20); do
  safeguard jobs submit "number $i" -p spam --key "n$i" --webhook "$URL" --attempts 1000 --json >out
  grep -oP '"job":"\K[^"]+' out >>jobs
done
for pause in 0.02 0.05 0.08 0.11 0.15; do
  safeguard jobs run --judge recorded --recorded answers.jsonl --webhook-secret-file secrets \
    --webhook-allow 127.0.0.1 --batch 2 --lease 0.1 >/dev/null 2>&1 &
  sleep "$pause"
  kill -9 $! 2>/dev/null
  wait $! 2>/dev/null
done
sleep 0.2  # the last lease
run 0
call 0 safeguard jobs list --kind judge --state done --json
equal "all are done" "$(grep -c '' out)" 21
call 0 safeguard verdicts --json
equal "recorded once" "$(grep -oP '"content_hash":"\K[^"]+' out | sort | uniq -d)" ""
equal "all recorded" "$(grep -c '' out)" 21
grep -oP '^msg_\K[^.]+(?=\.final signed )' received | sort -u >told
equal "not told" "$(sort jobs | comm -23 - told)" ""
equal "none forged" "$(grep -c FORGED received)" 0
kill "$RECEIVER_PID"

# A receiver that fails, one that is gone for good, and a redrive.
receive 500 503 410
call 1 safeguard jobs submit "$VIOLATING" -p spam --key two --webhook "$URL" --json
JOB=$(grep -oP '"job":"\K[^"]+' out)
for _ in 1 2 3; do run 0; sleep 0.1; done
call 0 safeguard jobs dead
has out "the webhook answered 410"
call 0 safeguard jobs retry --all
run 0
equal "told four times under one id" "$(grep -c "^msg_$JOB.final signed" received)" 4
kill "$RECEIVER_PID"

# Private addresses are refused unless allowed.
call 1 safeguard jobs submit "$VIOLATING" -p spam --key three --webhook "http://169.254.169.254/latest/meta-data" --json
run 0
has out "169.254.169.254 is a private address"
DEAD=$(safeguard jobs dead --json | grep -oP '"id":"\K[^"]+')
call 0 safeguard jobs dead --discard "$DEAD"

# A daemon ends well with Ctrl-C.
safeguard jobs run --judge recorded --recorded answers.jsonl --daemon >daemon.out 2>&1 &
DAEMON=$!
call 1 safeguard jobs submit "$VIOLATING" -p spam --key four --json
JOB=$(grep -oP '"job":"\K[^"]+' out)
for _ in $(seq 200); do grep -q "^$JOB " daemon.out && break; sleep 0.05; done
kill -TERM "$DAEMON"
wait "$DAEMON"
equal "interrupted" "$?" 130
has daemon.out "1 judged"

call 2 safeguard jobs submit "$VIOLATING" -p spam --webhook "https://user:password@example.com/"
call 1 safeguard jobs submit "$VIOLATING" -p spam --queue-max 1 --data-dir small
call 4 safeguard jobs submit "$VIOLATING" -p spam --queue-max 1 --data-dir small
has err "the queue is full: 1 jobs"
finish
