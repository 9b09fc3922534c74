#!/bin/sh
# A user-mode kernel runs scenarios with their verdicts, and everything of it is gone afterwards.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 77; }
need_static_executor
[ -x /usr/bin/linux.uml ] || { echo "skipped: user-mode-linux is not installed"; exit 77; }
before=$(pgrep -x -c linux.uml || true)
want 0 timeout 120 "$SF" run --check --target uml corpus/hangs/pidns-flush.txt corpus/hangs/exit-flush.txt \
  corpus/hangs/close-flush-unread.txt corpus/hangs/self-access.txt corpus/seeds/plain-io.txt corpus/seeds/threads.txt
grep -q '^6 runs, 6 as expected' "$TMP/out" || { cat "$TMP/out"; fail "no summary of 6 runs"; }
want 1 timeout 60 "$SF" run --target uml corpus/hangs/pidns-flush.txt
grep -q 'fuse_flush' "$TMP/out" || fail "no kernel stack from inside the guest"
# Its stack cannot be read, and what such a kernel gives as wchan tells nothing: the ledger does.
want 1 timeout 60 "$SF" run --target uml corpus/hangs/exec-flush.txt
grep -q 'is in execve and waits for the reply to its own FLUSH' "$TMP/out" || { cat "$TMP/out"; fail "exec-flush is not explained"; }

# shortfuse is killed: the kernel and all its processes go with it.
"$SF" run -n 1000000 --target uml corpus/seeds/plain-io.txt > "$TMP/out" 2>&1 &
pid=$!
for _ in $(seq 100); do
  [ "$(pgrep -x -c linux.uml || true)" -gt "$before" ] && break
  sleep 0.1
done
[ "$(pgrep -x -c linux.uml || true)" -gt "$before" ] || fail "no user-mode kernel was seen"
sleep 1
kill -9 $pid
for _ in $(seq 50); do
  [ "$(pgrep -x -c linux.uml || true)" -le "$before" ] && break
  sleep 0.1
done
[ "$(pgrep -x -c linux.uml || true)" -le "$before" ] || fail "a user-mode kernel survived shortfuse"

want 3 "$SF" run --target uml:/bin/true corpus/seeds/plain-io.txt
grep -q '/bin/true: an ELF file, but no kernel' "$TMP/err" || { cat "$TMP/err"; fail "a program is no kernel"; }

# Without root: where user namespaces are allowed, a user-mode kernel runs all the same.
if command -v setpriv > /dev/null && setpriv --reuid 65534 --regid 65534 --clear-groups unshare -U true 2> /dev/null; then
  chmod 755 "$TMP"
  mkdir -m 777 "$TMP/cache"
  cp "$B/shortfuse" "$B/shortfuse-executor" corpus/hangs/pidns-flush.txt "$TMP"
  chmod -R a+rX "$TMP"
  want 0 env XDG_CACHE_HOME="$TMP/cache" timeout 60 setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$TMP/shortfuse" run --check --target uml "$TMP/pidns-flush.txt"
fi
