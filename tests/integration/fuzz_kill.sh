#!/bin/bash
# kill -9 of any one process of a campaign: it goes on or resumes, and no finding is lost. On the fake target.
set -u
B=${B:-build}
command -v afl-fuzz >/dev/null || { echo "skipped: afl-fuzz is not installed"; exit 77; }
! ldd "$B/shortfuse-executor" >/dev/null 2>&1 || { echo "skipped: afl-fuzz cannot load a sanitised mutator (SAN=1)"; exit 77; }
dir=$(mktemp -d)
out=$dir/campaign
trap 'kill $pid 2>/dev/null; rm -rf "$dir"' EXIT

fail() { echo "FAIL: $*"; sed "s/^/  | /" "$dir/log"; tail -n 25 "$out/afl-main.log" | sed "s/^/  afl | /"; exit 1; }
start() { "$B/shortfuse-fake" fuzz --target host --empty --jobs 2 --seed 5 --time 60s -o "$out" "$@" >>"$dir/log" 2>&1 & pid=$!; }
findings() { find "$out/findings" -mindepth 2 -maxdepth 2 -name '[a-z]*' 2>/dev/null | wc -l; }
# Waits until the queue of afl-fuzz or the number of findings has grown: the campaign is alive.
runs() { stat -c %Y%s "$out/findings.tsv" "$out/afl/main/fuzz_bitmap" 2>/dev/null; find "$out/afl/main/queue" 2>/dev/null | wc -l; findings; }
grows() {
  local before now i
  before=$(runs)
  for ((i = 0; i < 100; i++)); do
    sleep 0.1
    now=$(runs)
    [ "$now" = "$before" ] || return 0
  done
  return 1
}
child_now() { # child_now PARENT NAME: the first child of that name
  local p
  # shellcheck disable=SC2013 # words are meant: one line, many pids
  for p in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
    [ "$(cat /proc/"$p"/comm 2>/dev/null)" = "$2" ] && { echo "$p"; return 0; }
  done
  return 1
}
child() { # the same, within 10 s: it may be between two lives
  local i
  for ((i = 0; i < 1000; i++)); do
    child_now "$1" "$2" && return 0
    sleep 0.01
  done
  return 1
}
gone() { # gone PID: within 5 s
  local i
  for ((i = 0; i < 50; i++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  return 1
}

start
for ((i = 0; i < 100; i++)); do [ "$(findings)" -gt 3 ] && break; sleep 0.1; done
[ "$(findings)" -gt 3 ] || fail "no findings in 10 s"

for victim in persistent forkserver afl-fuzz; do
  # afl-fuzz may be starting anew: the pair has to be of one life.
  for ((i = 0; i < 20; i++)); do
    afl=$(child $pid afl-fuzz) && server=$(child_now "$afl" shortfuse-afl) && break
    sleep 0.5
  done
  [ $i -lt 20 ] || fail "no fork server before killing $victim"
  before=$(findings)
  case $victim in
  persistent) # it dies at each bug and is replaced: try until one was hit
    for ((i = 0; i < 3000; i++)); do
      runner=$(child_now "$server" shortfuse-afl) && kill -9 "$runner" 2>/dev/null && break
    done
    [ $i -lt 3000 ] || fail "no persistent child"
    ;;
  forkserver) kill -9 "$server" ;;
  afl-fuzz) kill -9 "$afl" ;;
  esac
  sleep 1.5
  kill -0 $pid 2>/dev/null || fail "the campaign ended after kill -9 of $victim"
  grows || fail "nothing new in 10 s after kill -9 of $victim"
  [ "$(findings)" -ge "$before" ] || fail "findings lost after kill -9 of $victim"
  if [ $victim = afl-fuzz ]; then
    gone "$server" || fail "the fork server outlived afl-fuzz"
    ipcs -m -p | awk -v p="$afl" '$3 == p { found = 1 } END { exit !found }' && fail "afl-fuzz's shared memory stayed"
  fi
done

afl=$(child $pid afl-fuzz)
before=$(findings)
kill -9 $pid
wait $pid 2>/dev/null
for ((i = 0; i < 50; i++)); do kill -0 "$afl" 2>/dev/null || break; sleep 0.1; done
kill -0 "$afl" 2>/dev/null && fail "afl-fuzz outlived the campaign"
[ "$(findings)" -ge "$before" ] || fail "findings lost with the campaign"
"$B/shortfuse-fake" fuzz --target host --empty --time 1s -o "$out" >>"$dir/log" 2>&1 && fail "a folder in use was taken"
start --resume
grows || fail "nothing new in 10 s after --resume"
before=$(findings)
kill -INT $pid
wait $pid
[ $? = 1 ] || fail "exit status after Ctrl-C is not 1 (flagged)"
[ "$(findings)" -ge "$before" ] || fail "findings lost by the end"
grep -q '"state": "ended"' "$out/campaign.json" || fail "campaign.json does not say ended"
afl-whatsup -s "$out/afl" 2>/dev/null | grep -q 'Summary stats' || fail "afl-whatsup does not accept $out/afl"
find "$out/afl" -name 'id:*' | awk -F/ 'length($NF) > 210 { print; bad = 1 } END { exit bad }' ||
  fail "names that afl-fuzz cannot make longer when it resumes"
echo "ok: $(findings) findings after four kills"
