#!/bin/sh
# "shortfuse diagnose" on hangs that shortfuse did not make: found, explained, named, freed; a healthy mount beside
# them is never touched. Every diagnosis is limited to the connection of this test: the machine may have others.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
SF=$B/shortfuse
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
[ -c /dev/fuse ] || { echo "needs /dev/fuse"; exit 77; }
unshare --mount --pid --fork true 2>/dev/null || { echo "needs unshare(1) of mount and pid namespaces"; exit 77; }

T=$(mktemp -d) || exit 1
failed=0
n=
name=
pid_healthy=

fail() {
  echo "FAIL: $*"
  failed=1
}

# abort N: in a mount namespace of its own, so that fusectl appears nowhere else.
abort() {
  unshare --mount sh -c 'mount -t fusectl none /sys/fs/fuse/connections 2>/dev/null
    echo 1 >/sys/fs/fuse/connections/"$1"/abort' sh "$1" 2>/dev/null
}

# Programs read a fifo as standard input and end when its writer does.
# start NAME COMMAND...: sets $n to its connection and $pid.
start() {
  name=$1
  shift
  rm -f "$T/$name.in"
  mkfifo "$T/$name.in"
  "$@" <"$T/$name.in" >"$T/$name.out" 2>&1 8>&- 9>&- &
  pid=$!
  eval "pid_$name=$pid"
  # The shell holds the other end: 9 for the healthy one, 8 for the others.
  if [ "$name" = healthy ]; then exec 9>"$T/$name.in"; else exec 8>"$T/$name.in"; fi
  i=0
  while ! grep -q ready "$T/$name.out"; do
    i=$((i + 1))
    if [ $i -gt 300 ] || ! kill -0 $pid 2>/dev/null; then
      fail "$name did not get ready: $(cat "$T/$name.out")"
      n=0
      return
    fi
    sleep 0.05
  done
  n=$(sed -n 's/^connection //p' "$T/$name.out")
  hung=$n
}

# stop: the program of start; its tasks were freed before.
stop() {
  exec 8>&-
  i=0
  while kill -0 "$pid" 2>/dev/null && [ $i -lt 160 ]; do
    i=$((i + 1))
    sleep 0.05
  done
  if kill -0 "$pid" 2>/dev/null; then
    fail "$name does not end"
    abort "$n"
  fi
  wait "$pid" || fail "$name: exit status $?: $(cat "$T/$name.out")"
  hung=
}

cleanup() {
  [ -n "${hung:-}" ] && abort "$hung"
  exec 8>&- 9>&-
  [ -n "${healthy:-}" ] && wait "$pid_healthy" 2>/dev/null
  rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# diagnose WANTED_STATUS ARGS...: output in $T/out. Looks again for up to 6 s: waits must grow old first.
diagnose() {
  want=$1
  shift
  i=0
  while :; do
    timeout 30 "$SF" diagnose --connection "$n" "$@" >"$T/out" 2>"$T/err"
    got=$?
    [ $got = "$want" ] && return 0
    i=$((i + 1))
    [ $i -ge 30 ] && break
    sleep 0.2
  done
  fail "$name: diagnose $*: exit status $got, not $want: $(head -5 "$T/out" "$T/err")"
  return 1
}

# says TEXT...: each is in the output.
says() {
  for text; do
    grep -qF -- "$text" "$T/out" || fail "$name: '$text' is not in: $(head -20 "$T/out" "$T/err")"
  done
}

# formats: JSON, the same explanation from the saved JSON, and a picture.
formats() {
  diagnose 1 "$@" --json
  cp "$T/out" "$T/saved.json"
  python3 -m json.tool "$T/saved.json" >/dev/null || fail "$name: not JSON"
  python3 - "$T/saved.json" >"$T/reason" <<'END' || fail "$name: JSON without what is promised"
import json, sys
conn = json.load(open(sys.argv[1]))["connections"][0]
assert conn["state"] in ("stalled", "wedged") and conn["tasks"] and conn["roots"] and conn["root_hash"]
print(conn["reason"])
END
  "$SF" diagnose --from "$T/saved.json" >"$T/again"
  [ $? = 1 ] || fail "$name: --from: exit status"
  grep -qF -- "$(cat "$T/reason")" "$T/again" || fail "$name: --from gives another reason: $(cat "$T/again")"
  # What is sent away has no path in it, and metrics have the mount.
  diagnose 1 "$@" --snapshot "$T/sent.json" --textfile "$T/metrics.prom"
  grep -q "$T\|/tmp/" "$T/sent.json" && fail "$name: --snapshot: a path: $(grep "$T\|/tmp/" "$T/sent.json")"
  "$SF" diagnose --from "$T/sent.json" | grep -qF -- "$(cat "$T/reason")" || fail "$name: --from of --snapshot"
  grep -Eq "^shortfuse_connections[{]state=\"(stalled|wedged)\"[}] 1$" "$T/metrics.prom" &&
    grep -q "^shortfuse_oldest_request_seconds{connection=\"$n\"" "$T/metrics.prom" ||
    fail "$name: --textfile: $(cat "$T/metrics.prom")"
  grep -Evq "^(#|shortfuse_[a-z_]+([{].*[}])? -?[0-9.]+$)" "$T/metrics.prom" && fail "$name: --textfile: $(cat "$T/metrics.prom")"
  diagnose 1 "$@" --dot
  if command -v dot >/dev/null; then
    dot -Tsvg "$T/out" >"$T/svg" 2>"$T/err" || fail "$name: dot: $(cat "$T/err")"
    grep -q '<svg' "$T/svg" || fail "$name: no picture"
  fi
}

# unwedge: frees it, by proof alone. Under load a look may come too early for that.
unwedge() {
  j=0
  while [ $j -lt 30 ]; do
    j=$((j + 1))
    diagnose 0 --unwedge || return
    grep -q "aborting connection $n:" "$T/out" && return
    sleep 0.2
  done
  fail "$name: not unwedged: $(cat "$T/out")"
}

# unwedge_anyway ARGS...: its server lives, so an abort takes the word of the user.
unwedge_anyway() {
  diagnose 1 "$@" --unwedge && says "not aborted: connection $n is not wedged"
  diagnose 0 "$@" --unwedge --anyway && says "aborting connection $n:"
}

# cpu_ms COMMAND...: what it costs in CPU time, however busy this machine is.
cpu_ms() {
  python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int(1000 * (used.ru_utime + used.ru_stime)))' "$@"
}

