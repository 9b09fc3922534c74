#!/bin/sh
# Steps and the recovery ladder where the daemon does not do what it was told, and tasks come and go meanwhile.
. "$(dirname "$0")/lib.sh"
need_fuse
own_executor
cat > "$TMP/born-after-kill.txt" << 'END'
# A thread of the daemon is told to fork while its process is stopped; it does so when the daemon goes on, after the tree
# was killed. Its child has to be killed as well: then the reply has freed everything.
expect: held
task t0: fork
task t1: thread of daemon
fault: LOOKUP: stop_before
t0: stat f0
t1: vfork_exec outside
END
want 0 timeout 60 "$SF" run --check -n 5 "$TMP/born-after-kill.txt"
cat > "$TMP/overdue.txt" << 'END'
# The daemon, which has one thread, looks at a file of its own mount in a handler while a reply of it is due: that reply
# never comes, and no step waits for it longer than it was to be held.
expect: pinned
config: daemon=inside threads=1
task t0: pidns
task t1: fork of t0
task t2: fork of t0
fault: REMOVEXATTR: hold_ms 5
fault: LINK: self_stat n1
fault: LOOKUP: hold_until_step 3
t1: removexattr d1
t0: link f0 n0
t2: access d0/f3
END
want 0 timeout 60 "$SF" run --check "$TMP/overdue.txt"
want 1 timeout 60 "$SF" run --json "$TMP/overdue.txt"
# The limit of a step that may be answered yet is 6 s.
python3 -c 'import json, sys; sys.exit(max(s["us"] for s in json.load(open(sys.argv[1]))[0]["steps"]) >= 6e6)' "$TMP/out" ||
  fail "a step waited for a reply that was overdue"
cat > "$TMP/daemon-uses-it.txt" << 'END'
# The tree is gone by itself; the daemon dies with a file of its own mount open, whose FLUSH nobody answers. The mount is
# in use then, and must not be removed while the daemon is watched: that would end its wait.
expect: pinned
config: daemon=outside self_file
task t0: fork
fault: FLUSH from daemon: drop
t0: exit_group 0
END
want 0 timeout 60 "$SF" run --check -n 3 "$TMP/daemon-uses-it.txt"
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
[ "$(executors)" = 0 ] || fail "executors left"
