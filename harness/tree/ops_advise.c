/* SPDX-License-Identifier: MIT */
/* Worker operations on mappings that exist: advice, locking, moving, and I/O from and to their pages. */

#include <sys/mman.h>
#include <sys/uio.h>

#include "ops_util.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22 /* 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

static struct map_slot *map_slot(const struct op_ctx *ctx, unsigned int actor,
				 unsigned int slot)
{
	return &ctx->arena->map_slots[ctx->arena->mailbox[actor].mm][slot];
}

/* nr(address, length, argument) of mapping a. */
static int64_t whole(const struct op_ctx *ctx, const struct scn_step *step, long nr,
		     long argument)
{
	const struct map_slot *map = map_slot(ctx, ctx->actor, step->a);

	return map->addr ? op_sys(nr, map->addr, map->len, argument) : -EBADF;
}

int64_t op_madvise_need(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_madvise, MADV_WILLNEED);
}

int64_t op_madvise_drop(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_madvise, MADV_DONTNEED);
}

int64_t op_populate_read(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_madvise, MADV_POPULATE_READ);
}

int64_t op_populate_write(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_madvise, MADV_POPULATE_WRITE);
}

int64_t op_pageout(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_madvise, MADV_PAGEOUT);
}

int64_t op_mlock(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_mlock, 0);
}

int64_t op_munlock(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_munlock, 0);
}

int64_t op_mprotect(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_mprotect, PROT_READ);
}

int64_t op_msync_async(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_msync, MS_ASYNC);
}

int64_t op_msync_drop(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_msync, MS_SYNC | MS_INVALIDATE);
}

int64_t op_mincore(const struct op_ctx *ctx, const struct scn_step *step)
{
	return whole(ctx, step, SYS_mincore, (long)op_buffer);
}

int64_t op_mremap(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct map_slot *map = map_slot(ctx, ctx->actor, step->a);
	long addr;

	if (!map->addr)
		return -EBADF;
	addr = op_sys(SYS_mremap, map->addr, map->len, map->len + OP_PAGE,
		      MREMAP_MAYMOVE);
	if (addr < 0)
		return addr;
	*map = (struct map_slot){(void *)addr, map->len + OP_PAGE};
	return 0;
}

static int64_t with_file(const struct op_ctx *ctx, const struct scn_step *step, long nr)
{
	const struct map_slot *map = map_slot(ctx, ctx->actor, step->b);

	if (!map->addr)
		return -EBADF;
	return op_sys(nr, *op_slot(ctx, step->a), map->addr,
		      step->v < map->len ? step->v : map->len, 0);
}

/* The page faults come while the file is locked, or from direct I/O. */
int64_t op_write_mapped(const struct op_ctx *ctx, const struct scn_step *step)
{
	return with_file(ctx, step, SYS_pwrite64);
}

int64_t op_read_mapped(const struct op_ctx *ctx, const struct scn_step *step)
{
	return with_file(ctx, step, SYS_pread64);
}

/* The first byte of a page that another task has mapped: its fault, in our name. */
int64_t op_peek(const struct op_ctx *ctx, const struct scn_step *step)
{
	const struct map_slot *map = map_slot(ctx, step->a, step->b);
	struct iovec to = {op_buffer, 1}, from = {map->addr, 1};
	pid_t pid = op_pid_of(ctx, step->a, 0);

	if (!pid)
		return -ESRCH;
	if (!map->addr)
		return -EBADF;
	return op_sys(SYS_process_vm_readv, pid, &to, 1, &from, 1, 0);
}
