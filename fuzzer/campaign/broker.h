/* SPDX-License-Identifier: MIT */
/*
 * A broker: serves RUN frames of the exec protocol on a unix socket, one at a time, for
 * any number of clients that come and go. What it does with a scenario is its owner's.
 */
#ifndef SF_BROKER_H
#define SF_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/protocol/proto.h"
#include "harness/protocol/result.h"

/*
 * Sent before a RESULT, with its id and without payload: the campaign has this finding already. AFL++ keeps no
 * crash in its queue, so only the first run of a signature is to be one: what leads on from a finding is
 * found by mutating it further.
 */
#define FRAME_KNOWN 0x100u

struct broker {
	int listen_fd; /* of address_listen() */
	int stop_fd;   /* readable: stop after the present run */
	void *ctx;
	/* Fills an initialised result. Negative: end the loop and return that. */
	int (*run)(void *ctx, const struct scenario *scn, uint32_t flags,
		   struct result *res);
	/* Was the finding of this result known before? NULL: never. */
	bool (*known)(void *ctx, const struct result *res);
	/* The signature that the client is to see. NULL: the result's. */
	uint64_t (*mark)(void *ctx, const struct result *res);
	/* After the answer went out, NULL: nothing. res still has its details. */
	void (*after)(void *ctx, const struct scenario *scn, const struct result *res);
};

/* Serves until stop_fd. 0, or what run() failed with, or -errno. */
int broker_loop(const struct broker *broker);

#endif
