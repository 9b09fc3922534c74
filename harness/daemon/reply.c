/* SPDX-License-Identifier: MIT */
/* Writes replies to /dev/fuse, changed where the fault plan says so. */
#include "reply.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <string.h>

#include "fault.h"
#include "harness/util/bulk.h"
#include "harness/util/sys.h"
#include "proxy.h"

#define MAX_IOV	     8
#define UNKNOWN_BIT  (1ULL << 48) /* no connection lives to count this far */
#define MAX_APPENDED 65536

/* What this thread replies to; NULL while it sends notifications. */
static _Thread_local struct request *current;
static _Thread_local int notify_result;

static size_t total_length(const struct iovec *iov, int count)
{
	size_t total = 0;

	for (int i = 0; i < count; i++)
		total += iov[i].iov_len;
	return total;
}

/* The reply is as large as its header says, or fuse_dev_do_write() refuses it unseen. */
static int write_message(const struct server *server, struct iovec *iov, int count)
{
	struct fuse_out_header *out = iov[0].iov_base;

	if (iov[0].iov_len >= sizeof(*out))
		out->len = (uint32_t)total_length(iov, count);
	long ret = sys_call(SYS_writev, server->fd, iov, count);

	return ret < 0 ? (int)ret : 0;
}

/*
 * fuse_dev_do_write() returns EINVAL both for a message that it could not match to a
 * request and for one of the wrong size for its request, which then has ended with EIO.
 * ENOENT: the request had ended already.
 */
static void settle(struct request *req, int written, const struct iovec *iov, int count)
{
	const struct fuse_out_header *out = iov[0].iov_base;
	struct ledger *ledger = &daemon_self.arena->ledger;
	bool whole = total_length(iov, count) >= sizeof(*out);
	bool answered = true;

	if (written == 0)
		ledger_settle(ledger, req->record, LEDGER_ANSWERED, out->error);
	else if (written == -EINVAL && whole)
		ledger_settle(ledger, req->record, LEDGER_ANSWERED, -EIO);
	else if (written == -ENOENT)
		ledger_settle(ledger, req->record, LEDGER_ANSWERED, -ENOENT);
	else
		answered = false;
	if (!answered) {
		ledger_settle(ledger, req->record, LEDGER_DROPPED, 0);
		arena_tell(daemon_self.arena);
	} else if (req->in->opcode == FUSE_INIT) {
		daemon_init_answered();
	}
}

void reply_send(struct request *req, struct iovec *iov, int count)
{
	settle(req, write_message(req->origin, iov, count), iov, count);
}

void reply_twice(struct request *req, struct iovec *iov, int count)
{
	reply_send(req, iov, count);
	write_message(req->origin, iov, count);
}

void reply_unknown(struct request *req, struct iovec *iov, int count)
{
	struct fuse_out_header *out = iov[0].iov_base;

	out->unique ^= UNKNOWN_BIT;
	write_message(req->origin, iov, count);
	ledger_settle(&daemon_self.arena->ledger, req->record, LEDGER_DROPPED, 0);
	arena_tell(daemon_self.arena);
}

void reply_short(struct request *req, struct iovec *iov, int count)
{
	size_t cut = req->value ? req->value : 1;

	for (; count > 1 && cut >= iov[count - 1].iov_len; count--)
		cut -= iov[count - 1].iov_len;
	/* Not to nothing: writev(2) of 0 bytes would not even reach the device. */
	iov[count - 1].iov_len -=
		cut < iov[count - 1].iov_len ? cut : iov[count - 1].iov_len - 1;
	reply_send(req, iov, count);
}

void reply_long(struct request *req, struct iovec *iov, int count)
{
	static BULK unsigned char zeros[MAX_APPENDED];
	struct iovec longer[MAX_IOV + 1];

	if (count > MAX_IOV) {
		reply_send(req, iov, count);
		return;
	}
	memcpy(longer, iov, (size_t)count * sizeof(*iov));
	longer[count].iov_base = zeros;
	longer[count].iov_len = req->value ? req->value : 1;
	reply_send(req, longer, count + 1);
}

static void fill(struct request *req, struct iovec *iov, int count, int byte)
{
	for (int i = 1; i < count; i++)
		memset(iov[i].iov_base, byte, iov[i].iov_len);
	reply_send(req, iov, count);
}

