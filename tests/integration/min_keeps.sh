#!/bin/sh
# What min finds is never lost: interrupted, killed, on another signature than it was known by, and on the way.
. "$(dirname "$0")/lib.sh"
need_fuse
own_executor
mkdir "$TMP/results" "$TMP/others"

# The signature of a scenario or a finding's folder as it shows here.
signature_of() {
  "$SF" replay "$1" -n 1 --json > "$TMP/json"
  sed -n 's/^ "signature": "\(.*\)",$/\1/p' "$TMP/json"
}

# Every run takes a fifth of a second, every other step is needless: there is time to interfere.
{
  echo 'task t0: fork'
  echo 'task t1: fork'
  echo 'fault: FLUSH: drop'
  echo 'ctl: sleep 200'
  echo 't0: open fd0 f0 rdwr'
  for _ in 1 2 3 4 5 6 7 8; do echo 't1: stat f1'; done
  echo 't0: close fd0'
} > "$TMP/slow.txt"

# interfere SIGNAL: once the first smaller scenario is on disk.
interfere() {
  rm -f "$TMP/slow.min.txt"
  "$SF" min "$TMP/slow.txt" -o "$TMP/slow.min.txt" > "$TMP/out" 2> "$TMP/err" &
  pid=$!
  for _ in $(seq 600); do
    grep -q elements "$TMP/err" && break
    sleep 0.05
  done
  kill "-$1" "$pid"
  ended=0
  wait "$pid" 2> /dev/null || ended=$?
  [ -s "$TMP/slow.min.txt" ] || fail "$1: nothing is kept"
  awk '/elements, minimised from/ {found = $2 < $6} END {exit !found}' "$TMP/slow.min.txt" || fail "$1: it is not smaller"
  want 0 "$SF" run --check "$TMP/slow.min.txt" "$TMP/slow.min.bin"
}
interfere TERM
[ "$ended" = 130 ] || fail "SIGTERM: exit status $ended"
interfere KILL

# The next min goes on from what is there, and ends.
want 1 "$SF" min "$TMP/slow.min.txt" -q -o "$TMP/slow.min2.txt"
grep -q 1-minimal "$TMP/out" || fail "not minimal"

# Other signatures on the way: each is a scenario of its own beside the result, named after what it shows.
want 1 "$SF" min corpus/hangs/pidns-flush.txt -q -o "$TMP/others/small.txt"
others=$(grep -c '^on the way: another signature' "$TMP/out")
[ "$others" -gt 0 ] || fail "minimising pidns-flush comes along no other signature"
[ "$(find "$TMP/others" -name 'other-*.txt' | wc -l)" = "$others" ] || fail "not $others files of others"
for file in "$TMP"/others/other-*.txt; do
  id=$(basename "$file" .txt)
  "$SF" replay "$file" -n 5 --json > "$TMP/json"
  grep -q "\"${id#other-}\"" "$TMP/json" || { cat "$TMP/json"; fail "$file does not show what it is named after"; }
done

# A finding that shows another signature than it is known by: said, and that one is minimised.
want 1 "$SF" run corpus/hangs/close-flush.txt -o "$TMP/results"
folder=$(echo "$TMP"/results/findings/contract/*)
is=$(signature_of "$folder")
sed -i 's/"lost-[0-9a-f]*"/"lost-0123456789abcdef"/' "$folder/snapshot.json"
want 0 "$SF" replay "$folder" -n 2
want 1 "$SF" min "$folder" -q
grep -q "was lost-0123456789abcdef, shows $is on host" "$TMP/err" || { cat "$TMP/err"; fail "the change is not told"; }
[ "$(signature_of "$folder/scenario.min.txt")" = "$is" ] || fail "the other one was minimised"

# Not flagged.
want 0 "$SF" min corpus/seeds/simplest.txt -q -o "$TMP/none.txt"
grep -q 'not flagged in 3 runs on host' "$TMP/out" || fail "does not say that it is not flagged"
[ ! -e "$TMP/none.txt" ] || fail "a file for nothing"
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
[ "$(executors)" = 0 ] || fail "executors left"
