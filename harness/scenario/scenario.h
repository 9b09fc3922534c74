/* SPDX-License-Identifier: MIT */
/*
 * A scenario: one small program for a FUSE daemon, a task tree and a controller.
 *
 * The struct is plain data without pointers: it is copied by assignment, compared by
 * scenario_equal() and placed in shared memory as it is. Always canonical: every index is in range,
 * every unused argument is 0, parents come before their children (scenario_canonicalise()).
 *
 * Three forms: this struct; bytes (codec.h: 8-byte records, total); text (text.h).
 */
#ifndef SF_SCENARIO_H
#define SF_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCN_MAX_TASKS  8
#define SCN_MAX_FAULTS 16
#define SCN_MAX_STEPS  48
#define SCN_FD_SLOTS   8  /* FD arguments: fd0 .. fd7, per file table */
#define SCN_MAP_SLOTS  4  /* MAP arguments: map0 .. map3, per address space */
#define SCN_MAX_NTH    15 /* small, so that a rule made at random has a chance to match */
#define SCN_PAGES      16 /* PAGE arguments: p0 .. p15, pages of 4 KiB */

/* Actors: 0 .. SCN_MAX_TASKS - 1 are the tasks by id (text: t0 .. t7). */
enum {
	ACTOR_CTL = SCN_MAX_TASKS, /* the controller, that is the executor */
	ACTOR_DAEMON,		   /* the main thread of the FUSE daemon */
	ACTOR_ANY,		   /* in a fault rule: every requester */
	ACTOR_KERNEL,		   /* in a fault rule: pid 0, e.g. writeback */
};

/* Where the daemon lives. Inside and init need a task of kind pidns: see scenario_namespace(). */
enum placement {
	PLACE_OUTSIDE, /* child of the executor */
	PLACE_INSIDE,  /* child of the init of the first pid namespace */
	PLACE_INIT, /* init of a pid namespace of its own; tasks whose parent it is live there */
	PLACE_COUNT
};

/* How a task is created by its parent. */
enum task_kind {
	TASK_FORK,   /* fork(2) */
	TASK_PIDNS,  /* clone(CLONE_NEWPID): the init of a new pid namespace */
	TASK_THREAD, /* a thread of its parent's process */
	TASK_FILES, /* clone(CLONE_FILES): a process that shares its parent's file table */
	TASK_VFORK, /* clone(CLONE_VM | CLONE_VFORK): the parent waits for exec or exit */
	TASK_VM,    /* clone(CLONE_VM): a process in its parent's address space */
	TASK_KIND_COUNT
};

/* scn_config.mount: options of the mount. */
enum {
	MOUNT_DEFAULT_PERMISSIONS = 1 << 0,
	MOUNT_MAX_READ_4K = 1 << 1,
	MOUNT_NOATIME = 1 << 2,
	MOUNT_SYNC = 1 << 3,
	MOUNT_ALL = (1 << 4) - 1
};

/* scn_config.daemon: properties of the daemon. */
enum {
	DAEMON_CLONE_FD =
		1 << 0, /* each further thread reads from a FUSE_DEV_IOC_CLONE */
	DAEMON_LEAK_FD =
		1 << 1, /* /dev/fuse is not close-on-exec: it survives exec in heirs */
	DAEMON_SELF_FILE =
		1
		<< 2, /* it opens f0 of its own mount once INIT is answered, and keeps it */
	DAEMON_ALL = (1 << 3) - 1
};

/* scn_config.init: FUSE_INIT flags that the daemon accepts, where the kernel offers them. */
enum {
	INITF_ASYNC_READ = 1 << 0,
	INITF_POSIX_LOCKS = 1 << 1,
	INITF_FLOCK_LOCKS = 1 << 2,
	INITF_ATOMIC_O_TRUNC = 1 << 3,
	INITF_READDIRPLUS = 1 << 4,
	INITF_READDIRPLUS_AUTO = 1 << 5,
	INITF_ASYNC_DIO = 1 << 6,
	INITF_WRITEBACK_CACHE = 1 << 7,
	INITF_PARALLEL_DIROPS = 1 << 8,
	INITF_HANDLE_KILLPRIV = 1 << 9,
	INITF_AUTO_INVAL_DATA = 1 << 10,
	INITF_NO_OPEN =
		1 << 11, /* OPEN is answered ENOSYS: no OPEN and RELEASE any more */
	INITF_NO_FLUSH = 1 << 12, /* FLUSH is answered ENOSYS */
	INITF_CACHE_SYMLINKS = 1 << 13,
	INITF_ALL = (1 << 14) - 1
};

