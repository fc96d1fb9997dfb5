#!/usr/bin/env bash
# What the whole cascade costs and buys (docs/cascade.md). Needs python3 and the labelled data in $SAFEGUARD_SHARED.
#   bench/cascade.sh curve [SAFEGUARD_BINARY]        quality against budget with the screen that is installed: on the committed
#                                                    corpus/held-out, OpenAI Moderation and ToxicChat; some minutes
#   bench/cascade.sh throughput [SAFEGUARD_BINARY]   contents a second of `batch --route` on 2 cores, without a route, with
#                                                    one, and with band, audit and budget; a quiet machine
# The reasoner is synthetic, of stated errors: RECALL and SPECIFICITY (0.95), TOKENS a verdict (600).
# Reports and runs go to $OUT (default: a new folder that is named at the end).
set -euo pipefail
cd "$(dirname "$0")/.."
what="${1:-}"
safeguard="${2:-build/safeguard}"
export SAFEGUARD_MODELS="${SAFEGUARD_MODELS:-$PWD/build/models}"
data="${SAFEGUARD_SHARED:-../shared}/data"
out="${OUT:-$(mktemp -d)}"
threads="${THREADS:-2}"
count="${COUNT:-3000}"
[ -d "$data" ] || { echo "no labelled data at $data: set SAFEGUARD_SHARED" >&2; exit 1; }
mkdir -p "$out"
export XDG_DATA_HOME="$out/data"  # what routes keep: their budgets and audits
unset SAFEGUARD_DATA

# curve NAME EVAL-ARGUMENTS...: the screen's run, then what each budget buys over it
curve() {
  local name="$1"; shift
  "$safeguard" eval "$@" --threads "$threads" --run "$out/$name.run.jsonl" --restart --json --errors 0 >"$out/$name.screen.json"
  echo "## $name"
  "$safeguard" eval cascade "$out/$name.run.jsonl" --recall "${RECALL:-0.95}" --specificity "${SPECIFICITY:-0.95}" \
    --tokens "${TOKENS:-600}" --report "$out/$name.html" --report "$out/$name.md" >/dev/null
  cat "$out/$name.md"
}

# held_out CATEGORY: the committed held-out texts, a violation where they break that category
held_out() {
  python3 - "$1" <<'PYTHON'
import json, sys
for part in ("chat", "web"):
    for line in open(f"corpus/held-out/{part}.jsonl", encoding="utf-8"):
        row = json.loads(line)
        label = "violation" if sys.argv[1] in row["violates"] else "safe"
        print(json.dumps({"id": row["id"], "text": row["text"], "expected": label}))
PYTHON
}

curves() {
  for policy in hate harassment; do
    held_out "$policy" >"$out/held-out-$policy.jsonl"
    curve "held-out-$policy" --policy "$policy" --data "$out/held-out-$policy.jsonl"
  done
  for pair in hate:H harassment:HR violence:V sexual-content:S self-harm:SH; do
    curve "openai-${pair%%:*}" --policy "${pair%%:*}" --data "$data/permissive/openai_moderation" --format openai-moderation \
      --label-field "${pair##*:}"
  done
  curve toxicchat --policy policies/benchmarks/toxicchat.md --data "$data/noncommercial/toxicchat_0124_test_full.jsonl" \
    --format toxicchat --no-golden
}

# batch NAME BATCH-ARGUMENTS...: contents a second, start of the program included
batch() {
  local name="$1" begin end; shift
  begin=$(date +%s.%N)
  # 1: there were violations
  "$safeguard" batch --in "$out/in.jsonl" --out "$out/$name.out.jsonl" --restart --threads "$threads" --stats \
    "$@" 2>"$out/$name.log" || [ $? -eq 1 ] || { cat "$out/$name.log" >&2; exit 1; }
  end=$(date +%s.%N)
  python3 -c "print('| $name | {:.1f} contents/s |'.format($count / ($end - $begin)))"
}

throughput() {
  python3 - "$count" <<'PYTHON' >"$out/in.jsonl"
import itertools, json, sys
rows = [json.loads(line)["text"] for part in ("chat", "web")
        for line in open(f"corpus/held-out/{part}.jsonl", encoding="utf-8")]
for i, text in zip(range(int(sys.argv[1])), itertools.cycle(rows)):
    print(json.dumps({"id": str(i), "text": f"{text} {i}"}))  # no two the same
PYTHON
  printf 'route: plain\npolicies: [hate]\n' >"$out/plain.yaml"
  # Recorded answers stand for a reasoner that takes no time: what is left is the cascade.
  python3 - "$out" <<'PYTHON'
import json, sys
with open(sys.argv[1] + "/answers.jsonl", "w") as answers:
    for i, line in enumerate(open(sys.argv[1] + "/in.jsonl")):
        violates = int(i % 10 == 0)
        answers.write(json.dumps({"text": json.loads(line)["text"], "final": json.dumps(
            {"violation": violates, "rule_ids": ["HT2.a"] if violates else []})}) + "\n")
PYTHON
  cat >"$out/full.yaml" <<YAML
route: full
policies: [{policy: hate, band: [0.1, 0.9], severity: 5}]
reasoners: [{name: low, judge: recorded, recorded: $out/answers.jsonl, tokens: 600}]
audit: {safe: 0.02, violation: 0.05}
budget: {tokens_per_second: 20000}
YAML
  for turn in 1 2; do
    batch "screen-$turn" --policy hate
    batch "route-$turn" --route "$out/plain.yaml"
    batch "full-$turn" --route "$out/full.yaml"
  done
}

case "$what" in
  curve) curves ;;
  throughput) throughput ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
echo "kept in $out"
