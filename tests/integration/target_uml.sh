#!/bin/sh
# A user-mode kernel runs scenarios with their verdicts, and everything of it is gone afterwards.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 77; }
need_static_executor
[ -x /usr/bin/linux.uml ] || { echo "skipped: user-mode-linux is not installed"; exit 77; }
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
victim=$!
for _ in $(seq 100); do
  [ -z "$(guests $victim)" ] || break
  sleep 0.1
done
machine=$(guests $victim)
[ -n "$machine" ] || fail "no user-mode kernel was seen"
sleep 1
kill -9 $victim
# shellcheck disable=SC2086 # a list
gone $machine || fail "a user-mode kernel survived shortfuse"

want 3 "$SF" run --target uml:/bin/true corpus/seeds/plain-io.txt
grep -q '/bin/true: an ELF file, but no kernel' "$TMP/err" || { cat "$TMP/err"; fail "a program is no kernel"; }

# Virtual time: who has none says so. UML_IMAGE names a kernel built with it: then waits take no time, and runs
# are equal but for single microseconds.
want 2 "$SF" run --virtual-time --target host corpus/seeds/plain-io.txt
grep -q "'host' has no virtual time" "$TMP/err" || { cat "$TMP/err"; fail "the host has no virtual time"; }
want 2 "$SF" fuzz --virtual-time --time 1s -o "$TMP/never" --blind
[ ! -e "$TMP/never" ] || fail "a campaign in a time that there is not"
if ! grep -q time-travel= /usr/bin/linux.uml; then
  want 3 "$SF" run --virtual-time --target uml corpus/seeds/plain-io.txt
  grep -q 'built without CONFIG_UML_TIME_TRAVEL_SUPPORT' "$TMP/err" || { cat "$TMP/err"; fail "no reason given"; }
fi
if [ -n "${UML_IMAGE:-}" ]; then
  want 0 timeout 200 "$SF" run --check --virtual-time --target "uml:$UML_IMAGE" corpus/hangs/*.txt corpus/seeds/*.txt
  for copy in 1 2; do
    timeout 60 "$SF" run --json --virtual-time --target "uml:$UML_IMAGE" corpus/seeds/threads.txt corpus/hangs/pidns-flush.txt \
      corpus/seeds/not-late-reply.txt 2> "$TMP/err" | grep -vE '"([a-z_]*_)?(us|ms)": ' > "$TMP/copy$copy"
  done
  [ -s "$TMP/copy1" ] || fail "no JSON"
  cmp "$TMP/copy1" "$TMP/copy2" || fail "two runs in virtual time differ"
fi

# Without root: where user namespaces are allowed, a user-mode kernel runs all the same.
if command -v setpriv > /dev/null && setpriv --reuid 65534 --regid 65534 --clear-groups unshare -U true 2> /dev/null; then
  chmod 755 "$TMP"
  mkdir -m 777 "$TMP/cache"
  cp "$B/shortfuse" "$B/shortfuse-executor" corpus/hangs/pidns-flush.txt "$TMP"
  chmod -R a+rX "$TMP"
  want 0 env XDG_CACHE_HOME="$TMP/cache" timeout 60 setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$TMP/shortfuse" run --check --target uml "$TMP/pidns-flush.txt"
fi
