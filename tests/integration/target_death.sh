#!/bin/sh
# Guests that die in every way: the right verdict or infra, and the next scenario runs in a new guest. In a
# user-mode kernel; also in QEMU if a kernel is cached or TARGETS says so.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 77; }
need_static_executor
[ -x "$B/dying_executor" ] || { echo "skipped: $B/dying_executor is not built"; exit 77; }
targets=
[ -x /usr/bin/linux.uml ] && targets=uml
if [ -x /usr/bin/qemu-system-x86_64 ] && "$SF" kernel list | grep -q '^6\.12 *\/'; then
  targets="$targets qemu:6.12"
fi
targets=${TARGETS:-$targets}
[ -n "$targets" ] || { echo "skipped: neither user-mode-linux nor a kernel for QEMU"; exit 77; }

scenario() {
  printf 'init: max_background=%s\ntask t0: fork\n' "$2" > "$TMP/$1.txt"
}
scenario fine 0
scenario panic 101
scenario oom 102
scenario exit 103
scenario noise 104

# said NAME VERDICT WORDS: the scenario got this verdict and reason.
said() {
  grep -q "$1.txt: $2.*$3" "$TMP/out" || { cat "$TMP/out"; fail "$target, $1: not $2 with '$3'"; }
}

# The process behind the target: QEMU is a child of shortfuse, a user-mode kernel a grandchild.
machine() {
  child=$(pgrep -P "$1" | head -n 1)
  [ "$target" = uml ] && [ -n "$child" ] && child=$(pgrep -x linux.uml -P "$child" | head -n 1)
  echo "$child"
}

for target in $targets; do
  SHORTFUSE_EXECUTOR="$B/dying_executor" timeout 200 "$SF" run --target "$target" "$TMP/fine.txt" "$TMP/panic.txt" \
    "$TMP/fine.txt" "$TMP/oom.txt" "$TMP/fine.txt" "$TMP/exit.txt" "$TMP/fine.txt" "$TMP/noise.txt" "$TMP/fine.txt" \
    > "$TMP/out" 2>&1
  said panic kernel 'Kernel panic - not syncing: sysrq triggered crash'
  said oom infra 'the guest ran out of memory'
  said exit infra "the guest's init ended"
  said noise infra 'its channel: Bad message'
  [ "$(grep -c 'fine.txt: clean' "$TMP/out")" = 5 ] || { cat "$TMP/out"; fail "$target: did not go on"; }

  # The machine's process is killed in the middle of a run: not a finding, and the run is done again.
  late=corpus/seeds/not-late-reply.txt
  stdbuf -oL "$SF" run --target "$target" $late $late $late > "$TMP/out" 2>&1 &
  pid=$!
  for _ in $(seq 600); do
    grep -q 'not-late-reply.txt: clean' "$TMP/out" && break
    sleep 0.1
  done
  sleep 1
  kill -9 "$(machine $pid)"
  wait $pid
  status=$?
  [ $status = 0 ] || { cat "$TMP/out"; fail "$target: exit status $status after its process was killed"; }
  [ "$(grep -c 'not-late-reply.txt: clean' "$TMP/out")" = 3 ] || { cat "$TMP/out"; fail "$target: a run is missing"; }
  grep -q '1 retried for infra' "$TMP/out" || { cat "$TMP/out"; fail "$target: the kill went unnoticed"; }
  echo "$target: $(tail -n 1 "$TMP/out")"
done
