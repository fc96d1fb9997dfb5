# The e2e tests' assertions. Sourced by each *_test.sh, which is run as: x_test.sh PATH_OF_SAFEGUARD
# Exits with 77 (skipped) when there is no model.
set -u
BINARY=$(realpath "$1")
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${SAFEGUARD_MODELS:=$HERE/../../build/models}"
export SAFEGUARD_MODELS
if [ ! -e "$SAFEGUARD_MODELS/minilm-l6-v2/model.safetensors" ]; then
  echo "SKIPPED: no model in $SAFEGUARD_MODELS; run ./demo.sh or set SAFEGUARD_MODELS" >&2
  exit 77
fi
WORK=$(mktemp -d)
trap 'chmod -R u+w "$WORK" 2>/dev/null; rm -rf "$WORK"' EXIT
cd "$WORK" || exit 1
# Completion scripts and examples call the command by its name.
mkdir bin && ln -s "$BINARY" bin/safeguard && export PATH="$WORK/bin:$PATH"
export SAFEGUARD_CACHE="$WORK/cache"
unset SAFEGUARD_DATA
export XDG_DATA_HOME="$WORK/share"
unset NO_COLOR
CHECKS=0
FAILURES=0

fail() {
  FAILURES=$((FAILURES + 1))
  echo "FAILED ${BASH_SOURCE[2]##*/}:${BASH_LINENO[1]}: $*" >&2
}

# call EXIT_CODE COMMAND...: its output is then in the files out and err.
call() {
  local expected=$1 code=0
  shift
  CHECKS=$((CHECKS + 1))
  "$@" >out 2>err || code=$?
  [ "$code" -eq "$expected" ] || fail "exit code $code, not $expected: $*: $(head -c 600 err)"
}

# has FILE TEXT, lacks FILE TEXT, like FILE REGEX
has() {
  CHECKS=$((CHECKS + 1))
  grep -qF -- "$2" "$1" || fail "$1 lacks '$2': $(head -c 600 "$1")"
}
lacks() {
  CHECKS=$((CHECKS + 1))
  ! grep -qF -- "$2" "$1" || fail "$1 has '$2': $(head -c 600 "$1")"
}
like() {
  CHECKS=$((CHECKS + 1))
  grep -qP -- "$2" "$1" || fail "$1 is not like $2: $(head -c 600 "$1")"
}
# equal WHAT A B
equal() {
  CHECKS=$((CHECKS + 1))
  [ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"
}
# same FILE FILE
same() {
  CHECKS=$((CHECKS + 1))
  cmp -s "$1" "$2" || fail "$1 differs from $2: $(cmp "$1" "$2" 2>&1)"
}
# error_is_one_line: what scripts read.
error_is_one_line() {
  CHECKS=$((CHECKS + 1))
  [ "$(grep -c '' err)" -eq 1 ] && grep -q '^safeguard: ' err || fail "not one line: $(cat err)"
}

finish() {
  [ "$CHECKS" -gt 0 ] || fail "nothing was checked"
  echo "$CHECKS checks, $FAILURES failures"
  [ "$FAILURES" -eq 0 ]
  exit
}
