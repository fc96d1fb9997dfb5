#!/usr/bin/env python3
"""Reads what `safeguard bench --json` writes.

  compare_runs.py OLD.json NEW.json [--slower PERCENT]   regression guard: exit code 1 when a work
                                                         got slower by more (default 5)
  compare_runs.py --rounds ROUNDS.jsonl --out FILE.json  bench/compare.sh's rounds of several engines
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
    tools = list(dict.fromkeys(run["tool"] for run in rounds))
    peers = [tool for tool in tools if tool != "safeguard"]
    ours = [run for run in rounds if run["tool"] == "safeguard"]
    if not ours or not peers:
        sys.exit("compare_runs: the rounds hold one engine only")
    mine = medians(ours)
    theirs = {peer: medians([run for run in rounds if run["tool"] == peer]) for peer in peers}
    rows = {row["work"]: row for row in ours[0]["results"]}
    table = []
    print(f"{'WORK':<14}{'SAFEGUARD':>11} {'':<10}{'SHARE':>6}" + "".join(f"{peer.upper():>15}{'RATIO':>8}{'SHARE':>7}" for peer in peers))
    for work, rate in mine.items():
        if not any(work in rates for rates in theirs.values()):
            continue
        limit = statistics.median(
            row["limit"] for run in ours for row in run["results"] if row["work"] == work)
        entry = {"work": work, "unit": rows[work]["unit"], "safeguard": rate, "limit": limit, "peers": {}}
        line = f"{work:<14}{rate:>11.2f} {entry['unit']:<10}{rate / limit:>6.0%}"
        for peer, rates in theirs.items():
            if work in rates:
                entry["peers"][peer] = {"rate": rates[work], "ratio": rate / rates[work]}
                line += f"{rates[work]:>15.2f}{rate / rates[work]:>7.2f}x{rates[work] / limit:>7.0%}"
            else:
                line += f"{'-':>15}{'':>15}"
        table.append(entry)
        print(line)
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"rounds": len(ours), "machine": ours[0]["machine"], "results": table}, file, indent=1)
    print(f"{len(ours)} rounds, medians; SHARE is of this machine's limit; {out}")


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
