#!/bin/sh
# Guests that die in every way: the right verdict or infra, the input kept, and the next scenario runs in a new guest.
# In a user-mode kernel; also in QEMU if a kernel is cached or TARGETS says so.
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
scenario silence 105
scenario hang 106
scenario wedge 107

# deaths NAME DEATH...: a guest is asked to die in these ways, and to answer in between; in the background.
deaths() {
  log=$TMP/$1
  shift
  list="$TMP/fine.txt"
  for death; do
    list="$list $TMP/$death.txt $TMP/fine.txt"
  done
  # shellcheck disable=SC2086 # a list of files
  SHORTFUSE_EXECUTOR="$B/dying_executor" timeout 200 "$SF" run --target "$target" $list > "$log" 2>&1 &
}

# said LOG DEATH VERDICT WORDS: the scenario got this verdict and reason.
said() {
  grep -q "$2.txt: $3.*$4" "$TMP/$1" || { cat "$TMP/$1"; fail "$target, $2: not $3 with '$4'"; }
}

# went_on LOG N: all N harmless scenarios were answered.
went_on() {
  [ "$(grep -c 'fine.txt: clean' "$TMP/$1")" = "$2" ] || { cat "$TMP/$1"; fail "$target, $1: did not go on"; }
}

# strike SIGNAL N COMMAND...: sends it to the machine as soon as the first of N clean runs is told: a run is under way
# or begins. It is no finding, and no run is missing in the end.
strike() {
  signal=$1
  n=$2
  shift 2
  stdbuf -oL timeout 200 "$@" > "$TMP/strike" 2>&1 &
  pid=$!
  for _ in $(seq 600); do
    ! grep -q ': clean' "$TMP/strike" || break
    sleep 0.1
  done
  machine=
  for child in $(cat /proc/$pid/task/$pid/children); do
    machine=$(guests "$child" | tail -n 1)
  done
  [ -n "$machine" ] || { head -n 3 "$TMP/strike"; fail "$target: no machine to be seen"; }
  kill "-$signal" "$machine"
  wait $pid
  status=$?
  [ $status = 0 ] || { tail -n 5 "$TMP/strike"; fail "$target: exit status $status after SIG$signal to its process"; }
  [ "$(grep -c ': clean' "$TMP/strike")" = "$n" ] || fail "$target: a run is missing after SIG$signal"
  grep -q '[1-9][0-9]* retried for infra' "$TMP/strike" || fail "$target: SIG$signal went unnoticed"
  ! kill -0 "$machine" 2> /dev/null || fail "$target: the machine of SIG$signal is still there"
}

# copies N FILE: a list.
copies() {
  for _ in $(seq "$1"); do echo "$2"; done
}

for target in $targets; do
  deaths quick panic oom exit noise
  waiting=$!
  # What only patience tells is a matter of the host: one kind of guest will do.
  [ "$target" != "${targets%% *}" ] || for death in silence hang wedge; do
    deaths $death $death
    waiting="$waiting $!"
  done
  # shellcheck disable=SC2086 # a list
  wait $waiting
  said quick panic kernel 'Kernel panic - not syncing: sysrq triggered crash'
  said quick oom infra 'the guest ran out of memory'
  said quick exit infra "the guest's init ended"
  said quick noise infra 'its channel: Bad message'
  went_on quick 5
  [ "$target" != "${targets%% *}" ] || for death in silence hang wedge; do
    said $death $death infra 'no answer in time, and nothing on the console'
    went_on $death 2
  done

  # shellcheck disable=SC2046 # lists of files
  strike KILL 200 "$SF" run --target "$target" $(copies 200 corpus/seeds/simplest.txt)
  # shellcheck disable=SC2046
  [ "$target" != "${targets%% *}" ] || SHORTFUSE_EXECUTOR="$B/dying_executor" strike STOP 3000 "$SF" run --target "$target" $(copies 3000 "$TMP/fine.txt")
  echo "$target: $(tail -n 1 "$TMP/strike")"
done

# A campaign whose guests die: what killed them is on this machine's disk, and it goes on.
command -v afl-fuzz > /dev/null || exit 0
target=${targets%% *}
out=$TMP/campaign
mkdir "$TMP/corpus"
cp "$TMP/fine.txt" "$TMP/panic.txt" "$TMP/exit.txt" "$TMP/corpus"
want 1 env SHORTFUSE_EXECUTOR="$B/dying_executor" timeout 100 "$SF" fuzz --target "$target" --corpus "$TMP/corpus" \
  --time 10s --quiet -o "$out"
set -- "$out"/findings/bug/kernel-*/
grep -q 'sysrq triggered crash' "$1/kmsg.txt" || fail "the console of a guest that panicked is not kept"
grep -q 'max_background=101' "$1/scenario.txt" || fail "the input that panicked a guest is not kept"
grep -q "the guest's init ended" "$out/infra/infra.tsv" || { cat "$TMP/out"; fail "a guest's end is not told"; }
[ -s "$out/infra/000.bin" ] || fail "the input that ended a guest is not kept"
number() { sed -n "s/^  \"$1\": \([0-9]*\),*$/\1/p" "$out/campaign.json"; }
[ "$(number resets)" -ge 5 ] && [ "$(number runs)" -gt "$(number resets)" ] ||
  { cat "$TMP/out"; fail "the campaign did not go on"; }
echo "campaign: $(number runs) runs, $(number resets) resets"
