/* SPDX-License-Identifier: MIT */
/*
 * An executor behind a channel, with its process and, if it lives in a guest, its
 * console: what all back ends have in common. It notices every way in which the other
 * side can end.
 */
#ifndef SF_PEER_H
#define SF_PEER_H

#include "console.h"
#include "harness/protocol/proto.h"
#include "spawn.h"
#include "targets/target.h"

struct peer {
	const char *name;  /* for messages: "the guest", "the executor" */
	int channel;	   /* non-blocking socket, -1: none */
	int spare_channel; /* a second one, where it is not known which the guest will
			      use; -1: none */
	bool guest;	   /* a kernel of its own, that may die */
	bool dead;	   /* of no use until reset */
	struct frame_reader reader;
	struct console console;
	struct process proc;
	char *hello;			/* JSON text, owned, NULL before HELLO */
	unsigned int unit_us, grace_ms; /* of HELLO */
	unsigned int
		patience_ms; /* of HELLO: how long a run takes at most; 0: not said */
	uint32_t next_id;
	/* The run after the coming one: planned, then sent ahead. */
	struct {
		bool planned, sent;
		struct scenario scn;
		uint32_t flags, id;
	} ahead;
	char last_log[300]; /* text of the last LOG frame */
	bool verbose;
};

/* Empty: nothing open. */
void peer_init(struct peer *peer, const char *name, const struct target_options *opt);
/* Kills the process, closes and frees everything. -ETIMEDOUT: the process does not die.
 */
int peer_release(struct peer *peer);

/* A connected pair of stream sockets: [0] ours, non-blocking; [1] theirs. Both
 * close-on-exec. */
int peer_socketpair(int ret[2]);

/*
 * Waits for HELLO. Takes the channels over. -ETIMEDOUT, -ECONNRESET (it ended), -EPROTO;
 * then err[300] says what was seen: the console's complaint, a panic, how the process
 * ended.
 */
int peer_hello(struct peer *peer, int ours, int spare, int timeout_ms, char *err);

/* As target_ops.run. Sets dead where only a reset helps. */
int peer_run(struct peer *peer, const struct scenario *scn, uint32_t flags,
	     struct result *res);

/* As target_ops.next. */
void peer_next(struct peer *peer, const struct scenario *scn, uint32_t flags);

/* STOP, wait for the end of the process at most ms. Then peer_release(). */
int peer_stop(struct peer *peer, int ms);

/*
 * After a snapshot was restored, which says no HELLO again: takes the old one, and lets the executor run an empty
 * scenario. 0, or -errno: it does not answer as it should.
 */
int peer_revive(struct peer *peer, const char *hello, int timeout_ms);

/* Forgets what is buffered on channel and console: after a snapshot was restored. */
void peer_flush(struct peer *peer);

#endif
