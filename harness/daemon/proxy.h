/* SPDX-License-Identifier: MIT */
/*
 * A real FUSE server behind the fault engine: the daemon hands each request on to it over a SOCK_SEQPACKET socket, one
 * message each way as on /dev/fuse, and its replies to the kernel. libfuse and memfs of the daemon have no part in it.
 *
 * Every request reaches the server at once, but one that a rule answers with an error. What a rule withholds is the
 * reply: it is kept until the request is released (or for ever), as if the server had been slow.
 */
#ifndef SF_PROXY_H
#define SF_PROXY_H

#include "server.h"

/* Is there such a server in this run? */
bool proxy_active(void);
/* Starts the thread that reads what the server writes. 0 or -errno. */
int proxy_start(void);
/* By the leader, once the rules were matched: hands the message on. Ends the process when the server is gone. */
void proxy_forward(struct request *req);
/* The request may be answered: writes the reply, or has it written when it comes. */
void proxy_process(const struct request *req);

#endif
