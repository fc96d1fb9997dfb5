#!/usr/bin/env bash
# Trains what models/screen ships: the tuned encoder, from its base, in ten passes; some five hours on one core.
# The third pass cuts the feed-forward parts to three quarters. It, the fifth and the sixth stop early on their schedules. The seventh and
# the eighth learn with the mean over a side's rules in the score. The ninth goes on from the mean of their weights, with messages to assistants and
# quarrels more often. The tenth begins with a blend (as of WiSE-FT): half of the ninth, half of that mean blended with three tenths of the fourth; it
# learns intents, each against the others', and is held to the logits that it began with elsewhere. What ships is three fifths of it and two of that
# blend; its margin is settled on the golden sets and on corpus/held-out.
#   tools/train/train.sh OUT-FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
out="${1:?name a folder for the weights and the log}"
shared="${SAFEGUARD_SHARED:-../shared}"
common=(--data "$shared/data/permissive" --corpus corpus --policies policies --safeguard "${SAFEGUARD:-build/safeguard}"
        --base build/models/minilm-l6-v2)
export SAFEGUARD_MODELS="${SAFEGUARD_MODELS:-$PWD/build/models}"
tune() { /usr/bin/python3 tools/train/tune_encoder.py "${common[@]}" "$@"; }
nearest=(--nearest 1)
tune --out "$out/1" "${nearest[@]}" --rate 6e-5 --steps 700 --measure-every 175 --seed 1
tune --out "$out/2" --start "$out/1" "${nearest[@]}" --rate 6e-5 --steps 480 --measure-every 240 --warm-up 20 --seed 2
tune --out "$out/3" --start "$out/2" "${nearest[@]}" --rate 8e-5 --steps 2400 --stop-at 1200 --measure-every 600 --warm-up 60 --seed 3 --neurons 1152
tune --out "$out/4" --start "$out/3" "${nearest[@]}" --rate 7e-5 --steps 900 --measure-every 450 --warm-up 30 --seed 4
tune --out "$out/5" --start "$out/4" "${nearest[@]}" --rate 8e-5 --each 6 --steps 900 --stop-at 300 --measure-every 300 --warm-up 40 --seed 5
tune --out "$out/6" --start "$out/5" "${nearest[@]}" --rate 8e-5 --each 6 --steps 1500 --stop-at 500 --measure-every 500 --warm-up 30 --seed 6
tune --out "$out/7" --start "$out/6" --slope 16 --margin 0.14 --rate 8e-5 --each 6 --steps 800 --measure-every 400 --warm-up 30 --seed 7 --settle
tune --out "$out/8" --start "$out/7" --margin 0.188 --rate 5e-5 --each 6 --steps 260 --measure-every 260 --warm-up 10 --seed 8 --intents 0.4 --settle
tune --out "$out/7+8" --start "$out/7" --blend "$out/8" 0.5 --steps 0 --settle
tune --out "$out/4s" --start "$out/4" "${nearest[@]}" --steps 0 --settle
tune --out "$out/4+7+8" --start "$out/7+8" --blend "$out/4s" 0.3 --slope 14.29 --margin 0.123 --steps 0 --settle
tune --out "$out/9" --start "$out/7+8" --rate 6e-5 --each 6 --steps 340 --measure-every 340 --warm-up 15 --seed 9 --intents 0.4 --often dialog quarrel
tune --out "$out/4+7+8+9" --start "$out/9" --blend "$out/4+7+8" 0.5 --steps 0 --settle
tune --out "$out/10" --start "$out/4+7+8+9" --rate 6e-5 --each 6 --steps 360 --measure-every 120 --warm-up 15 --seed 12 --intents 1.2 --other-intents 0.6 --keep 0.05
tune --out "$out" --start "$out/10" --blend "$out/4+7+8+9" 0.4 --steps 0 --settle
