#!/usr/bin/env bash
# Load on the service. docs/performance-service.md holds what came out.
#   bench/service.sh BUILD [PART...]
#     BUILD   a build folder with bench/ (cmake -DSAFEGUARD_BENCH=ON)
#     judge   requests a second and latency at 1, 16, 256 and 2,000 connections, closed loop, and at
#             given rates, open loop; with a judge that answers at once
#     wrk     the same closed loop measured by wrk, where it is installed: to check our generator
#     screen  as judge, with `safeguard serve` and the screen
#     proxy   what the guarding proxy adds to an upstream that answers at once
#     streams memory of 10,000 streams that are open and silent
#     soak    one minute of load, and the memory at its beginning and end
#     files   the peak memory of `safeguard serve` while a file goes up and comes down
#   FILE_MIB=63 FILES_AT_ONCE=4 SECONDS_EACH=5 RATES="10000 15000" CONNECTIONS="1 16 256 2000" STREAMS=10000 SOAK_SECONDS=60
# The generator runs on the same cores as the server: the load of the machine is printed too.
set -eu
BUILD=$1
shift
[ $# -gt 0 ] || set -- judge screen proxy streams soak
: "${SECONDS_EACH:=5}" "${RATES:=10000 15000}" "${CONNECTIONS:=1 16 256 2000}" "${STREAMS:=10000}" "${SOAK_SECONDS:=60}"
FAKE=$BUILD/bench/fake_service
LOAD=$BUILD/bench/service_load
ulimit -n "$(ulimit -Hn)"
WORK=$(mktemp -d)
SERVER=
trap '[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null; rm -rf "$WORK"' EXIT
BODY='{"text": "The parcel arrived on Tuesday, and the jacket fits well.", "policies": ["spam"]}'
CHAT='{"model": "MODEL", "stream": true, "messages": [{"role": "user", "content": "Does it fit?"}]}'

wait_for() {  # TEXT: what the server says once it listens; its address is then in URL
  for _ in $(seq 600); do
    URL=$(sed -n "s|^$1 \(http://[0-9.:]*\).*|\1|p" "$WORK/out") && [ -n "$URL" ] && return
    sleep 0.1
  done
  echo "bench/service.sh: the server did not start: $(cat "$WORK/err")" >&2
  exit 1
}
start() {  # COMMAND...
  : >"$WORK/out"
  mkfifo "$WORK/hold"
  "$@" <"$WORK/hold" >"$WORK/out" 2>"$WORK/err" &
  SERVER=$!
  exec 9>"$WORK/hold"
  wait_for "Listening on"
}
stop() {
  exec 9>&-
  kill "$SERVER" 2>/dev/null || true
  wait "$SERVER" || true
  SERVER=
  rm -f "$WORK/hold"
}
memory() { awk '/VmRSS/ {print $2}' "/proc/$SERVER/status"; }  # KiB
field() { sed -n "s/.*\"$1\": \([0-9.nan-]*\).*/\1/p" "$WORK/figures"; }

measure() {  # WHAT URL ARGUMENTS...: of the generator; one line
  local what=$1 url=$2
  shift 2
  "$LOAD" "$url" "$@" >"$WORK/figures" || true
  printf '%-34s %8s/s  p50 %8.3f  p99 %8.3f  p99.9 %8.3f ms  errors %s  unsent %s  load %s\n' "$what" "$(field per_second)" \
    "$(ms p50_us)" "$(ms p99_us)" "$(ms p999_us)" "$(field errors)" "$(field unsent)" "$(cut -d' ' -f1 /proc/loadavg)"
}
ms() { awk -v us="$(field "$1")" 'BEGIN {print us / 1000}'; }

ladder() {  # NAME URL BODY
  local n
  for n in $CONNECTIONS; do
    measure "$1, $n connections" "$2" --body "$3" --connections "$n" --seconds "$SECONDS_EACH"
  done
  for n in $RATES; do
    measure "$1, open loop, $n/s" "$2" --body "$3" --connections 256 --rate "$n" --seconds "$SECONDS_EACH"
  done
}

judge() {
  start "$FAKE" judge
  measure "warm-up" "$URL/v1/judge" --body "$BODY" --connections 16 --seconds 1 >/dev/null
  ladder "judge, instant" "$URL/v1/judge" "$BODY"
  stop
}
wrk_ladder() {
  command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk" >&2; return; }
  printf 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [[%s]]\n' "$BODY" >"$WORK/judge.lua"
  start "$FAKE" judge
  for n in $CONNECTIONS; do
    wrk -t1 -c "$n" -d "${SECONDS_EACH}s" --latency -s "$WORK/judge.lua" "$URL/v1/judge" >"$WORK/wrk"
    printf '%-34s %8s/s  p50 %8s  p99 %8s  load %s\n' "judge, instant, wrk, $n" \
      "$(awk '/Requests\/sec/ {print $2}' "$WORK/wrk")" "$(awk '$1=="50%" {print $2}' "$WORK/wrk")" \
      "$(awk '$1=="99%" {print $2}' "$WORK/wrk")" "$(cut -d' ' -f1 /proc/loadavg)"
  done
  stop
}
screen() {
  start "$BUILD/safeguard" serve --port 0
  until "$LOAD" "$URL/readyz" --seconds 0.1 >/dev/null; do sleep 0.2; done
  RATES=${SCREEN_RATES:-150} ladder "judge, screen" "$URL/v1/judge" "$BODY"
  stop
}
proxy() {
  start "$FAKE" proxy
  local chat direct
  chat=$(echo "${CHAT/MODEL/gpt-x}" | sed 's/"stream": true/"stream": false/')
  direct=$(sed -n 's/^Upstream on //p' "$WORK/out")
  for n in 1 16; do
    measure "upstream alone, $n connections" "$direct/v1/chat/completions" --body "$chat" --connections "$n" --seconds "$SECONDS_EACH"
    measure "through the proxy, $n connections" "$URL/v1/chat/completions" --body "$chat" --connections "$n" --seconds "$SECONDS_EACH"
  done
  stop
}
hold() {  # NAME MODE MODEL
  start "$FAKE" "$2"
  measure "warm-up" "$URL/v1/judge" --body "$BODY" --connections 16 --seconds 1 >/dev/null
  local before after held
  before=$(memory)
  mkfifo "$WORK/streams"
  rm -f "$WORK/held"  # that of the part before
  "$LOAD" "$URL/v1/chat/completions" --body "${CHAT/MODEL/$3}" --connections "$STREAMS" --seconds 60 --hold <"$WORK/streams" >"$WORK/held" &
  exec 8>"$WORK/streams"
  until [ -s "$WORK/held" ]; do sleep 0.1; done
  held=$(awk '{print $2}' "$WORK/held")
  after=$(memory)
  printf '%-34s %s of %s open: %s KiB -> %s KiB, %s bytes a stream\n' "$1" "$held" "$STREAMS" "$before" "$after" \
    "$(((after - before) * 1024 / (held > 0 ? held : 1)))"
  measure "  judge beside them, 16" "$URL/v1/judge" --body "$BODY" --connections 16 --seconds 2
  exec 8>&-
  rm -f "$WORK/streams"
  stop
}
streams() {
  hold "streams of the model" streams silent
  hold "streams behind the guard" guarded-streams gpt-x
}
soak() {
  start "$FAKE" judge
  measure "warm-up" "$URL/v1/judge" --body "$BODY" --connections 256 --seconds 5 >/dev/null
  local i
  printf 'soak: %s KiB' "$(memory)"
  for i in 1 2 3 4 5 6; do
    "$LOAD" "$URL/v1/judge" --body "$BODY" --connections 256 --seconds $((SOAK_SECONDS / 6)) >"$WORK/figures"
    printf ', %s after %s more answers' "$(memory)" "$(field answers)"
  done
  printf '\n'
  stop
}
peak() { awk '/VmHWM/ {print $2}' "/proc/$SERVER/status"; }  # KiB
told() { printf '%-34s %s s, peak %s KiB (now %s)  load %s\n' "$1" "$2" "$(peak)" "$(memory)" "$(cut -d' ' -f1 /proc/loadavg)"; }
timed() {  # NAME COMMAND...
  local begin name=$1
  shift
  begin=$(date +%s.%N)
  "$@"
  told "$name" "$(awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN {printf "%.2f", b - a}')"
}
upload() { curl -sf -o "$WORK/answer$1" "$URL/v1/files" -F purpose=batch -F file=@"$WORK/lines" || echo "upload $1 failed" >&2; }
download() {
  curl -sf -o "$WORK/back$1" "$URL/v1/files/$(sed -n 's/.*"id":"\([^"]*\)".*/\1/p' "$WORK/answer$1")/content"
  cmp "$WORK/lines" "$WORK/back$1"
}
at_once() {  # WHAT: so many of it together
  local i pids=
  for i in $(seq "$FILES_AT_ONCE"); do "$1" "$i" & pids="$pids $!"; done
  for i in $pids; do wait "$i"; done
}
files() {
  : "${FILE_MIB:=63}" "${FILES_AT_ONCE:=4}"
  local line='{"custom_id": "1", "method": "POST", "url": "/v1/moderations", "body": {"input": "The jacket fits well."}}'
  yes "$line" | head -c "$((FILE_MIB << 20))" >"$WORK/lines"
  start "$BUILD/safeguard" serve --port 0 --data-dir "$WORK/data" --body-kib 65536
  until curl -sf -o /dev/null "$URL/readyz"; do sleep 0.2; done
  told "ready" 0
  timed "$FILE_MIB MiB up" upload 1
  timed "$FILE_MIB MiB down" download 1
  timed "$FILES_AT_ONCE of them up at once" at_once upload
  timed "$FILES_AT_ONCE of them down at once" at_once download
  stop
}

for part in "$@"; do
  case $part in
    judge | screen | proxy | streams | soak | files) "$part" ;;
    wrk) wrk_ladder ;;
    *) echo "bench/service.sh: there is no part $part" >&2; exit 1 ;;
  esac
done
