#!/usr/bin/env python3
"""Reads what `safeguard bench --json` writes.

  compare_runs.py OLD.json NEW.json [--slower PERCENT]   regression guard: exit code 1 when a work
                                                         got slower by more (default 5)
  compare_runs.py --rounds ROUNDS.jsonl --out FILE.json  bench/compare.sh's rounds of two engines
"""
import argparse
import json
import statistics
import sys


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def medians(runs):
    rates = {}
    for run in runs:
        for row in run["results"]:
            rates.setdefault(row["work"], []).extend(row.get("rates", [row["median"]]))
    return {work: statistics.median(values) for work, values in rates.items()}


def compare_engines(rounds, out):
    ours = [run for run in rounds if run["tool"] == "safeguard"]
    theirs = [run for run in rounds if run["tool"] != "safeguard"]
    if not ours or not theirs:
        sys.exit("compare_runs: the rounds hold one engine only")
    mine, peer = medians(ours), medians(theirs)
    rows = {row["work"]: row for row in ours[0]["results"]}
    table = []
    print(f"{'WORK':<14}{'SAFEGUARD':>11}{'LLAMA.CPP':>11}{'':>11}{'RATIO':>8}{'SHARE':>8}{'THEIRS':>8}")
    for work, rate in mine.items():
        if work not in peer:
            continue
        limit = statistics.median(
            row["limit"] for run in ours for row in run["results"] if row["work"] == work)
        entry = {"work": work, "unit": rows[work]["unit"], "safeguard": rate, "peer": peer[work],
                 "ratio": rate / peer[work], "limit": limit}
        table.append(entry)
        print(f"{work:<14}{rate:>11.2f}{peer[work]:>11.2f} {entry['unit']:<10}{entry['ratio']:>7.2f}x"
              f"{rate / limit:>7.0%}{peer[work] / limit:>8.0%}")
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"rounds": len(ours), "machine": ours[0]["machine"], "results": table}, file, indent=1)
    print(f"{len(ours)} rounds, medians; SHARE and THEIRS are shares of this machine's limit; {out}")


def guard(old_path, new_path, slower):
    old, new = medians(read_lines(old_path)), medians(read_lines(new_path))
    common = [work for work in old if work in new]
    if not common:
        sys.exit("compare_runs: the two files have no work in common")
    worst = 0
    for work in common:
        change = 100 * (new[work] / old[work] - 1)
        mark = "  SLOWER" if change < -slower else ""
        worst = min(worst, change)
        print(f"{work:<16}{old[work]:>12.2f}{new[work]:>12.2f}{change:>+9.1f} %{mark}")
    return 1 if worst < -slower else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--rounds")
    parser.add_argument("--out", default="compare.json")
    parser.add_argument("--slower", type=float, default=5)
    arguments = parser.parse_args()
    if arguments.rounds:
        compare_engines(read_lines(arguments.rounds), arguments.out)
        return 0
    if len(arguments.files) != 2:
        parser.error("two files are wanted, or --rounds")
    return guard(*arguments.files, arguments.slower)


if __name__ == "__main__":
    sys.exit(main())
