#!/usr/bin/env python3
"""Compares two files of logits, position by position. Needs Debian's python3-numpy.

    /usr/bin/python3 compare.py OURS.safetensors THEIRS.safetensors [--top 40] [--rows]

Both hold the tensor `logits`, F32 [N, vocabulary]; the longer one is cut to its last rows. The
error of a row is the root mean square of the difference of the centred logits, so a constant,
which changes no probability, counts as no error.
"""

import argparse
import json
import struct

import numpy as np


def read_logits(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        entry = json.loads(file.read(length))["logits"]
        assert entry["dtype"] == "F32", entry
        begin, end = entry["data_offsets"]
        file.seek(8 + length + begin)
        values = np.frombuffer(file.read(end - begin), dtype="<f4")
    logits = values.reshape(entry["shape"]).astype(np.float64)
    assert np.isfinite(logits).all(), path + " holds values that are not finite"
    return logits


def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def compare_row(ours, theirs, top):
    """Of one position's logprobs."""
    delta = ours - theirs
    best = np.argsort(-ours)[:top], np.argsort(-theirs)[:top]
    union = np.union1d(*best)
    probability = np.exp(ours)
    return {
        "same": best[0][0] == best[1][0],
        "in_top": best[0][0] in best[1][:5] and best[1][0] in best[0][:5],
        "overlap": len(np.intersect1d(*best)) / top,
        "gap": ours[best[0][0]] - ours[best[0][1]],
        # How far the other's first stands below the first, by each judge.
        "lost": max(ours[best[0][0]] - ours[best[1][0]], theirs[best[1][0]] - theirs[best[0][0]]),
        "correlation": np.corrcoef(ours, theirs)[0, 1],
        "correlation_top": np.corrcoef(ours[union], theirs[union])[0, 1],
        "rms": np.std(delta),
        "spread": np.std(ours),
        "largest_top": np.abs(delta[union]).max(),
        "largest": np.abs(delta).max(),
        "kl": float((probability * delta).sum()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ours")
    parser.add_argument("theirs")
    parser.add_argument("--top", type=int, default=40)
    parser.add_argument("--rows", action="store_true", help="a line for each position")
    options = parser.parse_args()
    ours, theirs = read_logits(options.ours), read_logits(options.theirs)
    count = min(len(ours), len(theirs))
    ours, theirs = log_softmax(ours[-count:]), log_softmax(theirs[-count:])
    rows = [compare_row(a, b, options.top) for a, b in zip(ours, theirs)]
    column = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    if options.rows:
        for i, row in enumerate(rows):
            print(f"{i:4} {'=' if row['same'] else '!'} gap {row['gap']:.4f}  "
                  f"rms {row['rms']:.5f}  kl {row['kl']:.2e}  r {row['correlation']:.6f}")
    print(f"positions {count}, vocabulary {ours.shape[1]}, spread of the logprobs "
          f"{column['spread'].mean():.3f}")
    print(f"same first token      {column['same'].sum()} of {count}")
    print(f"first in other's 5    {column['in_top'].sum()} of {count}")
    print(f"same of first {options.top:<4}    {100 * column['overlap'].mean():.1f} %")
    clear = column["gap"] > 4 * column["rms"]
    print(f"gap above 4 x error   {clear.sum()} of {count}, of which same first token "
          f"{(column['same'] & clear).sum()}")
    for name, text in [("gap", "gap, first to second"), ("rms", "error, rms"),
                       ("largest", "error, largest"),
                       ("largest_top", f"error, of first {options.top}"),
                       ("kl", "Kullback-Leibler"), ("correlation", "correlation, all"),
                       ("correlation_top", f"correlation, top {options.top}")]:
        values = column[name]
        print(f"{text:22}min {values.min():.6g}  median {np.median(values):.6g}  "
              f"max {values.max():.6g}")
    for i in np.flatnonzero(~column["same"]):
        row = rows[i]
        print(f"  position {i}: gap {row['gap']:.4f}, rms error {row['rms']:.4f}, "
              f"other's first is {row['lost']:.4f} below")


if __name__ == "__main__":
    main()
