#!/usr/bin/env bash
# Trains what models/screen ships: the tuned encoder, from its base, in two passes; about forty minutes on one core.
#   tools/train/train.sh OUT-FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
out="${1:?name a folder for the weights and the log}"
shared="${SAFEGUARD_SHARED:-../shared}"
common=(--data "$shared/data/permissive" --corpus corpus --policies policies --safeguard "${SAFEGUARD:-build/safeguard}"
        --base build/models/minilm-l6-v2 --rate 6e-5)
export SAFEGUARD_MODELS="${SAFEGUARD_MODELS:-$PWD/build/models}"
/usr/bin/python3 tools/train/tune_encoder.py "${common[@]}" --out "$out/first" --steps 700 --measure-every 175 --seed 1
/usr/bin/python3 tools/train/tune_encoder.py "${common[@]}" --out "$out" --start "$out/first" --steps 480 --measure-every 240 \
  --warm-up 20 --seed 2
