#!/usr/bin/env bash
# Every figure of docs/quality.md, as rows of Markdown tables. Needs python3 and the labelled data
# in $SAFEGUARD_SHARED. Some minutes.
#   bench/quality.sh [SAFEGUARD_BINARY [auto|trained|embedding]]     which screen (default: auto)
set -euo pipefail
cd "$(dirname "$0")/.."
safeguard="${1:-build/safeguard}"
screen="${2:-auto}"
export SAFEGUARD_MODELS="${SAFEGUARD_MODELS:-$PWD/build/models}"
data="${SAFEGUARD_SHARED:-../shared}/data"
[ -d "$data" ] || { echo "no labelled data at $data: set SAFEGUARD_SHARED" >&2; exit 1; }

# held_out CATEGORIES PARTS EVAL-ARGUMENTS...: the score with the best F1 on those parts of corpus/held-out, which nothing was
# trained on; a content is a violation when it breaks any of the categories. Never chosen on the set that is measured.
held_out() {
  local categories="$1" parts="$2" labelled; shift 2
  labelled=$(mktemp --suffix .jsonl)
  CATEGORIES="$categories" PARTS="$parts" python3 - >"$labelled" <<'PYTHON'
import json, os
categories, group = set(os.environ["CATEGORIES"].split(",")), os.environ.get("GROUP")
for part in os.environ["PARTS"].split(","):
    for line in open(f"corpus/held-out/{part}.jsonl", encoding="utf-8"):
        row = json.loads(line)
        if not group or group in row.get("tags", ()):
            label = "violation" if categories & set(row["violates"]) else "safe"
            print(json.dumps({"id": row["id"], "text": row["text"], "expected": label}))
PYTHON
  "$safeguard" eval --data "$labelled" "$@" --screen "$screen" --json --errors 0 | python3 -c '
import json, sys
def f1(point):
    precision, recall = (point[k] or 0 for k in ("precision", "recall"))
    return 2 * precision * recall / (precision + recall or 1)
print(max(json.load(sys.stdin)["curve"], key=f1)["threshold"])'
  rm -f "$labelled"
}

# at NAME THRESHOLD EVAL-ARGUMENTS...: the figures of a set at that score
at() {
  local name="$1" threshold="$2"; shift 2
  "$safeguard" eval "$@" --screen "$screen" --json --errors 0 --threshold "$threshold" | NAME="$name" python3 -c '
import json, os, sys
p = json.load(sys.stdin)["at_thresholds"][0]
print("| {} | {:.2f} | {:.2f} | {:.2f} | {:.3f} |".format(os.environ["NAME"], p["threshold"], p["precision"], p["recall"], p["f1"]))'
}

row() {  # NAME EVAL-ARGUMENTS...: one row; with TAG set, of the records that carry it
  local name="$1"; shift
  "$safeguard" eval "$@" --screen "$screen" --json --errors 0 | NAME="$name" python3 -c '
import json, os, sys
r = json.load(sys.stdin)
show = lambda v: "-" if v is None else f"{v:.2f}"
tag = os.environ.get("TAG")
if tag:
    g = next(g for g in r["tags"] if g["name"] == tag)
    cases, positives, auc, interval = g["cases"], g["positives"], g["roc_auc"], None
    precision, recall, f1 = g["precision"], g["recall"], g["f1"]
else:
    c, w, a = r["counts"], r["with_undetermined_as_errors"], r["ranking"]["roc_auc"]
    cases, positives, auc, interval = c["cases"], c["positives"], a["value"], a["interval"]
    precision, recall, f1 = (w[k]["value"] for k in ("precision", "recall", "f1"))
between = f"{interval[0]:.2f} - {interval[1]:.2f}" if interval else "-"
name = os.environ["NAME"]
print(f"| {name} | {cases} ({positives}) | {show(auc)} | {between} "
      f"| {show(precision)} | {show(recall)} | {show(f1)} |")
'
}
head_row() { printf '\n%s\n\n| set | cases (violations) | ROC-AUC | interval | precision | recall | F1 |\n|---|---|---|---|---|---|---|\n' "$1"; }

