/* SPDX-License-Identifier: MIT */
/* Target "host": an executor in namespaces of its own on this machine's kernel. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/executor/leftovers.h"
#include "harness/protocol/proto.h"
#include "harness/scenario/codec.h"
#include "host.h"
#include "sysctls.h"

#define HELLO_MS  10000
#define RESULT_MS 90000 /* steps, every rung with full patience, and room */
#define STOP_MS	  3000

struct host {
	struct target target;
	struct target_options opt;
	pid_t pid; /* executor, 0: none */
	int pidfd, fd;
	uint32_t id;
	struct frame_reader reader;
	char *hello;
	char last_log[200];
	struct sysctls sysctls;
	bool poisoned;
};

int host_executor_path(char *buf, size_t size)
{
	const char *env = getenv("SHORTFUSE_EXECUTOR");
	char self[PATH_MAX - 32], *slash;
	ssize_t n;

	if (env) {
		snprintf(buf, size, "%s", env);
	} else {
		n = readlink("/proc/self/exe", self, sizeof(self) - 1);
		if (n < 0)
			return -errno;
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		/* Test programs live one folder below. */
		if (slash && strlen(self) > 6 &&
		    !strcmp(self + strlen(self) - 6, "/tests"))
			self[strlen(self) - 6] = '\0';
		snprintf(buf, size, "%s/shortfuse-executor", self);
	}
	return access(buf, X_OK) < 0 ? -errno : 0;
}

_Noreturn static void become_executor(const char *path, int fd, int cpu)
{
	char fd_text[12], cpu_text[12];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* fd 3 may be the socket itself, close-on-exec: dup2() onto itself would keep
	 * that. */
	if (fd != 3)
		dup2(fd, 3);
	else
		fcntl(3, F_SETFD, 0);
	syscall(SYS_close_range, 4, ~0U, 0);
	snprintf(fd_text, sizeof(fd_text), "%d", 3);
	snprintf(cpu_text, sizeof(cpu_text), "%d", cpu);
	execl(path, path, "--fd", fd_text, "--cpu", cpu_text, (char *)NULL);
	_exit(127);
}

/* The last CPU of this machine that we may use: afl-fuzz and others start at the first.
 */
static int default_cpu(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -1;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET((size_t)cpu, &set))
			return cpu;
	return -1;
}

static void drop_executor(struct host *host)
{
	siginfo_t info;

	if (!host->pid)
		return;
	frame_reader_release(&host->reader);
	close(host->fd);
	kill(host->pid, SIGKILL);
	/* Its namespace may be wedged by a task that cannot die: wait with a deadline. */
	poll(&(struct pollfd){.fd = host->pidfd, .events = POLLIN}, 1, STOP_MS);
	waitid(P_PID, (id_t)host->pid, &info, WEXITED | WNOHANG);
	close(host->pidfd);
	host->pid = 0;
	cgroups_clean("/proc");
}

/* Takes frames until one of this type; LOG frames are kept as the explanation of what
 * follows. */
static int await_frame(struct host *host, uint32_t type, uint32_t id, int timeout_ms,
		       struct frame *ret_frame)
{
	for (;;) {
		struct frame frame;
		int ret = frame_read(&host->reader, timeout_ms, &frame);

		if (ret < 0)
			return ret;
		if (frame.type == type && frame.id == id) {
			*ret_frame = frame;
			return 0;
		}
		if (frame.type == FRAME_LOG) {
			snprintf(host->last_log, sizeof(host->last_log), "%s",
				 frame.data);
			if (host->opt.verbose)
				fprintf(stderr, "executor: %s\n", frame.data);
		}
		frame_release(&frame);
	}
}

