# What the tests of `safeguard serve` share. To be sourced after lib.sh.
SERVER=
# serve ARGUMENTS...: starts one on a free port; its address is then in URL.
serve() {
  safeguard serve --port 0 "$@" >listening 2>log &
  SERVER=$!
  for _ in $(seq 600); do
    URL=$(grep -o 'https*://[0-9.:]*' listening) && [ -n "$URL" ] &&
      curl -fsS ${CURL_TLS:-} -o /dev/null "$URL/readyz" 2>/dev/null && return
    kill -0 "$SERVER" 2>/dev/null || break
    sleep 0.1
  done
  fail "the server did not come up: $(head -c 600 log)"
}
# stop CODE: sends SIGTERM and waits.
stop() {
  local code=0
  kill -TERM "$SERVER"
  wait "$SERVER" || code=$?
  equal "exit code of the server" "$code" "$1"
}
# wait_for_log TEXT
wait_for_log() {
  for _ in $(seq 100); do
    grep -qF -- "$1" log && return
    sleep 0.1
  done
  fail "the log never says $1: $(tail -c 600 log)"
}
# post PATH BODY CURL_ARGUMENTS...
post() {
  local path=$1 body=$2
  shift 2
  curl -sS -w '\n%{http_code}\n' -H 'Content-Type: application/json' -d "$body" "$@" "$URL$path" >out 2>err
}
trap '[ -z "$SERVER" ] || kill -9 "$SERVER" 2>/dev/null; rm -rf "$WORK"' EXIT
