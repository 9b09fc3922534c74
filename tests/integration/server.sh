#!/bin/sh
# run --server: real FUSE servers behind the fault engine hang, and do not hang, as the daemon of shortfuse does.
set -u
cd "$(dirname "$0")/../.." || exit 1
shortfuse=${B:-build}/shortfuse
if [ ! -x "$shortfuse" ]; then
  echo "skipped: $shortfuse is not built"
  exit 77
fi
if [ "$(id -u)" != 0 ] || [ ! -w /dev/fuse ]; then
  echo "skipped: needs root and /dev/fuse"
  exit 77
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
tried=0

wrong() {
  echo "wrong: $*"
  failed=1
}

hangs="never-answered close-flush exit-writeback zombie-leader pidns-flush server-own-file"

# serves PROGRAM COMMAND: everyday calls reach the server and come back; what hangs with our daemon hangs with it.
serves() {
  if ! command -v "$1" >/dev/null 2>&1; then
    echo "$1 is not installed: left out"
    return
  fi
  tried=$((tried + 1))
  timeout 60 "$shortfuse" run --server "$2" --json "$dir/calls.txt" >"$dir/out" 2>&1 || wrong "$1: $(cat "$dir/out")"
  python3 - "$dir/out" <<'CHECK' || wrong "$1: calls.txt"
import json, sys
run = json.load(open(sys.argv[1]))[0]
bad = [s for s in run["steps"] if s["status"] != "done" or s["ret"] < 0]
sent = {r["opcode"] for r in run["requests"] if r["state"] == "answered"}
lacking = {"INIT", "LOOKUP", "OPEN", "READ", "WRITE", "READDIR", "UNLINK"} - sent
if bad or lacking:
    print(bad, lacking)
    sys.exit(1)
CHECK
  for hang in $hangs; do
    timeout 60 "$shortfuse" run --server "$2" --check "corpus/hangs/$hang.txt" >"$dir/out" 2>&1 ||
      wrong "$1: $(cat "$dir/out")"
  done
}

cat >"$dir/calls.txt" <<'EOT'
task t0: fork
t0: open fd0 f0 rdwr
t0: read fd0 4096
t0: write fd0 4096
t0: readdir d0
t0: creat fd1 n0 rdwr
t0: close fd1
t0: unlink n0
t0: close fd0
EOT
cat >"$dir/sftp" <<'EOT'
#!/bin/sh
exec /usr/lib/openssh/sftp-server
EOT
chmod +x "$dir/sftp"
mkdir "$dir/upper" "$dir/work"
serves bindfs 'bindfs {src} {mnt}'
serves unionfs-fuse 'unionfs-fuse -f {src}=RW {mnt}'
serves fuse-overlayfs "fuse-overlayfs -f -o lowerdir={src},upperdir=$dir/upper,workdir=$dir/work {mnt}"
serves mergerfs 'mergerfs -f -o minfreespace=0 {src} {mnt}'
[ -x /usr/lib/openssh/sftp-server ] && serves sshfs "sshfs -f -o ssh_command=$dir/sftp any:{src} {mnt}"

# A server that withholds its own answer: nobody's fault rule, and yet it is said.
if [ "$tried" -gt 0 ] && command -v bindfs >/dev/null 2>&1; then
  printf 'task t0: fork\nfault: LOOKUP #1: hold_ms 300\nt0: stat f0\nt0: stat f1\n' >"$dir/slow.txt"
  timeout 60 "$shortfuse" run --server 'bindfs {src} {mnt}' "$dir/slow.txt" >"$dir/out" 2>&1 || wrong "$(cat "$dir/out")"
fi

# A command that is no server: our trouble, with its last words, never a verdict.
timeout 60 "$shortfuse" run --server 'echo no such thing' "$dir/calls.txt" >"$dir/out" 2>&1
[ $? = 3 ] || wrong "a command that is no server: not exit status 3"
grep -q 'did not answer INIT: no such thing' "$dir/out" || wrong "its last words: $(cat "$dir/out")"
timeout 60 "$shortfuse" run --target uml --server 'bindfs {src} {mnt}' "$dir/calls.txt" >"$dir/out" 2>&1
[ $? = 2 ] || wrong "--server in a guest: not exit status 2"

if [ "$tried" = 0 ]; then
  echo "skipped: none of bindfs, unionfs-fuse, fuse-overlayfs, mergerfs, sshfs is installed"
  exit 77
fi
echo "$tried servers"
exit $failed
