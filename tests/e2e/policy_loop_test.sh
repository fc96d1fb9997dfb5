#!/usr/bin/env bash
# `safeguard policy test`, `policy diff` and `backtest`: what a policy's author does between two
# versions of it.
source "$(dirname "$0")/lib.sh" "$1"

cat >v1.md <<'END'
---
id: shop
version: "1"
---
# Shop talk

## Violates (1)

- **A1** Sells fake designer watches to strangers.
- **A2** Offers stolen concert tickets for cash.

## Safe (0)

- **B1** Asks how to repair a watch.

## Examples

| Content | Answer | Rule |
|---|---|---|
| Replica luxury watches, message me for prices | 1 | A1 |
| My old watch stopped, who can repair it? | 0 | B1 |
END
cat >v1.golden.jsonl <<'END'
{"id": "g1", "text": "Fake designer watches, cheap, DM me", "expected": "violation", "rules": ["A1"], "language": "en"}
{"id": "g2", "text": "Selling replica watches, first copies, best price", "expected": "violation", "rules": ["A1"], "language": "en"}
{"id": "g3", "text": "Stolen concert tickets, cash only, tonight", "expected": "violation", "rules": ["A2"], "language": "en"}
{"id": "g4", "text": "How do I repair the clasp of my watch?", "expected": "safe", "language": "en"}
{"id": "g5", "text": "The concert last night was wonderful", "expected": "safe", "language": "en"}
{"id": "g6", "text": "We baked bread and went for a walk", "expected": "safe", "language": "en"}
{"id": "g7", "text": "qwrt zzkp vvlm", "expected": "violation", "language": "en", "tags": ["known-gap"]}
END

# Tests: text, JSON, JUnit, exit codes.
call 0 safeguard policy test v1.md --min-pass 0.1 --junit results.xml
has out "Held out in 5 folds"
has out "PASSED"
like out '^A1 +3 '
like results.xml '<testsuite name="shop 1" tests="9"'
has results.xml '<skipped message="known gap"/>'
if command -v python3 >/dev/null; then
  call 0 python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("results.xml")'
fi
call 0 safeguard policy test v1.md --min-pass 0 --json
like out '"tests":9,'
like out '"known_gaps":1,'
sed -i 's/"id": "g4", \(.*\)"expected": "safe"/"id": "g4", \1"expected": "violation"/' v1.golden.jsonl
call 1 safeguard policy test v1.md
has out "FAILED g4: expected violation"
sed -i 's/"id": "g4", \(.*\)"expected": "violation"/"id": "g4", \1"expected": "safe"/' v1.golden.jsonl
printf '# P\n\n## Violates\n- Sells watches.\n' >bare.md
call 2 safeguard policy test bare.md
has err "the policy has no tests"
error_is_one_line
call 4 safeguard policy test nowhere.md
printf '{"text": "no expectation"}\n' >bad.golden.jsonl && cp bare.md bad.md
call 2 safeguard policy test bad.md
call 2 safeguard policy test v1.md --text-only --judge recorded --recorded v1.golden.jsonl

# Mutation and ablation.
call 0 safeguard policy test v1.md --mutation --dry-run
has err "9 tests x (1 + 5 clauses) = 54 judgements"
equal "a dry run prints no results" "$(cat out)" ""
call 0 safeguard policy test v1.md --mutation --ablation --min-pass 0
like out '^A1 +rule +9 '
has out "clauses are tested"
has out "Ablation"
cp out first && call 0 safeguard policy test v1.md --mutation --ablation --min-pass 0 && same out first
call 0 safeguard policy test v1.md --mutation --min-pass 0 --json
like out '"clause":"A2","kind":"rule","line":10,"tested":(true|false)'

# The diff: clauses, then what they do.
sed -e 's/version: "1"/version: "2"/' -e '/A2/d' -e 's/designer watches/designer watches or bags/' \
  -e 's/who can repair it/who repairs it/' v1.md >v2.md
call 0 safeguard policy diff v1.md v2.md
has out "rule A1: reworded"
has out "{+or bags +}"
has out "- rule A2"
has out 'version: "1" > "2"'
call 0 safeguard policy diff v1.md v1.md
has out "No clause and no setting differs."
call 0 safeguard policy diff v1.md v2.md --json
like out '"change": "removed"'
call 0 safeguard policy diff v1.md v2.md --color always
has out $'\033[1;31m'
for ((i = 1; i <= 120; i++)); do
  case $((i % 4)) in
    0) echo "{\"id\": \"c$i\", \"text\": \"Stolen concert tickets nr $i, cash only\", \"language\": \"en\"}" ;;
    1) echo "{\"id\": \"c$i\", \"text\": \"See you at lunch on day $i\", \"language\": \"de\"}" ;;
    2) echo "{\"id\": \"c$i\", \"text\": \"Fake designer watches $i euros\", \"language\": \"en\"}" ;;
    3) echo "{\"id\": \"c$i\", \"text\": \"The library closes at $i\", \"surface\": \"dm\"}" ;;
  esac
