#!/bin/sh
# Every scenario of the corpus gives its expected verdict; flagged ones are exactly those that expect it.
. "$(dirname "$0")/lib.sh"
need_fuse
want 0 "$SF" run --check corpus/*/*.txt
n=$(ls corpus/*/*.txt | wc -l)
grep -q "^$n runs, $n as expected, 0 different" "$TMP/out" || { cat "$TMP/out"; fail "no summary of $n runs"; }
# A check that cannot fail is none: the same scenario with another expectation must differ.
sed 's/^expect: .*/expect: clean/' corpus/hangs/exit-flush.txt > "$TMP/wrong.txt"
want 1 "$SF" run --check "$TMP/wrong.txt"
grep -q '^DIFFERENT' "$TMP/out" || fail "a difference is not told"
want 1 "$SF" run corpus/hangs/*.txt
flagged=$(grep -c -e '(contract)' -e '(bug)' "$TMP/out")
[ "$flagged" = "$(ls corpus/hangs/*.txt | wc -l)" ] || fail "only $flagged hangs are flagged"
want 0 "$SF" run corpus/seeds/*.txt

# A run leaves nothing to the next one, even where it did away with what is below its mount.
want 0 "$SF" run --check -n 3 corpus/seeds/detached-rmdir.txt
grep -q ' 0 retried for infra' "$TMP/out" || { cat "$TMP/out"; fail "a run spoiled the next one"; }
