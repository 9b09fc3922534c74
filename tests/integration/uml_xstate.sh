#!/bin/sh
# A CPU whose extended state is too big for UML (AMX), made by a filter: the guest comes up and all is as expected; and
# nothing in the guest uses AVX, whose state nobody keeps then.
. "$(dirname "$0")/lib.sh"
need_static_executor
# What libc chooses with the guest's environment, read from the program that sets it.
tunables=$(strings "$SF" | grep '^GLIBC_TUNABLES=')
[ -n "$tunables" ] || fail "no tunables in $SF"
timeout 20 tests/ifuncs.py "$B/shortfuse-executor" "$tunables" >"$TMP/with" || fail "ifuncs.py"
timeout 20 tests/ifuncs.py "$B/shortfuse-executor" >"$TMP/without" || fail "ifuncs.py"
grep 'avx\|evex' "$TMP/with" && fail "these functions use AVX, with $tunables"
grep -q 'memmove_' "$TMP/with" || fail "no memmove among the chosen functions: nothing is tested"
if grep -q ' avx2 ' /proc/cpuinfo; then
  grep -q 'avx\|evex' "$TMP/without" || fail "without tunables nothing uses AVX on a CPU that has it: nothing is tested"
fi
# Nothing of ours is compiled for it: all such code is libc's.
objdump -d --no-show-raw-insn "$B/shortfuse-executor" |
  awk '/^[0-9a-f]+ <.*>:$/ {name = $2} /%[yz]mm/ && name !~ /avx|evex|_dl_runtime|xsave|memcpy|memmove|memset|str|wcs|wmem|tlsdesc/ {print name}' |
  sort -u >"$TMP/own"
[ ! -s "$TMP/own" ] || fail "AVX in $(cat "$TMP/own")"
command -v linux.uml >/dev/null || { echo "no linux.uml: the guest itself was not tried"; exit 77; }
"$B/big_xstate" true || { [ $? != 77 ] || { echo "no seccomp filters here"; exit 77; }; fail "big_xstate"; }
"$B/big_xstate" "$SF" run --target uml --check corpus/*/*.txt >"$TMP/log" 2>&1 || fail "$(tail -n 20 "$TMP/log")"
tail -n 1 "$TMP/log"
