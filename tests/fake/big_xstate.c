/* SPDX-License-Identifier: MIT */
/*
 * Runs a program as on a CPU with AMX: PTRACE_SETREGSET of NT_X86_XSTATE fails with EFAULT, as it does there from a
 * buffer that is too small for all of the state.
 *
 *	big_xstate PROGRAM ARGUMENT...
 */
#include <elf.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field)                                                                      \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))

int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		LOAD(nr),
		UNLESS_EQUAL(SYS_ptrace, 5),
		LOAD(args[2]),
		UNLESS_EQUAL(NT_X86_XSTATE, 3),
		LOAD(args[0]),
		UNLESS_EQUAL(PTRACE_SETREGSET, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EFAULT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};

	if (argc < 2)
		return 2;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) {
		perror("seccomp");
		return 77;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
