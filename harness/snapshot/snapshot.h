/* SPDX-License-Identifier: MIT */
/*
 * A snapshot: what is known of a set of tasks at one moment, before anything is destroyed.
 *
 * The same struct is filled from a run (with actors and a ledger) and from a live machine that
 * knows nothing of shortfuse ("diagnose"); it goes to JSON and back, so that an explanation can be
 * made again from a file. Owned memory: snapshot_release() frees it all.
 */
#ifndef SF_SNAPSHOT_H
#define SF_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/arena/ledger.h"

#define SNAP_FRAMES 40
#define SNAP_NAME   64
/* frames[0] of a task that hangs in execve() and whose stack nobody can read */
#define SNAP_IN_EXEC "exec_update_lock_held"

enum snap_role {
	ROLE_OTHER,  /* unknown to the scenario, e.g. an executed child */
	ROLE_WORKER, /* an actor of the task tree */
	ROLE_INIT,   /* the init of a pid namespace */
	ROLE_DAEMON, /* main thread of the FUSE daemon */
	ROLE_SERVER, /* another serving thread of the daemon */
	ROLE_HEIR,   /* a process or thread created by the daemon */
	ROLE_COUNT
};
extern const char
	*const role_names[ROLE_COUNT]; /* other worker init daemon server heir */

struct snap_frame {
	char name
		[SNAP_NAME]; /* as the kernel prints it, e.g. "fuse_flush+0x12c/0x1d0 [fuse]" */
};

struct snap_uframe {
	uint64_t pc;
	char name[SNAP_NAME]; /* symbol+0xoffset, or "?" */
};

/* One thread. Sources: proc(5) /proc/PID/task/TID/{stat,status,wchan,syscall,stack,schedstat,fd}. */
struct snap_task {
	pid_t tid, pid, ppid; /* in the namespace of the observer */
	pid_t inner_tid;      /* in its own pid namespace (last of NSpid); 0: unknown */
	pid_t tracer;	      /* TracerPid, 0: none */
	uint64_t
		pidns; /* inode of its pid namespace; 0: unknown (an exiting task has none any more) */
	char actor[12]; /* "t1", "daemon", "" */
	uint8_t role;	/* enum snap_role */
	char state;	/* R S D T t Z X of /proc/PID/stat */
	bool vanished;	/* it went away while it was read */
	uint32_t flags; /* PF_* of include/linux/sched.h, e.g. PF_EXITING 0x4 */
	uint64_t sigpnd, shdpnd,
		sigblk;	    /* masks of /proc/PID/status: bit n - 1 is signal n */
	uint64_t switches;  /* voluntary + involuntary context switches */
	uint32_t n_threads; /* of its process */
	char comm[20];
	char wchan[SNAP_NAME];
	int32_t syscall; /* number; -1: outside a system call; -2: running or unknown */
	uint64_t args[6], sp, pc;
	uint16_t n_frames, n_uframes;
	struct snap_frame frames[SNAP_FRAMES];	 /* kernel stack, innermost first */
	struct snap_uframe uframes[SNAP_FRAMES]; /* user stack, innermost first */
	char unote
		[SNAP_NAME]; /* why the user stack is missing or short: "no mm (exiting)", ... */
	int32_t dev_fd; /* a descriptor of /dev/fuse that it holds, -1: none seen */
};

struct snap_request {
	uint64_t unique, nodeid;
	uint32_t opcode;
	int32_t pid, server;
	uint8_t state; /* enum ledger_state */
	uint8_t rule, action;
	int16_t error;
	int64_t read_us, done_us; /* since the start of the run; -1: not yet */
};

struct snap_conn {
	uint32_t number;    /* minor of st_dev; name under /sys/fs/fuse/connections */
	bool exists;	    /* still there */
	int32_t waiting;    /* of fusectl, -1: not readable */
	int32_t daemon_pid; /* 0: unknown */
	bool daemon_alive;  /* a process that is neither zombie nor exiting */
	bool ledger;	    /* requests[] comes from a ledger and is complete */
};

struct snapshot {
	uint8_t rung;	       /* enum rung that these tasks survived last */
	char release[80];      /* uname -r */
	struct snap_conn conn; /* of a run; "diagnose" keeps one snapshot a connection */
	size_t n_tasks, n_requests, n_kmsg;
	struct snap_task *tasks;       /* all threads of the run that still exist */
	struct snap_request *requests; /* unanswered ones first */
	char **kmsg;		       /* kernel log since the run began, one line each */
};

void snapshot_init(struct snapshot *snap);
void snapshot_release(struct snapshot *snap);
/* A zeroed task or request at the end of its array, or NULL: out of memory. */
struct snap_task *snapshot_add_task(struct snapshot *snap);
struct snap_request *snapshot_add_request(struct snapshot *snap);
int snapshot_add_kmsg(struct snapshot *snap, const char *line); /* 0 or -ENOMEM */
const struct snap_task *snapshot_task(const struct snapshot *snap,
				      pid_t tid); /* or NULL */

/*
 * What the ledger knows of stacks that proc could not show (procfs_read_task(), in_exec): a task with an unanswered request of
 * its own waits for the reply, so "exec_update_lock_held" becomes "request_wait_answer". Once tasks and requests are in.
 */
void snapshot_complete(struct snapshot *snap);

#endif
