/* SPDX-License-Identifier: MIT */
/* Worker operations on tasks: create, execute, end, wait, unshare. */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "harness/scenario/tables.h"
#include "ops_util.h"

#define VFORK_STACK 4096 /* of a child that makes two system calls */

static void image_path(const struct op_ctx *ctx, unsigned int image, char *buf,
		       size_t size)
{
	if (image)
		op_path(ctx, PATH_BIN, buf, size);
	else
		op_outside_path(ctx, "pause", buf, size);
}

/* Closes nothing itself: which descriptors survive is the kernel's business, and the
 * scenario's. */
int64_t op_exec(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];
	char *argv[] = {path, NULL}, *envp[] = {NULL};

	image_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_execve, path, argv, envp);
}

struct vfork_child {
	char path[OP_PATH_SIZE];
	long error;
};

/* In the parent's memory, on a stack of its own. No redzones there: nobody would remove
 * them. */
__attribute__((no_sanitize("address", "undefined"))) static int vfork_body(void *arg)
{
	struct vfork_child *child = arg;
	char *argv[2], *envp[1];

	argv[0] = child->path;
	argv[1] = envp[0] = NULL;
	child->error = op_sys(SYS_execve, child->path, argv, envp);
	op_sys(SYS_exit_group, 127);
	__builtin_unreachable();
}

/*
 * The caller sleeps in wait_for_vfork_done() until the child has executed or died, so the
 * child's stack may be in its frame. The child's pid, or the error of its execve(2); the
 * child is never reaped here.
 */
int64_t op_vfork_exec(const struct op_ctx *ctx, const struct scn_step *step)
{
	char stack[VFORK_STACK] __attribute__((aligned(16)));
	struct vfork_child child = {.error = 0};
	int pid;

	image_path(ctx, step->a, child.path, sizeof(child.path));
	pid = clone(vfork_body, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD,
		    &child);
	if (pid < 0)
		return -errno;
	return child.error < 0 ? child.error : pid;
}

/* The raw call: no handler of the libc runs, no lock of it is taken. The child's copy of
 * the file table goes away at once, with a flush of each file. */
int64_t op_fork_exit(const struct op_ctx *ctx, const struct scn_step *step)
{
	long pid = op_sys(SYS_fork);

	(void)ctx;
	(void)step;
	if (!pid)
		op_sys(SYS_exit_group, 0);
	return pid;
}

/* As fork_exit, but the file table is shared: nothing is copied, and nothing flushed by the child. */
int64_t op_clone3_exit(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack,
			stack_size, tls;
	} args = {.flags = CLONE_FILES, .exit_signal = SIGCHLD};
	long pid = op_sys(SYS_clone3, &args, sizeof(args));

	(void)ctx;
	(void)step;
	if (!pid)
		op_sys(SYS_exit_group, 0);
	return pid;
}

/* fork(2), and execve(2) in the child, which pauses then; it is never reaped here. */
int64_t op_fork_exec(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];
	char *argv[] = {path, NULL}, *envp[] = {NULL};
	long pid;

	image_path(ctx, step->a, path, sizeof(path));
	pid = op_sys(SYS_fork);
	if (!pid) {
		op_sys(SYS_execve, path, argv, envp);
		op_sys(SYS_exit_group, 127);
	}
	return pid;
}

int64_t op_subreaper(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	(void)step;
	return op_sys(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
}

int64_t op_pdeathsig(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	return op_sys(SYS_prctl, PR_SET_PDEATHSIG, signal_table[step->a].value);
}

int64_t op_setsid(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	(void)step;
	return op_sys(SYS_setsid);
}

int64_t op_spawn(const struct op_ctx *ctx, const struct scn_step *step)
{
	int64_t ret = ctx->spawn(ctx->spawn_ctx, step->a);

	/* At the start of a run the executor asks for several, b after the first. */
	for (unsigned int i = 1; ret >= 0 && i <= step->b; i++)
		ret = ctx->spawn(ctx->spawn_ctx, step->a + i);
	return ret;
}

int64_t op_exit(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	return op_sys(SYS_exit, step->v);
}

int64_t op_exit_group(const struct op_ctx *ctx, const struct scn_step *step)
{
	(void)ctx;
	return op_sys(SYS_exit_group, step->v);
}

int64_t op_wait(const struct op_ctx *ctx, const struct scn_step *step)
{
	pid_t pid = op_pid_of(ctx, step->a, 0);

	if (!pid)
		return -ESRCH;
	return op_sys(SYS_waitid, P_PID, pid, NULL, WEXITED | __WALL, NULL);
}

/* 1: a child was reaped, 0: none has ended yet, -ECHILD: there is none. */
int64_t op_wait_any(const struct op_ctx *ctx, const struct scn_step *step)
{
	siginfo_t info;
	long ret;

	(void)ctx;
	(void)step;
	info.si_pid = 0;
	ret = op_sys(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | __WALL, NULL);
	return ret < 0 ? ret : info.si_pid != 0;
}

static void copy_row(struct arena *arena, unsigned int from, unsigned int to)
{
	memcpy(arena->fd_slots[to], arena->fd_slots[from], sizeof(arena->fd_slots[to]));
	arena->epoll_fd[to] = arena->epoll_fd[from];
}

/*
 * After unshare(CLONE_FILES): the actor's slots become a row of its own, [actor]. If that
 * is the row which others share, they move to the row of the first of them, which is
 * free: row r is in use only while actor r itself uses it, or has ended.
 */
static void leave_row(struct arena *arena, unsigned int actor)
{
	unsigned int old = arena->mailbox[actor].files;
	unsigned int heir = ARENA_MAILBOXES;

	if (old != actor) {
		copy_row(arena, old, actor);
		arena->mailbox[actor].files = actor;
		return;
	}
	for (unsigned int i = 0; i < ARENA_MAILBOXES; i++) {
		struct mailbox *box = &arena->mailbox[i];

		if (i == actor || box->state == MAILBOX_NONE || box->files != actor)
			continue;
		if (heir == ARENA_MAILBOXES) {
			heir = i;
			copy_row(arena, actor, heir);
		}
		box->files = heir;
	}
}

int64_t op_unshare(const struct op_ctx *ctx, const struct scn_step *step)
{
	unsigned long flags = 0;
	long ret;

	flags |= step->a & UNSHARE_FILES ? CLONE_FILES : 0;
	flags |= step->a & UNSHARE_FS ? CLONE_FS : 0;
	flags |= step->a & UNSHARE_MOUNT ? CLONE_NEWNS : 0;
	ret = op_sys(SYS_unshare, flags);
	if (ret == 0 && flags & CLONE_FILES)
		leave_row(ctx->arena, ctx->actor);
	return ret;
}

int64_t op_sleep(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct timespec time = {step->v / 1000, step->v % 1000 * 1000000L};

	(void)ctx;
	return op_sys(SYS_nanosleep, &time, NULL);
}
