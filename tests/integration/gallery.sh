#!/bin/sh
# A few scenes of tests/live/gallery.py: real servers hang, "diagnose" is judged by what it says and what it aborts.
cd "$(dirname "$0")/../.." || exit 1
command -v bindfs >/dev/null || { echo "needs bindfs"; exit 77; }
exec python3 tests/live/gallery.py --quick --at-once 5
