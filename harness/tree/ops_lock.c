/* SPDX-License-Identifier: MIT */
/* Worker operations that lock files. The argument: 0 read, 1 write, 2 unlock. */

#include <fcntl.h>
#include <sys/file.h>

#include "ops_util.h"

#define N_LOCKS 3

int64_t op_flock(const struct op_ctx *ctx, const struct scn_step *step)
{
	static const int kinds[N_LOCKS] = {LOCK_SH, LOCK_EX, LOCK_UN};

	if (step->b >= N_LOCKS)
		return -EINVAL;
	return op_sys(SYS_flock, *op_slot(ctx, step->a), kinds[step->b]);
}

/* The whole file, see fcntl(2) "Advisory record locking". */
static int64_t lock(const struct op_ctx *ctx, const struct scn_step *step, int command)
{
	static const short kinds[N_LOCKS] = {F_RDLCK, F_WRLCK, F_UNLCK};
	struct flock region = {.l_whence = SEEK_SET};

	if (step->b >= N_LOCKS)
		return -EINVAL;
	region.l_type = kinds[step->b];
	return op_sys(SYS_fcntl, *op_slot(ctx, step->a), command, &region);
}

int64_t op_setlk(const struct op_ctx *ctx, const struct scn_step *step)
{
	return lock(ctx, step, F_SETLK);
}

int64_t op_setlkw(const struct op_ctx *ctx, const struct scn_step *step)
{
	return lock(ctx, step, F_SETLKW);
}

int64_t op_getlk(const struct op_ctx *ctx, const struct scn_step *step)
{
	return lock(ctx, step, F_GETLK);
}

/* Locks of the open file, not of the process: threads conflict, and close(2) of another descriptor frees none. */
int64_t op_ofd_setlk(const struct op_ctx *ctx, const struct scn_step *step)
{
	return lock(ctx, step, F_OFD_SETLK);
}

int64_t op_ofd_setlkw(const struct op_ctx *ctx, const struct scn_step *step)
{
	return lock(ctx, step, F_OFD_SETLKW);
}

int64_t op_flock_try(const struct op_ctx *ctx, const struct scn_step *step)
{
	static const int kinds[N_LOCKS] = {LOCK_SH, LOCK_EX, LOCK_UN};

	if (step->b >= N_LOCKS)
		return -EINVAL;
	return op_sys(SYS_flock, *op_slot(ctx, step->a), kinds[step->b] | LOCK_NB);
}

int64_t op_lease(const struct op_ctx *ctx, const struct scn_step *step)
{
	static const int kinds[N_LOCKS] = {F_RDLCK, F_WRLCK, F_UNLCK};

	if (step->b >= N_LOCKS)
		return -EINVAL;
	return op_sys(SYS_fcntl, *op_slot(ctx, step->a), F_SETLEASE, kinds[step->b]);
}
