#!/bin/bash
# Measures the promises of the design as ratios against a reference in the same run.
# B: build folder. ROUNDS: how often the pairs are measured (default 9); medians are printed.
set -eu -o pipefail
B=${B:-build}
ROUNDS=${ROUNDS:-9}
RUNS=${RUNS:-2000}
cd "$(dirname "$0")/../.."

if [ "$(id -u)" != 0 ] || [ ! -c /dev/fuse ]; then
  echo "bench: needs root and /dev/fuse" >&2
  exit 3
fi
cpu=$(($(nproc) - 1))
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

median() { sort -n | awk '{v[NR]=$1} END {print NR ? v[int((NR+1)/2)] : "?"}'; }

# bare PROGRAM [OPTION...]: its turns a second.
bare() {
  local program=$1
  shift
  "$B/$program" -n "$RUNS" "$@" | sed -n 's/.*rate \([0-9.]*\).*/\1/p'
}

# Whole-process rate of N runs of a scenario, start of the executor included.
rate() {
  local n=$1 begin end
  shift
  begin=$(date +%s%N)
  "$B/shortfuse" run -n "$n" "$@" > "$tmp/out" || [ $? = 1 ]
  end=$(date +%s%N)
  awk -v n="$n" -v ns=$((end - begin)) 'BEGIN {printf "%.1f\n", n * 1e9 / ns}'
}

echo "machine: $(uname -r), $(nproc) CPUs"
echo
# The reference of the promise is the loop as one would write it: the scheduler places its tasks. Pinned to one CPU, which
# is what a run does to be fast, it is the harder one; then it is told what libfuse and steps one at a time take of it.
echo "runs per second, $RUNS runs a round, $ROUNDS rounds, medians; runs are on CPU $cpu"
scenario=corpus/seeds/simplest.txt
ratio() { awk -v r="$1" -v b="$2" 'BEGIN {printf "%.2f\n", r / b}'; }
for _ in $(seq "$ROUNDS"); do
  b=$(bare bare_loop)
  p=$(bare bare_loop -p "$cpu")
  l=$(bare bare_libfuse -p "$cpu")
  s=$(bare bare_libfuse -p "$cpu" -s)
  r=$(rate "$RUNS" "$scenario")
  echo "$b" >> "$tmp/bare"
  echo "$p" >> "$tmp/pinned"
  echo "$r" >> "$tmp/rate"
  ratio "$r" "$b" >> "$tmp/ratio"
  ratio "$r" "$p" >> "$tmp/to_pinned"
  ratio "$l" "$p" >> "$tmp/of_libfuse"
  ratio "$s" "$p" >> "$tmp/of_steps"
done
printf '  %-28s bare %8.1f  shortfuse %8.1f  ratio %s (promise >= 0.9)\n' "$(basename "$scenario" .txt)" \
  "$(median < "$tmp/bare")" "$(median < "$tmp/rate")" "$(median < "$tmp/ratio")"
printf '  %-28s bare %8.1f  shortfuse %8.1f  ratio %s\n' "to the loop pinned as well" \
  "$(median < "$tmp/pinned")" "$(median < "$tmp/rate")" "$(median < "$tmp/to_pinned")"
printf '  %-28s %s over libfuse, %s over libfuse with steps one at a time\n' "ratio of that loop itself" \
  "$(median < "$tmp/of_libfuse")" "$(median < "$tmp/of_steps")"
r=$(rate 50 corpus/hangs/pidns-flush.txt)
b=$(median < "$tmp/bare")
printf '  %-28s bare %8.1f  shortfuse %8.1f  ratio %s (a flagged run waits until the kernel is certain)\n' \
  pidns-flush "$b" "$r" "$(ratio "$r" "$b")"

echo
echo "milliseconds after the last step, pidns-flush (promise: verdict and snapshot <= 300, known signature <= 100)"
"$B/shortfuse" run --json -n 20 corpus/hangs/pidns-flush.txt > "$tmp/json" || [ $? = 1 ]
python3 - "$tmp/json" << 'PY'
import json, statistics, sys
runs = json.load(open(sys.argv[1]))
def line(name, some):
    v = [r["verdict_ms"] for r in some]
    s = [r["snapshot_ms"] for r in some]
    print(f"  {name:<28} verdict median {statistics.median(v):7.1f} max {max(v):7.1f}   "
          f"snapshot median {statistics.median(s):7.1f} max {max(s):7.1f}")
line("first time in an executor", runs[:1])
line("known signature", runs[1:])
PY

echo
echo "microseconds of a step (median over the corpus)"
"$B/shortfuse" run --json corpus/seeds/*.txt corpus/hangs/*.txt > "$tmp/json" || [ $? = 1 ]
python3 - "$tmp/json" << 'PY'
import json, statistics, sys
runs = json.load(open(sys.argv[1]))
for status in ("done", "blocked"):
    us = [s["us"] for r in runs for s in r["steps"] if s["status"] == status]
    print(f"  {status:<28} {statistics.median(us):8.0f}  ({len(us)} steps)")
PY

echo
echo "share of the time in which the executor runs a scenario, under AFL++: at least that share of run -n (promise >= 0.8)"
"$B/shortfuse" fuzz --target host --time 30s --seed 1 --quiet -o "$tmp/campaign" > "$tmp/out" 2>&1 || [ $? = 1 ]
python3 - "$tmp/campaign/campaign.json" << 'PY'
import json, sys
campaign = json.load(open(sys.argv[1]))
print(f"  {campaign['busy_ms'] / 1000 / campaign['seconds']:.2f}, {campaign['runs'] / campaign['seconds']:.0f} runs a second")
PY

echo
echo "jobs: waiting overlaps"
B=$B tests/bench/jobs.sh
