/* SPDX-License-Identifier: MIT */
/* Hands requests to a server under test, and its replies to the kernel when the fault plan lets them. */
#include "proxy.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "harness/util/bulk.h"
#include "reply.h"

/* Bits of flags2 of INIT that not every linux/fuse.h has. */
#define FLAGS2_PASSTHROUGH   (1u << 5) /* FUSE_PASSTHROUGH, bit 37 */
#define FLAGS2_OVER_IO_URING (1u << 9) /* FUSE_OVER_IO_URING, bit 41 */
/* fs/fuse/dev.c: an INTERRUPT has the unique of its target and this bit. */
#define INT_REQ_BIT 1u

/* A request that the server has and the kernel waits for. */
struct pending {
	struct pending *next;
	struct request req; /* req.in is head */
	struct fuse_in_header head;
	bool withheld;
	size_t len; /* of the reply, 0: not here yet */
	unsigned char *reply;
};

static struct pending *first;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static BULK _Alignas(8) unsigned char message[SERVER_BUF_SIZE];

bool proxy_active(void)
{
	return daemon_self.env->server_fd > 0;
}

/* What needs a true /dev/fuse is not offered: a socket takes no splice(2) of whole messages, no ioctl(2), and no
 * message of 1 MiB. */
static void tame_init(struct fuse_init_in *init, size_t len)
{
	init->flags &= ~(uint32_t)(FUSE_SPLICE_WRITE | FUSE_SPLICE_MOVE |
				   FUSE_SPLICE_READ | FUSE_MAX_PAGES);
	if (len >= sizeof(struct fuse_in_header) + sizeof(*init))
		init->flags2 &= ~(FLAGS2_PASSTHROUGH | FLAGS2_OVER_IO_URING);
}

static void remember(const struct request *req)
{
	struct pending *new = calloc(1, sizeof(*new));

	if (!new)
		_exit(1);
	new->req = *req;
	new->head = *req->in;
	new->req.in = &new->head;
	new->withheld = true;
	pthread_mutex_lock(&lock);
	new->next = first;
	first = new;
	pthread_mutex_unlock(&lock);
}

/* Under the lock. */
static struct pending **find(uint64_t unique)
{
	struct pending **at = &first;

	while (*at && (*at)->head.unique != unique)
		at = &(*at)->next;
	return at;
}

void proxy_forward(struct request *req)
{
	struct fuse_in_header *in = (void *)req->in;

	if (request_wants_reply(req)) {
		if (req->hooks->serve)
			return;
		remember(req);
	} else if (in->opcode == FUSE_INTERRUPT && req->rule) {
		return;
	}
	if (in->opcode == FUSE_INIT)
		tame_init((void *)(in + 1), req->len);
	if (send(daemon_self.env->server_fd, in, req->len, MSG_NOSIGNAL) < 0)
		_exit(0); /* the server is gone: the connection ends as with it */
}

static void deliver(struct request *req, unsigned char *reply, size_t len)
{
	struct iovec iov[2] = {
		{.iov_base = reply, .iov_len = sizeof(struct fuse_out_header)},
		{.iov_base = reply + sizeof(struct fuse_out_header),
		 .iov_len = len - sizeof(struct fuse_out_header)},
	};
	int count = iov[1].iov_len ? 2 : 1;

	if (req->hooks->send)
		req->hooks->send(req, iov, count);
	else
		reply_send(req, iov, count);
	if (req->hooks->after)
		req->hooks->after(req);
}

static void forget(struct pending *pending)
{
	free(pending->reply);
	free(pending);
}

void proxy_process(const struct request *req)
{
	struct pending **at, *pending;

	if (!request_wants_reply(req)) {
		ledger_settle(&daemon_self.arena->ledger, req->record, LEDGER_ANSWERED,
			      0);
		return;
	}
	pthread_mutex_lock(&lock);
	at = find(req->in->unique);
	pending = *at;
	if (pending) {
		pending->withheld = false;
		pending->req.hooks = req->hooks;
	}
	if (pending && pending->len)
		*at = pending->next;
	else
		pending = NULL;
	pthread_mutex_unlock(&lock);
	if (!pending)
		return;
	deliver(&pending->req, pending->reply, pending->len);
	forget(pending);
}

/* The reply is kept beside its request where that is withheld. Nobody's reply is nobody's: its request was dropped. */
static void take_reply(const struct fuse_out_header *out, size_t len)
{
	struct pending **at, *pending;

	pthread_mutex_lock(&lock);
	at = find(out->unique);
	pending = *at;
	if (pending && pending->withheld && !pending->len) {
		pending->reply = malloc(len);
		if (!pending->reply)
			_exit(1);
		memcpy(pending->reply, out, len);
		pending->len = len;
		pending = NULL;
	} else if (pending && !pending->withheld) {
		*at = pending->next;
	} else {
		pending = NULL;
	}
	pthread_mutex_unlock(&lock);
	if (!pending)
		return;
	deliver(&pending->req, message, len);
	forget(pending);
}

struct parcel {
	size_t len;
	_Alignas(8) unsigned char data[];
};

static void *pass_on(void *arg)
{
	struct parcel *parcel = arg;
	struct iovec iov = {.iov_base = parcel->data, .iov_len = parcel->len};

	reply_raw(&daemon_self.servers[0], &iov);
	free(parcel);
	return NULL;
}

/* In a thread of its own: a notification may wait for a reply that only we can write. */
static void pass_notification(size_t len)
{
	struct parcel *parcel = malloc(sizeof(*parcel) + len);
	pthread_attr_t attr;
	pthread_t thread;

	if (!parcel)
		_exit(1);
	parcel->len = len;
	memcpy(parcel->data, message, len);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	if (pthread_create(&thread, &attr, pass_on, parcel))
		pass_on(parcel);
	pthread_attr_destroy(&attr);
}

static void *pump(void *arg)
{
	const struct fuse_out_header *out = (const void *)message;

	(void)arg;
	for (;;) {
		ssize_t len =
			recv(daemon_self.env->server_fd, message, sizeof(message), 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			_exit(0); /* the server has ended: so does its connection */
		if ((size_t)len < sizeof(*out))
			continue; /* /dev/fuse would refuse it */
		if (!out->unique || (out->unique & INT_REQ_BIT))
			pass_notification((size_t)len);
		else
			take_reply(out, (size_t)len);
	}
	return NULL;
}

int proxy_start(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	ret = -pthread_create(&thread, &attr, pump, NULL);
	pthread_attr_destroy(&attr);
	return ret;
}
