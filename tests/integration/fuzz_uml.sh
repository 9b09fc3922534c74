#!/bin/bash
# What "make fuzz" does: a campaign in a scratch kernel (target_auto.sh: which), here a user-mode one, from nothing to a bug with a snapshot. Nothing of it stays
# behind; without such a kernel it says so and fuzzes nothing else.
. "$(dirname "$0")/lib.sh"
need_static_executor
out=$TMP/campaign

env -u MAKEFLAGS -u TARGET make -n fuzz | grep -q "shortfuse fuzz --target auto" || fail "'make fuzz' is not for the first scratch kernel that boots"

# A kernel that is not there, one that is none, one that does not boot: said, and no other target is taken.
refused() {
  want 3 timeout 60 "$SF" fuzz --blind --time 5s --target "$1" -o "$out"
  grep -q "$2" "$TMP/err" || { cat "$TMP/err"; fail "$1: not '$2'"; }
  grep -q -e "--target host.*make fuzz TARGET=host" "$TMP/err" || { cat "$TMP/err"; fail "$1: no way out is named"; }
  [ ! -e "$out" ] || fail "$1: results of a campaign that never was"
}
refused "uml:$TMP/linux" "$TMP/linux"
refused uml:/bin/true 'an ELF file, but no kernel'
[ -x /usr/bin/linux.uml ] || { refused uml 'install the package user-mode-linux'; echo "skipped: user-mode-linux is not installed"; exit 77; }
# An init that ends: the kernel boots and panics.
echo 'int main(void) { return 1; }' | ${CC:-gcc} -static -x c -o "$TMP/init" -
SHORTFUSE_EXECUTOR=$TMP/init refused uml "did not come up: the guest's init ended"
command -v afl-fuzz > /dev/null || { echo "skipped: afl-fuzz is not installed"; exit 77; }

timeout -k 5 100 "$SF" fuzz --target uml --jobs 2 --time 15s --seed 1 --reset-every 20 --quiet -o "$out" > "$TMP/log" 2>&1 &
pid=$!
seen=
for _ in $(seq 25); do
  sleep 0.5
  # The campaign is a child of timeout.
  for campaign in $(cat /proc/$pid/task/$pid/children 2> /dev/null); do
    seen="$(guests "$campaign") $seen"
  done
done
wait $pid
status=$?
[ $status = 1 ] || { cat "$TMP/log"; fail "exit status $status, expected 1 (flagged)"; }
[ -n "${seen// /}" ] || fail "no user-mode kernel was seen"
grep -q ' runs (' "$TMP/log" || { cat "$TMP/log"; fail "no status line"; }
grep -q 'of fuzzing on target uml: .*distinct bug.*start with' <(tr '\n' ' ' < "$TMP/log") || { cat "$TMP/log"; fail "no summary in words"; }
set -- "$out"/findings/bug/*/
[ -d "$1" ] || { cat "$TMP/log"; fail "no bug in 15 s"; }
for file in scenario.bin scenario.txt finding.json snapshot.json snapshot.txt kmsg.txt repro.sh; do
  [ -e "$1/$file" ] || fail "$1 has no $file"
done
grep -qs fuse "$out"/findings/bug/*/snapshot.txt || fail "no kernel stack in any snapshot"
grep -q "target='uml'" "$1/repro.sh" || fail "repro.sh does not name the target"
grep -q '"target": "uml"' "$out/campaign.json" || fail "campaign.json does not name the target"
grep -q '"release": "' "$out/campaign.json" || fail "campaign.json does not tell the kernel"
# A fresh guest every 20 runs of a job, and nothing is lost by it; more often where a run has killed one.
number() { sed -n "s/^  \"$1\": \([0-9]*\),*$/\1/p" "$out/campaign.json"; }
runs=$(number runs) resets=$(number resets)
[ "$resets" -ge $((runs / 20 - 2)) ] && [ "$resets" -gt 0 ] || fail "$resets resets in $runs runs"
[ "$(number infra)" -le 2 ] || { cat "$TMP/log"; fail "runs were lost by resets"; }
# shellcheck disable=SC2086 # a list
gone $seen || fail "processes of a guest stayed behind"
# Shown again by what lies in the finding's folder; the most frequent one replays for certain.
best=$(grep -h -o '^  [a-z]*-[0-9a-f]*  seen.*replays 5/5' "$TMP/log" | awk 'NR == 1 {print $1}')
[ -z "$best" ] || want 0 timeout 60 "$out"/findings/*/"$best"/repro.sh
grep -e ' runs,' -e 'distinct' "$TMP/log"
