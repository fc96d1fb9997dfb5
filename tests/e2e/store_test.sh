#!/usr/bin/env bash
# A policy's whole life: published, shadowed, canaried, promoted, rolled back, exported, recorded.
source "$(dirname "$0")/lib.sh" "$1"
export SAFEGUARD_DATA="$WORK/data" SAFEGUARD_USER=ada
VIOLATING="Cheap followers! DM me to buy 10k likes"

cat >giveaway.md <<'MD'
---
id: giveaway
---
# Giveaway spam

## Violates
- GV1 Asks people to follow, like or share in order to win a prize.
- GV2 Sells followers, likes or comments.

## Safe
- GV3 Thanks followers without offering anything.
MD
cat >giveaway.golden.jsonl <<'JSONL'
{"id": "1", "text": "Follow me and share this to win a phone!", "expected": "violation", "rules": ["GV1"]}
{"id": "2", "text": "Thank you all for 1000 followers, you are great", "expected": "safe"}
JSONL

# Nothing there yet.
call 4 safeguard policy log
has err "there is no $SAFEGUARD_DATA/policies.db"
error_is_one_line
call 4 safeguard policy promote giveaway@1 --to active
call 1 safeguard classify "$VIOLATING" -p spam
lacks out "of the store"

# Publish: the same bytes are the same version.
call 0 safeguard policy publish giveaway.md --note "First try"
like out '^giveaway@1 is a new draft: 3 rules, 2 golden cases, hash [0-9a-f]{12}\.$'
call 0 safeguard policy publish giveaway.md --as grace --json
like out '"policy":"giveaway","version":1,"state":"draft".*"author":"ada".*"is_new":false'
call 4 safeguard classify "$VIOLATING" -p giveaway
has err "no version of giveaway in the store is active"
call 1 safeguard classify "$VIOLATING" -p giveaway@1
call 4 safeguard classify "$VIOLATING" -p giveaway@7
has err "giveaway has no version 7"
call 2 safeguard policy promote giveaway --to active
has err "giveaway@1"

# Active, and seen by classify, lint, show and eval.
call 0 safeguard policy promote giveaway@1 --to active --note "Reviewed"
has out "giveaway@1 is now active (was draft)."
call 1 safeguard classify "$VIOLATING" -p giveaway
has out "giveaway: version 1 of the store."
call 1 safeguard classify "$VIOLATING" -p giveaway --json
like out '"policy":"giveaway","policy_version":"1","policy_hash":"[0-9a-f]{64}".*"channel":"active"'
HASH=$(grep -oP '"policy_hash":"\K[0-9a-f]{10}' out)
call 1 safeguard classify "$VIOLATING" -p "giveaway@$HASH" --json
lacks out '"channel"'
call 0 safeguard policy show "giveaway@$HASH"
has out "Giveaway spam"
call 0 safeguard eval -p giveaway@1 --data giveaway.golden.jsonl --no-golden

# A second version, through shadow and canary. A shadow is recorded and never the answer.
sed 's/## Safe/- GV4 Promises money for reposting.\n\n## Safe/' giveaway.md >giveaway2.md
call 0 safeguard policy publish giveaway2.md --golden giveaway.golden.jsonl -m "Cover reposts"
call 0 safeguard policy promote giveaway@latest --to shadow
call 1 safeguard classify "$VIOLATING" -p giveaway --record --json
equal "one answer" "$(grep -c '' out)" 1
like out '"policy_version":"1"'
sql() { command -v sqlite3 >/dev/null && sqlite3 "$SAFEGUARD_DATA/verdicts.db" "$1" || echo "$2"; }
equal "records" "$(sql "SELECT group_concat(policy_version || channel) FROM verdict" 1active,2shadow)" "1active,2shadow"
equal "content kept" "$(sql "SELECT count(*) FROM content" 0)" 0
call 2 safeguard classify "$VIOLATING" -p giveaway --record-content
call 1 safeguard classify "$VIOLATING" -p giveaway --record --record-content
equal "content kept" "$(sql "SELECT count(*) FROM content" 1)" 1
call 0 safeguard verdicts
like out '^giveaway +2 +shadow +2 '
call 0 safeguard verdicts giveaway@1 --with-content --channel active --json
equal "kept" "$(grep -c "\"text\":\"$VIOLATING\"" out)" 1
cp out history.jsonl
call 1 safeguard batch -p giveaway@2 -i history.jsonl -o again.jsonl
call 0 safeguard verdicts --since 2099-01-01 --json
equal "nothing yet" "$(cat out)" ""
call 2 safeguard verdicts --since yesterday
call 2 safeguard policy promote giveaway@2 --to canary
call 0 safeguard policy promote giveaway@2 --to canary --percent 50
has out "giveaway@2 is now canary 50% (was shadow)."
for i in $(seq 40); do echo "{\"id\": \"$i\", \"text\": \"Have a nice day number $i\"}"; done >in.jsonl
call 0 safeguard batch -p giveaway -i in.jsonl -o out.jsonl --record
CANARY=$(grep -c '"channel":"canary"' out.jsonl)
equal "about half of 40 go to the canary, not $CANARY" "$([ "$CANARY" -gt 5 ] && [ "$CANARY" -lt 35 ] && echo yes)" yes
equal "canary is version 2" "$(grep '"channel":"canary"' out.jsonl | grep -c '"policy_version":"2"')" "$CANARY"
grep -oP '"id":"\d+"(?=.*"channel":"canary")' out.jsonl >first
call 0 safeguard policy promote giveaway@2 --to canary --percent 80
call 0 safeguard batch -p giveaway -i in.jsonl -o out.jsonl --restart
grep -oP '"id":"\d+"(?=.*"channel":"canary")' out.jsonl >second
equal "those in stay in" "$(grep -vxFf second first)" ""
call 1 safeguard classify "$VIOLATING" -p giveaway@canary --json
like out '"policy_version":"2"'
# An account is always on the same side.
for i in 1 2 3; do safeguard classify "text $i" -p giveaway --account user7 --json; done |
  grep -oP '"policy_version":"\d+"' | sort -u >versions
