/* SPDX-License-Identifier: MIT */
/* Worker operations on namespaces and mounts. What they mount or unmount is so in a mount namespace of the caller's own. */

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "harness/scenario/tables.h"
#include "ops_util.h"

/* Children of the caller, from now on, live in a new one; the first of them is its init. */
int64_t op_unshare_pid(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	(void)step;
	return op_sys(SYS_unshare, CLONE_NEWPID);
}

int64_t op_unshare_user(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	(void)step;
	return op_sys(SYS_unshare, CLONE_NEWUSER);
}

static int64_t enter(const struct op_ctx *ctx, const struct scn_step *step, int kind)
{
	pid_t pid = op_pid_of(ctx, step->a, 0);
	long fd, ret;

	if (!pid)
		return -ESRCH;
	fd = op_sys(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return fd;
	ret = op_sys(SYS_setns, fd, kind);
	op_sys(SYS_close, fd);
	return ret;
}

int64_t op_setns_mount(const struct op_ctx *ctx, const struct scn_step *step)
{
	return enter(ctx, step, CLONE_NEWNS);
}

int64_t op_setns_pid(const struct op_ctx *ctx, const struct scn_step *step)
{
	return enter(ctx, step, CLONE_NEWPID);
}

/* The executor's own mount is not the scenario's to take. */
static int64_t unmount(const struct op_ctx *ctx, int flags)
{
	char path[OP_PATH_SIZE];
	long ret = op_sys(SYS_unshare, CLONE_NEWNS);

	if (ret < 0)
		return ret;
	op_path(ctx, PATH_ROOT, path, sizeof(path));
	return op_sys(SYS_umount2, path, flags | UMOUNT_NOFOLLOW);
}

int64_t op_umount(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)step;
	return unmount(ctx, 0);
}

int64_t op_umount_force(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)step;
	return unmount(ctx, MNT_FORCE);
}

int64_t op_umount_lazy(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)step;
	return unmount(ctx, MNT_DETACH);
}

/* On the directory outside, where nobody of the run has anything but the image. */
int64_t op_bind_mount(const struct op_ctx *ctx, const struct scn_step *step)
{
	char from[OP_PATH_SIZE];
	long ret = op_sys(SYS_unshare, CLONE_NEWNS);

	if (ret < 0)
		return ret;
	op_path(ctx, step->a, from, sizeof(from));
	return op_sys(SYS_mount, from, ctx->outside, NULL, MS_BIND, NULL);
}
