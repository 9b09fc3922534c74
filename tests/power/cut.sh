#!/bin/bash
# Power cuts: a campaign writes to a file system in an image, which is shut down at a random moment without writing
# anything out (EXT4_IOC_SHUTDOWN, what xfstests' "godown" does), and mounted again. Every finding that findings.tsv
# named by then has to be there, whole; the running input, too; and --resume has to go on.
#
#   CUTS=3   how many      FS=ext4 or xfs
set -u
B=${B:-build}
CUTS=${CUTS:-3}
FS=${FS:-ext4}
skip() { echo "skipped: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "mounting needs root"
command -v afl-fuzz > /dev/null || skip "afl-fuzz is not installed"
command -v "mkfs.$FS" > /dev/null || skip "no mkfs.$FS"
! ldd "$B/shortfuse-executor" > /dev/null 2>&1 || skip "afl-fuzz cannot load a sanitised mutator (SAN=1)"
# In a mount namespace of its own: one that somebody else makes meanwhile would keep a copy of the mount, and with it the
# file system that was shut down.
[ -n "${OWN_MOUNTS-}" ] || OWN_MOUNTS=1 exec unshare -m "$0" "$@"
dir=$(mktemp -d)
out=$dir/mnt/campaign
pid=
cleanup() {
  [ -z "$pid" ] || kill "$pid" 2> /dev/null
  wait
  umount "$dir/mnt" 2> /dev/null || umount -l "$dir/mnt" 2> /dev/null
  rm -rf "$dir"
}
trap cleanup EXIT
fail() { echo "FAIL: cut $cut: $*"; tail -n 5 "$dir/log"; exit 1; }

# cut_power FOLDER: reads what is told as saved, then the file system is gone. NOLOGFLUSH: nothing is written any more.
cut_power() {
  python3 - "$1" <<'PY'
import fcntl, os, struct, sys
folder = sys.argv[1]
fd = os.open(folder, os.O_RDONLY)
told = open(folder + "/campaign/findings.tsv").read().splitlines()
fcntl.ioctl(fd, 0x8004587d, struct.pack("I", 2))
print("\n".join(f[2] for f in (line.split("\t") for line in told) if len(f) > 5 and f[2] != "incident"))
PY
}

mkdir "$dir/mnt"
total=0
for cut in $(seq "$CUTS"); do
  if [ $((cut % 3)) = 1 ]; then # three cuts of one campaign, then a new one
    rm -f "$dir/image"
    truncate -s 320M "$dir/image"
    "mkfs.$FS" -q "$([ "$FS" = xfs ] && echo -f || echo -F)" "$dir/image" || skip "mkfs.$FS fails"
    resume=
  else
    resume=--resume
  fi
  mount -o loop "$dir/image" "$dir/mnt" || skip "no loop device"
  # shellcheck disable=SC2086 # a word or none
  "$B/shortfuse-fake" fuzz --target host --empty --jobs 1 --time 60s -o "$out" $resume > "$dir/log" 2>&1 &
  pid=$!
  for _ in $(seq 100); do
    sleep 0.1
    [ "$(wc -l 2> /dev/null < "$out/findings.tsv" || echo 0)" -lt $((4 * cut % 29)) ] || break
    kill -0 "$pid" 2> /dev/null || fail "the campaign does not go on"
  done
  sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
  told=$(cut_power "$dir/mnt") || { echo "skipped: $FS has no shutdown here"; exit 77; }
  kill -9 "$pid"
  wait "$pid" 2> /dev/null
  pid=
  # afl-fuzz goes a moment later. Mounted again while it is still there, it would be the file system that was shut down.
  gone=
  for _ in $(seq 300); do umount "$dir/mnt" 2> /dev/null && gone=1 && break; sleep 0.1; done
  [ -n "$gone" ] || fail "it cannot be unmounted"
  for _ in $(seq 100); do [ -n "$(losetup -j "$dir/image")" ] || break; sleep 0.1; done
  mount -o loop "$dir/image" "$dir/mnt" || fail "it cannot be mounted again"
  for id in $told; do
    found=$(echo "$out"/findings/*/"$id")
    for file in scenario.bin scenario.txt first.bin finding.json repro.sh snapshot.json; do
      [ -s "$found/$file" ] || fail "$id was told as saved, and has no $file"
    done
    python3 -m json.tool "$found/finding.json" > /dev/null || fail "$id has half a finding.json"
    total=$((total + 1))
  done
  [ "$(od -An -N4 -tu4 "$out/inflight-0" | tr -d ' ')" -gt 0 ] || fail "the running input is lost"
  python3 -m json.tool "$out/campaign.json" > /dev/null || fail "half a campaign.json"
  umount "$dir/mnt" || fail "umount"
  for _ in $(seq 100); do [ -n "$(losetup -j "$dir/image")" ] || break; sleep 0.1; done
done
echo "ok: $CUTS cuts, $total times a finding told as saved, none lost"
