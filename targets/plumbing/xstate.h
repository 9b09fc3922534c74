/* SPDX-License-Identifier: MIT */
/*
 * Can a user-mode kernel hand floating-point state to its tasks here?
 *
 * UML asks by PTRACE_GETREGSET of NT_X86_XSTATE whether the host knows extended state, and then sets it by
 * PTRACE_SETREGSET from a buffer of fixed size (2,696 bytes up to 6.x: all of AVX-512). A kernel wants all of it in one
 * piece (xstateregs_set(), arch/x86/kernel/fpu/regset.c): with AMX that is some 11 KB, and UML panics at its first
 * return to user space, "ptrace set fp regs failed, errno = 14". If the question fails with ENODEV, it takes
 * PTRACE_SETFPREGS instead, which keeps x87 and SSE but no AVX state: then nothing in the guest may use AVX.
 */
#ifndef SF_XSTATE_H
#define SF_XSTATE_H

#include <stdbool.h>

/* Does as UML does, on a child of its own. True: it would fail. Remembered in this process. */
bool xstate_is_too_big(void);

/*
 * Answers ENODEV to both requests, for the caller and all its children: a seccomp filter. Sets no_new_privs. 0 or
 * -errno. Async-signal-safe.
 */
int xstate_hide(void);

/* For the environment of a guest whose AVX state nobody keeps: glibc takes its functions without AVX. */
extern const char xstate_tunables[];

#endif
