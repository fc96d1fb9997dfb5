#!/usr/bin/env bash
# The stream guard with the real screen, and the audit log through the command line.
source "$(dirname "$0")/lib.sh" "$1"

chunk() { # chunk TEXT: one delta of a chat stream
  printf 'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n' "$1"
}
ending() {
  printf 'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
}
cat >no_spam.md <<'MD'
# No advertising
## Violates
- AD1 Selling or advertising of any product, with a link, a price or a call to buy.
## Allowed
- AD2 Everyday talk about anything else.
MD
{ chunk "Good morning, I hope you slept well. "; chunk "It is raining here today. "; ending; } >clean.sse
{ chunk "Good morning, I hope you slept well. "; chunk "BUY cheap watches NOW at http://shop.example, only 5 dollars! "; chunk "Click to order and win a FREE iPhone!!! "; ending; } >late.sse

for command in guard audit "audit init" "audit verify" "audit head" "audit rotate" "audit erase"; do
  call 0 safeguard $command --help
  has out "Usage: safeguard $command "
done

# What cannot be judged is not passed; what the operator's threshold decides is.
call 0 safeguard guard --policy no_spam.md --violation-at 1 --file clean.sse
has out "slept well"
has out '"finish_reason":"stop"'
has err "stream: completed"
has err "0 of them unscanned"
call 1 safeguard guard --policy no_spam.md --violation-at 0 --file late.sse
lacks out "watches"
lacks out "slept"
has out '"finish_reason":"content_filter"'
has out "[DONE]"
has err "stream: violation"
for size in 1 7 100; do
  call 0 safeguard guard --policy no_spam.md --violation-at 1 --file clean.sse --chunk $size
  cp out cut.$size
  same cut.$size cut.1
done
call 3 safeguard guard --policy no_spam.md --format anthropic --file clean.sse
lacks out "slept"
has err "refused"
call 2 safeguard guard --policy no_spam.md --format nonsense --file clean.sse
call 2 safeguard guard --policy no_spam.md --file nowhere.sse

# Audit.
export SAFEGUARD_DATA="$WORK/data"
call 4 safeguard audit verify
call 0 safeguard audit init
call 1 safeguard classify "BUY cheap watches NOW at http://shop.example" -p spam --record
call 0 safeguard audit verify
has out "1 of them verdicts"
has out "The log is whole."
call 0 safeguard audit head
cp out heads.jsonl
cp "$SAFEGUARD_DATA/audit/public_key" trusted
call 0 safeguard audit rotate
call 0 safeguard audit verify --public-key trusted --anchor heads.jsonl
has out "3 signatures of 1 key"  # the new key signs from here on
equal "mode of the key" "$(stat -c %a "$SAFEGUARD_DATA/audit/key")" 600
cp "$SAFEGUARD_DATA/audit/log" log
head -n -1 log >"$SAFEGUARD_DATA/audit/log"
call 1 safeguard audit verify
has out "its end was cut off"
sed 's/"outcome":"violation"/"outcome":"safe"/' log >"$SAFEGUARD_DATA/audit/log"
call 1 safeguard audit verify
has out "line 3: entry 3 is not what was written"
cp log "$SAFEGUARD_DATA/audit/log"
call 0 safeguard audit verify
finish
