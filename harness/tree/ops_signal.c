/* SPDX-License-Identifier: MIT */
/* Worker operations on signals, and on other tasks by ptrace(2). */

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "harness/scenario/tables.h"
#include "ops_util.h"

/* SIGKILL ends the whole process: every actor in it counts as killed, before it is
 * (hold_until_kill). */
static void note_kill(struct arena *arena, unsigned int actor)
{
	int32_t pid = arena->mailbox[actor].pid;
	uint32_t killed = 1u << actor;

	for (unsigned int i = 0; i < SCN_MAX_TASKS; i++)
		if (pid > 0 && arena->mailbox[i].pid == pid)
			killed |= 1u << i;
	arena->daemon.killed |= killed;
}

static int64_t send_signal(const struct op_ctx *ctx, unsigned int actor, int signal,
			   int thread)
{
	pid_t pid = op_pid_of(ctx, actor, 0);
	pid_t tid = thread ? op_pid_of(ctx, actor, 1) : pid;

	if (!pid || !tid)
		return -ESRCH;
	if (signal == SIGKILL)
		note_kill(ctx->arena, actor);
	return thread ? op_sys(SYS_tgkill, pid, tid, signal)
		      : op_sys(SYS_kill, pid, signal);
}

int64_t op_kill(const struct op_ctx *ctx, const struct scn_step *step)
{
	return send_signal(ctx, step->a, signal_table[step->b].value, 0);
}

int64_t op_tgkill(const struct op_ctx *ctx, const struct scn_step *step)
{
	return send_signal(ctx, step->a, signal_table[step->b].value, 1);
}

int64_t op_stop(const struct op_ctx *ctx, const struct scn_step *step)
{
	return send_signal(ctx, step->a, SIGSTOP, 0);
}

int64_t op_cont(const struct op_ctx *ctx, const struct scn_step *step)
{
	return send_signal(ctx, step->a, SIGCONT, 0);
}

static void on_signal(int signal)
{
	(void)signal;
}

/*
 * No SA_RESTART: an interrupted system call must show -EINTR. A fault's handler serves
 * once, or the faulting instruction would be run again for ever. Through libc, which
 * knows the kernel's sa_restorer; the only error is a signal that cannot be caught.
 */
static int64_t set_handler(int signal, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};
	int fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGILL ||
		    signal == SIGFPE || signal == SIGTRAP;

	action.sa_flags = fault ? SA_RESETHAND : 0;
	return sigaction(signal, &action, NULL) ? -EINVAL : 0;
}

int64_t op_handle(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	return set_handler(signal_table[step->a].value, on_signal);
}

int64_t op_handle_restart(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	(void)ctx;
	return sigaction(signal_table[step->a].value, &action, NULL) ? -EINVAL : 0;
}

/* Before anything is signalled: a handler gets no argument. */
static char handler_path[OP_PATH_SIZE];

static void stat_in_handler(int signal)
{
	struct stat st;

	(void)signal;
	op_sys(SYS_newfstatat, AT_FDCWD, handler_path, &st, 0);
}

int64_t op_handle_stat(const struct op_ctx *ctx, const struct scn_step *step)
{
	op_path(ctx, step->b, handler_path, sizeof(handler_path));
	return set_handler(signal_table[step->a].value, stat_in_handler);
}

int64_t op_ignore(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	return set_handler(signal_table[step->a].value, SIG_IGN);
}

int64_t op_block(const struct op_ctx *ctx, const struct scn_step *step)
{
	uint64_t mask = 1ull << (signal_table[step->a].value - 1);

	(void)ctx;
	return op_sys(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, sizeof(mask));
}

int64_t op_unblock(const struct op_ctx *ctx, const struct scn_step *step)
{
	uint64_t mask = 1ull << (signal_table[step->a].value - 1);

	(void)ctx;
	return op_sys(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, sizeof(mask));
}

int64_t op_pause(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	(void)step;
	return op_sys(SYS_pause);
}

int64_t op_sigwait(const struct op_ctx *ctx, const struct scn_step *step)
{
	uint64_t mask = 1ull << (signal_table[step->a].value - 1);
	struct timespec time = {step->v / 1000, step->v % 1000 * 1000000L};

	(void)ctx;
	return op_sys(SYS_rt_sigtimedwait, &mask, NULL, &time, sizeof(mask));
}

int64_t op_pidfd_kill(const struct op_ctx *ctx, const struct scn_step *step)
{
	int signal = signal_table[step->b].value;
	pid_t pid = op_pid_of(ctx, step->a, 0);
	long fd, ret;

	if (!pid)
		return -ESRCH;
	fd = op_sys(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return fd;
	if (signal == SIGKILL)
		note_kill(ctx->arena, step->a);
	ret = op_sys(SYS_pidfd_send_signal, fd, signal, NULL, 0);
	op_sys(SYS_close, fd);
	return ret;
}

/* 0 ms disarms the timer, as setitimer(2) has it. */
int64_t op_alarm(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct itimerval timer = {
		.it_value = {step->v / 1000, step->v % 1000 * 1000L},
	};

	(void)ctx;
	set_handler(SIGALRM, on_signal);
	return op_sys(SYS_setitimer, ITIMER_REAL, &timer, NULL);
}

/* Does not wait for the stop: a tracee in an uninterruptible wait never gets there. */
int64_t op_ptrace_attach(const struct op_ctx *ctx, const struct scn_step *step)
{
	pid_t tid = op_pid_of(ctx, step->a, 1);
	long ret;

	if (!tid)
		return -ESRCH;
	ret = op_sys(SYS_ptrace, PTRACE_SEIZE, tid, 0, 0);
	return ret < 0 ? ret : op_sys(SYS_ptrace, PTRACE_INTERRUPT, tid, 0, 0);
}

/* -ESRCH also while the tracee has not stopped yet. */
int64_t op_ptrace_detach(const struct op_ctx *ctx, const struct scn_step *step)
{
	pid_t tid = op_pid_of(ctx, step->a, 1);

	if (!tid)
		return -ESRCH;
	return op_sys(SYS_ptrace, PTRACE_DETACH, tid, 0, 0);
}
