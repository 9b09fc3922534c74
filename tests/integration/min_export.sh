#!/bin/sh
# min, export, replay and bisect-kernels on real findings: what they write, and that nothing stays behind.
. "$(dirname "$0")/lib.sh"
need_fuse
own_executor
root=$PWD
case $SF in /*) ;; *) SF=$root/$SF ;; esac
CC=${CC:-cc}

# Every known class has a C form that compiles without a warning, or is refused in one line.
for file in corpus/hangs/*.txt; do
  verdict=$(sed -n 's/^expect: //p' "$file")
  if "$SF" export "$file" -o "$TMP/class.c" 2>&1 | grep -q "^shortfuse: $file cannot be exported: the .* '.*' has no C form yet$"; then
    refused=$((${refused:-0} + 1))
    continue
  fi
  compiled=$((${compiled:-0} + 1))
  want 0 "$SF" export "$file" --verdict "$verdict" --frame fuse_flush -o "$TMP/class.c"
  $CC -Wall -Wextra -Werror -O2 -pthread -static -o "$TMP/class" "$TMP/class.c" || fail "$file: the C file does not compile"
done
[ "${compiled:-0}" -ge 19 ] || fail "only ${compiled:-0} classes have a C form, ${refused:-0} are refused"
want 2 "$SF" export corpus/seeds/simplest.txt -o "$TMP/none.c"
grep -q 'cannot be exported' "$TMP/err" || fail "no reason given"
[ ! -e "$TMP/none.c" ] || fail "a file for nothing"

# The worked example is what export writes, and it reproduces.
[ "$(wc -l < docs/pidns-flush.c)" -lt 200 ] || fail "docs/pidns-flush.c has 200 lines or more"
want 0 "$SF" export docs/pidns-flush.txt -o "$TMP/example.c"
strip() { sed '1,/^ \* *config:/d' "$1"; }
strip docs/pidns-flush.c > "$TMP/a"
strip "$TMP/example.c" > "$TMP/b"
cmp "$TMP/a" "$TMP/b" || fail "docs/pidns-flush.c is not what export writes"
want 1 "$SF" export docs/pidns-flush.txt -o "$TMP/example.c" --try host
grep -q 'REPRODUCED: task [0-9]* in fuse_flush, state [DS]' "$TMP/out" || fail "not reproduced"
grep -q zap_pid_ns_processes "$TMP/out" || fail "no stack of the namespace's init"

# Without its fault the same program finds nobody stuck: it can say no.
want 0 "$SF" export corpus/hangs/close-flush.txt -o "$TMP/close.c"
sed '/in->opcode == FUSE_FLUSH)/,+1d' "$TMP/close.c" > "$TMP/healthy.c"
! cmp -s "$TMP/close.c" "$TMP/healthy.c" || fail "the fault is not where the test looks for it"
for name in close healthy; do
  $CC -O2 -pthread -o "$TMP/$name" "$TMP/$name.c" || fail "$name.c does not compile"
done
want 1 "$TMP/close"
want 0 "$TMP/healthy"
grep -q 'not reproduced' "$TMP/out" || fail "a healthy server is called stuck"

# min: smaller and still flagged. What it keeps when it is interrupted: min_keeps.sh.
want 1 "$SF" min corpus/hangs/folio-lock.txt -q -o "$TMP/min.txt"
grep -q '1-minimal' "$TMP/out" || fail "not minimal"
[ "$(grep -c : "$TMP/min.txt")" -lt "$(grep -c : corpus/hangs/folio-lock.txt)" ] || fail "not smaller"
want 0 "$SF" run --check "$TMP/min.txt" "$TMP/min.bin"

# replay: a release point that comes too early is found and moved; a finding's folder keeps the schedule.
cat > "$TMP/early.txt" << 'TXT'
task t0: fork
fault: FLUSH: hold_until_step 3
t0: open fd0 f0 rdonly
t0: close fd0
t0: nop
TXT
want 0 "$SF" replay "$TMP/early.txt" -n 3
want 1 "$SF" replay "$TMP/early.txt" -n 3 --search -o "$TMP/late.txt"
want 0 "$SF" run --check -n 3 "$TMP/late.txt"
want 1 "$SF" run corpus/hangs/close-flush.txt -o "$TMP/results"
folder=$(echo "$TMP"/results/findings/contract/*)
want 1 "$SF" replay "$folder" -n 3
grep -q '3/3 lost' "$TMP/out" || { cat "$TMP/out"; fail "the folder's finding does not replay"; }
want 1 "$SF" min "$folder" -q
[ -s "$folder/scenario.min.txt" ] || fail "no scenario.min.txt in the folder"

want 1 "$SF" bisect-kernels corpus/hangs/close-flush.txt -n 1 qemu:/nowhere host
grep -q 'first bad: host' "$TMP/out" || { cat "$TMP/out"; fail "host is not the first bad one"; }
want 0 "$SF" bisect-kernels corpus/seeds/simplest.txt -n 1 host

[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
[ "$(executors)" = 0 ] || fail "executors left"
