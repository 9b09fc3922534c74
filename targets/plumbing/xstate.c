/* SPDX-License-Identifier: MIT */
/* Probes and hides the extended processor state that some user-mode kernels cannot handle. */

#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xstate.h"

#define UML_BYTES 2696 /* of its buffer */

const char xstate_tunables[] =
	"GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,"
	"-AVX_Fast_Unaligned_Load,-XSAVE,-XSAVEC";

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool too_big;

static void probe(void)
{
	static char state[UML_BYTES];
	struct iovec iov = {state, sizeof(state)};
	int status;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	if (child < 0)
		return;
	if (waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
	    !ptrace(PTRACE_GETREGSET, child, NT_X86_XSTATE, &iov))
		too_big = ptrace(PTRACE_SETREGSET, child, NT_X86_XSTATE, &iov) < 0;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

bool xstate_is_too_big(void)
{
	pthread_once(&once, probe);
	return too_big;
}

#define LOAD(field)                                                                      \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define RETURN(value)		  BPF_STMT(BPF_RET | BPF_K, (value))

int xstate_hide(void)
{
	/* ptrace(request, pid, type, ...): only the low halves matter, the numbers are small. */
	struct sock_filter code[] = {
		LOAD(arch),
		UNLESS_EQUAL(AUDIT_ARCH_X86_64, 8),
		LOAD(nr),
		UNLESS_EQUAL(SYS_ptrace, 6),
		LOAD(args[2]),
		UNLESS_EQUAL(NT_X86_XSTATE, 4),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_GETREGSET, 1, 0),
		UNLESS_EQUAL(PTRACE_SETREGSET, 1),
		RETURN(SECCOMP_RET_ERRNO | ENODEV),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return -errno;
	return 0;
}