done >contents.jsonl
call 0 safeguard policy diff v1.md v2.md --over contents.jsonl
has err "120 contents under two versions: about"
has out "All were judged."
has out "The screen learned the same 7 golden cases"
call 0 safeguard policy diff v1.md v2.md --over contents.jsonl --sample 40 --markdown
has out "40 were judged"
has out "## What it does"
call 0 safeguard policy diff v1.md v2.md --over contents.jsonl --dry-run
equal "a dry run prints no diff" "$(cat out)" ""
call 2 safeguard policy diff v1.md v2.md --sample 5
call 2 safeguard policy diff v1.md v2.md --over contents.jsonl --sample 5 --all
call 2 safeguard policy diff v1.md v2.md --over nowhere.jsonl
call 4 safeguard policy diff v1.md nowhere.md

# Backtest: like a batch, compared with what was said then.
cp v1.golden.jsonl v2.golden.jsonl
call 1 safeguard batch --policy v1.md --in contents.jsonl --out then.jsonl
call 0 safeguard policy diff v1.md v2.md --over contents.jsonl --sample 60 --scores then.jsonl
has out "60 were judged"
call 0 safeguard backtest v2.md --over contents.jsonl --then then.jsonl --out now.jsonl
has out "Compared with the verdicts given then: 120 contents"
like now.jsonl '^\{"line":1,"id":"c1","policy":"shop","policy_version":"2".*"then":\{"outcome"'
equal lines "$(wc -l <now.jsonl)" 120
call 0 safeguard backtest status now.jsonl
has out "now.jsonl: complete"
call 0 safeguard backtest status now.jsonl --json
like out '"records": 120'
call 0 safeguard backtest v1.md --over contents.jsonl --then then.jsonl --out again.jsonl
has out "100.00 % agree"

# The verdict log as history: what it keeps with its text, each content once, with its first verdict.
call 2 safeguard policy diff v1.md v2.md --over log
export SAFEGUARD_DATA="$WORK/data"
call 1 safeguard batch --policy v1.md --in contents.jsonl --out r1.jsonl --record
call 2 safeguard backtest v2.md --over log --out log.jsonl
has err "keeps no content judged under shop"
has err "--record-content"
call 1 safeguard batch --policy v1.md --in contents.jsonl --out r2.jsonl --record --record-content
call 1 safeguard batch --policy v1.md --in contents.jsonl --out r3.jsonl --record --record-content
call 0 safeguard backtest v1.md --over log --out log.jsonl
has out "120 contents"
has out "100.00 % agree"
equal "each content once" "$(wc -l <log.jsonl)" 120
call 0 safeguard policy diff v1.md v2.md --over log --sample 60
has out "60 were judged"
lacks out "active "
equal "no history is left behind" "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name "safeguard-history-*" -newer r3.jsonl | wc -l)" 0
unset SAFEGUARD_DATA

# Killed again and again, no line is lost or repeated.
without_times() { sed 's/"timings_ms":{[^}]*}//' "$1"; }
for delay in 0.2 0.3 0.4 0.5; do
  safeguard backtest v2.md --over contents.jsonl --then then.jsonl --out killed.jsonl --rate 100 >/dev/null 2>&1 &
  job=$!
  sleep "$delay"
  kill -9 "$job" 2>/dev/null
  wait "$job" 2>/dev/null
done
call 0 safeguard backtest v2.md --over contents.jsonl --then then.jsonl --out killed.jsonl
without_times now.jsonl >a && without_times killed.jsonl >b && same a b

# In the background: slowed, looked at, stopped, gone on with.
call 0 safeguard backtest v2.md --over contents.jsonl --out slow.jsonl --rate 20 --batch-size 4 --detach
has out "safeguard backtest status slow.jsonl"
call 0 safeguard backtest status slow.jsonl
has out "slow.jsonl: running"
call 4 safeguard backtest v2.md --over contents.jsonl --out slow.jsonl
has err "another batch is writing"
call 0 safeguard backtest stop slow.jsonl
like out '^stopped after [0-9]+ records'
call 0 safeguard backtest status slow.jsonl
has out "slow.jsonl: stopped"
call 0 safeguard backtest stop slow.jsonl
has out "is not running"
call 0 safeguard backtest v2.md --over contents.jsonl --out slow.jsonl
equal "lines after going on" "$(wc -l <slow.jsonl)" 120

# What is refused.
call 2 safeguard backtest v2.md --over contents.jsonl
error_is_one_line
call 2 safeguard backtest v1.md --over contents.jsonl --out now.jsonl
has err "(--then, policy)"
call 2 safeguard backtest v2.md --over contents.jsonl --out contents.jsonl
call 2 safeguard backtest v2.md --over contents.jsonl --then contents.jsonl --out x.jsonl
has err "is no verdict"
call 2 safeguard backtest spam --over contents.jsonl --then then.jsonl --out x.jsonl
has err "there are some of shop"
call 4 safeguard backtest status nowhere.jsonl
call 0 safeguard completion bash
call 0 bash -n out
finish
