#!/bin/bash
# Measures the promises of the design as ratios against a reference in the same run.
# B: build folder. ROUNDS: how often the pairs are measured (default 5); medians are printed.
set -eu
B=${B:-build}
ROUNDS=${ROUNDS:-5}
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

bare() { "$B/bare_loop" -n "$RUNS" -p "$cpu" | sed -n 's/.*rate \([0-9.]*\).*/\1/p'; }

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
echo "runs per second, $RUNS runs a round, $ROUNDS rounds, pinned to CPU $cpu; ratio to the bare C loop"
scenario=corpus/seeds/simplest.txt
: > "$tmp/ratio"
: > "$tmp/rate"
: > "$tmp/bare"
for _ in $(seq "$ROUNDS"); do
  b=$(bare)
  r=$(rate "$RUNS" "$scenario")
  echo "$b" >> "$tmp/bare"
  echo "$r" >> "$tmp/rate"
  awk -v r="$r" -v b="$b" 'BEGIN {printf "%.2f\n", r / b}' >> "$tmp/ratio"
done
printf '  %-28s bare %8.1f  shortfuse %8.1f  ratio %s (promise >= 0.9)\n' "$(basename "$scenario" .txt)" \
  "$(median < "$tmp/bare")" "$(median < "$tmp/rate")" "$(median < "$tmp/ratio")"
r=$(rate 50 corpus/hangs/pidns-flush.txt)
b=$(median < "$tmp/bare")
printf '  %-28s bare %8.1f  shortfuse %8.1f  ratio %s (a flagged run waits until the kernel is certain)\n' \
  pidns-flush "$b" "$r" "$(awk -v r="$r" -v b="$b" 'BEGIN {printf "%.2f", r / b}')"

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
