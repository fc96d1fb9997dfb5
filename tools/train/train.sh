#!/usr/bin/env bash
# Trains what models/screen ships: the tuned encoder, from its base, in four passes; some two and a half hours on one core.
# The third pass cuts the feed-forward parts to three quarters and stops half way down its schedule.
#   tools/train/train.sh OUT-FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
out="${1:?name a folder for the weights and the log}"
shared="${SAFEGUARD_SHARED:-../shared}"
common=(--data "$shared/data/permissive" --corpus corpus --policies policies --safeguard "${SAFEGUARD:-build/safeguard}"
        --base build/models/minilm-l6-v2)
export SAFEGUARD_MODELS="${SAFEGUARD_MODELS:-$PWD/build/models}"
tune() { /usr/bin/python3 tools/train/tune_encoder.py "${common[@]}" "$@"; }
tune --out "$out/1" --rate 6e-5 --steps 700 --measure-every 175 --seed 1
tune --out "$out/2" --start "$out/1" --rate 6e-5 --steps 480 --measure-every 240 --warm-up 20 --seed 2
tune --out "$out/3" --start "$out/2" --rate 8e-5 --steps 2400 --stop-at 1200 --measure-every 600 --warm-up 60 --seed 3 --neurons 1152
tune --out "$out/4" --start "$out/3" --rate 7e-5 --steps 900 --measure-every 450 --warm-up 30 --seed 4
tune --out "$out" --start "$out/4" --steps 0 --settle
