#!/usr/bin/env bash
# kill -9 in the middle of load, three times: whatever was acknowledged, a verdict, a job or a batch,
# is there after the next start, and every job and every line of a batch is seen through, once.
#   service_crash_test.sh SAFEGUARD_BINARY
. "$(dirname "$0")/lib.sh"
. "$HERE/serve_lib.sh"

LOADERS=4
# load N ROUND: asks for verdicts and jobs in turn until the server has gone; what it acknowledged is
# in verdicts.N and jobs.N.
load() {
  local i id body
  for i in $(seq 2000); do
    id="c$2-$1-$i"
    body="{\"text\": \"Selling an undetected aimbot, number $i of $1\", \"policies\": [\"game-cheating\"], \"id\": \"$id\"}"
    curl -fsS -H 'Content-Type: application/json' -d "$body" "$URL/v1/judge" 2>/dev/null | grep -q "\"id\":\"$id\".*\"outcome\"" &&
      echo "$id" >>"verdicts.$1"
    curl -fsS -H 'Content-Type: application/json' -d "${body/c$2/j$2}" "$URL/v1/jobs" 2>/dev/null | grep -o '"job":"[^"]*' | cut -d'"' -f4 >>"jobs.$1"
    kill -0 "$SERVER" 2>/dev/null || return 0
  done
}

BATCH_LINES=120
for n in $(seq $BATCH_LINES); do
  echo "{\"custom_id\": \"b$n\", \"method\": \"POST\", \"url\": \"/v1/moderations\", \"body\": {\"input\": \"Line $n of a batch that is killed\"}}"
done >requests.jsonl
# begin_batch: sends the lines and asks for them; what is acknowledged is in BATCH.
begin_batch() {
  local file
  file=$(curl -fsS -F purpose=batch -F file=@requests.jsonl "$URL/v1/files" | grep -o 'file-[0-9a-f]*')
  BATCH=$(curl -fsS -H 'Content-Type: application/json' "$URL/v1/batches" \
    -d "{\"input_file_id\": \"$file\", \"endpoint\": \"/v1/moderations\", \"completion_window\": \"24h\"}" | grep -o 'batch_[0-9a-f]*' | head -1)
}
BATCH=
for round in 1 2 3; do
  serve --data-dir data
  [ -n "$BATCH" ] || begin_batch
  LOADS=()
  for n in $(seq $LOADERS); do
    load "$n" "$round" &
    LOADS+=($!)
  done
  for _ in $(seq 300); do  # until the load is well under way
    [ "$(cat jobs.* 2>/dev/null | wc -l)" -ge $((round * 20)) ] && break
    sleep 0.1
  done
  kill -9 "$SERVER"
  wait "$SERVER" 2>/dev/null
  wait "${LOADS[@]}"
done
cat verdicts.* | sort >acknowledged-verdicts
cat jobs.* | sort >acknowledged-jobs
[ "$(wc -l <acknowledged-jobs)" -ge 60 ] || fail "too little load: $(wc -l <acknowledged-jobs) jobs"

[ -n "$BATCH" ] || fail "the batch was not taken"
serve --data-dir data
for _ in $(seq 600); do
  curl -sS "$URL/v1/batches/$BATCH" >batch 2>/dev/null
  grep -q '"status":"completed"' batch && break
  sleep 0.2
done
like batch '"status":"completed"'
curl -sS "$URL/v1/files/$(grep -o '"output_file_id":"[^"]*' batch | cut -d'"' -f4)/content" >answers.jsonl
equal "lines of the batch that were answered" "$(grep -c '"status_code":200' answers.jsonl)" "$BATCH_LINES"
equal "the order of the answers" "$(grep -o '"custom_id":"[^"]*' answers.jsonl | cut -d'"' -f4 | tr '\n' ' ')" "$(seq -f 'b%.0f' -s ' ' $BATCH_LINES) "
for _ in $(seq 600); do
  curl -sS "$URL/metrics" 2>/dev/null | grep -q '^safeguard_jobs_waiting{tenant="default"} 0' &&
    ! curl -sS "$URL/v1/jobs?state=leased" 2>/dev/null | grep -q '"id"' && break
  sleep 0.2
done
CURSOR=0
: >log.jsonl
while curl -sS -D headers "$URL/v1/verdicts/export?limit=500&cursor=$CURSOR" >page && [ -s page ]; do
  cat page >>log.jsonl
  CURSOR=$(tr -d '\r' <headers | awk 'tolower($1) == "x-next-cursor:" {print $2}')
done
grep -o '"id":"c[^"]*' log.jsonl | cut -d'"' -f4 | sort >kept-verdicts
equal "acknowledged verdicts that are not in the log" "$(comm -23 acknowledged-verdicts kept-verdicts | head -3)" ""
while read -r job; do
  curl -sS "$URL/v1/jobs/$job" 2>/dev/null | grep -q '"state":"done"' || echo "$job"
done <acknowledged-jobs >unfinished
equal "acknowledged jobs that are not done" "$(head -3 unfinished)" ""
equal "verdicts of jobs that were recorded twice" "$(grep -o '"id":"j[^"]*' log.jsonl | sort | uniq -d | head -3)" ""
stop 0

echo "$(wc -l <acknowledged-verdicts) verdicts, $(wc -l <acknowledged-jobs) jobs, $CHECKS checks, $FAILURES failures"
[ "$FAILURES" -eq 0 ]
