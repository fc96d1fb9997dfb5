#!/usr/bin/env bash
# Classifiers of the user's own: trained, listed, used, rolled back, refused where they do not fit.
source "$(dirname "$0")/lib.sh" "$1"
export SAFEGUARD_DATA="$WORK/data"

offers=("win free money now" "claim your prize today" "cheap followers for sale" "click to earn cash")
talk=("see you at lunch" "the match was great" "my sister paints birds" "rain again this morning")
rows() {  # FROM TO: two texts a number, one of each side
  local i
  for ((i = $1; i < $2; ++i)); do
    printf '"%s, says number %d, %s",1\n' "${offers[i % 4]}" "$i" "${offers[i / 4 % 4]}"
    printf '"%s, says number %d, %s",0\n' "${talk[i % 4]}" "$i" "${talk[i / 4 % 4]}"
  done
}
{ echo text,label; rows 0 150; } >labels.csv
{ echo text,label; rows 200 240; } >test.csv

# Without one the judge says what to do.
call 4 safeguard classify "win free money" --policy spam --judge dedicated
has err "safeguard screen train --policy spam"
call 0 safeguard screen list
has out "There are no classifiers"

call 0 safeguard screen train --policy spam --data labels.csv
has out "300 texts for spam: 150 violations, 150 safe"
like out '^Validation +words +average precision'
like out '^ +(words|head) wins by'
like out '^Test +F1 (1\.000|0\.9\d\d)'
like out '^Screen +as it is, with \d+ golden cases: F1'
like out '100 % of the labels'
has out "Installed   spam@1 for the policy spam: it answers under --judge dedicated"

call 1 safeguard classify "Claim your prize today! Win free money now, click to earn cash. See you." --policy spam --judge dedicated --json
has out '"decided_by":"screen"'
has out '"model":"dedicated:spam@1"'
like out '"text":"Win free money now, click to earn cash\."'
call 0 safeguard classify "my sister paints at lunch" --policy spam --judge dedicated
has out "safe"
call 3 safeguard classify " " --policy spam --judge dedicated

# The data folder may be named by the flag alone.
(unset SAFEGUARD_DATA
 safeguard classify "win free money" --policy spam --judge dedicated --data-dir "$WORK/data" >out2 2>err2)
equal "exit code with --data-dir" "$?" 1
printf '{"text":"win free money"}\n{"text":"see you at lunch"}\n' >in.jsonl
call 1 safeguard batch --policy spam --judge dedicated --in in.jsonl --out out.jsonl
has out.jsonl "dedicated:spam@1"
call 0 safeguard eval --policy spam --judge dedicated --data test.csv
like out 'F1'

# The same labels give the same classifier; versions, names, roll-back.
call 0 safeguard screen train --policy spam --data labels.csv --test test.csv --kind words --no-curve --no-baseline --json
has out '"installed":"spam@2"'
call 0 safeguard screen train --policy spam --data labels.csv --test test.csv --kind words --no-curve --no-baseline --no-use --name other
call 0 safeguard screen list --json
equal "versions" "$(grep -c '' out)" 3
like out '"name":"spam","version":2,"active":true'
call 0 safeguard screen show other --policy spam
has out "150 violations and 150 safe texts"
call 0 safeguard screen use other@1 --policy spam
has out "other@1 answers now"
call 0 safeguard screen rollback --policy spam
has out "spam@2 answers again"
call 2 safeguard screen remove spam@2 --policy spam
has err "answers for the policy spam"
call 0 safeguard screen remove other@1 --policy spam
call 4 safeguard screen show other@1 --policy spam
call 2 safeguard screen use spam@x --policy spam

# A changed policy: the labels may no longer fit.
cp "$HERE/../../policies/spam/policy.md" changed.md && printf '\n- SP9.z Anything else.\n' >>changed.md
call 1 safeguard classify "win free money" --policy changed.md --judge dedicated
has err "another text of the policy spam"

# Labels that cannot be learned from.
call 2 safeguard screen train --policy spam
has err "nothing to learn from"
head -21 labels.csv >few.csv
call 2 safeguard screen train --policy spam --data few.csv
has err "too few labels: 10 violations and 10 safe"
grep -v ',0$' labels.csv >one.csv
call 2 safeguard screen train --policy spam --data one.csv
has err "every label says violation"
call 4 safeguard screen train --policy spam --data labels.csv --test test.csv --kind words --no-curve --no-baseline --from-log
{ cat labels.csv; echo '"see you at lunch, says number 0, see you at lunch",1'; echo '"x",maybe'; } >odd.csv
call 2 safeguard screen train --policy spam --data odd.csv --kind words --no-curve --no-baseline --no-use
has err "line 303"
has out "2 of texts with both labels"
call 2 safeguard screen train --policy spam --data labels.csv --name ../x

# Distillation: what the screen said, learned.
safeguard batch --policy spam --in labels.csv --out recorded.jsonl --record --record-content 2>/dev/null
call 4 safeguard screen train --policy spam --from-log --test test.csv
has err "no decided verdict of the layer reasoner"
safeguard screen train --policy spam --from-log --layer screen --test test.csv --kind words --no-curve --no-baseline --no-use >out 2>err
code=$?
[ "$code" -eq 0 ] || has err "too few labels"

# Damage is named, never used.
file=$(ls data/classifiers/*.classifier | head -1)
for f in data/classifiers/*.classifier; do printf X | dd of="$f" bs=1 seek=300 conv=notrunc 2>/dev/null; done
call 4 safeguard classify "win free money" --policy spam --judge dedicated
has err "is damaged"
error_is_one_line

# A full disk and Ctrl-C leave nothing.
export SAFEGUARD_DATA="$WORK/fresh"
(ulimit -f 8; safeguard screen train --policy spam --data labels.csv --kind words --no-curve --no-baseline >out 2>err)
equal "exit code on a full disk" "$?" 4
call 0 safeguard screen list
has out "There are no classifiers"
equal "files left" "$(find fresh -name '*.classifier*' 2>/dev/null | grep -c '')" 0
safeguard screen train --policy spam --data labels.csv >out 2>err &
sleep 0.3 && kill -INT $! 2>/dev/null
wait $!
call 0 safeguard screen list --json
[ ! -s out ] || like out '"version":1,"active":true'
finish