static int start_executor(struct host *host, char *err)
{
	char path[PATH_MAX];
	int pair[2], ret = host_executor_path(path, sizeof(path));
	struct frame frame;
	long pid;

	if (ret < 0) {
		snprintf(err, 300, "the executor %.200s: %s", path, strerror(-ret));
		return ret;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL,
		      NULL);
	if (!pid)
		become_executor(path, pair[1], host->opt.cpu);
	ret = pid < 0 ? -errno : 0;
	close(pair[1]);
	if (ret < 0) {
		close(pair[0]);
		snprintf(err, 300, "new pid and mount namespaces: %s%s", strerror(-ret),
			 ret == -EPERM ? " (root is needed)" : "");
		return ret;
	}
	host->pid = (pid_t)pid;
	host->pidfd = (int)syscall(SYS_pidfd_open, host->pid, 0);
	host->fd = pair[0];
	host->last_log[0] = '\0';
	frame_reader_init(&host->reader, host->fd);
	ret = await_frame(host, FRAME_HELLO, 0, HELLO_MS, &frame);
	if (ret < 0) {
		snprintf(err, 300, "the executor did not start: %s",
			 host->last_log[0] ? host->last_log : strerror(-ret));
		drop_executor(host);
		return ret;
	}
	free(host->hello);
	host->hello = (char *)frame.data;
	return 0;
}

static int host_open(const struct target_options *opt, struct target **ret_target,
		     char *err)
{
	struct host *host = calloc(1, sizeof(*host));
	int ret;

	if (!host)
		return -ENOMEM;
	host->opt = *opt;
	host->target.ops = &target_host;
	if (opt->cpu < 0)
		host->opt.cpu = default_cpu();
	sysctls_set(&host->sysctls);
	ret = start_executor(host, err);
	if (ret < 0) {
		sysctls_restore(&host->sysctls);
		free(host);
		return ret;
	}
	*ret_target = &host->target;
	return 0;
}

static int host_reset(struct target *target, char *err)
{
	struct host *host = (struct host *)target;

	if (host->poisoned) {
		snprintf(err, 300,
			 "tasks survived every rung: this machine has to be rebooted");
		return -EUCLEAN;
	}
	drop_executor(host);
	return start_executor(host, err);
}

static int send_run(struct host *host, const struct scenario *scn, uint32_t flags)
{
	struct run_request request = {.flags = flags};
	uint8_t buf[sizeof(request) + SCN_MAX_BYTES];
	int len = scenario_encode(scn, buf + sizeof(request), SCN_MAX_BYTES);

	if (len < 0)
		return len;
	memcpy(buf, &request, sizeof(request));
	return frame_write(host->fd, FRAME_RUN, ++host->id, buf,
			   (uint32_t)sizeof(request) + (uint32_t)len, RESULT_MS);
}

/* The executor is gone or silent: that is our trouble, not the kernel's; a new one takes
 * over. */
static int give_up_run(struct host *host, int why, struct result *ret_res)
{
	char err[300] = "";
	int ret;

	result_init(ret_res);
	ret_res->verdict = VERDICT_INFRA;
	snprintf(ret_res->reason, sizeof(ret_res->reason), "%s%s%s",
		 why == -ETIMEDOUT ? "no result in time" : "the executor died",
		 host->last_log[0] ? ": " : "", host->last_log);
	drop_executor(host);
	ret = start_executor(host, err);
	return ret < 0 ? ret : 0;
}

static int host_run(struct target *target, const struct scenario *scn, uint32_t flags,
		    struct result *ret_res)
{
	struct host *host = (struct host *)target;
	struct frame frame;
	int ret = host->pid ? send_run(host, scn, flags) : -EPIPE;

	if (!ret)
		ret = await_frame(host, FRAME_RESULT, host->id, RESULT_MS, &frame);
	if (ret < 0)
		return give_up_run(host, ret, ret_res);
	ret = result_decode(frame.data, frame.len, ret_res);
	frame_release(&frame);
	if (ret < 0)
		return give_up_run(host, ret, ret_res);
	host->poisoned = ret_res->poisoned;
	return 0;
}

static void host_close(struct target *target)
{
	struct host *host = (struct host *)target;

	if (host->pid && !frame_write(host->fd, FRAME_STOP, 0, NULL, 0, 100))
		poll(&(struct pollfd){.fd = host->pidfd, .events = POLLIN}, 1, STOP_MS);
	drop_executor(host);
	sysctls_restore(&host->sysctls);
	free(host->hello);
	free(host);
}

static const char *host_hello(const struct target *target)
{
	return ((const struct host *)target)->hello;
}

const struct target_ops target_host = {
	.name = "host",
	.help = "this machine's own kernel, in namespaces of an executor's own",
	.open = host_open,
	.run = host_run,
	.reset = host_reset,
	.close = host_close,
	.hello = host_hello,
};
