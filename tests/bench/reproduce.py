#!/usr/bin/env python3
"""How well findings reproduce: a table.

For every scenario of a folder (corpus/hangs, or the findings of a campaign): how often it replays, how small "min"
makes it and in how many seconds, and whether the exported C file shows the same root frame natively and in a
guest. What goes wrong in one cell is told in that cell.

    tests/bench/reproduce.py corpus/hangs
    tests/bench/reproduce.py results/NAME --target uml --c host,qemu:6.12 -n 20 --json rates.json
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

GOALS = {"replay": 95, "min": 60, "c": 95}  # per cent, seconds, per cent


def findings(folder):
    """Scenario files of a folder, or the findings of a campaign or qualification below it."""
    found = []
    for path, dirs, files in os.walk(folder):
        dirs.sort()
        if "scenario.txt" in files and os.path.exists(os.path.join(path, "finding.json")):
            # Not the folder itself: "min" must start from what was found, not from an earlier result.
            found.append((os.path.basename(path), os.path.join(path, "scenario.txt")))
    if not found:
        found = [(name[:-4], os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".txt")]
    return found


class Runner:
    def __init__(self, shortfuse, limit):
        self.shortfuse = shortfuse
        self.limit = limit

    def ask(self, *arguments):
        """The JSON object that a command prints, or {"error": why}."""
        command = [self.shortfuse, *arguments, "--json"]
        # A time-out sends SIGTERM first: the command then frees what it has caused.
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = process.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            return {"error": f"no answer in {self.limit} s"}
        try:
            answer = json.loads(out)
        except ValueError:
            lines = err.strip().splitlines()
            return {"error": lines[-1] if lines else f"exit status {process.returncode}"}
        if not answer.get("error"):
            answer.pop("error", None)
        return answer


def measure(runner, name, path, options, scratch):
    row = {"name": name}
    row["replay"] = runner.ask("replay", path, "-n", str(options.n), "--target", options.target)
    small = os.path.join(scratch, name + ".txt")
    row["min"] = runner.ask("min", path, "-q", "-o", small, "--target", options.target)
    source = small if row["min"].get("shows") else path
    for target in options.c:
        row[target] = runner.ask("export", source, "-o", os.path.join(scratch, name + ".c"), "--try", target)
    return row


def cell(answer, text):
    return "error" if "error" in answer else text(answer)


def size(part):
    return f"{part['steps']}/{part['faults']}/{part['tasks']}"


def replay_cell(a):
    return f"{a['same']}/{a['runs']}"


def size_cell(a):
    return f"{size(a['before'])} > {size(a['after']) if a['after'] else '?'}"


def c_cell(a):
    """The frame that the program found its task in."""
    found = re.search(r"^REPRODUCED: task \d+ in (\S+),", a.get("output", ""), re.M)
    if found and a.get("reproduced"):
        return found[1]
    return "no" if a.get("reproduced") is False else "error"


def cells(row, options):
    return [
        row["name"],
        row["replay"].get("signature", "").split("-")[0] or "-",
        cell(row["replay"], replay_cell),
        cell(row["min"], size_cell),
        cell(row["min"], lambda a: f"{a['seconds']:.1f}"),
        *(cell(row[target], c_cell) for target in options.c),
    ]


def print_line(columns, widths):
    print("  ".join(column.ljust(width) for column, width in zip(columns, widths)).rstrip(), flush=True)


def per_cent(part, whole):
    return 100 * part / whole if whole else 0


def rates(rows, options):
    """The figures that the goals are about. What could not be measured counts as not reproduced."""
    replays = [row["replay"] for row in rows]
    result = {
        "findings": len(rows),
        "replay": per_cent(sum(a.get("same", 0) for a in replays), sum(a.get("runs", options.n) for a in replays)),
        "min": statistics.median([row["min"].get("seconds", runner_limit(options)) for row in rows]) if rows else None,
    }
    for target in options.c:
        result["c " + target] = per_cent(sum(row[target].get("reproduced") is True for row in rows), len(rows))
    return result


def runner_limit(options):
    return float(options.limit)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--target", default="host", help="where replay and min run (default host)")
    parser.add_argument("--c", help="where the C files run, with commas; '' for nowhere (default: the target, or host)")
    parser.add_argument("-n", type=int, default=20, help="replays of each finding (default 20)")
    parser.add_argument("--limit", type=int, default=600, help="seconds for one cell (default 600)")
    parser.add_argument("--json", help="all answers and rates as a file")
    options = parser.parse_args()
    if options.c is None:
        options.c = "host" if options.target.startswith("uml") else options.target
    options.c = [target for target in options.c.split(",") if target]
    shortfuse = os.path.join(os.environ.get("B", "build"), "shortfuse")

    found = findings(options.folder)
    if not found:
        sys.exit(f"{options.folder}: no findings")
    head = ["finding", "verdict", "replay", "steps/faults/tasks", "min s", *("C " + target for target in options.c)]
    widths = [max(len(name) for name, _ in found), 8, 7, 18, 6] + [22] * len(options.c)
    print_line(head, widths)
    rows = []
    runner = Runner(shortfuse, options.limit)
    with tempfile.TemporaryDirectory(prefix="reproduce-") as scratch:
        for name, path in found:
            rows.append(measure(runner, name, path, options, scratch))
            print_line(cells(rows[-1], options), widths)
    for row in rows:
        for column in ("replay", "min", *options.c):
            if "error" in row[column]:
                print(f"{row['name']}, {column}: {row[column]['error']}")
    result = rates(rows, options)
    print(f"{result['findings']} findings: replay {result['replay']:.1f} % (goal {GOALS['replay']}), "
          f"min {result['min']:.1f} s median (goal {GOALS['min']})"
          + "".join(f", C on {target} {result['c ' + target]:.1f} % (goal {GOALS['c']})" for target in options.c))
    if options.json:
        with open(options.json, "w") as out:
            json.dump({"rates": result, "rows": rows}, out, indent=1)


if __name__ == "__main__":
    main()
