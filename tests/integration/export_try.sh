#!/bin/sh
# export --try that is interrupted, killed or out of time leaves nothing: no process, no connection, no file.
. "$(dirname "$0")/lib.sh"
need_fuse
own_executor
mkdir "$TMP/try"
export TMPDIR="$TMP/try"

# The known incident: only an abort ends it. The program then goes on for 40 s, for us to interfere.
{
  cat docs/pidns-flush.txt
  for _ in 1 2 3 4 5 6 7 8; do echo "ctl: sleep 5000"; done
} > "$TMP/stuck.txt"

# Numbers of the connections that belong to this process.
connections_of() {
  unshare -m sh -c "mountpoint -q $CTL || mount -t fusectl none $CTL; ls -ln $CTL" |
    awk -v pid="$1" '$3 == pid && $4 >= 1593835520 && $4 < 1610612736 {print $9}'
}

# Its program and what that has started: a session of its own.
session_of() {
  ps -o sid= --ppid "$1" | awk '{print $1; exit}'
}
alive_in() {
  ps -o pid=,pgid=,stat= -s "$1" | awk '$3 !~ /^Z/ {print $1, $2}'
}

# Stuck is what waits in 20 looks in a row: one request that is under way in a single look is nothing.
wait_stuck() {
  looks=0
  for _ in $(seq 600); do
    now=$(connections_of "$1")
    waiting=$(unshare -m sh -c "mountpoint -q $CTL || mount -t fusectl none $CTL; cat $CTL/$now/waiting" 2> /dev/null)
    if [ -n "$now" ] && [ "$now" = "$connection" ] && [ "${waiting:-0}" -gt 0 ]; then
      looks=$((looks + 1))
      [ "$looks" -lt 20 ] || return 0
    else
      looks=0
    fi
    connection=$now
    sleep 0.1
  done
  fail "the program is not stuck after a minute"
}

start() {
  connection=
  "$SF" export "$TMP/stuck.txt" --verdict pinned --frame fuse_flush -o "$TMP/stuck.c" --try host "$@" \
    > "$TMP/out" 2> "$TMP/err" &
  pid=$!
}

# Everything of it ends by itself, within half a minute on a slow machine.
wait_gone() {
  for _ in $(seq 300); do
    [ -n "$(connections_of "$pid")$(alive_in "$session")" ] || break
    sleep 0.1
  done
  [ -z "$(connections_of "$pid")" ] || fail "$1: connection $(connections_of "$pid") is left"
  [ -z "$(alive_in "$session")" ] || fail "$1: left are $(alive_in "$session")"
  [ -z "$(ls -A "$TMP/try")" ] || fail "$1: files are left"
}

start
wait_stuck "$pid"
session=$(session_of "$pid")
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
[ "$status" = 130 ] || fail "SIGTERM: exit status $status"
[ -z "$(connections_of "$pid")$(alive_in "$session")" ] || fail "it ended before it had cleaned up"
wait_gone SIGTERM

start
wait_stuck "$pid"
session=$(session_of "$pid")
kill -KILL "$pid"
wait "$pid" 2> /dev/null
wait_gone SIGKILL

start --time-limit 8
while [ -z "$(connections_of "$pid")" ] && kill -0 "$pid" 2> /dev/null; do
  sleep 0.1
done
session=$(session_of "$pid")
status=0
wait "$pid" || status=$?
[ "$status" = 3 ] || fail "out of time: exit status $status"
grep -qi 'timed out' "$TMP/err" || fail "out of time: $(cat "$TMP/err")"
[ -z "$(connections_of "$pid")$(alive_in "$session")" ] || fail "it ended before it had cleaned up"
wait_gone 'out of time'

# All of it is killed, its guard (the one of another process group) first: that is for the next start.
start
wait_stuck "$pid"
session=$(session_of "$pid")
guard=$(alive_in "$session" | awk -v group="$session" '$2 != group {print $1}')
[ -n "$guard" ] || fail "no guard"
kill -KILL "$guard" "$pid"
for victim in $(alive_in "$session" | awk '{print $1}'); do
  kill -KILL "$victim" 2> /dev/null
done
wait "$pid" 2> /dev/null
want 0 "$SF" run corpus/seeds/simplest.txt
wait_gone 'next start'

# By hand: --leave keeps the tasks, and says which connection to abort.
${CC:-cc} -O2 -pthread -o "$TMP/program" docs/pidns-flush.c || fail "docs/pidns-flush.c does not compile"
want 1 "$TMP/program" --leave
connection=$(sed -n 's/^REPRODUCED: .*connection //p' "$TMP/out")
task=$(sed -n 's/^REPRODUCED: task \([0-9]*\) in fuse_flush.*/\1/p' "$TMP/out")
[ -d "/proc/$task" ] || fail "--leave: task $task is gone"
unshare -m sh -c "mountpoint -q $CTL || mount -t fusectl none $CTL; echo 1 > $CTL/$connection/abort"
for _ in $(seq 300); do
  [ -d "/proc/$task" ] || break
  sleep 0.1
done
[ ! -d "/proc/$task" ] || fail "--leave: task $task is not freed by the abort"
[ "$(executors)" = 0 ] || fail "executors left"