void reply_ones(struct request *req, struct iovec *iov, int count)
{
	fill(req, iov, count, 0xff);
}

void reply_zeros(struct request *req, struct iovec *iov, int count)
{
	fill(req, iov, count, 0);
}

/* fuse_dev_do_write() looks at the number before it looks for the request, which stays. */
void reply_bad_error(struct request *req, struct iovec *iov, int count)
{
	struct fuse_out_header *out = iov[0].iov_base;

	(void)count;
	out->error = -5000;
	write_message(req->origin, iov, 1);
	ledger_settle(&daemon_self.arena->ledger, req->record, LEDGER_DROPPED, 0);
	arena_tell(daemon_self.arena);
}

/* libfuse 3.14 knows these capabilities but forgets to put them into its reply. */
static void complete_init(const struct request *req, struct fuse_init_out *init)
{
	const struct fuse_init_in *offer = (const void *)(req->in + 1);
	uint16_t wanted = daemon_self.arena->scn.config.init;

	if (wanted & INITF_PARALLEL_DIROPS)
		init->flags |= offer->flags & FUSE_PARALLEL_DIROPS;
	if (wanted & INITF_HANDLE_KILLPRIV)
		init->flags |= offer->flags & FUSE_HANDLE_KILLPRIV;
}

/* Flags that struct fuse_file_info of 3.14 has no field for. */
static void complete_open(struct fuse_open_out *open)
{
	if (daemon_self.arena->scn.config.open & OPENF_PARALLEL_DIRECT_WRITES)
		open->open_flags |= FOPEN_PARALLEL_DIRECT_WRITES;
}

static void complete(const struct request *req, struct iovec *iov, int count)
{
	const struct fuse_out_header *out = iov[0].iov_base;
	unsigned char *body = count > 1 ? iov[1].iov_base : NULL;

	if (out->error || !body)
		return;
	switch (req->in->opcode) {
	case FUSE_INIT:
		complete_init(req, (void *)body);
		break;
	case FUSE_OPEN:
		complete_open((void *)body);
		break;
	case FUSE_CREATE:
		complete_open((void *)(body + sizeof(struct fuse_entry_out)));
		break;
	default:
		break;
	}
}

/* Never fails: libfuse would only print that. */
static ssize_t custom_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	ssize_t total = (ssize_t)total_length(iov, count);

	(void)fd, (void)userdata;
	if (!current) {
		notify_result = write_message(&daemon_self.servers[0], iov, count);
		return total;
	}
	complete(current, iov, count);
	if (current->hooks->send)
		current->hooks->send(current, iov, count);
	else
		reply_send(current, iov, count);
	return total;
}

/* Required by libfuse; messages are read in daemon.c. */
static ssize_t custom_read(int fd, void *buf, size_t len, void *userdata)
{
	(void)fd, (void)buf, (void)len, (void)userdata;
	errno = EIO;
	return -1;
}

int reply_init(struct fuse_session *session)
{
	static const struct fuse_custom_io io = {.writev = custom_writev,
						 .read = custom_read};

	return fuse_session_custom_io(session, &io, daemon_self.env->dev_fd);
}

void reply_process(struct request *req)
{
	const struct fuse_buf buf = {.size = req->len, .mem = (void *)req->in};

	if (proxy_active()) {
		proxy_process(req);
		return;
	}
	current = req;
	fuse_session_process_buf(daemon_self.session, &buf);
	current = NULL;
	if (!request_wants_reply(req))
		ledger_settle(&daemon_self.arena->ledger, req->record, LEDGER_ANSWERED,
			      0);
}

void reply_error(struct request *req, int error)
{
	struct fuse_out_header out = {.unique = req->in->unique, .error = -error};
	struct iovec iov = {.iov_base = &out, .iov_len = sizeof(out)};

	reply_send(req, &iov, 1);
}

void reply_interrupt(struct request *req, const struct server *origin, int error)
{
	struct fuse_out_header out = {.unique = req->in->unique, .error = error};
	struct iovec iov = {.iov_base = &out, .iov_len = sizeof(out)};

	write_message(origin, &iov, 1);
	ledger_settle(&daemon_self.arena->ledger, req->record, LEDGER_ANSWERED, error);
}

void reply_raw(const struct server *server, struct iovec *iov)
{
	write_message(server, iov, 1);
}

int reply_notify_result(void)
{
	return notify_result;
}
