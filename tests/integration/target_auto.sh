#!/bin/sh
# --target auto: the user-mode kernel where it boots, QEMU with a kernel that is here where not, one clear line and status 3
# where nothing boots; never this machine's own kernel. What is missing is hidden in a mount namespace.
. "$(dirname "$0")/lib.sh"
need_static_executor
command -v linux.uml >/dev/null || { echo "skipped: no linux.uml"; exit 77; }
unshare -m true 2>/dev/null || { echo "skipped: no mount namespace"; exit 77; }
SCENARIO=corpus/hangs/exit-flush.txt
export SCENARIO SF TMP
XDG_CACHE_HOME=$TMP/cache
export XDG_CACHE_HOME
mkdir -p "$TMP/cache"
timeout 60 "$SF" run --target auto --check "$SCENARIO" >"$TMP/out" 2>&1 || fail "auto: $(cat "$TMP/out")"
grep -q '^target auto: uml$' "$TMP/out" || fail "not one line that says which: $(cat "$TMP/out")"
timeout 60 "$SF" run --target auto --check "$SCENARIO" >"$TMP/out" 2>&1 || fail "auto again: $(cat "$TMP/out")"
grep -q 'booted before' "$TMP/out" || fail "the answer was not kept"
echo "0-0-0-0 qemu:6.12" >"$TMP/cache/shortfuse/auto"
timeout 60 "$SF" run --target auto --check "$SCENARIO" >"$TMP/out" 2>&1 || fail "auto: $(cat "$TMP/out")"
grep -q 'booted before' "$TMP/out" && fail "the answer of another boot was taken"

# Without a user-mode kernel, and without QEMU and package lists: nothing boots, and nothing is run on the host.
rm -f "$TMP/cache/shortfuse/auto"
mkdir "$TMP/empty"
# shellcheck disable=SC2016 # for the inner shell
timeout 100 unshare -m sh -c '
  mount --make-rprivate / && mount --bind /bin/false "$(command -v linux.uml)" || exit 77
  [ ! -e /usr/bin/qemu-system-x86_64 ] || mount --bind "$TMP/empty/none" /usr/bin/qemu-system-x86_64 2>/dev/null ||
    mount -t tmpfs none /var/lib/apt/lists
  "$SF" run --target auto "$SCENARIO"' >"$TMP/out" 2>"$TMP/err"
status=$?
[ $status != 77 ] || { echo "skipped: cannot hide linux.uml"; exit 77; }
[ $status = 3 ] || fail "nothing boots: status $status, not 3: $(cat "$TMP/out" "$TMP/err")"
grep -q '^shortfuse: no scratch kernel boots here: uml: ' "$TMP/err" || fail "no clear line: $(cat "$TMP/err")"
[ ! -s "$TMP/out" ] || fail "something was run: $(cat "$TMP/out")"
