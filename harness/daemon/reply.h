/* SPDX-License-Identifier: MIT */
/*
 * Replies on their way to /dev/fuse: every one that libfuse writes passes through here,
 * where a fault may change it, and is entered in the ledger.
 */
#ifndef SF_REPLY_H
#define SF_REPLY_H

#include <sys/uio.h>

#include "server.h"

/* Makes the session write through this file. 0 or -errno. */
int reply_init(struct fuse_session *session);

/* Has libfuse handle the request and reply to it, in this thread. */
void reply_process(struct request *req);
/* Replies with the error, 0 or positive, without asking libfuse. */
void reply_error(struct request *req, int error);
/* Answers an INTERRUPT with -ENOSYS or -EAGAIN, on the device of what it interrupts. */
void reply_interrupt(struct request *req, const struct server *origin, int error);
/* Writes a whole message as it is: of a server under test, which asks for no result. */
void reply_raw(const struct server *server, struct iovec *iov);
/* Result of the last notification that this thread sent: 0 or -errno. */
int reply_notify_result(void);

/* How a reply is written: as it is, or as fault_hooks.send. The argument is the rule's
 * value. */
typedef void reply_send_fn(struct request *req, struct iovec *iov, int count);
reply_send_fn reply_send, reply_twice, reply_unknown, reply_short, reply_long;
reply_send_fn reply_ones, reply_zeros, reply_bad_error;

#endif
