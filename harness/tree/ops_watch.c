/* SPDX-License-Identifier: MIT */
/* Worker operations that watch files: inotify, fanotify (notification only), nested epoll sets, select. */

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/select.h>

#include "ops_util.h"

int64_t op_inotify(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];
	long fd, ret;

	if (*op_slot(ctx, step->a) >= 0)
		return -EBUSY;
	op_path(ctx, step->b, path, sizeof(path));
	fd = op_sys(SYS_inotify_init1, IN_CLOEXEC);
	if (fd < 0)
		return fd;
	ret = op_sys(SYS_inotify_add_watch, fd, path, IN_ALL_EVENTS);
	if (ret >= 0)
		return op_keep_fd(ctx, step->a, fd);
	op_sys(SYS_close, fd);
	return ret;
}

/* No permission events: they would let one run stop others. */
int64_t op_fanotify(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];
	long fd, ret;

	if (*op_slot(ctx, step->a) >= 0)
		return -EBUSY;
	op_path(ctx, step->b, path, sizeof(path));
	fd = op_sys(SYS_fanotify_init, FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY);
	if (fd < 0)
		return fd;
	ret = op_sys(SYS_fanotify_mark, fd, FAN_MARK_ADD, FAN_OPEN | FAN_MODIFY, AT_FDCWD,
		     path);
	if (ret >= 0)
		return op_keep_fd(ctx, step->a, fd);
	op_sys(SYS_close, fd);
	return ret;
}

static int *epoll_slot(const struct op_ctx *ctx)
{
	return &ctx->arena->epoll_fd[ctx->arena->mailbox[ctx->actor].files];
}

int64_t op_epoll_del(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_epoll_ctl, *epoll_slot(ctx), EPOLL_CTL_DEL,
		      *op_slot(ctx, step->a), NULL);
}

/* A set that holds the process's own one: asking it asks each file of that. */
int64_t op_epoll_nest(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct epoll_event event = {.events = EPOLLIN};
	long fd, ret;

	if (*op_slot(ctx, step->a) >= 0)
		return -EBUSY;
	fd = op_sys(SYS_epoll_create1, EPOLL_CLOEXEC);
	if (fd < 0)
		return fd;
	ret = op_sys(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, *epoll_slot(ctx), &event);
	if (ret >= 0)
		return op_keep_fd(ctx, step->a, fd);
	op_sys(SYS_close, fd);
	return ret;
}

int64_t op_select(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct timeval time = {step->v / 1000, step->v % 1000 * 1000L};
	int fd = *op_slot(ctx, step->a);
	fd_set set;

	if (fd < 0 || fd >= FD_SETSIZE)
		return -EBADF;
	for (unsigned int i = 0; i < sizeof(set) / sizeof(long); i++)
		((volatile long *)&set)[i] = 0;
	((long *)&set)[fd / 64] = 1L << fd % 64;
	return op_sys(SYS_select, fd + 1, &set, NULL, NULL, &time);
}
