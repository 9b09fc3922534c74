#!/bin/bash
# Fuzzes in guests for long, with two jobs, and tells whether the host's memory stays flat: guest_hour.sh [TIME] [TARGET]
#
# Not for CI. TIME: 1h; TARGET: uml. B: build folder, OUT: results (default: a new folder in results/), JOBS: 2, EVERY:
# seconds between two looks, 30; further arguments go to "shortfuse fuzz", e.g. --reset-every 2000.
# OUT.tsv gets a line a look: seconds, processes, VmRSS and PSS of all of them (kB), runs, resets, findings.
set -eu
B=${B:-build}
cd "$(dirname "$0")/../.."
time=${1:-1h}
target=${2:-uml}
shift $(($# < 2 ? $# : 2))
jobs=${JOBS:-2}
every=${EVERY:-30}
out=${OUT:-results/hour-$(date +%Y%m%d-%H%M%S)}
tsv=$out.tsv
mkdir -p "$(dirname "$out")"

"$B/shortfuse" fuzz --target "$target" --time "$time" --jobs "$jobs" --quiet -o "$out" "$@" > "$out.log" 2>&1 &
pid=$!
trap 'kill $pid 2> /dev/null' EXIT

# The campaign, afl-fuzz, its targets, the guests: everything below it.
family() {
  local child
  echo "$1"
  for child in $(cat /proc/"$1"/task/*/children 2> /dev/null); do
    family "$child"
  done
}

number() { sed -n "s/^  \"$1\": \([0-9]*\),*$/\1/p" "$out/campaign.json" 2> /dev/null; }

# smaps_rollup of a process that ends meanwhile is empty; the pages of a user-mode kernel's memory are in several
# processes: the PSS counts each once.
look() {
  local p
  for p in $(family "$pid"); do
    sed -n 's/^VmRSS:/rss/p' "/proc/$p/status"
    sed -n 's/^Pss:/pss/p' "/proc/$p/smaps_rollup"
  done 2> /dev/null | awk '{ sum[$1] += $2; n += $1 == "rss" } END { printf "%d\t%d\t%d", n, sum["rss"], sum["pss"] }'
}

printf 'seconds\tprocesses\trss_kb\tpss_kb\truns\tresets\tfindings\n' > "$tsv"
begin=$SECONDS
while kill -0 $pid 2> /dev/null; do
  for _ in $(seq "$every"); do
    sleep 1
    kill -0 $pid 2> /dev/null || break 2
  done
  printf '%d\t%s\t%s\t%s\t%s\n' $((SECONDS - begin)) "$(look)" "$(number runs)" "$(number resets)" \
    $(($(number findings_bug) + $(number findings_contract))) >> "$tsv"
done
status=0
wait $pid || status=$?
trap - EXIT

cat "$out.log"
echo
echo "target $target, $jobs jobs, $time: $(number runs) runs, $(number resets) resets, $(number infra) without answer;" \
  "findings: $(number findings_bug) bug, $(number findings_contract) contract; exit status $status"
awk -F '\t' -v tsv="$tsv" '
  NR > 1 { rss[++n] = $3; pss[n] = $4; tasks[n] = $2 }
  function median(of, from, to,   i, k, v, m) {
    m = 0
    for (i = from; i <= to; i++) {
      for (k = m++; k > 0 && v[k] > of[i]; k--) v[k + 1] = v[k]
      v[k + 1] = of[i]
    }
    return v[int((m + 1) / 2)]
  }
  END {
    if (n < 4) { print "too short for a comparison of memory: " n " looks"; exit }
    q = int(n / 4)
    printf "memory (median of the first and the last %d of %d looks): PSS %d -> %d MB (%+.1f %%), VmRSS %d -> %d MB, processes %d -> %d; %s\n",
      q, n, median(pss, 1, q) / 1024, median(pss, n - q + 1, n) / 1024,
      100 * (median(pss, n - q + 1, n) / median(pss, 1, q) - 1), median(rss, 1, q) / 1024,
      median(rss, n - q + 1, n) / 1024, median(tasks, 1, q), median(tasks, n - q + 1, n), tsv
  }' "$tsv"
[ $status -le 1 ]
