#!/bin/sh
# repro.sh of a finding: runs its scenario and its C file, here and (where a kernel is at hand) in a guest.
. "$(dirname "$0")/lib.sh"
need_fuse
own_executor
case $SF in /*) ;; *) SF=$PWD/$SF ;; esac
export SHORTFUSE="$SF"
want 1 "$SF" run corpus/hangs/close-flush.txt -o "$TMP/results"
folder=$(echo "$TMP"/results/findings/contract/*)
[ -x "$folder/repro.sh" ] || fail "no repro.sh"

want 0 "$folder/repro.sh"
want 0 "$folder/repro.sh" 2
grep -q '2/2 lost' "$TMP/out" || { cat "$TMP/out"; fail "N is not the number of runs"; }
want 1 "$folder/repro.sh" c
grep -q 'REPRODUCED: task [0-9]* in fuse_flush' "$TMP/out" || { cat "$TMP/out"; fail "the C file does not reproduce"; }
[ -s "$folder/repro.c" ] || fail "no repro.c in the folder"

# Another verdict than the finding's is a difference.
sed -i 's/^expect: lost/expect: held/' "$folder/scenario.txt"
want 1 "$folder/repro.sh"
sed -i 's/^expect: held/expect: lost/' "$folder/scenario.txt"
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
[ "$(executors)" = 0 ] || fail "executors left"

unset SHORTFUSE_EXECUTOR
kernel=${KERNELS:-6.12}
kernel=${kernel%% *}
if sanitised || [ ! -x /usr/bin/qemu-system-x86_64 ] ||
  ! timeout 120 "$SF" kernel fetch "$kernel" > "$TMP/out" 2> "$TMP/err"; then
  echo "no guest here: only tried natively"
  exit 0
fi
export KERNEL="$kernel"
want 0 timeout 120 "$folder/repro.sh"
want 1 timeout 240 "$folder/repro.sh" c
grep -q 'REPRODUCED: task [0-9]* in fuse_flush' "$TMP/out" || { cat "$TMP/out"; fail "not in the guest"; }
