/* SPDX-License-Identifier: MIT */
/*
 * Worker operations on memory mappings.
 *
 * A fault that the kernel cannot serve (an error from the daemon or a page beyond the end
 * of the file: SIGBUS; a store to a mapping without "rw": SIGSEGV) kills the actor as it
 * kills any program.
 */

#include <sys/mman.h>

#include "harness/scenario/tables.h"
#include "ops_util.h"

static struct map_slot *map_slot(const struct op_ctx *ctx, unsigned int slot)
{
	return &ctx->arena->map_slots[ctx->arena->mailbox[ctx->actor].mm][slot];
}

/* 0 rather than the address, which would differ from run to run. A used slot is -EBUSY.
 */
int64_t op_mmap(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct map_slot *map = map_slot(ctx, step->a);
	size_t len = (step->v + OP_PAGE - 1) / OP_PAGE * OP_PAGE;
	int prot = PROT_READ | (step->c & MFLAG_WRITE ? PROT_WRITE : 0);
	int flags = (step->c & MFLAG_SHARED ? MAP_SHARED : MAP_PRIVATE) |
		    (step->c & MFLAG_POPULATE ? MAP_POPULATE : 0);
	long addr;

	if (map->addr)
		return -EBUSY;
	len = len ? len : OP_PAGE;
	addr = op_sys(SYS_mmap, NULL, len, prot, flags, *op_slot(ctx, step->b), 0);
	if (addr < 0)
		return addr;
	*map = (struct map_slot){(void *)addr, len};
	return 0;
}

int64_t op_touch(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct map_slot *map = map_slot(ctx, step->a);
	size_t offset = (size_t)step->c * OP_PAGE;
	volatile char *byte;

	if (!map->addr)
		return -EBADF;
	if (offset >= map->len)
		return -EINVAL;
	byte = (volatile char *)map->addr + offset;
	if (step->b)
		*byte = 1;
	else
		(void)*byte;
	return 0;
}

int64_t op_munmap(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct map_slot *map = map_slot(ctx, step->a);
	struct map_slot old = *map;

	if (!old.addr)
		return -EBADF;
	*map = (struct map_slot){NULL, 0};
	return op_sys(SYS_munmap, old.addr, old.len);
}

int64_t op_msync(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct map_slot *map = map_slot(ctx, step->a);

	if (!map->addr)
		return -EBADF;
	return op_sys(SYS_msync, map->addr, map->len, MS_SYNC);
}
