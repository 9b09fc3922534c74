/* SPDX-License-Identifier: MIT */
/* Worker operations: the table, and how arguments become paths and process ids. */

#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/scenario/tables.h"
#include "harness/util/bulk.h"
#include "ops_util.h"

BULK char op_buffer[OP_BUFFER_SIZE];

#define W 1
#define C 2
#define D 4
static int64_t (*const op_functions[OP_COUNT])(const struct op_ctx *,
					       const struct scn_step *) = {
#define OP(id, sym, name, who, a, b, c, v, flags, help)                                  \
	[id] = ((who) & (W | D)) ? op_##sym : NULL,
#include "harness/scenario/ops.def"
#undef OP
};
#undef W
#undef C
#undef D

int64_t op_run(const struct op_ctx *ctx, const struct scn_step *step)
{
	if (step->op >= OP_COUNT || !op_functions[step->op])
		return -ENOSYS;
	return op_functions[step->op](ctx, step);
}

/* Appends to the string of length len in buf; the new length. Cut off at size - 1. */
static size_t append(char *buf, size_t size, size_t len, const char *text)
{
	while (*text && len + 1 < size)
		buf[len++] = *text++;
	buf[len] = '\0';
	return len;
}

void op_path(const struct op_ctx *ctx, unsigned int path, char *buf, size_t size)
{
	size_t len;

	if (path == PATH_OUT) {
		append(buf, size, 0, ctx->outside);
		return;
	}
	len = append(buf, size, 0, ctx->mnt);
	if (path != PATH_ROOT && path < PATH_COUNT) {
		len = append(buf, size, len, "/");
		append(buf, size, len, path_table[path]);
	}
}

void op_outside_path(const struct op_ctx *ctx, const char *name, char *buf, size_t size)
{
	size_t len = append(buf, size, 0, ctx->outside);

	len = append(buf, size, len, "/");
	append(buf, size, len, name);
}

int64_t op_keep_fd(const struct op_ctx *ctx, unsigned int slot, long fd)
{
	int *place = op_slot(ctx, slot);

	if (fd < 0)
		return fd;
	/* The call that made fd may have blocked for long; a sibling may have used the
	 * slot since. */
	if (*place >= 0) {
		op_sys(SYS_close, fd);
		return -EBUSY;
	}
	*place = fd;
	return fd;
}

/* "/proc/PID/NAME" */
static void proc_path(char *buf, size_t size, uint32_t pid, const char *name)
{
	char digits[12];
	char *p = digits + sizeof(digits) - 1;
	size_t len;

	*p = '\0';
	do
		*--p = '0' + pid % 10;
	while (pid /= 10);
	len = append(buf, size, 0, "/proc/");
	len = append(buf, size, len, p);
	len = append(buf, size, len, "/");
	append(buf, size, len, name);
}

/*
 * Entry index of the line NSpid, see proc(5): the id in each nested namespace, outermost
 * first. 0 if there is none. Also tells the number of entries.
 */
static pid_t nspid_entry(const char *status, unsigned int index, unsigned int *ret_count)
{
	const char *p = strstr(status, "\nNSpid:");
	unsigned int count = 0;
	pid_t entry = 0;

	if (!p)
		return 0;
	for (p += strlen("\nNSpid:"); *p && *p != '\n';) {
		pid_t number = 0;

		if (*p < '0' || *p > '9') {
			p++;
			continue;
		}
		while (*p >= '0' && *p <= '9')
			number = number * 10 + (*p++ - '0');
		if (count++ == index)
			entry = number;
	}
	*ret_count = count;
	return entry;
}

/*
 * Is the pid namespace `up` levels above that of process pid the caller's own? Two
 * namespaces of one depth may be siblings, and a number of one means another task in the
 * other. ioctl_ns(2).
 */
static int shares_namespace(uint32_t pid, unsigned int up)
{
	struct stat own, other;
	char path[64];
	long fd, ret;

	if (op_sys(SYS_newfstatat, AT_FDCWD, "/proc/thread-self/ns/pid", &own, 0) < 0)
		return 0;
	proc_path(path, sizeof(path), pid, "ns/pid");
	fd = op_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (up--) {
		long parent = op_sys(SYS_ioctl, fd, NS_GET_PARENT);

		op_sys(SYS_close, fd);
		if (parent < 0)
			return 0;
		fd = parent;
	}
	ret = op_sys(SYS_fstat, fd, &other);
	op_sys(SYS_close, fd);
	return ret == 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

pid_t op_pid_of(const struct op_ctx *ctx, unsigned int actor, int thread)
{
	const struct mailbox *box = &ctx->arena->mailbox[actor];
	unsigned int depth = ctx->arena->mailbox[ctx->actor].depth;
	int32_t outer = thread ? box->tid : box->pid;
	unsigned int count = 0;
	char status[2048], path[64];
	long fd, len;
	pid_t pid;

	if (actor == ACTOR_DAEMON)
		outer = ctx->arena->daemon.pid; /* its main thread has the same number */
	if (outer <= 0)
		return 0;
	proc_path(path, sizeof(path), outer, "status");
	fd = op_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = op_sys(SYS_read, fd, status, sizeof(status) - 1);
	op_sys(SYS_close, fd);
	if (len <= 0)
		return 0;
	status[len] = '\0';
	pid = nspid_entry(status, depth, &count);
	if (!pid || !depth)
		return pid; /* the outermost namespace sees everybody */
	return shares_namespace(outer, count - 1 - depth) ? pid : 0;
}

int64_t op_nop(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	(void)step;
	return 0;
}
