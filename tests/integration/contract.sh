#!/bin/sh
# What a user types: commands, options, exit statuses and paths that others rely on, each once and for real.
. "$(dirname "$0")/lib.sh"
need_fuse
bug=corpus/hangs/pidns-flush.txt
contract=corpus/hangs/exit-flush.txt
clean=corpus/seeds/simplest.txt

# run: 0 nothing flagged, 1 flagged, 2 bad input, 3 infrastructure; --check compares with expect:.
want 0 "$SF" run "$clean"
want 1 "$SF" run "$contract"
want 0 "$SF" run --flag-at bug "$contract"
want 1 "$SF" run --flag-at bug "$bug"
want 0 "$SF" run --check "$bug" "$contract" "$clean"
sed 's/^expect: .*/expect: clean/' "$bug" > "$TMP/other.txt"
want 1 "$SF" run --check "$TMP/other.txt"
want 1 "$SF" run -n 3 --target host --json "$bug"
python3 -c 'import json, sys; assert [r["verdict"] for r in json.load(open(sys.argv[1]))] == ["pinned"] * 3' "$TMP/out" ||
  fail "run -n 3 --json is no array of three runs"
want 2 "$SF" run "$TMP/missing.txt"
want 2 "$SF" run --target moon "$clean"
want 2 "$SF" frobnicate
want 3 env SHORTFUSE_EXECUTOR="$TMP/missing" "$SF" run "$clean"

# A finding's folder holds all that is needed to understand it, and is an input by itself.
finding_is_whole() {
  for file in scenario.bin scenario.txt snapshot.json snapshot.txt graph.dot kmsg.txt repro.sh; do
    [ -e "$1/$file" ] || fail "$1 lacks $file"
  done
  python3 -m json.tool "$1/snapshot.json" > /dev/null || fail "$1/snapshot.json is not JSON"
}
want 1 "$SF" run -o "$TMP/kept" "$bug" "$contract"
finding=$(echo "$TMP"/kept/findings/bug/pinned-*)
finding_is_whole "$finding"
finding_is_whole "$(echo "$TMP"/kept/findings/contract/lost-*)"
want 1 "$SF" run "$finding"

# show, asm, list
want 0 "$SF" asm "$bug" -o "$TMP/bug.bin"
want 0 "$SF" show "$TMP/bug.bin"
grep -q '^task t0: pidns' "$TMP/out" || fail "show does not show the tasks"
want 1 "$SF" run "$TMP/bug.bin"
for topic in ops faults verdicts targets coverage; do
  want 0 "$SF" list $topic
done
want 2 "$SF" list moons

# min, export
want 1 "$SF" min -q -n 1 -m 1 -o "$TMP/small.txt" "$finding"
want 1 "$SF" run "$TMP/small.txt"
want 0 "$SF" min -q -o "$TMP/never.txt" "$clean"
want 0 "$SF" export "$finding" -o "$TMP/repro.c"
gcc -Wall -Wextra -Werror -o "$TMP/repro" "$TMP/repro.c" || fail "the exported file does not compile"

# fuzz and report; the exit status is that of what was found.
if command -v afl-fuzz > /dev/null && ! sanitised; then
  want 1 timeout 100 "$SF" fuzz --target host --time 6s --seed 1 --jobs 1 --quiet -o "$TMP/campaign"
  for path in campaign.json afl/main/fuzzer_stats findings/bug findings/contract; do
    [ -e "$TMP/campaign/$path" ] || fail "a campaign lacks $path"
  done
  for finding in "$TMP"/campaign/findings/bug/*; do
    finding_is_whole "$finding"
    [ -e "$finding/graph.svg" ] || fail "$finding lacks graph.svg"
  done
  want 2 "$SF" fuzz --target host --time 1s -o "$TMP/campaign"
  want 0 "$SF" report "$TMP/campaign"
  grep -qi '<html' "$TMP/campaign/report.html" || fail "the report is no page"
fi
want 2 "$SF" report "$TMP/missing"

# qualify, against the corpus' own expectations
want 0 "$SF" qualify --kernel host --repeat 1 -o "$TMP/qualified" --ktap "$TMP/q.ktap" --junit "$TMP/q.xml" \
  --kcidb "$TMP/q.json" --html "$TMP/q.html" "$bug" "$contract" "$clean"
grep -q PASS "$TMP/out" || { cat "$TMP/out"; fail "qualify does not say PASS"; }
head -n 1 "$TMP/q.ktap" | grep -q '^KTAP version 1' || fail "no KTAP"
python3 -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' "$TMP/q.xml" || fail "no XML"
python3 -m json.tool "$TMP/q.json" > /dev/null || fail "no JSON"
want 1 "$SF" qualify --kernel host --repeat 1 -o "$TMP/regressed" "$TMP/other.txt"

# diagnose, doctor
"$SF" diagnose --json > "$TMP/out" 2> "$TMP/err"
[ $? -le 1 ] || { cat "$TMP/err"; fail "diagnose could not look"; }
python3 -m json.tool "$TMP/out" > /dev/null || fail "diagnose --json is not JSON"
want 0 "$SF" doctor
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
