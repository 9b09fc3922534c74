#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does guidance win? From an empty corpus: this fuzzer, AFL++'s byte havoc, blind generation.

  tests/bench/guidance.py [--time 5m] [--seeds 5|1,2] [--modes guided,havoc,blind] [--cpu N] [-o DIR]

For each mode and seed one campaign of the same length, one after the other. Each has one CPU, the same one,
for all of it: executor, afl-fuzz and mutator, so that no mode has more of the machine than another. What else
runs there shares it, hence "busy": the share of the time that runs took.

Prints, for each campaign, the distinct roots, the distinct single causes that they are made of, and time and
runs to the exact shape of the incident (DESIGN section 5), and the medians of each mode; writes
DIR/guidance.tsv and DIR/guidance.svg, roots over time, one line a campaign.
"""
import argparse
import glob
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
    command = ["taskset", "-c", str(args.cpu), f"{args.build}/shortfuse", "fuzz", "--target", "host", "--empty", "--quiet", "--target", args.target,
               "--time", args.time, "--jobs", "1", "--seed", str(seed), "-o", out]
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


def causes(out):
    """The distinct roots of which the sets that a signature is made of consist."""
    found = set()
    for path in glob.glob(f"{out}/findings/*/*/snapshot.json"):
        with open(path) as file:
            found.update(root.strip() for root in json.load(file).get("roots", "").split(";"))
    return found


def seeds_of(text):
    return [int(s) for s in text.split(",") if s] if "," in text else list(range(1, int(text) + 1))


COLUMNS = ["mode", "seed", "runs", "signatures", "roots", "causes", "bugs", "busy", "incident_s",
           "incident_runs"]


def row_of(out, mode, seed, state, events):
    steps = roots_over_time(events)
    hit = next((e for e in events if e[2] == "incident"), None)
    signatures = sum(e[2] != "incident" for e in events)
    busy = f"{100 * state['busy_ms'] / 1000 / max(1, state['seconds']):.0f}%"
    return [mode, seed, state["runs"], signatures, len(steps), len(causes(out)),
            state["findings_bug"], busy, hit[0] if hit else "-", hit[1] if hit else "-"]


def median_line(mode, rows):
    """Medians over seeds; a campaign without the incident counts as later than all with it."""
    middle = lambda at: statistics.median(row[at] for row in rows)
    hits = sorted(float(row[8]) if row[8] != "-" else float("inf") for row in rows)
    found = sum(hit != float("inf") for hit in hits)
    at = statistics.median_low(hits)
    spread = f"({min(row[4] for row in rows)}-{max(row[4] for row in rows)})"
    return (f"{mode:7} medians: {middle(4):g} roots {spread}, {middle(5):g} causes, {middle(2):g} runs; "
            f"incident in {found} of {len(rows)}" +
            (f", median {at:g} s" if at != float("inf") else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", default="5m")
    parser.add_argument("--seeds", default="5", help="how many from 1 on, or a list: 1,2")
    parser.add_argument("--modes", default="guided,havoc,blind")
    parser.add_argument("--cpu", type=int, default=os.cpu_count() - 1,
                        help="the CPU of every campaign (default: the last one)")
    parser.add_argument("--target", default="host")
    parser.add_argument("--build", default="build")
    parser.add_argument("-o", "--output", default="results/guidance")
    args = parser.parse_args()
    os.makedirs(args.output)
    lines, rows = [], []
    form = "%-7s %5s %7s %10s %6s %6s %5s %5s %11s %14s"
    print(form % tuple(COLUMNS), flush=True)
    with open(f"{args.output}/guidance.tsv", "w") as table:
        print("\t".join(COLUMNS), file=table)
        for seed in seeds_of(args.seeds):
            for mode in args.modes.split(","):
                state, events = campaign(args, mode, seed)
                row = row_of(f"{args.output}/{mode}-{seed}", mode, seed, state, events)
                print("\t".join(map(str, row)), file=table, flush=True)
                print(form % tuple(row), flush=True)
                rows.append(row)
                lines.append((mode, seed, roots_over_time(events)))
    for mode in args.modes.split(","):
        print(median_line(mode, [row for row in rows if row[0] == mode]))
    plot(f"{args.output}/guidance.svg", lines, seconds_of(args.time))
    print(f"plot: {args.output}/guidance.svg, table: {args.output}/guidance.tsv")


if __name__ == "__main__":
    main()