head_row "Shipped policies on their own golden sets, five-fold cross-validated"
for folder in policies/*/; do
  [ -f "$folder/policy.md" ] || continue  # policies/benchmarks holds files
  name=$(basename "$folder")
  row "$name" --policy "$name" --data "$folder/golden.jsonl" --cross-validate 5
done

packs="$data/permissive/policy_packs/openAI/teen-safety"
spam="$data/permissive/gpt_oss_safeguard_spam/spam"
head_row "Published policies with labelled sets, five-fold cross-validated"
row "OpenAI spam, sheet's classification" --policy "$spam/policy.txt" --data "$spam/golden_dataset.csv" --format openai-spam --cross-validate 5
row "OpenAI spam, authors' sections" --policy "$spam/policy.txt" --data "$spam/golden_dataset.csv" --format openai-spam-sections --cross-validate 5
for set in "$packs"/datasets/*.csv; do
  name=$(basename "$set" .csv)
  row "teen safety: $name" --policy "$packs/example_policies/$name/policy.md" --data "$set" --format teen-safety --cross-validate 5
done

benchmarks=policies/benchmarks
head_row "From the rules' text alone: policies written for public sets"
moderation=(--data "$data/permissive/openai_moderation" --format openai-moderation --no-golden)
eight=()
for label in S H V HR SH S3 H2 V2; do
  row "OpenAI Moderation $label" --policy "$benchmarks/openai-moderation/${label,,}.md" --label-field "$label" "${moderation[@]}"
  eight+=(--policy "$benchmarks/openai-moderation/${label,,}.md")
done
row "OpenAI Moderation any, the eight" "${eight[@]}" --any "${moderation[@]}"
row "ToxicChat test" --policy "$benchmarks/toxicchat.md" --data "$data/noncommercial/toxicchat_0124_test_full.jsonl" --format toxicchat --no-golden
row "HateCheck, hate" --policy hate --data "$data/permissive/hatecheck" --format hatecheck --no-golden
row "HateCheck, hate with its golden set" --policy hate --data "$data/permissive/hatecheck" --format hatecheck

printf '\n%s\n\n| set | threshold | precision | recall | F1 |\n|---|---|---|---|---|\n' "The same, at thresholds chosen on corpus/held-out"
threshold=$(held_out sexual,hate,violence,harassment,self-harm,sexual-minors,hate-threatening,violence-graphic web,chat "${eight[@]}" --no-golden)
at "OpenAI Moderation any, the eight" "$threshold" "${eight[@]}" --any "${moderation[@]}"
threshold=$(held_out toxic chat --policy "$benchmarks/toxicchat.md" --no-golden)
at "ToxicChat test" "$threshold" --policy "$benchmarks/toxicchat.md" --data "$data/noncommercial/toxicchat_0124_test_full.jsonl" --format toxicchat --no-golden
for golden in "" --no-golden; do
  threshold=$(GROUP=group held_out hate web --policy hate $golden)
  at "HateCheck, hate${golden:+, from its text alone}" "$threshold" --policy hate --data "$data/permissive/hatecheck" --format hatecheck $golden
done

five=(--policy sexual-content --policy hate --policy violence --policy harassment --policy self-harm)
for golden in "" --no-golden; do
  head_row "Shipped policies on public sets${golden:+, without golden sets}"
  moderation=(--data "$data/permissive/openai_moderation" --format openai-moderation $golden)
  row "OpenAI Moderation S, sexual-content" --policy sexual-content --label-field S "${moderation[@]}"
  row "OpenAI Moderation H, hate" --policy hate --label-field H "${moderation[@]}"
  row "OpenAI Moderation V, violence" --policy violence --label-field V "${moderation[@]}"
  row "OpenAI Moderation HR, harassment" --policy harassment --label-field HR "${moderation[@]}"
  row "OpenAI Moderation SH, self-harm" --policy self-harm --label-field SH "${moderation[@]}"
  row "OpenAI Moderation any, the five" "${five[@]}" "${moderation[@]}"
  toxic=("${five[@]}" --data "$data/noncommercial/toxicchat_0124_test_full.jsonl" --format toxicchat $golden)
  row "ToxicChat test, the five" "${toxic[@]}"
  TAG=human_annotation row "ToxicChat test, human-annotated" "${toxic[@]}"
done
