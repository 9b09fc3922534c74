#!/bin/sh
# The classes of tests/bench/classes.py are those of corpus/hangs: each scenario shows the one it is named after.
. "$(dirname "$0")/lib.sh"
need_fuse
want 1 timeout 120 "$SF" run --json corpus/hangs/*.txt
python3 - "$TMP/out" corpus/hangs/*.txt << 'PY' || fail "a class is not told by its frames"
import json, os, sys
sys.path.insert(0, "tests/bench")
import classes
runs = json.load(open(sys.argv[1]))
names = [os.path.basename(path)[:-4] for path in sys.argv[2:]]
assert len(runs) == len(names)
missing = set(classes.CLASSES)
bad = 0
for name, run in zip(names, runs):
    found = classes.classes_of(run)
    missing -= found
    if name in classes.CLASSES and name not in found:
        print(f"{name}: is shown as {sorted(found)}: {run['reason']}")
        bad += 1
assert not missing, missing
sys.exit(bad)
PY
# Everyday runs are in none.
want 0 timeout 60 "$SF" run --json corpus/seeds/plain-io.txt corpus/seeds/threads.txt
python3 - "$TMP/out" << 'PY' || fail "an everyday run is in a class"
import json, sys
sys.path.insert(0, "tests/bench")
import classes
assert not any(classes.classes_of(run) for run in json.load(open(sys.argv[1])))
PY
