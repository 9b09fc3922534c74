/* SPDX-License-Identifier: MIT */
/*
 * The arena: the memory that the executor shares with every process of a run (MAP_SHARED,
 * mapped before the first fork, so at one address in all of them). No task of a run holds
 * a pipe, socket or eventfd of the harness: an orphan would keep its reader waiting, and
 * close_range(2) would cut it off.
 *
 * Waking is by futex on words in here. Only the daemon has one eventfd (kick), because
 * its threads poll(2) /dev/fuse.
 */
#ifndef SF_ARENA_H
#define SF_ARENA_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "ledger.h"
#include "harness/scenario/scenario.h"

#define ARENA_MAILBOXES                                                                  \
	(SCN_MAX_TASKS + 2) /* by actor: t0 .. t7, unused ACTOR_CTL, ACTOR_DAEMON */
#define ARENA_SERVERS 4

enum mailbox_state {
	MAILBOX_NONE, /* the task does not exist yet */
	MAILBOX_IDLE, /* waits for a step */
	MAILBOX_BUSY, /* was given a step, has not finished it */
	MAILBOX_GONE, /* ended by an operation of its own, or seen dead */
};

struct mailbox {
	_Atomic uint32_t seq; /* futex of the actor: the executor adds 1 for each step */
	_Atomic uint32_t state; /* enum mailbox_state */
	_Atomic uint32_t done;	/* seq of the last finished step */
	_Atomic int32_t tid;	/* in the executor's pid namespace, 0: not started */
	_Atomic int32_t pid;	/* its process, same namespace */
	uint32_t depth;		/* pid namespaces below the executor's */
	uint32_t files; /* which fd_slots[] it uses: shared by threads and CLONE_FILES */
	uint32_t mm;	/* which map_slots[] it uses */
	struct scn_step step;
	int64_t ret; /* result of the last finished step: >= 0 or -errno */
};

struct map_slot {
	void *addr;
	size_t len;
};

struct daemon_shared {
	_Atomic int32_t pid; /* in the executor's pid namespace, 0: not started */
	_Atomic int32_t server[ARENA_SERVERS]; /* tids of the serving threads; [0] the
						  main thread */
	_Atomic uint32_t n_servers;
	_Atomic uint32_t ready;	 /* session set up, waits for start */
	_Atomic uint32_t start;	 /* futex: the executor lets it read the first request */
	_Atomic int32_t helper;	 /* tid of the thread that opens the self file, 0: none */
	_Atomic uint32_t inited; /* INIT was answered */
	_Atomic uint32_t
		self_file; /* DAEMON_SELF_FILE: f0 is open now, or the open failed */
	_Atomic uint32_t gate_closed; /* read no further request */
	_Atomic uint32_t healing;     /* rung 2: answer all held, inject nothing more */
	_Atomic uint32_t
		step; /* number of the step about to be issued, for hold_until_step */
	_Atomic uint32_t
		release; /* held requests to answer, oldest first; UINT32_MAX: all */
	/* The executor adds to kicks, then writes the eventfd; the daemon sets acks to
	 * the kicks that it has obeyed and bumps event. It cannot while all its threads
	 * are blocked, stopped or gone. */
	_Atomic uint32_t kicks, acks;
	_Atomic uint32_t close_dev; /* the daemon closes /dev/fuse */
	_Atomic uint32_t wants;	    /* futex: the daemon asks the executor for something:
				       DAEMON_WANTS_* */
	_Atomic uint32_t
		unblocked; /* futex of the threads that are occupied: changes when they may go on */
	_Atomic uint32_t killed; /* bit n: task n was sent SIGKILL (hold_until_kill) */
	_Atomic int32_t dev_fd;	 /* number of its /dev/fuse descriptor, for steal_dev */
};

/* The daemon asks to be stopped or killed from outside, and waits: so the order is the
 * executor's. */
enum { DAEMON_WANTS_NOTHING, DAEMON_WANTS_STOP, DAEMON_WANTS_KILL };

struct arena {
	_Atomic uint32_t event; /* futex of the executor: a step ended, a request is held,
				   the daemon wants */
	_Atomic uint32_t listening; /* somebody waits for event */
	struct scenario scn;
	struct mailbox mailbox[ARENA_MAILBOXES];
	int fd_slots[ARENA_MAILBOXES]
		    [SCN_FD_SLOTS];    /* descriptor or -1; row chosen by mailbox.files */
	int epoll_fd[ARENA_MAILBOXES]; /* one epoll set a file table, -1: none yet */
	struct map_slot map_slots[ARENA_MAILBOXES]
				 [SCN_MAP_SLOTS]; /* row chosen by mailbox.mm */
	struct daemon_shared daemon;
	struct ledger ledger;
};

/* Tells the executor of an event. No system call where it does not wait: it has the higher priority mostly. */
void arena_tell(struct arena *arena);
/* Waits for an event after the seen one, as arena_wait(). One process does at a time. */
int arena_listen(struct arena *arena, uint32_t seen, int64_t timeout_ns);

/* Adds 1 to the word and wakes its waiters; futex(2) FUTEX_WAKE on shared memory. */
void arena_bump(_Atomic uint32_t *word);
/* Wakes the waiters of a word that was set by assignment. */
void arena_wake(_Atomic uint32_t *word);
/* Waits until *word != seen, at most timeout_ns (-1: for ever). 0, -ETIMEDOUT or -EINTR. */
int arena_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns);

#endif
