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
#include <sys/syscall.h>

#include "ops.h"

#define OP_PAGE	       4096
#define OP_BUFFER_SIZE 65536 /* the largest SIZE argument, and a byte */
#define OP_PATH_SIZE   256

/*
 * Source and destination of all I/O of a process. Static: the heap may be locked by a
 * sibling that blocks for ever. Siblings race for the contents, which nobody looks at.
 */
extern char op_buffer[OP_BUFFER_SIZE];

/* One x86-64 system call: its result, or -errno. See syscall(2) for the registers. */
static inline __attribute__((always_inline)) long op_sys6(long nr, long a, long b, long c,
							  long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* op_sys(SYS_x, argument...): up to six arguments, absent ones are 0. */
#define op_sys(...) op_sys_pad(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define op_sys_pad(nr, a, b, c, d, e, f, ...)                                            \
	op_sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

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
