/* SPDX-License-Identifier: MIT */
/*
 * System calls without libc: no errno, no cancellation point, and none of libc's pages. A task of a run that needs
 * nothing else never maps them, and there is a fresh one of it in every run.
 */
#ifndef SF_SYS_H
#define SF_SYS_H

#include <sys/syscall.h>

/* One x86-64 system call: its result, or -errno. See syscall(2) for the registers. */
static inline __attribute__((always_inline)) long
sys_call6(long nr, long a, long b, long c, long d, long e, long f)
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

/* sys_call(SYS_x, argument...): up to six arguments, absent ones are 0. */
#define sys_call(...) sys_call_pad(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define sys_call_pad(nr, a, b, c, d, e, f, ...)                                          \
	sys_call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif
