/* SPDX-License-Identifier: MIT */
/* Worker operations that move data in other ways than read(2) and write(2). */

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/uio.h>

#include "harness/scenario/tables.h"
#include "ops_util.h"

static int64_t vectored(const struct op_ctx *ctx, const struct scn_step *step, long nr,
			int flags)
{
	struct iovec iov = {op_buffer, step->v};

	return op_sys(nr, *op_slot(ctx, step->a), &iov, 1, step->b * OP_PAGE, 0, flags);
}

int64_t op_read_nowait(const struct op_ctx *ctx, const struct scn_step *step)
{
	return vectored(ctx, step, SYS_preadv2, RWF_NOWAIT);
}

int64_t op_write_dsync(const struct op_ctx *ctx, const struct scn_step *step)
{
	return vectored(ctx, step, SYS_pwritev2, RWF_DSYNC);
}

int64_t op_write_append(const struct op_ctx *ctx, const struct scn_step *step)
{
	return vectored(ctx, step, SYS_pwritev2, RWF_APPEND);
}

int64_t op_write_nowait(const struct op_ctx *ctx, const struct scn_step *step)
{
	return vectored(ctx, step, SYS_pwritev2, RWF_NOWAIT);
}

static int64_t close_pipe(const int pipe[2], int64_t ret)
{
	op_sys(SYS_close, pipe[0]);
	op_sys(SYS_close, pipe[1]);
	return ret;
}

/* A pipe of the operation's own: the file is what may block. */
int64_t op_splice_read(const struct op_ctx *ctx, const struct scn_step *step)
{
	int64_t offset = step->b * OP_PAGE;
	int pipe[2];
	long ret = op_sys(SYS_pipe2, pipe, O_CLOEXEC);

	if (ret < 0)
		return ret;
	ret = op_sys(SYS_splice, *op_slot(ctx, step->a), &offset, pipe[1], NULL, step->v,
		     0);
	return close_pipe(pipe, ret);
}

/* What a pipe holds without a reader is enough; the rest would block in the pipe. */
static int64_t through_pipe(const struct op_ctx *ctx, const struct scn_step *step,
			    int gift)
{
	struct iovec iov = {op_buffer, step->v};
	int pipe[2];
	long ret = op_sys(SYS_pipe2, pipe, O_CLOEXEC | O_NONBLOCK);

	if (ret < 0)
		return ret;
	ret = gift ? op_sys(SYS_vmsplice, pipe[1], &iov, 1, 0)
		   : op_sys(SYS_write, pipe[1], op_buffer, step->v);
	if (ret > 0)
		ret = op_sys(SYS_splice, pipe[0], NULL, *op_slot(ctx, step->a), NULL, ret,
			     0);
	return close_pipe(pipe, ret);
}

int64_t op_splice_write(const struct op_ctx *ctx, const struct scn_step *step)
{
	return through_pipe(ctx, step, 0);
}

int64_t op_vmsplice_write(const struct op_ctx *ctx, const struct scn_step *step)
{
	return through_pipe(ctx, step, 1);
}

int64_t op_sendfile(const struct op_ctx *ctx, const struct scn_step *step)
{
	int64_t offset = 0;

	return op_sys(SYS_sendfile, *op_slot(ctx, step->a), *op_slot(ctx, step->b),
		      &offset, step->v);
}

int64_t op_readahead(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_readahead, *op_slot(ctx, step->a), step->b * OP_PAGE, step->v);
}

int64_t op_fadvise_need(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_fadvise64, *op_slot(ctx, step->a), step->b * OP_PAGE, step->v,
		      POSIX_FADV_WILLNEED);
}

int64_t op_fadvise_drop(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_fadvise64, *op_slot(ctx, step->a), 0, 0, POSIX_FADV_DONTNEED);
}

int64_t op_sync_wait(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_sync_file_range, *op_slot(ctx, step->a), 0, 0,
		      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			      SYNC_FILE_RANGE_WAIT_AFTER);
}

/* Of the file's own mount alone. */
int64_t op_syncfs(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_syncfs, *op_slot(ctx, step->a));
}

static int64_t allocate(const struct op_ctx *ctx, const struct scn_step *step, int mode)
{
	return op_sys(SYS_fallocate, *op_slot(ctx, step->a), mode, step->b * OP_PAGE,
		      step->v);
}

int64_t op_punch_hole(const struct op_ctx *ctx, const struct scn_step *step)
{
	return allocate(ctx, step, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

int64_t op_zero_range(const struct op_ctx *ctx, const struct scn_step *step)
{
	return allocate(ctx, step, FALLOC_FL_ZERO_RANGE);
}

int64_t op_keep_size(const struct op_ctx *ctx, const struct scn_step *step)
{
	return allocate(ctx, step, FALLOC_FL_KEEP_SIZE);
}

int64_t op_lseek_hole(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_lseek, *op_slot(ctx, step->a), step->v, 4 /* SEEK_HOLE */);
}

int64_t op_lseek_end(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_lseek, *op_slot(ctx, step->a), 0, 2 /* SEEK_END */);
}

int64_t op_setflags(const struct op_ctx *ctx, const struct scn_step *step)
{
	int flags = FS_NOATIME_FL;

	return op_sys(SYS_ioctl, *op_slot(ctx, step->a), FS_IOC_SETFLAGS, &flags);
}

int64_t op_fsgetxattr(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct fsxattr attr;

	return op_sys(SYS_ioctl, *op_slot(ctx, step->a), FS_IOC_FSGETXATTR, &attr);
}
