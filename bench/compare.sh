#!/usr/bin/env bash
# safeguard and llama.cpp (the newest that npm's node-llama-cpp carries) on the same random weights
# of a true shape, in one run, alternating; medians and their ratio. Run it on an idle machine.
#
#   bench/compare.sh [--work prefill,decode,items,instant] [--quick | --smoke] [--shape 20b]
#                    [--precision int16] [--rounds 3] [--threads N] [--ik FOLDER] [--out FILE.json]
#
# --quick: shorter prompts, answers and batches, some minutes instead of an hour. --smoke: some
# seconds, with --shape tools/peers/llama_cpp/shapes/broad.json: shows that everything works, and
# measures nothing. --shape is what `safeguard model synth` takes. Needs npm, git, g++, and for 20b
# 26 GB of memory (less with --quick) and 12 GB of disk for the weights (made once, in build/bench;
# 12 GB more for the file of packed weights). --ik: ik_llama.cpp takes part too; FOLDER is its
# source, built in FOLDER/build (`cmake -B build && cmake --build build --target llama`).
set -euo pipefail
cd "$(dirname "$0")/.."
safeguard="${SAFEGUARD:-build/safeguard}" rounds=3 out=build/bench/compare.json size=full
work=prefill,decode,items,instant threads=$(nproc) shape=20b precision=default ik=
while [ $# -gt 0 ]; do
  case $1 in
    --quick) size=quick; shift; continue ;;
    --smoke) size=smoke; shift; continue ;;
    --work | --rounds | --out | --threads | --shape | --precision | --ik)
      [ $# -ge 2 ] || { echo "compare: $1 needs a value" >&2; exit 2; } ;;
    *) echo "compare: unknown option $1" >&2; exit 2 ;;
  esac
  case $1 in
    --work) work=$2 ;; --rounds) rounds=$2 ;; --out) out=$2 ;;
    --threads) threads=$2 ;; --shape) shape=$2 ;; --precision) precision=$2 ;; --ik) ik=$(realpath "$2") ;;
  esac
  shift 2
done
[ -x "$safeguard" ] || { echo "compare: no $safeguard: run ./demo.sh first" >&2; exit 4; }
mkdir -p build/bench
name=$(basename "$shape" .json)
model=build/bench/random-$name.gguf
[ -s "$model" ] || "$safeguard" model synth --shape "$shape" --seed 1 --format gguf "$model"

# llama.cpp: prebuilt libraries for this processor, and the headers that belong to them.
case $(uname -m) in
  x86_64) platform=linux-x64 ;; aarch64) platform=linux-arm64 ;;
  *) echo "compare: node-llama-cpp has no library for $(uname -m)" >&2; exit 4 ;;
esac
version=3.22.1 peer="$PWD/build/bench/llama.cpp"
libraries="$peer/node_modules/@node-llama-cpp/$platform/bins/$platform"
if [ ! -x "$peer/speed" ] || [ tools/peers/llama_cpp/speed.cc -nt "$peer/speed" ]; then
  mkdir -p "$peer"
  (
    cd "$peer"
    [ -f package.json ] || npm init -y >/dev/null
    npm install --silent --ignore-scripts --omit=optional "node-llama-cpp@$version" "@node-llama-cpp/$platform@$version"
    [ -d source ] || git -c advice.detachedHead=false clone --quiet node_modules/node-llama-cpp/llama/gitRelease.bundle source
  )
  g++ -std=c++20 -O2 -I"$peer/source/include" -I"$peer/source/ggml/include" tools/peers/llama_cpp/speed.cc \
    -o "$peer/speed" "$libraries"/libllama.v*.so "$libraries"/libggml.v*.so "$libraries"/libggml-base.so -Wl,-rpath,"$libraries"
fi

ik_speed=build/bench/ik_speed
if [ -n "$ik" ]; then
  [ -e "$ik/build/src/libllama.so" ] || { echo "compare: no $ik/build/src/libllama.so: build ik_llama.cpp in $ik/build first" >&2; exit 4; }
  g++ -std=c++20 -O2 -DSPEED_OF_IK -I"$ik/include" -I"$ik/ggml/include" tools/peers/llama_cpp/speed.cc -o "$ik_speed" \
    "$ik/build/src/libllama.so" "$ik/build/ggml/src/libggml.so" -Wl,-rpath,"$ik/build/src:$ik/build/ggml/src"
fi

case $size in
  smoke) prefill=64 batch=1,4 in_flight=4 policy=48 content=12 answer=4 ;;
  quick) prefill=512 batch=1,8,32 in_flight=32 policy=500 content=60 answer=24 ;;
  full) prefill=512,2048 batch=1,8,32,64 in_flight=64 policy=1500 content=100 answer=150 ;;
esac
theirs=()
for kind in ${work//,/ }; do
  case $kind in
    prefill) for n in ${prefill//,/ }; do theirs+=("prefill=$n"); done ;;
    decode) for n in ${batch//,/ }; do theirs+=("decode=$n"); done ;;
    *) theirs+=("$kind=$in_flight") ;;
  esac
done
records=build/bench/rounds-$name.jsonl
: >"$records"
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds" >&2
  "$safeguard" bench "$model" --work "$work" --prefill "$prefill" --batch "$batch" --in-flight "$in_flight" --precision "$precision" \
    --policy-tokens "$policy" --content-tokens "$content" --answer-tokens "$answer" --threads "$threads" --runs 1 --json >>"$records"
  "$peer/speed" "$model" "$libraries" "$threads" "${theirs[@]}" policy="$policy" content="$content" answer="$answer" >>"$records"
  [ -z "$ik" ] ||
    "$ik_speed" "$model" - "$threads" "${theirs[@]}" policy="$policy" content="$content" answer="$answer" >>"$records"
done
python3 bench/compare_runs.py --rounds "$records" --out "$out"
