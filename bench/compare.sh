#!/usr/bin/env bash
# safeguard and llama.cpp (the newest that npm's node-llama-cpp carries) on the same true-shape
# random weights, in one run, alternating; medians and their ratio. Run it on an idle machine.
#
#   bench/compare.sh [--work prefill,decode,items,instant] [--quick] [--rounds 3] [--out FILE.json]
#
# --quick: shorter prompts, answers and batches, some minutes instead of an hour. Needs npm, git, 26
# GB of memory or less with --quick, and 12 GB of disk for the weights (made once, in build/bench).
set -euo pipefail
cd "$(dirname "$0")/.."
safeguard="${SAFEGUARD:-build/safeguard}" rounds=3 out=build/bench/compare.json quick=0
work=prefill,decode,items,instant threads=$(nproc)
while [ $# -gt 0 ]; do
  case $1 in
    --work) work=$2; shift ;; --rounds) rounds=$2; shift ;; --out) out=$2; shift ;;
    --threads) threads=$2; shift ;; --quick) quick=1 ;;
    *) echo "compare: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
[ -x "$safeguard" ] || { echo "compare: no $safeguard: run ./demo.sh first" >&2; exit 4; }
mkdir -p build/bench
model=build/bench/random-20b.gguf
[ -s "$model" ] || "$safeguard" model synth --shape 20b --seed 1 --format gguf "$model"

# llama.cpp: prebuilt libraries for this processor, and the headers that belong to them.
version=3.22.1 peer="$PWD/build/bench/llama.cpp"
if [ ! -x "$peer/speed" ]; then
  mkdir -p "$peer"
  (cd "$peer" && { [ -f package.json ] || npm init -y >/dev/null; } &&
    npm install --silent --ignore-scripts "node-llama-cpp@$version" "@node-llama-cpp/linux-x64@$version" &&
    { [ -d source ] || git clone --quiet node_modules/node-llama-cpp/llama/gitRelease.bundle source; })
  libraries=$(dirname "$(find "$peer/node_modules/@node-llama-cpp" -name 'libllama.v*.so' | head -n 1)")
  g++ -std=c++20 -O2 -I"$peer/source/include" -I"$peer/source/ggml/include" tools/peers/llama_cpp/speed.cc \
    -o "$peer/speed" "$libraries"/libllama.v*.so "$libraries"/libggml.v*.so "$libraries"/libggml-base.so -Wl,-rpath,"$libraries"
  echo "$libraries" >"$peer/libraries"
fi

if [ $quick = 1 ]; then
  prefill=512 batch=1,8,32 in_flight=32 policy=500 content=60 answer=24
else
  prefill=512,2048 batch=1,8,32,64 in_flight=64 policy=1500 content=100 answer=150
fi
shape=(policy="$policy" content="$content" answer="$answer")
theirs=()
for kind in ${work//,/ }; do
  case $kind in
    prefill) for n in ${prefill//,/ }; do theirs+=("prefill=$n"); done ;;
    decode) for n in ${batch//,/ }; do theirs+=("decode=$n"); done ;;
    *) theirs+=("$kind=$in_flight") ;;
  esac
done
: >build/bench/rounds.jsonl
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds" >&2
  "$safeguard" bench "$model" --work "$work" --prefill "$prefill" --batch "$batch" --in-flight "$in_flight" \
    --policy-tokens "$policy" --content-tokens "$content" --answer-tokens "$answer" --threads "$threads" --runs 1 --json >>build/bench/rounds.jsonl
  "$peer/speed" "$model" "$(cat "$peer/libraries")" "$threads" "${theirs[@]}" "${shape[@]}" >>build/bench/rounds.jsonl
done
python3 bench/compare_runs.py --rounds build/bench/rounds.jsonl --out "$out"
