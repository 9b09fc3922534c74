#!/bin/sh
# Bad input: one clear line that names the file and the place, exit status 2 or 3.
. "$(dirname "$0")/lib.sh"

one_line() {
  [ "$(wc -l < "$TMP/err")" = 1 ] || { cat "$TMP/err"; fail "not one line: $*"; }
  grep -q "$1" "$TMP/err" || { cat "$TMP/err"; fail "the line does not say '$1'"; }
}

: > "$TMP/empty"
head -c 1048576 /dev/urandom > "$TMP/random"
printf 'task t0: fork\nt0: opne fd0 f0 rdwr\n' > "$TMP/wrong.txt"
mkdir "$TMP/dir"
want 2 "$SF" run "$TMP/empty"
one_line "$TMP/empty"
want 2 "$SF" run "$TMP/random"
one_line "$TMP/random"
want 2 "$SF" run "$TMP/wrong.txt"
one_line "wrong.txt:2:5:.*opne"
want 2 "$SF" run "$TMP/dir"
one_line "$TMP/dir"
want 2 "$SF" run "$TMP/missing.txt"
one_line "missing.txt"
want 2 "$SF" run
want 2 "$SF" run --flag-at sometimes corpus/seeds/plain-io.txt
want 2 "$SF" nonsense
want 2 "$SF" asm "$TMP/wrong.txt" -o "$TMP/out.bin"
[ ! -e "$TMP/out.bin" ] || fail "asm wrote half a file"
want 2 "$SF" run --target nowhere corpus/seeds/plain-io.txt
one_line "nowhere"
# A FIFO or a device would hang or never end.
mkfifo "$TMP/fifo"
want 2 timeout 5 "$SF" run "$TMP/fifo"

if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
  cp -r "$B/shortfuse" "$B/shortfuse-executor" corpus/seeds/plain-io.txt "$TMP"
  chmod -R a+rX "$TMP"
  want 3 setpriv --reuid 65534 --regid 65534 --clear-groups "$TMP/shortfuse" run "$TMP/plain-io.txt"
  one_line "root"
fi

# A machine whose /dev/fuse is none: no run gives an answer, and that is never "nothing flagged".
if [ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null && [ -e /dev/fuse ]; then
  for how in "" --check; do
    want 3 unshare -m sh -c "mount --bind $TMP/empty /dev/fuse && $SF run $how corpus/hangs/exit-flush.txt"
  done
fi
