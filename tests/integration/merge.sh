#!/bin/sh
# "merge": one result whatever the order and however often, half-written folders left out, links not followed.
set -u
cd "$(dirname "$0")/../.." || exit 3
B=${B:-build}
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
bad=0
complain() {
  echo "FAIL: $*"
  bad=1
}
merge() {
  "$B/shortfuse" merge "$@" 2>"$tmp/err" >"$tmp/out"
}
number() { # FILE KEY
  python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}

for seed in 1 2 3; do
  "$B/shortfuse-fake" fuzz --target host --blind --time 1s --seed "$seed" -o "$tmp/c$seed" >/dev/null 2>&1
  [ $? -le 1 ] || complain "campaign $seed did not run"
done
ls "$tmp"/c1/findings/*/* >/dev/null 2>&1 || complain "campaign 1 has no findings: nothing is tested"

merge "$tmp/c1" "$tmp/c2" "$tmp/c3" -o "$tmp/all" || complain "three campaigns: $(cat "$tmp/err")"
merge "$tmp/c3" "$tmp/c1" -o "$tmp/part" || complain "two campaigns"
merge "$tmp/part" "$tmp/c2" "$tmp/c1" -o "$tmp/other" || complain "a merged folder"
for file in campaign.json merge.json; do
  diff "$tmp/all/$file" "$tmp/other/$file" || complain "$file depends on the order"
done
[ "$(cd "$tmp/all" && find findings | sort)" = "$(cd "$tmp/other" && find findings | sort)" ] ||
  complain "the folders depend on the order"
runs=$(($(number "$tmp/c1/campaign.json" runs) + $(number "$tmp/c2/campaign.json" runs) + \
  $(number "$tmp/c3/campaign.json" runs)))
[ "$(number "$tmp/all/campaign.json" runs)" = "$runs" ] || complain "not the sum of the runs, $runs"

cp -r "$tmp/all" "$tmp/copy"
merge "$tmp/c2" "$tmp/all" -o "$tmp/all" || complain "merging again"
diff -r "$tmp/all" "$tmp/copy" || complain "merging again changes something"

# A campaign that went on is counted once, with what it has now.
"$B/shortfuse-fake" fuzz --target host --blind --time 1s -o "$tmp/c1" --resume >/dev/null 2>&1
merge "$tmp/c1" -o "$tmp/all" || complain "a campaign that went on"
runs=$(($(number "$tmp/c1/campaign.json" runs) + $(number "$tmp/c2/campaign.json" runs) + \
  $(number "$tmp/c3/campaign.json" runs)))
[ "$(number "$tmp/all/campaign.json" runs)" = "$runs" ] || complain "a campaign that went on: not $runs runs"

# Half-written and hostile folders.
finding=$(find "$tmp/c2/findings" -mindepth 2 -maxdepth 2 -type d | sort | head -n 1)
rm "$finding/scenario.bin"
merge "$tmp/c2" -o "$tmp/half"
[ $? = 2 ] || complain "a half-written finding: status is not 2"
grep -q "$(basename "$finding"): not a whole finding" "$tmp/err" || complain "the half-written finding is not named"
ln -s /etc/passwd "$finding/scenario.bin"
ln -s /etc/passwd "$tmp/c3/$(cd "$tmp/c3" && find findings -name scenario.txt | head -n 1).link"
merge "$tmp/c2" "$tmp/c3" -o "$tmp/links"
[ -z "$(find "$tmp/links" -type l)" ] || complain "a link was taken over"
grep -rqs root: "$tmp/links/findings" && complain "a link was followed"
: >"$tmp/c2/campaign.json"
merge "$tmp/c2" "$tmp/c3" -o "$tmp/damaged"
[ $? = 2 ] || complain "a damaged campaign: status is not 2"
[ "$(number "$tmp/damaged/campaign.json" campaigns)" = 1 ] || complain "a damaged campaign keeps the other one out"
merge "$tmp/nowhere" -o "$tmp/none"
[ $? = 2 ] || complain "a missing folder: status is not 2"
merge "$tmp/c1" -o "$tmp/c3"
[ $? = 2 ] || complain "a campaign as the folder to merge into: status is not 2"

# The page of the whole.
"$B/shortfuse" report "$tmp/all" >/dev/null 2>&1 || complain "no report of the merged folder"
[ -s "$tmp/all/report.html" ] || complain "the report is empty"
exit $bad
