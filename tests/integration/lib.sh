# shellcheck shell=sh
# What the integration tests share. Sourced; B is the build folder.
B=${B:-build}
# shellcheck disable=SC2034 # for those who source this
SF=$B/shortfuse

fail() {
  echo "FAIL: $*"
  exit 1
}

need_fuse() {
  [ "$(id -u)" = 0 ] || { echo "not root"; exit 77; }
  [ -c /dev/fuse ] || { echo "no /dev/fuse"; exit 77; }
}

sanitised() {
  ldd "$B/shortfuse-executor" > /dev/null 2>&1
}

# A guest has nothing but the executor: one that is not static (SAN=1) cannot be its /init.
need_static_executor() {
  ! sanitised || { echo "the executor is not static (SAN=1)"; exit 77; }
}

# Connections of shortfuse (group_id 0x5f......) whose executor (user_id) is no more: what nobody will remove but
# the next start. In a private mount namespace, as fusectl may not be mounted.
CTL=/sys/fs/fuse/connections
leftovers() {
  unshare -m sh -c "mountpoint -q $CTL || mount -t fusectl none $CTL; ls -ln $CTL" |
    awk '$4 >= 1593835520 && $4 < 1610612736 {print $9, $3}' |
    while read -r conn pid; do
      [ -d "/proc/$pid" ] || echo "$conn"
    done
}

# Executors started by this test: they run a copy of the binary with a name of its own.
own_executor() {
  cp "$B/shortfuse-executor" "$TMP/sfx$$"
  export SHORTFUSE_EXECUTOR="$TMP/sfx$$"
}
executors() {
  ps -o stat= -C "sfx$$" | grep -cv '^Z'
}

# The guests of a shortfuse process, one pid a line: the init of a user-mode kernel's cage, then the kernel; or QEMU.
# Only ours: others on this machine may have theirs.
guests() {
  cat "/proc/$1/task/"*/children 2> /dev/null | tr ' ' '\n' | while read -r child; do
    case $(cat "/proc/$child/comm" 2> /dev/null) in qemu-system*) echo "$child" ;; esac
    for kernel in $(cat "/proc/$child/task/$child/children" 2> /dev/null); do
      [ "$(cat "/proc/$kernel/comm" 2> /dev/null)" != linux.uml ] || echo "$child $kernel" | tr ' ' '\n'
    done
  done
}

# Waits up to 10 s until none of these processes is left: gone PID...
gone() {
  for _ in $(seq 100); do
    left=
    for pid; do
      ! kill -0 "$pid" 2> /dev/null || left="$left $pid"
    done
    [ -n "$left" ] || return 0
    sleep 0.1
  done
  return 1
}

# Runs a command and wants this exit status: want STATUS COMMAND...
want() {
  status=$1
  shift
  got=0
  "$@" > "$TMP/out" 2> "$TMP/err" || got=$?
  [ "$got" = "$status" ] || {
    cat "$TMP/out" "$TMP/err"
    fail "exit status $got, not $status: $*"
  }
}

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
