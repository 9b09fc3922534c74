/* SPDX-License-Identifier: MIT */
/* Worker operations on the contents and attributes of files. */

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "harness/scenario/tables.h"
#include "ops_util.h"

static int open_flags(unsigned int arg)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
	int flags = modes[arg & OFLAG_ACCMODE];

	flags |= arg & OFLAG_APPEND ? O_APPEND : 0;
	flags |= arg & OFLAG_TRUNC ? O_TRUNC : 0;
	flags |= arg & OFLAG_DIRECT ? O_DIRECT : 0;
	flags |= arg & OFLAG_SYNC ? O_SYNC : 0;
	flags |= arg & OFLAG_NONBLOCK ? O_NONBLOCK : 0;
	flags |= arg & OFLAG_CLOEXEC ? O_CLOEXEC : 0;
	return flags;
}

/* A used slot is -EBUSY: closing a file is an event of its own, never a side effect. */
static int64_t open_into(const struct op_ctx *ctx, const struct scn_step *step, int more)
{
	char path[OP_PATH_SIZE];

	if (*op_slot(ctx, step->a) >= 0)
		return -EBUSY;
	op_path(ctx, step->b, path, sizeof(path));
	return op_keep_fd(
		ctx, step->a,
		op_sys(SYS_openat, AT_FDCWD, path, open_flags(step->c) | more, 0644));
}

int64_t op_open(const struct op_ctx *ctx, const struct scn_step *step)
{
	return open_into(ctx, step, 0);
}

int64_t op_creat(const struct op_ctx *ctx, const struct scn_step *step)
{
	return open_into(ctx, step, O_CREAT);
}

int64_t op_read(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_read, *op_slot(ctx, step->a), op_buffer, step->v);
}

int64_t op_write(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_write, *op_slot(ctx, step->a), op_buffer, step->v);
}

int64_t op_pread(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_pread64, *op_slot(ctx, step->a), op_buffer, step->v,
		      step->b * OP_PAGE);
}

int64_t op_pwrite(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_pwrite64, *op_slot(ctx, step->a), op_buffer, step->v,
		      step->b * OP_PAGE);
}

int64_t op_fsync(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_fsync, *op_slot(ctx, step->a));
}

int64_t op_fdatasync(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_fdatasync, *op_slot(ctx, step->a));
}

int64_t op_sync_range(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_sync_file_range, *op_slot(ctx, step->a), 0, 0,
		      SYNC_FILE_RANGE_WRITE);
}

int64_t op_ftruncate(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_ftruncate, *op_slot(ctx, step->a), step->v);
}

int64_t op_fallocate(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_fallocate, *op_slot(ctx, step->a), 0, step->b * OP_PAGE,
		      step->v);
}

int64_t op_lseek(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_lseek, *op_slot(ctx, step->a), step->v, SEEK_DATA);
}

int64_t op_copy_range(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_copy_file_range, *op_slot(ctx, step->a), NULL,
		      *op_slot(ctx, step->b), NULL, step->v, 0);
}

int64_t op_ioctl(const struct op_ctx *ctx, const struct scn_step *step)
{
	long flags = 0;

	return op_sys(SYS_ioctl, *op_slot(ctx, step->a), FS_IOC_GETFLAGS, &flags);
}

int64_t op_stat(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];
	struct stat st;

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_newfstatat, AT_FDCWD, path, &st, 0);
}

int64_t op_access(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_faccessat, AT_FDCWD, path, R_OK);
}

int64_t op_statfs(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];
	struct statfs st;

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_statfs, path, &st);
}

int64_t op_chmod(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_fchmodat, AT_FDCWD, path, 0755);
}

int64_t op_truncate(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_truncate, path, step->v);
}
