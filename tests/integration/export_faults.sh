#!/bin/sh
# Faults of an exported file do what the executor's do: each scenario gets stuck only if its fault has worked. And where a root is hard to see.
. "$(dirname "$0")/lib.sh"
need_fuse
own_executor
mkdir "$TMP/try"
export TMPDIR="$TMP/try"

# scenario NAME FRAME: from standard input; the exported program must find a task that waits there. "-": it is learnt
# from a run.
scenario() {
  cat > "$TMP/$1.txt"
  echo "$2" > "$TMP/$1.frame"
}

# Two of three requests: the group is never complete.
scenario reorder request_wait_answer << 'TXT'
expect: held
task t0: fork
task t1: fork
init: parallel_dirops
fault: LOOKUP: reorder 3
t0: stat f0
t1: stat f1
TXT
# A complete group is answered: then FLUSH is what nobody answers.
scenario reordered fuse_flush << 'TXT'
expect: lost
task t0: fork
task t1: fork
init: parallel_dirops
fault: LOOKUP: reorder 2
fault: FLUSH: drop
t0: open fd0 f0 rdonly
t1: stat f1
t0: close fd0
TXT
# The signal ends read(2) with EINTR.
scenario intr-honour fuse_flush << 'TXT'
expect: lost
task t0: fork
fault: INTERRUPT: intr_honour
fault: READ: hold
fault: FLUSH: drop
t0: handle SIGUSR1
t0: open fd0 f0 rdonly|direct
t0: read fd0 512
ctl: tgkill t0 SIGUSR1
t0: close fd0
TXT
# EAGAIN is sent 8 times, then the release helps.
scenario intr-again fuse_flush << 'TXT'
expect: lost
task t0: fork
fault: INTERRUPT: intr_again
fault: READ: hold
fault: FLUSH: drop
t0: handle SIGUSR1
t0: open fd0 f0 rdonly|direct
t0: read fd0 512
ctl: tgkill t0 SIGUSR1
ctl: release 0
t0: close fd0
TXT
# Only SIGKILL makes the server answer READ; the exit then sends FLUSH.
scenario until-kill fuse_flush << 'TXT'
expect: lost
task t0: fork
fault: READ: hold_until_kill
fault: FLUSH: drop
t0: open fd0 f0 rdonly|direct
t0: read fd0 512
ctl: kill t0 SIGKILL
TXT

# The root is a server that lives on, so nobody looks at its stack: who waits behind it is what can be shown.
scenario living-root - << 'TXT'
expect: lost
task t0: fork
daemon: stat f0
t0: open fd0 f0 rdonly
TXT
# The explanation names a function that is inlined, so no stack has it.
scenario inlined-root - << 'TXT'
expect: pinned
task t0: fork
fault: LOOKUP: self_read f0
t0: mknod f0
TXT
# The first root is a zombie, the leader of a server whose other thread lives on.
scenario zombie-root - << 'TXT'
expect: lost
config: threads=2
task t0: fork
fault: FLUSH: thread_exit
t0: open fd0 f0 rdonly
TXT
# Nobody can read the stack of the root.
scenario locked-root - < corpus/hangs/exec-flush.txt

for file in "$TMP"/*.txt; do
  name=$(basename "$file" .txt)
  want 0 "$SF" run --check "$file"
  verdict=$(sed -n 's/^expect: //p' "$file")
  frame=$(cat "$TMP/$name.frame")
  {
    # shellcheck disable=SC2046 # two options, or none
    "$SF" export "$file" $([ "$frame" = - ] || echo --verdict "$verdict" --frame "$frame") -o "$TMP/$name.c" --try host \
      > "$TMP/$name.out" 2>&1
    echo $? > "$TMP/$name.status"
  } &
done
wait
for file in "$TMP"/*.txt; do
  name=$(basename "$file" .txt)
  [ "$(cat "$TMP/$name.status")" = 1 ] || {
    cat "$TMP/$name.out"
    fail "$name: not reproduced"
  }
done
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