healthy_is_well() {
  kill -0 "$pid_healthy" 2>/dev/null || fail "after $name: the healthy mount has ended: $(cat "$T/healthy.out")"
  n=$healthy
  timeout 30 "$SF" diagnose --connection "$healthy" >"$T/out" || fail "the healthy mount is called stuck: $(cat "$T/out")"
  timeout 30 "$SF" diagnose --connection "$healthy" --unwedge >"$T/out" || fail "unwedge of the healthy mount"
  grep -q "^aborting" "$T/out" && fail "the healthy mount was aborted"
}

start healthy "$B/tests/healthy" 50
healthy=$n
hung=

# The incident itself: healthy before its end, stuck after.
mkdir "$T/gate"
start netflix "$B/tests/netflix" "$T/gate"
diagnose 0
touch "$T/gate/go"
diagnose 1 && says "connection $n: WEDGED" "is exiting and waits for the reply to its own FLUSH" "it is dying" \
  "fuse_flush" "zap_pid_ns_processes" "freed by aborting connection $n" "not by SIGKILL"
formats
unwedge
stop
grep -q reaped "$T/netflix.out" || fail "netflix: not reaped"
healthy_is_well

start selfaccess "$B/tests/selfaccess"
diagnose 1 && says "connection $n: WEDGED" "hang-server" "a cycle, only process" "connection certain: the path"
formats
unwedge
stop
healthy_is_well

# A living server: not stuck before its time.
start convoy "$B/tests/convoy"
diagnose 0 --age 600 && says "slow, 31 tasks"
diagnose 1 --age 1 && says "STALLED, 31 tasks" "30 more tasks wait for the same lock" "LOOKUP" "connection certain: the path" \
  "freed by a reply of the server"
[ "$(grep -c . "$T/out")" -lt 30 ] || fail "convoy: the text is not folded"
formats --age 1
unwedge_anyway --age 1
stop

start readstuck "$B/tests/readstuck"
diagnose 1 --age 0.5 && says "STALLED, 1 tasks" "reader" "a locked page" "the reply to a READ" "connection certain: the open file"
unwedge_anyway --age 0.5
stop

# Killed by SIGKILL without success: that is no word about the server, whose other clients may be well.
start convoy "$B/tests/convoy" kill
sleep 1.5
diagnose 0 --age 600 && says "slow, " "SIGKILL pending"
unwedge_anyway --age 0.5
stop
healthy_is_well

# Tasks whose files in proc block their readers. Their age is known roughly only, by the least clock of all CPUs.
start execstuck "$B/tests/execstuck" 20
diagnose 1 --age 0.3 && says "STALLED, 20 tasks" "is in execve and waits for the reply to its own request"
ms=$(cpu_ms "$SF" diagnose --connection "$n" --age 0.3)
[ $ms -lt 3000 ] || fail "execstuck: took $ms ms"
unwedge_anyway --age 0.3
stop
healthy_is_well

