#!/usr/bin/env bash
# kill -9 in the middle of load, three times: whatever was acknowledged, a verdict or a job, is there
# after the next start, and every job is seen through.
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

for round in 1 2 3; do
  serve --data-dir data
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

serve --data-dir data
for _ in $(seq 600); do
  curl -sS "$URL/metrics" 2>/dev/null | grep -q '^safeguard_jobs_waiting 0' &&
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
