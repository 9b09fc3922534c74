#!/bin/sh
# Qualify on kernels that are worse, better or flaky on purpose (no root needed), then on this machine's own.
. "$(dirname "$0")/lib.sh"
FK=$B/shortfuse-fake-kernels

# verdict STATUS WORD ARGUMENTS...: a qualification against "good" in $TMP/q
verdict() {
  status=$1 word=$2
  shift 2
  rm -rf "$TMP/q"
  want "$status" "$FK" qualify -o "$TMP/q" "$@"
  grep -q "^$word: " "$TMP/out" || { cat "$TMP/out"; fail "no verdict $word: $*"; }
}

json() { python3 -c "import json; q = json.load(open('$TMP/q/qualify.json')); $1" || fail "qualify.json: $1"; }

timeouts=/proc/sys/fs/fuse/default_request_timeout
if [ "$(id -u)" = 0 ] && [ -c /dev/fuse ] && [ -w $timeouts ]; then
  "$SF" qualify --kernel host --sweep fs.fuse.default_request_timeout=0,15 --repeat 1 --repeat-max 1 -o "$TMP/slow" \
    corpus/hangs/exit-flush.txt > "$TMP/slow.out" 2>&1 &
  slow=$!
fi

verdict 0 PASS --kernel good --baseline good
verdict 0 PASS --kernel good
# A planted regression is caught, proven by runs on both, and named.
verdict 1 REGRESSION --kernel bad --baseline good
grep -q '^- hangs/exit-flush on bad: worse: pinned.*baseline lost' "$TMP/out" || fail "the regression is not explained"
json 'assert all(c["runs"] >= 9 for r in q["rows"] if r["judged"][0]["state"] == "worse" for c in r["cells"])'
verdict 0 IMPROVED --kernel good --baseline bad
verdict 0 IMPROVED --kernel fixed --baseline good
verdict 1 REGRESSION --kernel bad
# A planted flake is none: not on the candidate, not on the baseline, not on both, not one in a hundred.
verdict 0 PASS --kernel flaky --baseline flaky2
verdict 0 PASS --kernel flaky2 --baseline flaky
grep -q ' flaky' "$TMP/out" || fail "flakes are not told"
verdict 0 PASS --kernel rare --baseline good
# Another root is told, and fails where that is wanted.
verdict 0 PASS --kernel other --baseline good
flagged=$(grep -lE '^expect: (held|lost|deaf|pinned|stuck)' corpus/*/*.txt | wc -l)
grep -q "$flagged changed" "$TMP/out" || fail "changed roots are not told"
verdict 1 REGRESSION --kernel other --baseline good --strict
# Our own trouble is neither.
verdict 3 INCONCLUSIVE --kernel broken --baseline good
verdict 3 INCONCLUSIVE --kernel good --baseline broken
verdict 3 INCONCLUSIVE --kernel missing --baseline good
grep -q "no kernel 'missing'" "$TMP/out" || fail "a kernel that cannot be had is not named"
# Several candidates, one baseline, two jobs.
verdict 1 REGRESSION --kernel good --kernel bad --baseline good --jobs 2
json 'assert len(q["columns"]) == 3'

# Accepted until a day that is far; no longer accepted.
printf 'hangs/*  2999-12-31  ticket 1: <fixed> soon\n' > "$TMP/known"
verdict 0 PASS --kernel bad --baseline good --known "$TMP/known"
grep -q 'known until 2999-12-31: ticket 1' "$TMP/out" || fail "the known issue is not told"
printf 'hangs/*  2001-01-01  ticket 1\n' > "$TMP/known"
verdict 1 REGRESSION --kernel bad --baseline good --known "$TMP/known"
printf 'hangs/*  sometime\n' > "$TMP/known"
want 2 "$FK" qualify --kernel bad --known "$TMP/known" -o "$TMP/none"
grep -q "known: line 1: 'sometime'" "$TMP/err" || fail "a bad line of known issues is not named"

# Killed at any moment it goes on, and no run is made twice.
rm -rf "$TMP/q"
"$FK" qualify --kernel slow --baseline slow -o "$TMP/q" > "$TMP/out" 2>&1 &
pid=$!
sleep 4
kill -9 "$pid"
wait "$pid" 2> /dev/null
json 'n = sum(c["runs"] for r in q["rows"] for c in r["cells"]); assert 0 < n < 200, n'
want 2 "$FK" qualify --kernel slow -o "$TMP/q"
grep -q 'resume' "$TMP/err" || fail "--resume is not proposed"
want 0 "$FK" qualify --resume -o "$TMP/q" --jobs 4
json 'assert all(c["runs"] == 3 for r in q["rows"] for c in r["cells"])'
want 0 "$FK" report "$TMP/q" --ktap "$TMP/again.ktap"
grep -q '^ok 1 slow' "$TMP/again.ktap" || fail "report does not write KTAP"
# Ctrl-C ends it with a verdict and a way on.
rm -rf "$TMP/q"
"$FK" qualify --kernel slow -o "$TMP/q" > "$TMP/out" 2>&1 &
pid=$!
sleep 1
kill -TERM "$pid"
wait "$pid"
[ $? = 3 ] || fail "an interrupted qualification is not inconclusive"
grep -q -e '--resume -o' "$TMP/out" || fail "how to go on is not told"

# Bad usage.
for args in '' '--kernel' '--kernel good --repeat 0' '--kernel good --time never' '--kernel good --sweep x' \
  '--kernel good --sweep no.such=1' '--kernel host --sweep fs.fuse.max_request_timeout=' '--resume' \
  '--kernel good --sweep fs.fuse.max_request_timeout=1' '--kernel good --sweep cpus=0' \
  "--kernel good $TMP/missing" '--kernel host --sweep cpus=2'; do
  # shellcheck disable=SC2086 # words
  want 2 "$FK" qualify -o "$TMP/none" $args
done
[ ! -e "$TMP/none" ] || fail "bad usage left a folder"
want 2 "$FK" report "$TMP"
want 2 "$FK" report "$TMP/missing"

if [ "$(id -u)" != 0 ] || [ ! -c /dev/fuse ]; then
  echo "this machine's kernel was left out: not root, or no /dev/fuse"
  exit 0
fi
few="corpus/hangs/exit-flush.txt corpus/hangs/pidns-flush.txt corpus/seeds/simplest.txt corpus/seeds/not-late-reply.txt"
rm -rf "$TMP/q"
# shellcheck disable=SC2086 # words
want 0 "$SF" qualify --kernel host --baseline host -o "$TMP/q" $few
grep -q '^PASS: 4 scenarios' "$TMP/out" || fail "this kernel differs from itself"
ls "$TMP/q/columns/0-host/findings/bug/"pinned-*/snapshot.json > /dev/null || fail "no evidence of a hang"
grep -q '<svg' "$TMP/q/report.html" || ! command -v dot > /dev/null || fail "no graph on the page"
# A wrong expectation is a difference that more runs prove.
sed 's/^expect: .*/expect: held/' corpus/hangs/exit-flush.txt > "$TMP/wrong.txt"
rm -rf "$TMP/q"
want 1 "$SF" qualify --kernel host -o "$TMP/q" "$TMP/wrong.txt"
# A sweep over what the host target sets itself: set for the run (of 2 s, to be seen), and put back.
if [ -w $timeouts ]; then
  before=$(cat $timeouts)
  rm -rf "$TMP/q"
  "$SF" qualify --kernel host --sweep fs.fuse.default_request_timeout=0,15 --repeat 1 -o "$TMP/q" \
    corpus/seeds/not-late-reply.txt > "$TMP/out" 2>&1 &
  pid=$!
  seen=
  while kill -0 "$pid" 2> /dev/null; do
    [ "$(cat $timeouts)" = 15 ] && seen=1
    sleep 0.02
  done
  wait "$pid" || { cat "$TMP/out"; fail "a time-out makes a difference to what does not hang"; }
  [ -n "$seen" ] || fail "the swept setting was never set"
  json 'assert [c["settings"][0]["value"] for c in q["columns"]] == ["0", "15"]'
  # Killed while it is set, and gone on with: what was set is not taken for what was found.
  rm -rf "$TMP/q"
  "$SF" qualify --kernel host --sweep fs.fuse.default_request_timeout=15 --repeat 100 -o "$TMP/q" \
    corpus/seeds/simplest.txt > "$TMP/out" 2>&1 &
  pid=$!
  until [ "$(cat $timeouts)" = 15 ] || ! kill -0 "$pid" 2> /dev/null; do
    sleep 0.01
  done
  kill -9 "$pid" 2> /dev/null
  wait "$pid" 2> /dev/null
  want 0 "$SF" qualify --resume -o "$TMP/q"
  # Others may use this machine at the same time: theirs is 0.
  after=$(cat $timeouts)
  [ "$after" = "$before" ] || [ "$after" = 0 ] || fail "the setting is $after afterwards, it was $before"
  # The kernel ends a hang after 15 to 30 seconds, and a run waits for that. Most of the rest ran meanwhile.
  wait "$slow"
  [ -s "$TMP/slow/qualify.json" ] || { cat "$TMP/slow.out"; fail "the sweep with a hang did not end"; }
  python3 -c 'import json, sys
row = json.load(open(sys.argv[1]))["rows"][0]
got = [c["kinds"][0]["verdict"] for c in row["cells"]]
assert got == ["lost", "clean"], got' "$TMP/slow/qualify.json" || fail "the time-out of the kernel had no time to come"
fi
[ -z "$(leftovers)" ] || fail "a connection stayed"
