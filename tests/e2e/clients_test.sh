#!/usr/bin/env bash
# The clients against running services: one with a store and no keys, one with a reasoner of random
# weights and a key.
#   clients_test.sh SAFEGUARD_BINARY python|npm
. "$(dirname "$0")/lib.sh"
CLIENTS=$HERE/../../clients

SERVERS=()
trap 'kill -9 "${SERVERS[@]}" 2>/dev/null; rm -rf "$WORK"' EXIT
# serve NAME ARGUMENTS...: starts one on a free port of the loopback; its address is then in URL.
serve() {
  local name=$1
  shift
  : >"$name.listening"
  safeguard serve --port 0 "$@" >"$name.listening" 2>"$name.log" &
  SERVERS+=($!)
  disown
  for _ in $(seq 600); do
    URL=$(grep -o 'http://[0-9.:]*' "$name.listening") && [ -n "$URL" ] &&
      curl -fsS -o /dev/null "$URL/readyz" 2>/dev/null && return
    kill -0 $! 2>/dev/null || break
    sleep 0.1
  done
  fail "the server did not come up: $(head -c 600 "$name.log")"
  finish
}

case $2 in
  python) run=(python3) ;;
  npm) run=(node) ;;
esac
if ! command -v "${run[0]}" >/dev/null; then
  echo "SKIPPED: no ${run[0]} here, so the $2 client is not tested" >&2
  exit 77
fi

printf 'route: comments\npolicies: [spam]\n' >comments.yaml
serve open --data-dir data --route comments.yaml
export SAFEGUARD_URL=$URL
call 0 safeguard model synth --shape tiny --seed 5 --format gguf tiny.gguf
call 0 safeguard key new client --scope judge --scope policy-write --data-dir talking
SAFEGUARD_KEY=$(cat out)
call 0 safeguard key new second --scope policy-write --data-dir talking
SAFEGUARD_SECOND_KEY=$(cat out)
export SAFEGUARD_KEY SAFEGUARD_SECOND_KEY
serve talking --data-dir talking --judge reasoner --model tiny.gguf --chat-model tiny.gguf
export SAFEGUARD_TALKING_URL=$URL

case $2 in
  python)
    call 0 env PYTHONDONTWRITEBYTECODE=1 python3 -W error -m unittest discover -s "$CLIENTS/python" -p '*_test.py'
    like err '^Ran [1-9]'
    grep SKIPPED out
    tail -n 60 err
    if command -v mypy >/dev/null; then
      call 0 mypy --strict --enable-incomplete-feature=Unpack --cache-dir "$WORK/mypy" "$CLIENTS/python/safeguard_client.py"
    else
      echo "SKIPPED: mypy is not here, so the types are not checked" >&2
    fi
    ;;
  npm)
    call 0 node --test "$CLIENTS/npm/"
    like out '^# pass [1-9]'
    grep -E '^# (pass|fail|skipped)|^not ok|SKIPPED|  (error|expected|actual):' out
    # What a user gets, and what the compiler says of the types, where npm has them.
    call 0 npm pack --silent --pack-destination "$WORK" "$CLIENTS/npm"
    mkdir use && cp "$CLIENTS/npm/types_check.ts" use/ && cd use || exit 1
    if [ "${SAFEGUARD_NO_NPM:-}" = "" ] && npm install --silent --no-audit --no-fund ../*.tgz typescript@5 @types/node@20 >npm.log 2>&1; then
      call 0 node_modules/.bin/tsc --noEmit --strict --target es2022 --module nodenext --types node types_check.ts
      cat out
    else
      echo "SKIPPED: the types; npm cannot fetch typescript here" >&2
    fi
    ;;
esac
finish