/* scn_config.open: FOPEN_* of every OPEN reply. */
enum {
	OPENF_DIRECT_IO = 1 << 0,
	OPENF_KEEP_CACHE = 1 << 1,
	OPENF_NONSEEKABLE = 1 << 2,
	OPENF_NOFLUSH = 1 << 3,
	OPENF_PARALLEL_DIRECT_WRITES = 1 << 4,
	OPENF_ALL = (1 << 5) - 1
};

struct scn_config {
	uint8_t placement; /* enum placement */
	uint8_t threads; /* serving threads of the daemon, 1 .. 4, the main thread included */
	uint8_t cpus;	/* 1: the whole run on one CPU. 2: a real race is wanted */
	uint8_t daemon; /* DAEMON_* */
	uint8_t mount;	/* MOUNT_* */
	uint8_t open;	/* OPENF_* */
	uint16_t init;	/* INITF_* */
	uint8_t max_background; /* 0: the library's default */
	uint8_t timeout;	/* entry and attribute validity: 0 none, 1 one hour */
	uint8_t expect;		/* 0: not said, else 1 + enum verdict */
};

/* One rule of the fault plan. The first rule that matches a request decides. */
struct scn_fault {
	uint8_t opcode; /* FUSE_* of linux/fuse.h, 0: any but INTERRUPT, FORGET, BATCH_FORGET */
	uint8_t nth; /* 0: every match, n: only the nth request that matches opcode and requester */
	uint8_t requester; /* task id, ACTOR_DAEMON, ACTOR_ANY or ACTOR_KERNEL */
	uint8_t action;	   /* wire id of faults.def */
	uint16_t value;	   /* the action's argument */
};

struct scn_task {
	uint8_t id;	/* 0 .. SCN_MAX_TASKS - 1, unique */
	uint8_t kind;	/* enum task_kind */
	uint8_t parent; /* id of an earlier task, ACTOR_CTL or ACTOR_DAEMON */
	uint8_t late;	/* 1: created by a step "spawn", not at the start */
};

struct scn_step {
	uint8_t actor; /* task id, ACTOR_CTL or ACTOR_DAEMON */
	uint8_t op;    /* wire id of ops.def */
	uint8_t a, b, c;
	uint16_t v;
};

struct scenario {
	struct scn_config config;
	uint8_t n_faults, n_tasks, n_steps;
	struct scn_fault faults[SCN_MAX_FAULTS];
	struct scn_task tasks[SCN_MAX_TASKS];
	struct scn_step steps[SCN_MAX_STEPS];
};

/* The empty scenario: daemon outside, one thread, task t0 forked by the controller, no step. */
void scenario_init(struct scenario *scn);

/*
 * Brings every field into range, drops what cannot be (a second task of the same id), and zeroes
 * what is unused. Idempotent; never fails. All other functions here expect the result.
 */
void scenario_canonicalise(struct scenario *scn);

bool scenario_equal(const struct scenario *a, const struct scenario *b);

/* The task with this id, or NULL. */
const struct scn_task *scenario_task(const struct scenario *scn, unsigned int id);

/*
 * The pid namespace that an actor lives in: the id of the pidns task that is its init, ACTOR_DAEMON
 * for the namespace of a daemon placed as init, ACTOR_CTL for the executor's own.
 */
unsigned int scenario_namespace(const struct scenario *scn, unsigned int actor);

/* Milliseconds of its sleeping steps and timed holds, each counted once: what it waits for by the clock at most. */
unsigned int scenario_wait_ms(const struct scenario *scn);

#endif
