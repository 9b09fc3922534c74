/* SPDX-License-Identifier: MIT */
/* Runs a program under watch, and ends whatever it has started. */

#include "try_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "targets/plumbing/spawn.h"

#define CONNECTIONS "/sys/fs/fuse/connections"
#define OWN_END_MS  3000 /* for a program that frees its tasks itself */
#define FREED_MS    10000

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int try_owner(struct owner *ret)
{
	return owner_of_process("/proc", getpid(), ret);
}

/* In a child with a mount namespace of its own, as fusectl may not be mounted. owner NULL: of the dead. */
static void abort_connections(const struct owner *owner)
{
	pid_t pid = fork();

	if (!pid) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(1);
		mount("none", CONNECTIONS, "fusectl", 0, NULL); /* or it is */
		if (owner)
			leftovers_abort(CONNECTIONS, owner);
		else
			leftovers_clean("/proc", CONNECTIONS);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

void try_clean(void)
{
	abort_connections(NULL);
}

/* Waits for every child, and for those that fell to us as their subreaper. False: some are left. */
static bool reap_all(int ms)
{
	long deadline = now_ms() + ms;
	pid_t pid;

	do {
		while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return true;
		usleep(2000);
	} while (now_ms() < deadline);
	return false;
}

/* group: of the program, which leads it. */
static int end_all(struct process *proc, pid_t group)
{
	struct owner owner;

	process_kill(proc, 0);
	if (reap_all(OWN_END_MS))
		return 0;
	kill(-group, SIGKILL);
	if (!try_owner(&owner))
		abort_connections(&owner);
	return reap_all(FREED_MS) ? 0 : -EBUSY;
}

struct lines {
	char text[4096];
	size_t len;
	int *mark;
	FILE *out;
};

static void pass_on(struct lines *lines, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\n' && lines->len < sizeof(lines->text) - 1) {
			lines->text[lines->len++] = text[i];
			continue;
		}
		lines->text[lines->len] = '\0';
		lines->len = 0;
		if (!strncmp(lines->text, TRY_EXIT_MARK, strlen(TRY_EXIT_MARK)))
			*lines->mark = atoi(lines->text + strlen(TRY_EXIT_MARK));
		else
			fprintf(lines->out, "%s\n", lines->text);
	}
	fflush(lines->out);
}

/* Until the program has ended and all it wrote is read; others may still hold the pipe. */
static int watch(struct try_run *run, struct process *proc, int out, int signals)
{
	struct lines lines = {.mark = &run->mark, .out = run->out ? run->out : stdout};
	long deadline = now_ms() + run->limit_ms;
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = out, .events = POLLIN},
			       {.fd = proc->pidfd, .events = POLLIN}};

	for (;;) {
		long left = deadline - now_ms();
		char text[4096];
		ssize_t n;
		int ready;

		if (left <= 0)
			return -ETIMEDOUT;
		ready = poll(fds, 3, (int)left);
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready <= 0)
			continue;
		if (fds[0].revents)
			return -EINTR;
		if (fds[1].revents) {
			n = read(out, text, sizeof(text));
			if (n > 0)
				pass_on(&lines, text, (size_t)n);
			else
				fds[1].fd = -1;
		} else if (fds[2].revents) {
			break;
		}
	}
	if (lines.len)
		pass_on(&lines, "\n", 1);
	if (!process_ended(proc, 0))
		return -ECHILD;
	return WIFEXITED(proc->status) ? WEXITSTATUS(proc->status) : -ECHILD;
}

static int run_with_signals(struct try_run *run, int signals)
{
	struct process proc = {.pidfd = -1};
	int out[2], ret, end = 0;
	pid_t group;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	struct spawn sp = {.argv = run->argv,
			   .fds = run->fds,
			   .n_fds = run->n_fds,
			   .out = out[1],
			   .err = out[1],
			   .cpu = -1};

	fflush(stdout);
	ret = spawn_process(&sp, &proc);
	close(out[1]);
	if (run->started)
		run->started(run->ctx);
	if (!ret) {
		group = proc.pid;
		ret = watch(run, &proc, out[0], signals);
		end = end_all(&proc, group);
	}
	close(out[0]);
	return end ? end : ret;
}

int try_run(struct try_run *run)
{
	sigset_t set, before;
	int signals, ret;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &before);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	ret = signals < 0 ? -errno : run_with_signals(run, signals);
	if (ret == -EINTR) { /* taken: it must not kill us once it is unblocked */
		struct signalfd_siginfo info;

		if (read(signals, &info, sizeof(info)) < 0)
			ret = -EINTR;
	}
	if (signals >= 0)
		close(signals);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}
