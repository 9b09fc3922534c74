/* SPDX-License-Identifier: MIT */
/*
 * What the files ops_*.c share: system calls, fd slots, the I/O buffer.
 *
 * Operations call the kernel directly. The tasks of a scenario may share memory without
 * sharing a libc's idea of a thread (clone(CLONE_VM) without CLONE_SETTLS): two of them
 * would overwrite each other's errno.
 */
#ifndef SF_OPS_UTIL_H
#define SF_OPS_UTIL_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/util/sys.h"
#include "ops.h"

#define OP_PAGE	       4096
#define OP_BUFFER_SIZE 65536 /* the largest SIZE argument, and a byte */
#define OP_PATH_SIZE   256

/*
 * Source and destination of all I/O of a process. Static: the heap may be locked by a
 * sibling that blocks for ever. Siblings race for the contents, which nobody looks at.
 */
extern char op_buffer[OP_BUFFER_SIZE];

/* op_sys(SYS_x, argument...): up to six arguments. Its result, or -errno. */
#define op_sys(...) sys_call(__VA_ARGS__)

/* The slot of the caller's own file table: a descriptor or -1. */
static inline int *op_slot(const struct op_ctx *ctx, unsigned int slot)
{
	return &ctx->arena->fd_slots[ctx->arena->mailbox[ctx->actor].files][slot];
}

/* Puts fd, the result of a system call, into an empty slot. fd, its error, or -EBUSY if a
 * sibling was faster (fd is closed then). */
int64_t op_keep_fd(const struct op_ctx *ctx, unsigned int slot, long fd);

/* Absolute path of a file of the directory outside the mount. size >= 128. */
void op_outside_path(const struct op_ctx *ctx, const char *name, char *buf, size_t size);

#endif
