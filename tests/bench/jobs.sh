#!/bin/bash
# A campaign from empty with default settings against one job, interleaved: runs a second, as a ratio (promise >= 6 on
# two idle CPUs), and whether what was found shows again.
#   B=build   ROUNDS=3   TIME=20s   TARGET=host
set -eu -o pipefail
B=${B:-build}
ROUNDS=${ROUNDS:-3}
TIME=${TIME:-20s}
TARGET=${TARGET:-host}
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

campaign() { # campaign NAME OPTION...
  local name=$1
  shift
  "$B/shortfuse" fuzz --target "$TARGET" --time "$TIME" --empty --quiet -o "$tmp/$name" "$@" > "$tmp/$name.log" 2>&1 || [ $? = 1 ]
}
for round in $(seq "$ROUNDS"); do
  campaign "one-$round" --jobs 1 --seed "$round"
  campaign "auto-$round" --seed "$round"
done
python3 - "$tmp" "$ROUNDS" << 'PY'
import glob, json, statistics, sys
tmp, rounds = sys.argv[1], int(sys.argv[2])
def state(name):
    return json.load(open(f"{tmp}/{name}/campaign.json"))
def rate(s):
    return s["runs"] / max(s["seconds"], 1)
ones, autos = ([state(f"{name}-{i + 1}") for i in range(rounds)] for name in ("one", "auto"))
ratios = [rate(a) / max(rate(o), 0.01) for o, a in zip(ones, autos)]
print(f"  runs a second: one job {statistics.median(map(rate, ones)):.0f}, default "
      f"{statistics.median(map(rate, autos)):.0f} with {', '.join(str(a['jobs']) for a in autos)} jobs; "
      f"ratio {statistics.median(ratios):.1f} (promise >= 6)")
found = [json.load(open(path)) for path in glob.glob(f"{tmp}/auto-*/findings/*/*/finding.json")]
same, runs = (sum(f[key] for f in found) for key in ("replayed", "reruns"))
print(f"  findings of the default show again in {same} of {runs} runs; {sum(a['infra'] for a in autos)} runs without an answer")
PY
