#!/usr/bin/env bash
# Calibration and reports: made, used, refused where they do not fit.
source "$(dirname "$0")/lib.sh" "$1"
POLICIES="$HERE/../../policies"
cp "$POLICIES/spam/policy.md" spam.md
cp "$POLICIES/spam/golden.jsonl" spam.golden.jsonl

call 0 safeguard policy calibrate --help
has out "Usage: safeguard policy calibrate"
call 0 safeguard policy calibrate spam.md
like out '^calibration error, bins of equal mass +0\.\d{3} +0\.\d{3} +0\.\d{3}$'
has out "With confidence 90 %, at most 5 %"
has out "Saved to spam.calibration.screen.json"
cp spam.calibration.screen.json first.json
call 0 safeguard policy calibrate spam.md --json
same spam.calibration.screen.json first.json
call 2 safeguard policy calibrate spam.md --miss-rate 0.001 --out none.json
has err "it takes 2302"
[ ! -e none.json ] || fail "a refused calibration was saved"
call 4 safeguard policy calibrate spam.md --out nowhere/none.json
error_is_one_line

# classify and batch say that they use it.
call 1 safeguard classify "FREE iPhone!!! click http://win.example now, text WIN to 12345" --policy spam.md --json
like out '"calibration":"platt on \d+ cases, [0-9a-f]{16}"'
like out '"raw_score":"0\.\d+"'
call 1 safeguard classify --policy spam.md --calibration first.json "FREE iPhone!!! click http://win.example now, text WIN to 12345"
call 1 safeguard classify "FREE iPhone!!! click http://win.example now, text WIN to 12345" --policy spam.md --json --no-calibration
lacks out raw_score
printf '{"text":"see you at six"}\n' >in.jsonl
safeguard batch --policy spam.md --in in.jsonl --out out.jsonl 2>/dev/null
has out.jsonl raw_score
call 2 safeguard batch --policy spam.md --in in.jsonl --out out.jsonl --no-calibration
has err "--restart"

# Another policy text: told and not used; named, refused.
cp spam.md other.md && printf '\n- SP9.z Anything else.\n' >>other.md
cp spam.golden.jsonl other.golden.jsonl
cp first.json other.calibration.screen.json
safeguard classify "see you at six" --policy other.md --json >out 2>err
has err "was made for"
lacks out raw_score
call 4 safeguard classify "see you at six" --policy other.md --calibration first.json
error_is_one_line

# Reports.
call 0 safeguard eval --policy spam.md --report spam.html --report spam.json --report spam.md.md
has spam.html "<!doctype html>"
has spam.html "Reliability"
lacks spam.html "<script"
has spam.json '"curve"'
has spam.md.md "| Recall |"
call 0 safeguard eval --policy spam.md --report spam.html --beside spam.json
has spam.html "Cost against quality"
call 2 safeguard eval --policy spam.md --report spam.pdf
has err ".html, .json or .md"
call 2 safeguard eval --policy spam.md --beside spam.json
call 2 safeguard eval --policy spam.md --calibration first.json
has err "cross-validation"
# On other data the calibration is used, and said so.
head -40 spam.golden.jsonl >data.jsonl
call 0 safeguard eval --policy spam.md --data data.jsonl --format golden
has out "scores of spam are calibrated"

# With a version in the store.
call 0 safeguard policy publish spam.md --id stored --data-dir data
call 0 safeguard policy calibrate stored@1 --data-dir data
has out "Saved to the store, with stored@1"
safeguard classify "see you at six" --policy stored@1 --data-dir data --json >out 2>err
has out raw_score
call 0 safeguard policy promote stored@1 --to active --data-dir data
safeguard classify "see you at six" --policy stored --data-dir data --json >out 2>err
has out raw_score
finish
