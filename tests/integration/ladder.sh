#!/bin/sh
# The recovery ladder where tasks come and go while it climbs.
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
[ -z "$(leftovers)" ] || fail "connections left: $(leftovers)"
[ "$(executors)" = 0 ] || fail "executors left"