equal "one side for an account" "$(grep -c '' versions)" 1

# A batch takes up a promote between batches.
mkfifo pipe
safeguard batch -p giveaway -i pipe -o moved.jsonl --format jsonl --batch-size 1 2>batch.err &
exec 9>pipe
echo '{"text": "one"}' >&9
for _ in $(seq 100); do [ -s moved.jsonl ] && break; sleep 0.05; done
call 0 safeguard policy promote giveaway@2 --to active
has out "giveaway@2 is now active (was canary 80%); giveaway@1 is retired."
echo '{"text": "two"}' >&9
exec 9>&-
wait
like <(tail -1 moved.jsonl) '"policy_version":"2".*"channel":"active"'

# Rollback, one step and at once.
call 0 safeguard policy rollback giveaway --note "Too strict"
has out "giveaway@1 is active again; giveaway@2 is retired."
call 1 safeguard classify "$VIOLATING" -p giveaway --json
like out '"policy_version":"1"'
call 2 safeguard policy rollback giveaway
has err "no version of giveaway was active before giveaway@1"
call 2 safeguard policy promote giveaway@2 --to active
has err "is retired and cannot become active"
call 2 safeguard policy retire giveaway@1
call 0 safeguard policy log giveaway
has out "rolled back to: active again"
has out "Too strict"
call 0 safeguard policy log --limit 2 --json
equal "limit" "$(grep -c '' out)" 2

# Two persons.
call 0 safeguard policy settings --two-person on
call 0 safeguard policy promote giveaway@2 --to draft
call 2 safeguard policy promote giveaway@2 --to active
has err "needs the approval of somebody other than ada"
call 2 safeguard policy approve giveaway@2
call 0 safeguard policy approve giveaway@2 --as grace
call 0 safeguard policy promote giveaway@2 --to active
call 0 safeguard policy settings giveaway
has out "on;"

# Lists.
call 0 safeguard policy list
like out '^giveaway +2 +- +- +- +2 '
like out '^spam +'
call 0 safeguard policy list giveaway
like out '^giveaway@2 +active +[0-9a-f]{12} .* ada +grace '
call 0 safeguard policy list --names
like out '^giveaway$'
call 4 safeguard policy list nosuch

# Folder mode, and back into another store.
call 0 safeguard policy export --to folder
same folder/giveaway/policy.md giveaway2.md
call 0 safeguard policy export --to folder
has out "is up to date"
echo "- GV5 More." >>folder/giveaway/policy.md
call 2 safeguard policy export --to folder
has err "changes that are in no version"
call 0 safeguard policy import folder --data-dir "$WORK/other"
has out "2 new versions"
has out "the new draft giveaway@3"
call 0 safeguard policy import folder --data-dir "$WORK/other"
has out "nothing new"
call 4 safeguard policy import folder/giveaway/versions
call 2 safeguard policy import giveaway.md

# Out of service.
call 0 safeguard policy retire giveaway --all
call 4 safeguard classify "$VIOLATING" -p giveaway
call 0 safeguard policy rollback giveaway
call 1 safeguard classify "$VIOLATING" -p giveaway

# What is wrong is said in one line.
mkdir broken && head -c 9000 /dev/urandom >broken/policies.db
call 4 safeguard policy list --data-dir broken
has err "is not a database"
error_is_one_line
call 4 safeguard policy list --data-dir nowhere
call 4 safeguard policy publish giveaway.md --data-dir giveaway.md
call 2 safeguard policy publish giveaway.md --id "two words"
finish
