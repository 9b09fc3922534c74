/* SPDX-License-Identifier: MIT */
/* Worker operations on directories and names, and the daemon's invalidation of them. */

#include <fcntl.h>
#include <sys/stat.h>

#include "harness/daemon/daemon.h"
#include "ops_util.h"

/* The number of entries' bytes read, or the first error. Always closes the directory. */
int64_t op_readdir(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];
	long fd, ret, total = 0;

	op_path(ctx, step->a, path, sizeof(path));
	fd = op_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	while ((ret = op_sys(SYS_getdents64, fd, op_buffer, OP_BUFFER_SIZE)) > 0)
		total += ret;
	op_sys(SYS_close, fd);
	return ret < 0 ? ret : total;
}

int64_t op_mkdir(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_mkdirat, AT_FDCWD, path, 0755);
}

int64_t op_rmdir(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

int64_t op_unlink(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_unlinkat, AT_FDCWD, path, 0);
}

int64_t op_mknod(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_mknodat, AT_FDCWD, path, S_IFREG | 0644, 0);
}

int64_t op_rename(const struct op_ctx *ctx, const struct scn_step *step)
{
	char from[OP_PATH_SIZE], to[OP_PATH_SIZE];

	op_path(ctx, step->a, from, sizeof(from));
	op_path(ctx, step->b, to, sizeof(to));
	return op_sys(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int64_t op_link(const struct op_ctx *ctx, const struct scn_step *step)
{
	char from[OP_PATH_SIZE], to[OP_PATH_SIZE];

	op_path(ctx, step->a, from, sizeof(from));
	op_path(ctx, step->b, to, sizeof(to));
	return op_sys(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* The target is absolute, so that it means the same file wherever the link is. */
int64_t op_symlink(const struct op_ctx *ctx, const struct scn_step *step)
{
	char target[OP_PATH_SIZE], path[OP_PATH_SIZE];

	op_path(ctx, step->a, target, sizeof(target));
	op_path(ctx, step->b, path, sizeof(path));
	return op_sys(SYS_symlinkat, target, AT_FDCWD, path);
}

int64_t op_readlink(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_readlinkat, AT_FDCWD, path, op_buffer, OP_PAGE);
}

int64_t op_chdir(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_chdir, path);
}

/* A child of the daemon has a copy of its session: only the daemon itself may write to
 * the device. */
int64_t op_inval_inode(const struct op_ctx *ctx, const struct scn_step *step)
{
	return ctx->actor == ACTOR_DAEMON ? daemon_notify_inode(step->a) : -ENOSYS;
}

int64_t op_inval_entry(const struct op_ctx *ctx, const struct scn_step *step)
{
	return ctx->actor == ACTOR_DAEMON ? daemon_notify_entry(step->a) : -ENOSYS;
}
