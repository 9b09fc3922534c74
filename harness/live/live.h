/* SPDX-License-Identifier: MIT */
/*
 * Stuck FUSE tasks of a live machine that knows nothing of shortfuse: who they are, on which connection, whether
 * anybody could still answer them, and a snapshot of each connection for the explanation.
 *
 * Nothing is changed and nothing asked of a FUSE server. What could block is left to a disposable child.
 *
 * A connection is
 *   wedged   if nobody can answer: every holder of its /dev/fuse is known by the kernel's own word (fdinfo), and each
 *            thread of each is dying, or waits on this connection or on another wedged one, or sleeps until such a
 *            thread wakes it; two looks with nothing moved in between. Only that is ground for an abort.
 *   stalled  if a living server has not answered for live_options.age_s and nothing of it moves; also if its server is
 *            stopped, or who could answer is not known;
 *   slow     if it moves, or has not waited for that long.
 */
#ifndef SF_LIVE_H
#define SF_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "live_evidence.h"
#include "fusectl.h"
#include "harness/explain/explain.h"
#include "harness/snapshot/procfs.h"

#define LIVE_MAX_CONNS	1024
#define LIVE_MAX_MOVERS 64
#define LIVE_MAX_TASKS	4096 /* kept with stacks; more are counted only */

struct live_options {
	double age_s;	   /* a wait this old is "stalled": 10 */
	double settle_s;   /* even "nobody can answer" must be so for this long: 1 */
	double patience_s; /* threads that tick on a timer are no hope after this: 120 */
	int look_ms;	   /* between the two looks, >= 50 */
};

enum live_state { LIVE_QUIET, LIVE_SLOW, LIVE_STALLED, LIVE_WEDGED };
extern const char *const live_state_names[]; /* quiet slow stalled wedged */
enum live_sure { SURE_NO, SURE_MAYBE, SURE_YES };

struct live_task {
	struct snap_task task;
	enum wait_kind wait;
	bool fuse_frame; /* a function of FUSE is in its stack */
	bool in_exec;	 /* nothing but its state can be read */
	bool moved;	 /* between the looks: not stuck */
	bool dying;	 /* exiting, or SIGKILL is pending */
	bool kthread;
	bool bystander; /* waits for what waits: sync(2), a loop device, a vfork child */
	double age_s;	/* since it last ran; < 0: unknown */
	struct evidence ev;
	uint32_t conn; /* 0: unknown */
	uint8_t sure;  /* enum live_sure */
	char worker
		[40]; /* of a kernel worker: what it works for, "flush-0:53", "loop0" */
};

/* It waited for FUSE in the first look and went on: a client of a healthy connection. */
struct live_mover {
	pid_t pid, tid;
};

enum thread_does {
	THREAD_READS,	/* waits for the next request */
	THREAD_MOVES,	/* runs, or ran between the looks */
	THREAD_BLOCKED, /* waits inside FUSE */
	THREAD_SLEEPS, /* until a thread of its own process wakes it: futex(2) without a time */
	THREAD_TIMER,	/* until a time has come */
	THREAD_OUTSIDE, /* for something else: a socket, a disk, a child */
	THREAD_STOPPED,
	THREAD_DYING, /* will never return to user space */
	THREAD_DOES_COUNT
};

/* One thread of a process that holds /dev/fuse. */
struct live_thread {
	pid_t pid, tid;
	uint8_t does; /* enum thread_does */
	int task; /* if it is blocked, index in tasks[]: its own wait, or that of who it waits for; else -1 */
	int fd;	  /* that it reads, -1 */
	pid_t via; /* if it is blocked through a child or the other end of a pipe: that process; 0 */
	uint64_t switches;
	enum wait_kind wait;
	double age_s; /* as of live_task */
	char wchan[SNAP_NAME];
};

/* A process that holds /dev/fuse, once for each connection. */
struct live_server {
	pid_t pid;
	char comm[20];
	uint32_t conn; /* 0: unknown */
	uint8_t sure;
	bool more_threads; /* than were looked at */
	size_t first_thread, n_threads;
	unsigned int does[THREAD_DOES_COUNT]; /* how many of its threads */
	bool dying, stopped;		      /* all of it; at least one thread of it */
	uint8_t n_seen;
	uint32_t seen[EVIDENCE_CONNS]; /* mounts in its namespace */
};

struct live_conn {
	uint32_t number; /* 0: of one process's tasks whose connection is not known */
	pid_t owner;	 /* of number 0: that process */
	int waiting_min, waiting_max;
	int unseen; /* requests that no task looked at waits for */
	enum live_state state;
	bool only_locks; /* those who wait want file locks, and its server is free */
	bool moves;	 /* requests come and go, or its server runs */
	bool named;	 /* some task's evidence by itself names it */
	uint32_t
		behind; /* its server waits for this connection; itself: a cycle of one; 0: for none */
	bool in_cycle;
	uint8_t depth;	   /* connections from here to the root cause */
	char reason[420];  /* one sentence */
	char why[240];	   /* why in this state */
	char sure_by[200]; /* how the connection was told */
	char mount
		[140]; /* "fuse.sshfs on /mnt/x", "" if no namespace looked at shows it */
	double oldest_s; /* of its tasks; < 0: unknown */
	size_t n_tasks;	 /* that wait; the snapshot has the server's threads too */
	struct snapshot snap;
	struct explanation ex;
};

struct live {
	struct procfs pf;
	struct fusectl ctl;
	char release[80];
	bool whole_machine; /* in the initial pid namespace: every process is seen */
	bool no_fuse;	    /* the kernel has no FUSE loaded */
	bool saw_exec;	    /* a task in execve(2), whose descriptors cannot be seen */
	bool holders_known; /* each descriptor of /dev/fuse told its connection, and none is in flight between processes */
	size_t n_numbers, n_conns, n_tasks, n_servers, n_threads, n_left_out;
	uint32_t numbers[LIVE_MAX_CONNS];
	int waiting_min[LIVE_MAX_CONNS], waiting_max[LIVE_MAX_CONNS];
	int64_t born[LIVE_MAX_CONNS];
	bool proved_full[LIVE_MAX_CONNS]; /* see full.c */
	size_t n_movers;
	struct live_mover movers[LIVE_MAX_MOVERS];
	struct stacked stacked;
	struct live_task *tasks;
	struct live_server *servers;
	struct live_thread *threads;
	struct live_conn *
		conns; /* those with something to tell; worst first, roots before what waits for them */
};

/* Opens proc and fusectl. 0, or -errno with a line in err[200]. */
int live_open(struct live *live, char *err);
void live_close(struct live *live);

/* One diagnosis: two looks, evidence, decision, explanations. May be called again. 0 or -errno. */
int live_look(struct live *live, const struct live_options *opt);

/* The connection's entry, or NULL. */
struct live_conn *live_conn_find(const struct live *live, uint32_t number);

/*
 * Whether an abort of this connection is in order: it is wedged, and what it waits for is not another wedged connection
 * whose abort would free this one too. Of a cycle it is the one with the lowest number.
 */
bool live_is_culprit(const struct live *live, const struct live_conn *conn);

#endif
