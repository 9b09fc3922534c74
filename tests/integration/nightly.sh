#!/bin/sh
# Three nights on kernels that do as they are told: one finding new, one gone, one still there, one worse, one known, one
# whose date is over; the right words, the right exit status; a night that was killed goes on.
. "$(dirname "$0")/lib.sh"
command -v afl-fuzz >/dev/null || { echo "skipped: afl-fuzz is not installed"; exit 77; }
! sanitised || { echo "skipped: afl-fuzz cannot load a sanitised mutator (SAN=1)"; exit 77; }
FK=$B/shortfuse-fake-kernels
dir=$TMP/nights
mkdir "$TMP/corpus"
FAKE_RULES=$TMP/rules
export FAKE_RULES
bad=0
complain() { echo "FAIL: $*"; bad=1; }
# A scenario of so many steps for each line of the rules: fake signatures follow the number of steps.
for n in 1 2 3 4 5 6; do
  {
    echo "task t0: fork"
    seq "$n" | sed 's/.*/t0: stat f0/'
  } >"$TMP/corpus/s$n.txt"
done
night() { # WANTED_STATUS OPTION...
  want=$1
  shift
  "$FK" nightly --kernel qemu:rules --time 2s -o "$dir" --corpus "$TMP/corpus" "$@" >"$TMP/out" 2>&1
  status=$?
  [ "$status" = "$want" ] || { complain "status $status, not $want"; cat "$TMP/out"; }
}
state() { # STATE COUNT, of the last night
  python3 - "$dir" "$@" <<'EOF' || complain "not $2 findings '$1': $(cat "$TMP/out")"
import glob, json, sys
night = json.load(open(sorted(glob.glob(sys.argv[1] + "/nights/*/night.json"))[-1]))
rows = [r for k in night["kernels"] for r in k["rows"].values() if r["state"] == sys.argv[2]]
sys.exit(len(rows) != int(sys.argv[3]))
EOF
}

# First night: four findings, all new. Second night: nothing changed, so no news.
printf '1 lost\n2 lost\n3 lost\n4 pinned\n' >"$FAKE_RULES"
night 1
state new 4
night 0
state "still there" 4
grep -q '^0 news' "$TMP/out" || complain "no news is not said"

# Third night: 2 is gone, 3 is worse (and, as pinned, a finding of its own), 5 is new, 6 is new and known; 1 is past its date.
printf '1 lost\n3 pinned\n4 pinned\n5 lost\n6 deaf\n' >"$FAKE_RULES"
printf 'deaf-*  2099-01-01  ticket 1\nlost-%016x  2020-01-01  ticket 2\n' $((0x1002 + 256)) >"$TMP/known"
night 1 --known "$TMP/known" --junit "$TMP/junit.xml" --ktap "$TMP/ktap" --kcidb "$TMP/kcidb.json" --json "$TMP/night.json"
state new 2
state gone 1
state worse 1
state known 1
state "known issue expired" 1
state "still there" 1
grep -q '^4 news' "$TMP/out" || complain "not 4 news: $(cat "$TMP/out")"
grep -q 'Gone: in none of 10 replays, before in 10 of 10' "$dir"/nights/*/report.html || complain "no proof of the gone one"
python3 -c 'import sys, xml.dom.minidom as m; d = m.parse(sys.argv[1]); sys.exit(len(d.getElementsByTagName("failure")) != 4)' \
  "$TMP/junit.xml" || complain "JUnit: not 4 failures"
grep -q '^not ok 1' "$TMP/ktap" || complain "KTAP: not failed"
python3 -m json.tool "$TMP/kcidb.json" >/dev/null || complain "KCIDB is not JSON"
python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["news"] != 4)' "$TMP/night.json" || complain "JSON: not 4 news"
grep -q '<svg' "$(ls -d "$dir"/nights/*/report.html | tail -n 1)" || complain "no plot of the nights"

# What is gone stays gone, is no news, and is news when it comes back.
night 0
state gone 1
grep -q 'as before' "$dir"/nights/*/report.html || complain "the worse one is not as before now"
printf '1 lost\n2 lost\n3 pinned\n4 pinned\n5 lost\n6 deaf\n' >"$FAKE_RULES"
night 1
grep -q 'gone and is back' "$TMP/out" || complain "the one that came back is not told: $(cat "$TMP/out")"

# Killed in the middle: the same night goes on, and nothing is lost or counted twice.
"$FK" nightly --kernel qemu:rules --time 30s -o "$dir" --corpus "$TMP/corpus" >"$TMP/out" 2>&1 &
pid=$!
for _ in $(seq 100); do
  ls "$dir"/nights/*/qemu_rules/campaign.json 2>/dev/null | wc -l | grep -q '^6$' && break
  sleep 0.1
done
kill -9 $pid
wait $pid 2>/dev/null
killed=$(ls "$dir/nights" | tail -n 1)
[ ! -e "$dir/nights/$killed/night.json" ] || complain "the night was over before it was killed: nothing is tested"
night 0
[ "$(ls "$dir/nights" | tail -n 1)" = "$killed" ] || complain "another night was begun"
[ -e "$dir/nights/$killed/night.json" ] || complain "the killed night did not end"

# Old nights go, what they found stays.
night 0 --keep 2
[ "$(ls "$dir/nights" | wc -l)" = 2 ] || complain "not 2 nights are kept: $(ls "$dir/nights")"
[ "$(find "$dir/kernels/qemu_rules/merged/findings" -name scenario.bin | wc -l)" -ge 6 ] || complain "pruning lost a finding"

# Infrastructure is not "no news".
"$FK" nightly --kernel qemu:nosuch --time 2s -o "$TMP/other" --corpus "$TMP/corpus" >"$TMP/out" 2>&1
[ $? = 3 ] || complain "a kernel that cannot be had: not status 3"
exit $bad
