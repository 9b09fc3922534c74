/* SPDX-License-Identifier: MIT */
/* Starts, watches and ends the process behind a target. */

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"
#include "xstate.h"

#define MAX_FDS	 8
#define HIGH_FD	 100 /* out of the way of the numbers that the program gets */
#define FIRST_FD 3

/* Everything here runs between clone and execve: no malloc, no stdio. */

_Noreturn static void fail(int report)
{
	int error = errno;

	if (write(report, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* Moves the descriptors to 0, 1, 2, 3, ... and closes all others but the report pipe. Its
 * new number. */
static int arrange_fds(const struct spawn *sp, int report)
{
	int high[MAX_FDS], null, out, err, last = FIRST_FD + (int)sp->n_fds;

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	null = fcntl(null, F_DUPFD_CLOEXEC, HIGH_FD);
	out = sp->out < 0 ? null : fcntl(sp->out, F_DUPFD_CLOEXEC, HIGH_FD);
	err = sp->err < 0 ? null : fcntl(sp->err, F_DUPFD_CLOEXEC, HIGH_FD);
	report = fcntl(report, F_DUPFD_CLOEXEC, HIGH_FD);
	for (size_t i = 0; i < sp->n_fds; i++) {
		high[i] = fcntl(sp->fds[i], F_DUPFD_CLOEXEC, HIGH_FD);
		if (high[i] < 0)
			fail(report);
	}
	if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		fail(report);
	for (size_t i = 0; i < sp->n_fds; i++)
		if (dup2(high[i], FIRST_FD + (int)i) < 0)
			fail(report);
	report = fcntl(report, F_DUPFD_CLOEXEC, last) == last
			 ? last
			 : dup3(report, last, O_CLOEXEC);
	syscall(SYS_close_range, last + 1, ~0u, 0);
	return report;
}

_Noreturn static void execute(const struct spawn *sp, int report)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (sp->hide_xstate && xstate_hide() < 0)
		fail(report);
	execv(sp->argv[0], (char *const *)sp->argv);
	fail(report);
}

static void write_map(const char *path, const char *text, int report)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(report);
	close(fd);
}

/* "0 ID 1": root of the new user namespace is the user who made it; user_namespaces(7). */
static void map_user(const char *path, unsigned int id, int report)
{
	char text[32] = "0 ", digits[12];
	size_t n = sizeof(digits);

	digits[--n] = '\0';
	do {
		digits[--n] = (char)('0' + id % 10);
		id /= 10;
	} while (id);
	strcat(text, digits + n);
	strcat(text, " 1");
	write_map(path, text, report);
}

/* The init of a cage: waits for the program, ends as it ended. */
_Noreturn static void keep_cage(const struct spawn *sp, int report)
{
	int status;
	pid_t child, pid;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0 ||
	    mount("shm", "/dev/shm", "tmpfs", 0, "mode=1777") < 0)
		fail(report);
	child = fork();
	if (child < 0)
		fail(report);
	if (!child)
		execute(sp, report);
	syscall(SYS_close_range, 0, ~0u, 0);
	do {
		pid = waitpid(-1, &status, 0);
	} while (pid != child && (pid > 0 || errno == EINTR));
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* uid, gid: 0, or whom the new user namespace belongs to. */
_Noreturn static void child_main(const struct spawn *sp, int report, uid_t uid, gid_t gid)
{
	struct pollfd pfd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	report = arrange_fds(sp, report);
	/* The parent may have died before the line above: then nobody reads the report.
	 */
	pfd = (struct pollfd){.fd = report, .events = POLLOUT};
	if (poll(&pfd, 1, 0) > 0 && (pfd.revents & POLLERR))
		_exit(127);
	if (sp->cpu >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((size_t)sp->cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	setsid(); /* a ^C at the terminal is for shortfuse, which then closes its targets
		   */
	if (uid != 0) {
		write_map("/proc/self/setgroups", "deny", report);
		map_user("/proc/self/uid_map", uid, report);
		map_user("/proc/self/gid_map", gid, report);
	}
	if (sp->mode == SPAWN_CAGED)
		keep_cage(sp, report);
	execute(sp, report);
}

int spawn_process(const struct spawn *sp, struct process *ret)
{
	struct clone_args args = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
	int report[2], pidfd = -1, error = 0, err;
	uid_t uid = 0;
	gid_t gid = 0;
	ssize_t n;
	long pid;

	if (sp->n_fds > MAX_FDS)
		return -EINVAL;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	if (sp->mode != SPAWN_PLAIN)
		args.flags |= CLONE_NEWPID | CLONE_NEWNS;
	if (sp->mode == SPAWN_CAGED && geteuid() != 0) {
		args.flags |=
			CLONE_NEWUSER; /* a cage needs no root where these are allowed */
		uid = geteuid();
		gid = getegid();
	}
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	err = errno;
	if (!pid) {
		/* The read end must be closed here, or the check for a dead parent never
		 * sees it. */
		close(report[0]);
		child_main(sp, report[1], uid, gid);
	}
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		return -err;
	}
	*ret = (struct process){.pid = (pid_t)pid, .pidfd = pidfd};
	do {
		n = read(report[0], &error, sizeof(error));
	} while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n != sizeof(error))
		return 0;
	process_kill(ret, 5000);
	return error ? -error : -EIO;
}

bool process_ended(struct process *proc, int ms)
{
	struct pollfd pfd = {.fd = proc->pidfd, .events = POLLIN};

	if (!proc->pid)
		return true;
	if (poll(&pfd, 1, ms) <= 0)
		return false;
	if (waitpid(proc->pid, &proc->status, WNOHANG) != proc->pid)
		return false;
	proc->pid = 0;
	return true;
}

int process_kill(struct process *proc, int ms)
{
	int ret = 0;

	if (proc->pid) {
		kill(proc->pid, SIGKILL);
		if (!process_ended(proc, ms))
			ret = -ETIMEDOUT;
	}
	if (proc->pidfd >= 0)
		close(proc->pidfd);
	proc->pidfd = -1;
	proc->pid = 0;
	return ret;
}
