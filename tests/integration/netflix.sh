#!/bin/sh
# The Netflix shape: verdict, exit status, stacks, time, and a machine that is clean afterwards.
. "$(dirname "$0")/lib.sh"
need_fuse
own_executor
begin=$(date +%s%N)
want 1 "$SF" run corpus/hangs/pidns-flush.txt
ms=$((($(date +%s%N) - begin) / 1000000))
grep -q 'pinned' "$TMP/out" || fail "not pinned"
for word in fuse_flush do_exit zap_pid_ns_processes; do
  grep -q "$word" "$TMP/out" || { cat "$TMP/out"; fail "no $word in the stacks"; }
done
# The stack is one under the other: fuse_flush is called below do_exit (innermost first).
awk '/fuse_flush/ {seen = 1} seen && /do_exit/ {found = 1} END {exit !found}' "$TMP/out" ||
  fail "fuse_flush is not under do_exit"
[ "$ms" -lt 15000 ] || fail "took $ms ms"
echo "wall time $ms ms"
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
[ "$(executors)" = 0 ] || fail "executors left"

want 1 "$SF" run --json corpus/hangs/pidns-flush.txt corpus/seeds/plain-io.txt
python3 - "$TMP/out" << 'PY' || fail "the JSON is not as the contract says"
import json, sys
runs = json.load(open(sys.argv[1]))
assert len(runs) == 2
for run in runs:
    for key in ("verdict", "severity", "rung", "reason", "signature", "expect", "tasks", "requests", "ms"):
        assert key in run, key
bad, good = runs
assert (bad["verdict"], bad["severity"], bad["expect"]) == ("pinned", "bug", "pinned"), bad["verdict"]
assert bad["tasks"] and bad["requests"] and bad["signature"] and bad["reason"]
assert any(any("fuse_flush" in f for f in t["kstack"]) for t in bad["tasks"])
assert good["verdict"] == "clean" and good["requests"] and not good["tasks"]
PY
