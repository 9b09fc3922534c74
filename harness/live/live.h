/* SPDX-License-Identifier: MIT */
/*
 * Stuck FUSE tasks of a live machine that knows nothing of shortfuse: who they are, on which connection, whether
 * they are stuck or only wait for a slow server, and a snapshot of each connection for the explanation.
 *
 * Nothing is changed and nothing asked of a FUSE server. What could block is left to a disposable child.
 * "Stuck" takes two looks with nothing moved in between, and one of:
 *   - nobody can answer: no living process of this machine could be the server, or every thread of it is stuck
 *     on its own mount (not claimed from inside a pid namespace, where the server may be invisible);
 *   - the task is exiting or has SIGKILL pending, and has slept like that for live_options.killed_s;
 *   - it has slept in the same wait for live_options.age_s.
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
	double age_s;	 /* 10 */
	double killed_s; /* 1 */
	int look_ms;	 /* between the two looks, >= 50 */
};

enum live_state { LIVE_QUIET, LIVE_WAITING, LIVE_STUCK };
enum live_sure { SURE_NO, SURE_MAYBE, SURE_YES };

struct live_task {
	struct snap_task task;
	enum wait_kind wait;
	bool fuse_frame; /* a function of FUSE is in its stack */
	bool in_exec;	 /* nothing but its state can be read */
	bool moved;	 /* between the looks: not stuck */
	bool dying;	 /* exiting, or SIGKILL is pending */
	double age_s;	 /* since it last ran; < 0: unknown */
	struct evidence ev;
	uint32_t conn; /* 0: unknown */
	uint8_t sure;  /* enum live_sure */
};

/* It waited for FUSE in the first look and went on: a client of a healthy connection. */
struct live_mover {
	pid_t pid, tid;
};

struct live_server {
	pid_t pid;
	char comm[20];
	uint32_t conn; /* 0: unknown */
	uint8_t sure;
	bool dying, stopped, blocked; /* blocked: every thread waits for FUSE itself */
	uint8_t n_seen;
	uint32_t seen[EVIDENCE_CONNS]; /* mounts in its namespace */
};

struct live_conn {
	uint32_t number; /* 0: tasks whose connection is not known */
	int waiting_min, waiting_max;
	enum live_state state;
	uint8_t best; /* enum live_sure of its best attributed task */
	bool sure; /* what makes it stuck (or wait) is on this connection for certain */
	char why[240];	   /* why stuck, or why not yet */
	char sure_by[160]; /* how the connection was told */
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
	size_t n_numbers, n_conns, n_tasks, n_servers, n_left_out;
	uint32_t numbers[LIVE_MAX_CONNS];
	int waiting_min[LIVE_MAX_CONNS], waiting_max[LIVE_MAX_CONNS];
	bool proved_full[LIVE_MAX_CONNS]; /* see full.c */
	size_t n_movers;
	struct live_mover movers[LIVE_MAX_MOVERS];
	struct live_task *tasks;
	struct live_server *servers;
	struct live_conn
		*conns; /* those with waiting tasks, and the unknown one; worst first */
};

/* Opens proc and fusectl. 0, or -errno with a line in err[200]. */
int live_open(struct live *live, char *err);
void live_close(struct live *live);

/* One diagnosis: two looks, evidence, decision, explanations. May be called again. 0 or -errno. */
int live_look(struct live *live, const struct live_options *opt);

/* The connection's entry, or NULL. */
struct live_conn *live_conn_find(struct live *live, uint32_t number);

#endif
