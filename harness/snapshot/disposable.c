/* SPDX-License-Identifier: MIT */
/* A child for work that may block for ever in the kernel. */
#include "disposable.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int disposable_fork(struct disposable *ret)
{
	int pidfd = -1;
	struct clone_args args;
	long pid;

	memset(&args, 0, sizeof(args));
	args.flags = CLONE_PIDFD;
	args.pidfd = (uintptr_t)&pidfd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* A caller that is killed in the meantime must not leave it running. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return 0;
	}
	ret->pid = (pid_t)pid;
	ret->pidfd = pidfd;
	return 1;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int disposable_wait(struct disposable *child, int timeout_ms)
{
	struct pollfd pfd = {.fd = child->pidfd, .events = POLLIN};
	int64_t end = now_ms() + timeout_ms;
	siginfo_t info;
	int ret;

	do {
		int64_t left = end - now_ms();

		ret = poll(&pfd, 1, left > 0 ? (int)left : 0);
	} while (ret < 0 && errno == EINTR);
	if (ret == 0)
		return -ETIMEDOUT;
	if (ret < 0)
		return -errno;
	waitid((idtype_t)P_PIDFD, (id_t)child->pidfd, &info, WEXITED | __WALL | WNOHANG);
	return 0;
}

int disposable_kill(struct disposable *child, int timeout_ms)
{
	int ret;

	syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
	ret = disposable_wait(child, timeout_ms);
	close(child->pidfd);
	child->pidfd = -1;
	return ret;
}
