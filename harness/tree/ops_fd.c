/* SPDX-License-Identifier: MIT */
/* Worker operations on descriptors: closing, copying, polling, stealing. */

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>

#include "ops_util.h"

static int *epoll_slot(const struct op_ctx *ctx)
{
	return &ctx->arena->epoll_fd[ctx->arena->mailbox[ctx->actor].files];
}

/* The slot is empty before the call: the descriptor is free at once, whatever ->flush
 * does later (close(2), "Dealing with error returns"). */
int64_t op_close(const struct op_ctx *ctx, const struct scn_step *step)
{
	int *slot = op_slot(ctx, step->a);
	int fd = *slot;

	*slot = -1;
	return op_sys(SYS_close, fd);
}

/*
 * Between two used slots the kernel's do_dup2() replaces, and so flushes, the second
 * file; its number stays. An empty second slot gets a new descriptor: nothing is
 * replaced.
 */
int64_t op_dup2(const struct op_ctx *ctx, const struct scn_step *step)
{
	int from = *op_slot(ctx, step->a), to = *op_slot(ctx, step->b);

	if (from < 0)
		return -EBADF;
	if (to >= 0)
		return op_sys(SYS_dup2, from, to);
	return op_keep_fd(ctx, step->b, op_sys(SYS_fcntl, from, F_DUPFD, 0));
}

int64_t op_dup3(const struct op_ctx *ctx, const struct scn_step *step)
{
	int from = *op_slot(ctx, step->a), to = *op_slot(ctx, step->b);

	if (from < 0)
		return -EBADF;
	if (to >= 0)
		return op_sys(SYS_dup3, from, to, O_CLOEXEC);
	return op_keep_fd(ctx, step->b, op_sys(SYS_fcntl, from, F_DUPFD_CLOEXEC, 0));
}

/*
 * From the smallest to the largest descriptor of the used slots between the two (in
 * either order), and with it whatever else of the process lies there: that is what the
 * call does.
 */
int64_t op_close_range(const struct op_ctx *ctx, const struct scn_step *step)
{
	unsigned int first = step->a < step->b ? step->a : step->b;
	unsigned int last = step->a < step->b ? step->b : step->a;
	int min = -1, max = -1;
	int *epoll = epoll_slot(ctx);

	for (unsigned int i = first; i <= last; i++) {
		int fd = *op_slot(ctx, i);

		if (fd < 0)
			continue;
		min = min < 0 || fd < min ? fd : min;
		max = fd > max ? fd : max;
	}
	if (min < 0)
		return -EBADF;
	for (unsigned int i = 0; i < SCN_FD_SLOTS; i++) {
		int *slot = op_slot(ctx, i);

		if (*slot >= min && *slot <= max)
			*slot = -1;
	}
	if (*epoll >= min && *epoll <= max)
		*epoll = -1;
	return op_sys(SYS_close_range, min, max, 0);
}

int64_t op_epoll_add(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct epoll_event event = {.events = EPOLLIN};
	int *epoll = epoll_slot(ctx);

	if (*epoll < 0) {
		long fd = op_sys(SYS_epoll_create1, EPOLL_CLOEXEC);

		if (fd < 0)
			return fd;
		*epoll = fd;
	}
	return op_sys(SYS_epoll_ctl, *epoll, EPOLL_CTL_ADD, *op_slot(ctx, step->a),
		      &event);
}

int64_t op_epoll_wait(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct epoll_event events[SCN_FD_SLOTS];

	return op_sys(SYS_epoll_wait, *epoll_slot(ctx), events, SCN_FD_SLOTS, step->v);
}

int64_t op_poll(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct pollfd poll = {.fd = *op_slot(ctx, step->a), .events = POLLIN | POLLOUT};

	if (poll.fd < 0)
		return -EBADF; /* poll(2) itself would ignore the entry */
	return op_sys(SYS_poll, &poll, 1, step->v);
}

/* A copy of /dev/fuse in the hands of a client keeps the connection alive after the
 * daemon's death. */
int64_t op_steal_dev(const struct op_ctx *ctx, const struct scn_step *step)
{
	pid_t pid = op_pid_of(ctx, ACTOR_DAEMON, 0);
	long pidfd, fd;

	if (*op_slot(ctx, step->a) >= 0)
		return -EBUSY;
	if (!pid)
		return -ESRCH;
	pidfd = op_sys(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return pidfd;
	fd = op_sys(SYS_pidfd_getfd, pidfd, ctx->arena->daemon.dev_fd, 0);
	op_sys(SYS_close, pidfd);
	return op_keep_fd(ctx, step->a, fd);
}
