#!/bin/bash
# What a campaign says is true whatever happens around it: nothing run, the date set, names taken, half-written files,
# afl-fuzz killed. On the fake target.
. "$(dirname "$0")/lib.sh"
command -v afl-fuzz > /dev/null || { echo "skipped: afl-fuzz is not installed"; exit 77; }
! sanitised || { echo "skipped: afl-fuzz cannot load a sanitised mutator (SAN=1)"; exit 77; }
FAKE=$PWD/$B/shortfuse-fake

# afl-fuzz that dies by a signal each time, here of want of memory: no run, so nothing is known.
(ulimit -v 120000 && "$FAKE" fuzz --target host --jobs 2 --empty --time 6s --quiet -o "$TMP/none" > "$TMP/out" 2>&1)
[ $? = 3 ] || { cat "$TMP/out"; fail "a campaign without a run does not end with 3"; }
grep -q 'afl-fuzz' "$TMP/out" || fail "why there was no run is not said"

# The date goes an hour forward after a second, or back: neither ends a campaign early or keeps it.
cat > "$TMP/date.c" <<'C'
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
time_t time(time_t *ret)
{
	static time_t first;
	time_t now = syscall(SYS_time, NULL);
	if (!first)
		first = now;
	if (now > first + 1)
		now += atoi(getenv("JUMP"));
	if (ret)
		*ret = now;
	return now;
}
C
gcc -shared -fPIC -o "$TMP/date.so" "$TMP/date.c" || fail "the shim does not compile"
for jump in 3600 -3600; do
  begin=$(date +%s)
  JUMP=$jump LD_PRELOAD="$TMP/date.so" timeout 30 "$FAKE" fuzz --target host --jobs 2 --blind --empty --time 5s -o "$TMP/date$jump" > "$TMP/out" 2>&1
  [ $? = 1 ] || { cat "$TMP/out"; fail "date set by $jump s: it does not end as it should"; }
  took=$(($(date +%s) - begin))
  [ "$took" -ge 4 ] && [ "$took" -le 20 ] || fail "date set by $jump s: 5 s took $took"
done

# Another process has the name that could be guessed.
want 1 python3 - "$FAKE" "$TMP/taken" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind("\0shortfuse-%d-0" % os.getpid())
s.set_inheritable(True)
os.execv(sys.argv[1], [sys.argv[1], "fuzz", "--target", "host", "--empty", "--quiet", "--time", "3s", "-o", sys.argv[2]])
PY

# Four in one second: a folder and a seed each.
pids=
for i in 1 2 3 4; do
  (cd "$TMP" && exec "$FAKE" fuzz --target host --jobs 2 --blind --empty --time 2s > "out$i" 2>&1) &
  pids="$pids $!"
done
for pid in $pids; do
  wait "$pid"
  [ $? = 1 ] || { cat "$TMP"/out?; fail "one of four campaigns fails"; }
done
[ "$(find "$TMP/results" -mindepth 1 -maxdepth 1 | wc -l)" = 4 ] || fail "four campaigns, other than four folders"
[ "$(cat "$TMP"/results/*/campaign.json | grep -c '"seed"')" = 4 ] || fail "not four records"
[ "$(cat "$TMP"/results/*/campaign.json | grep '"seed"' | sort -u | wc -l)" = 4 ] || fail "two have the same seed"

# SIGKILL to all of it at once: no shared memory of afl-fuzz stays.
start() { "$FAKE" fuzz --target host --jobs 2 --empty --quiet --time 60s -o "$TMP/c" "$@" > "$TMP/out" 2>&1 & pid=$!; }
afl_of() { pgrep -P "$1" -x afl-fuzz; }
start
for _ in $(seq 100); do [ "$(wc -l 2> /dev/null < "$TMP/c/findings.tsv" || echo 0)" -lt 5 ] || break; sleep 0.1; done
afl=$(afl_of $pid)
[ -n "$afl" ] || fail "no afl-fuzz"
# shellcheck disable=SC2046 # pids
kill -9 $pid "$afl" $(pgrep -P "$afl")
wait $pid 2> /dev/null
if [ "$(id -u)" = 0 ]; then
  ! ipcs -m -p | awk '{print $3}' | grep -qx "$afl" || fail "shared memory of afl-fuzz $afl stays"
fi

# Half-written files: empty, torn, gone. What can be read goes on.
before=$(find "$TMP/c/findings" -mindepth 2 -maxdepth 2 -name '[a-z]*' | wc -l)
find "$TMP/c/afl" -type f -exec truncate -s 0 {} +
: > "$TMP/c/campaign.json"
set -- "$TMP"/c/findings/*/[a-z]*/
: > "$1/finding.json"
: > "$2/scenario.bin"
name=$(basename "$1")
printf '7\t9\tpinn' >> "$TMP/c/findings.tsv"
start --resume
for _ in $(seq 150); do
  now=$(find "$TMP/c/findings" -mindepth 2 -maxdepth 2 -name '[a-z]*' | wc -l)
  [ "$now" -le "$before" ] || break
  kill -0 $pid 2> /dev/null || { cat "$TMP/out"; fail "--resume with half-written files ends"; }
  sleep 0.1
done
[ "$now" -gt "$before" ] || { cat "$TMP/out"; fail "nothing new in 15 s after half-written files"; }
kill -INT $pid
wait $pid
[ $? = 1 ] || fail "exit status after Ctrl-C is not 1 (flagged)"
grep -q "\"id\": \"$name\"" "$1/finding.json" || fail "the damaged record was not written again"
[ -s "$2/scenario.bin" ] || fail "the lost input was not written again"
grep -q '^7.9.pinn$' "$TMP/c/findings.tsv" || fail "a torn line was continued by the next one"
echo "ok"
