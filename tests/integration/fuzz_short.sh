#!/bin/bash
# A short campaign on this machine's kernel: it finds a bug, afl-whatsup accepts its folder, nothing stays behind.
set -u
B=${B:-build}
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 77; }
[ -c /dev/fuse ] || { echo "skipped: no /dev/fuse"; exit 77; }
command -v afl-fuzz >/dev/null || { echo "skipped: afl-fuzz is not installed"; exit 77; }
! ldd "$B/shortfuse-executor" >/dev/null 2>&1 || { echo "skipped: afl-fuzz cannot load a sanitised mutator (SAN=1)"; exit 77; }
dir=$(mktemp -d)
out=$dir/campaign
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAIL: $*"; sed 's/^/  | /' "$dir/log"; exit 1; }
mounted() { grep -c fuse.shortfuse /proc/self/mountinfo; }
ours() { pgrep -c '^shortfuse'; }
# Connections and shared memory are counted, not named: others on this machine may have theirs.
connections() { find $fusectl -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }

fusectl=/sys/fs/fuse/connections
mountpoint -q $fusectl || { mount -t fusectl none $fusectl && trap 'rm -rf "$dir"; umount $fusectl' EXIT; }

mounts=$(mounted) tasks=$(ours) conns=$(connections)
"$B/shortfuse" fuzz --time 20s --seed 1 --quiet -o "$out" >"$dir/log" 2>&1
status=$?
[ $status = 1 ] || fail "exit status $status, expected 1 (flagged)"
grep -q ' runs (' "$dir/log" || fail "no status line"
grep -q 'distinct bug' "$dir/log" || fail "no summary"
set -- "$out"/findings/bug/*/
[ -d "$1" ] || fail "no bug in 20 s"
for file in scenario.bin scenario.txt finding.json snapshot.json snapshot.txt graph.dot kmsg.txt repro.sh; do
  [ -e "$1/$file" ] || fail "$1 has no $file"
done
python3 -m json.tool "$1/snapshot.json" >/dev/null || fail "$1/snapshot.json is no JSON"
afl-whatsup -s "$out/afl" 2>/dev/null | grep -q 'Summary stats' || fail "afl-whatsup does not accept $out/afl"
left() {
  [ "$(mounted)" -le "$mounts" ] || echo "a mount"
  [ "$(connections)" -le "$conns" ] || echo "a connection"
  [ "$(ours)" -le "$tasks" ] || echo "a task"
}
for ((i = 0; i < 50; i++)); do [ -z "$(left)" ] && break; sleep 0.1; done
[ -z "$(left)" ] || fail "stayed behind: $(left)"
grep -h -e ' runs,' -e 'distinct' "$dir/log"
