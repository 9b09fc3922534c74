#!/bin/sh
# SIGKILL of shortfuse or of its executor at any moment: the next start removes what is left.
. "$(dirname "$0")/lib.sh"
need_fuse
own_executor
for round in $(seq 1 24); do
  "$SF" run -n 1000 corpus/hangs/pidns-flush.txt corpus/hangs/close-flush.txt > /dev/null 2>&1 &
  pid=$!
  sleep "0.$(printf '%03d' $((40 + round * 37 % 400)))"
  if [ $((round % 2)) = 0 ]; then
    victim=$(pgrep -P "$pid" -x "sfx$$" | head -1)
    [ -n "$victim" ] && kill -9 "$victim" 2> /dev/null
    sleep 0.1
  fi
  kill -9 "$pid" 2> /dev/null
  wait "$pid" 2> /dev/null
done
# The first start frees what is stuck; what only goes a moment later is for the next one.
want 0 "$SF" run corpus/seeds/plain-io.txt
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
sleep 1
want 0 "$SF" run corpus/seeds/plain-io.txt
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
[ "$(executors)" = 0 ] || fail "$(executors) executors left"
for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
  for dir in "$root"/shortfuse-*; do
    [ ! -d "$dir" ] || [ -d "/proc/${dir##*-}" ] || fail "cgroup left: $dir"
  done
done