start manystuck "$B/tests/manystuck" 1000
diagnose 1 --age 0.2 && says "STALLED, 1000 tasks"
best=9999
for i in 1 2 3; do
  ms=$(cpu_ms "$SF" diagnose --connection "$n" --age 0.2)
  [ $ms -lt $best ] && best=$ms
done
echo "1000 stuck tasks: $best ms of CPU time"
[ $best -lt 2000 ] || fail "1000 stuck tasks took $best ms"
unwedge_anyway --age 0.2
stop
healthy_is_well

# A stopped server needs SIGCONT, not an abort.
start stopped "$B/tests/healthy" 20
# pgrep(1) reads cmdline, which a hang can block.
server=$(cut -d" " -f1 "/proc/$pid/task/$pid/children")
kill -STOP "$server"
diagnose 1 --age 0.5 && says "is stopped" "freed by continuing process $server"
timeout 30 "$SF" diagnose --pid "$server" --age 0.5 --unwedge >"$T/out" 2>&1
grep -q "^aborting" "$T/out" && fail "stopped: aborted: $(cat "$T/out")"
kill -CONT "$server"
diagnose 0 --age 5
stop
grep -q "healthy to the end" "$T/stopped.out" || fail "stopped: $(cat "$T/stopped.out")"

# In a container: from outside, then from inside, which frees it.
start container unshare --pid --mount --fork --mount-proc --kill-child sh -c '
  exec 3<&0
  "$1"/tests/convoy <&3 & p=$!
  while [ ! -e "$2/ask" ]; do sleep 0.05; done
  "$1"/shortfuse diagnose --age 1 --connection "$(cat "$2/ask")" >"$2/inside" 2>&1
  echo $? >"$2/status"
  "$1"/shortfuse diagnose --age 1 --connection "$(cat "$2/ask")" --unwedge --anyway >"$2/freed" 2>&1
  wait $p' sh "$B" "$T"
diagnose 1 --age 1 && says "30 more tasks wait for the same lock"
echo "$n" >"$T/ask.new"
mv "$T/ask.new" "$T/ask"
i=0
while [ ! -s "$T/freed" ] && [ $i -lt 200 ]; do
  i=$((i + 1))
  sleep 0.05
done
[ "$(cat "$T/status" 2>/dev/null)" = 1 ] || fail "container: inside: $(cat "$T/inside")"
for text in "30 more tasks wait for the same lock" "seen from inside a pid namespace" "connection certain"; do
  grep -qF "$text" "$T/inside" || fail "container: '$text' is not in: $(cat "$T/inside")"
done
grep -q "aborting connection $n" "$T/freed" || fail "container: not freed from inside: $(cat "$T/freed")"
stop
healthy_is_well

# --watch: one line when it hangs, one when it is free again.
start watched "$B/tests/selfaccess"
"$SF" diagnose --watch --interval 0.2 --connection "$n" >"$T/watch" 2>&1 8>&- 9>&- &
watcher=$!
diagnose 1
i=0
while [ ! -s "$T/watch" ] && [ $i -lt 100 ]; do
  i=$((i + 1))
  sleep 0.05
done
abort "$n"
stop
i=0
while [ "$(wc -l <"$T/watch")" -lt 2 ] && [ $i -lt 100 ]; do
  i=$((i + 1))
  sleep 0.05
done
kill $watcher
wait $watcher
[ $? = 0 ] || fail "watch: exit status"
[ "$(wc -l <"$T/watch")" = 2 ] || fail "watch: not two lines: $(cat "$T/watch")"
sed -n 1p "$T/watch" | grep -q '"event":"wedged"' || fail "watch: $(cat "$T/watch")"
sed -n 2p "$T/watch" | grep -q '"event":"freed"' || fail "watch: $(cat "$T/watch")"
python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$T/watch" || fail "watch: not JSON lines"

# Bad input.
for bad in "--pid x" "--from /nonexistent" "--from $SF" "--age -1" "--json --dot" "word" "--watch --unwedge" "--unwedge --anyway" "--pid 2147483647"; do
  # shellcheck disable=SC2086 # several words
  "$SF" diagnose $bad >"$T/out" 2>"$T/err"
  [ $? = 2 ] || fail "diagnose $bad: not a usage error"
  [ -s "$T/err" ] || fail "diagnose $bad: no word about it"
done

name=healthy
pid=$pid_healthy
exec 9>&-
wait "$pid_healthy"
grep -q "healthy to the end" "$T/healthy.out" || fail "the healthy mount suffered: $(cat "$T/healthy.out")"
healthy=
grep -q ' /tmp/hang\.' /proc/mounts && fail "a mount is left: $(grep ' /tmp/hang\.' /proc/mounts)"
[ $failed = 0 ] && echo "all hangs found, explained and freed"
exit $failed
