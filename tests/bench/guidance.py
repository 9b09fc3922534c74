#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does guidance win? From an empty corpus: this fuzzer, AFL++'s byte havoc, blind generation.

  tests/bench/guidance.py [--time 5m] [--seeds 5] [--jobs 1] [--modes guided,havoc,blind] [-o DIR]

For each mode and seed one campaign of the same length, one after the other. Prints distinct root
signatures and the runs to the exact shape of the incident (DESIGN section 5); writes DIR/guidance.tsv
and DIR/guidance.svg, roots over time, one line a campaign.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

OPTIONS = {"guided": [], "havoc": ["--no-mutator"], "blind": ["--blind"]}
COLOURS = {"guided": "#1b7837", "havoc": "#762a83", "blind": "#999999"}


def seconds_of(text):
    units = {"s": 1, "m": 60, "h": 3600}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def campaign(args, mode, seed):
    """Runs one campaign, returns what it found."""
    out = f"{args.output}/{mode}-{seed}"
    command = [f"{args.build}/shortfuse", "fuzz", "--empty", "--quiet", "--target", args.target,
               "--time", args.time, "--jobs", str(args.jobs), "--seed", str(seed), "-o", out]
    with open(f"{out}.log", "w") as log:
        status = subprocess.run(command + OPTIONS[mode], stdout=log, stderr=log).returncode
    if status not in (0, 1):
        sys.exit(f"{out}: exit status {status}, see {out}.log")
    with open(f"{out}/campaign.json") as file:
        state = json.load(file)
    events = []
    if os.path.exists(f"{out}/findings.tsv"):
        with open(f"{out}/findings.tsv") as file:
            events = [line.rstrip("\n").split("\t") for line in file]
    return state, events


def roots_over_time(events):
    """[(seconds, runs, distinct roots so far)]: verdicts of one root count once."""
    seen, steps = set(), []
    for seconds, runs, what, root, _severity, _reason in events:
        if what != "incident" and root not in seen:
            seen.add(root)
            steps.append((int(seconds), int(runs), len(seen)))
    return steps


def plot(path, lines, span):
    """Roots over time as an SVG, without any library."""
    width, height, left, bottom = 900, 500, 50, 40
    top = max([steps[-1][2] for _, _, steps in lines if steps] or [1])
    x = lambda s: left + s / span * (width - left - 10)
    y = lambda n: height - bottom - n / top * (height - bottom - 10)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           f'font-family="sans-serif" font-size="13">'
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for i in range(6):
        s, n = span * i / 5, top * i / 5
        out.append(f'<text x="{x(s):.0f}" y="{height - 18}" text-anchor="middle">{s:.0f} s</text>')
        out.append(f'<text x="{left - 6}" y="{y(n) + 4:.0f}" text-anchor="end">{n:.0f}</text>')
    for mode, _seed, steps in lines:
        points = [(0, 0)]
        for seconds, _, n in steps:
            points += [(seconds, points[-1][1]), (seconds, n)]
        points.append((span, points[-1][1]))
        path_text = " ".join(f"{x(s):.1f},{y(n):.1f}" for s, n in points)
        out.append(f'<polyline points="{path_text}" fill="none" stroke="{COLOURS[mode]}"/>')
    for i, (mode, colour) in enumerate(COLOURS.items()):
        out.append(f'<text x="{left + 10}" y="{20 + 16 * i}" fill="{colour}">{mode}</text>')
    out.append(f'<text x="{width / 2}" y="{height - 2}" text-anchor="middle">'
               'distinct root signatures over time</text></svg>')
    with open(path, "w") as file:
        file.write("\n".join(out) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", default="5m")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--modes", default="guided,havoc,blind")
    parser.add_argument("--target", default="host")
    parser.add_argument("--build", default="build")
    parser.add_argument("-o", "--output", default="results/guidance")
    args = parser.parse_args()
    os.makedirs(args.output)
    lines = []
    with open(f"{args.output}/guidance.tsv", "w") as table:
        print("mode\tseed\truns\tsignatures\troots\tbugs\tincident_s\tincident_runs", file=table)
        for seed in range(1, args.seeds + 1):
            for mode in args.modes.split(","):
                state, events = campaign(args, mode, seed)
                steps = roots_over_time(events)
                hit = next((e for e in events if e[2] == "incident"), None)
                signatures = sum(e[2] != "incident" for e in events)
                row = [mode, seed, state["runs"], signatures, len(steps), state["findings_bug"],
                       hit[0] if hit else "-", hit[1] if hit else "-"]
                print("\t".join(map(str, row)), file=table, flush=True)
                print("%-7s seed %d: %7d runs, %4d signatures, %4d roots, %3d bugs, incident: %s" %
                      (*row[:6], f"after {hit[0]} s, {hit[1]} runs" if hit else "not found"),
                      flush=True)
                lines.append((mode, seed, steps))
    for mode in args.modes.split(","):
        roots = [len(steps) for m, _, steps in lines if m == mode]
        print("%-7s median roots %g (%d-%d)" %
              (mode, statistics.median(roots), min(roots), max(roots)))
    plot(f"{args.output}/guidance.svg", lines, seconds_of(args.time))
    print(f"plot: {args.output}/guidance.svg, table: {args.output}/guidance.tsv")


if __name__ == "__main__":
    main()
