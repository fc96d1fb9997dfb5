#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. A second run rebuilds only what changed.
#   ./test.sh          everything
#   ./test.sh quick    unit and tidy tests only (under a minute once built)
source "$(dirname "${BASH_SOURCE[0]}")/tools/setup.sh"
cd "$ROOT"

# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES $TEST_PACKAGES
fetch_models
(fetch_models "$ROOT/models/test-manifest.txt") ||
  say "NOTE: what only the tests need could not be fetched: tests that need it will be skipped"
export SAFEGUARD_MODELS="$ROOT/build/models"
export SAFEGUARD_SHARED="${SAFEGUARD_SHARED:-$ROOT/../shared}"
[ -d "$SAFEGUARD_SHARED" ] || say "NOTE: no shared data at $SAFEGUARD_SHARED: tests that need it will be skipped"

say "Checking the format"
git ls-files -- '*.h' '*.cc' 2>/dev/null | xargs -r clang-format-19 --dry-run --Werror ||
  die "the format is off: run clang-format-19 -i on the files named above"

build test build/test
say "Running the tests"
label=()
[ "${1:-}" = quick ] && label=(-L 'unit|tidy')
cd build/test
status=0
ctest --output-on-failure --no-tests=error -j 2 "${label[@]}" >"$LOGS/ctest.log" 2>&1 || status=$?
skipped=$(grep -c '\*\*\*Skipped' "$LOGS/ctest.log" || true)
[ "$skipped" -eq 0 ] || { say "SKIPPED, for want of data or hardware:"; grep '\*\*\*Skipped' "$LOGS/ctest.log" | sed 's/ *# GetParam.*//' | cut -c1-100; }
if [ "$status" -ne 0 ]; then
  tail -n 80 "$LOGS/ctest.log"
  exit "$status"
fi
grep -E 'Label Time|sec\*proc|tests passed|Total Test time' "$LOGS/ctest.log"
