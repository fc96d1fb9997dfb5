#!/usr/bin/env bash
# `safeguard batch`: order, formats, resuming, full disks. Killing it is batch_kill_test.sh.
source "$(dirname "$0")/lib.sh" "$1"

records() {
  local i
  for ((i = 1; i <= $1; i++)); do
    case $((i % 3)) in
      0) echo "{\"id\": \"r$i\", \"text\": \"Cheap followers nr $i! DM me to buy 10k likes\"}" ;;
      1) echo "{\"id\": \"r$i\", \"text\": \"See you at the meeting on day $i.\"}" ;;
      2) echo "{\"id\": \"r$i\", \"messages\": [{\"role\": \"user\", \"content\": \"Question $i\"}]}" ;;
    esac
  done
}
without_times() { sed 's/"timings_ms":{[^}]*}//' "$1"; }

records 20 >in.jsonl
call 1 safeguard batch --policy spam --policy hate --in in.jsonl --out out.jsonl
has err "20 records judged under 2 policies"
equal lines "$(wc -l <out.jsonl)" 40
equal "ids in order" "$(grep -oP '"id":"\K[^"]*' out.jsonl | uniq | tr '\n' ' ')" \
  "$(for i in $(seq 20); do printf 'r%s ' "$i"; done)"
like out.jsonl '^\{"line":1,"id":"r1","policy":"spam",'

# The batch size and the threads change nothing; being done already changes nothing.
call 1 safeguard batch --policy spam --policy hate --in in.jsonl --out other.jsonl --batch-size 3 --threads 1
without_times out.jsonl >a && without_times other.jsonl >b && same a b
cp out.jsonl before
call 1 safeguard batch --policy spam --policy hate --in in.jsonl --out out.jsonl
same out.jsonl before

# Standard input and output.
call 1 bash -c 'safeguard batch --policy spam --policy hate --in - --out - <in.jsonl'
without_times out >b && same a b
call 4 bash -c 'set -o pipefail; safeguard batch --policy spam --in in.jsonl --out - --batch-size 1 | true'
lacks err "Broken pipe"

# What is refused.
call 2 safeguard batch --policy spam --in in.jsonl --out out.jsonl
has err "(policies)"
has err "--restart"
error_is_one_line
sed 's/nr 3/nr 4/' in.jsonl >changed.jsonl
call 2 safeguard batch --policy spam --policy hate --in changed.jsonl --out out.jsonl
has err "are not those that were judged before"
same out.jsonl before
echo precious >notes.txt
call 2 safeguard batch --policy spam --in in.jsonl --out notes.txt
equal "a file that is not ours" "$(cat notes.txt)" precious
call 2 safeguard batch --policy spam --in in.jsonl --out .
call 2 safeguard batch --policy spam --in . --out x.jsonl
call 2 safeguard batch --policy spam --in nowhere.jsonl --out x.jsonl
call 2 safeguard batch --policy spam --in in.jsonl --out in.jsonl
call 4 safeguard batch --policy nothing-like-it --in in.jsonl --out x.jsonl
call 1 safeguard batch --policy spam --in in.jsonl --out out.jsonl --restart
equal "lines after --restart" "$(wc -l <out.jsonl)" 20

# Lines that cannot be read.
{ records 4; echo '{"text": '; printf '{"text": "ca\xff"}\n'; echo '["x"]'; records 1; } >mixed.jsonl
call 2 safeguard batch --policy spam --in mixed.jsonl --out mixed.out
has err "line 5"
has err "line 7"
has err "2 lines could not be read"
equal "lines for those that can" "$(wc -l <mixed.out)" 6
has mixed.out "invalid UTF-8 at byte"
printf 'id;body\n1;"Cheap followers! DM me; buy 10k likes"\n2;Good morning\n' >in.csv
call 1 safeguard batch --policy spam --in in.csv --text-field body --out csv.out
equal "csv lines" "$(wc -l <csv.out)" 2
printf 'Cheap followers! DM me to buy 10k likes\n\nGood morning\n' >in.txt
call 1 safeguard batch --policy spam --in in.txt --out txt.out
like txt.out '^\{"line":3,"policy"'
: >nothing.jsonl
call 0 safeguard batch --policy spam --in nothing.jsonl --out nothing.out --format jsonl

# Full disks.
call 4 safeguard batch --policy spam --in in.jsonl --out /dev/full
has err "No space left"
error_is_one_line
records 200 >many.jsonl
call 1 safeguard batch --policy spam --in many.jsonl --out whole.jsonl
for blocks in 1 7 30; do # of 1 KiB
  rm -f full.jsonl full.jsonl.resume
  call 4 bash -c "ulimit -f $blocks; safeguard batch --policy spam --in many.jsonl --out full.jsonl --batch-size 5"
  has err "make room and run the same command again"
  call 1 safeguard batch --policy spam --in many.jsonl --out full.jsonl
  without_times whole.jsonl >a && without_times full.jsonl >b && same a b
done

# Ctrl-C.
records 3000 >slow.jsonl
rm -f slow.out*
safeguard batch --policy spam --in slow.jsonl --out slow.out --batch-size 2 2>err &
pid=$!
until [ -s slow.out ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill -INT $pid
code=0
wait $pid || code=$?
equal "exit code after Ctrl-C" "$code" 130
has err "run the same command again"
equal "a line torn by Ctrl-C" "$(tail -c 1 slow.out | od -An -c | tr -d ' ')" '\n'
call 1 safeguard batch --policy spam --in slow.jsonl --out slow.out
has err "going on after"
equal "lines, gone on with" "$(wc -l <slow.out)" 3000
equal "each line once" "$(grep -oP '^\{"line":\K\d+' slow.out | sort -n | uniq | wc -l)" 3000

# The bar of a terminal.
call 1 script -qec "safeguard batch --policy spam --in many.jsonl --out bar.out --batch-size 5" /dev/null
like out '\[[#.]+\] +\d+ %  \d+ records  \d+/s'
finish
