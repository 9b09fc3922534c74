#!/bin/sh
# Many clean runs in one process: no task, mount, connection, descriptor or memory is left or grows.
. "$(dirname "$0")/lib.sh"
need_fuse
N=${N:-2000}
rss() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }
fds() { ls "/proc/$1/fd" | wc -l; }

own_executor
mounts=$(wc -l < /proc/self/mountinfo)
"$SF" run -n "$N" corpus/seeds/simplest.txt > "$TMP/out" 2>&1 &
pid=$!
sleep 0.5
exe=$(pgrep -P "$pid" -x "sfx$$") || fail "no executor runs"
fds0=$(fds "$exe")
rss0=$(rss "$exe")
host0=$(rss "$pid")
while kill -0 "$pid" 2> /dev/null && [ -r "/proc/$exe/status" ]; do
  fds1=$(fds "$exe" 2> /dev/null) || break
  rss1=$(rss "$exe" 2> /dev/null) || break
  host1=$(rss "$pid" 2> /dev/null) || break
  [ -n "$rss1" ] && [ -n "$host1" ] && rss2=$rss1 host2=$host1 fds2=$fds1
  sleep 0.2
done
wait "$pid" || fail "run ended with $?"
cat "$TMP/out"
grep -q "$N/$N clean" "$TMP/out" || fail "not $N clean runs"
echo "executor: $fds0 -> ${fds2:-?} descriptors, $rss0 -> ${rss2:-?} KiB; shortfuse: $host0 -> ${host2:-?} KiB"
slack=512
sanitised && slack=65536 # ASan keeps what was freed in quarantine; there LeakSanitizer and the unit tests look
[ "${rss2:-0}" -le $((rss0 + slack)) ] || fail "the executor grows"
[ "${host2:-0}" -le $((host0 + slack)) ] || fail "shortfuse grows"
[ "${fds2:-0}" -le $((fds0 + 8)) ] || fail "descriptors leak"
sleep 0.2
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
[ "$(executors)" = 0 ] || fail "tasks left"
[ "$(wc -l < /proc/self/mountinfo)" = "$mounts" ] || fail "mounts left"

# Starts and ends of several at once: the last one restores this machine's settings, whoever unlinks the file of them.
warnings=/proc/sys/kernel/hung_task_warnings
before=$(cat "$warnings")
echo 11 > "$warnings"
many() {
  for _ in $(seq 200); do
    "$SF" run corpus/seeds/simplest.txt > /dev/null || fail "one of many ended with $?"
  done
}
many &
a=$!
many &
b=$!
many
{ wait "$a" && wait "$b"; } || fail "some of many failed"
after=$(cat "$warnings")
echo "$before" > "$warnings"
[ "$after" = 11 ] || fail "hung_task_warnings is $after and was 11"
