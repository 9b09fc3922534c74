/* SPDX-License-Identifier: MIT */
/* Asks a broker to run a scenario: connects when it has to, never waits without a
 * deadline. */
#ifndef SF_CLIENT_H
#define SF_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/protocol/proto.h"
#include "harness/protocol/result.h"

struct client {
	const char *address;
	int fd; /* -1: not connected */
	uint32_t id;
	bool known; /* the last answer's finding was known to the campaign: FRAME_KNOWN */
	struct frame_reader reader;
};

void client_init(struct client *client, const char *address);
void client_release(struct client *client);
/*
 * 0 with *ret_res filled, or -errno: -ECONNREFUSED or -ENOENT where no broker listens,
 * -ETIMEDOUT. The connection is closed after an error; the next call makes a new one.
 */
int client_run(struct client *client, const void *scn, size_t len, int timeout_ms,
	       struct result *ret_res);

#endif
