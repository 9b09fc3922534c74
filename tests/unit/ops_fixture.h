/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the worker operations share: an arena in shared memory and two
 * folders, one that plays the mount (a tmpfs where the tests may mount one) and one
 * outside it.
 */
#ifndef OPS_FIXTURE_H
#define OPS_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/scenario/tables.h"
#include "harness/tree/ops.h"

#define FILE_SIZE    65536
#define SPAWN_RESULT 4711 /* what op_spawn is told */

extern const char pause_image_start[], pause_image_end[];

struct fixture {
	struct arena *arena;
	char mnt[64], outside[64];
	int spawned; /* the task that op_spawn asked for last */
	int n_spawned;
};

static inline int fixture_spawn(void *ctx, unsigned int task)
{
	struct fixture *fx = ctx;

	fx->spawned = task;
	fx->n_spawned++;
	return SPAWN_RESULT;
}

static inline struct op_ctx context_of(struct fixture *fx, unsigned int actor)
{
	return (struct op_ctx){.arena = fx->arena,
			       .actor = actor,
			       .mnt = fx->mnt,
			       .outside = fx->outside,
			       .spawn = fixture_spawn,
			       .spawn_ctx = fx};
}

static inline int64_t run_step(struct fixture *fx, unsigned int actor,
			       struct scn_step step)
{
	struct op_ctx ctx = context_of(fx, actor);

	step.actor = actor;
	return op_run(&ctx, &step);
}

static inline int64_t run_args(struct fixture *fx, unsigned int actor, unsigned int op,
			       const int *arg)
{
	struct scn_step step = {
		.op = op, .a = arg[0], .b = arg[1], .c = arg[2], .v = arg[3]};

	return run_step(fx, actor, step);
}

/* RUN(symbol, a, b, c, v): absent arguments are 0; V() names the last one. */
#define V(value) [3] = (value)
#define RUN_AS(actor, symbol, ...)                                                       \
	run_args(fx, actor, OP_##symbol, (const int[4]){__VA_ARGS__})
#define RUN(symbol, ...) RUN_AS(0, symbol, ##__VA_ARGS__)

/* Argument of a signal operation. */
static inline unsigned int signal_arg(int signal)
{
	unsigned int i = 0;

	while (signal_table[i].name && (int)signal_table[i].value != signal)
		i++;
	assert_non_null(signal_table[i].name);
	return i;
}

static inline void put_file(const char *dir, const char *name, const void *data,
			    size_t len, int mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(close(fd), 0);
}

static inline void put_dir(const char *dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

/* Path of a file below the mount, in a static buffer. */
static inline const char *mnt_file(const struct fixture *fx, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", fx->mnt, name);
	return path;
}

/* Its size, or -errno. */
static inline long size_of(const struct fixture *fx, const char *name)
{
	struct stat st;

	return lstat(mnt_file(fx, name), &st) ? -errno : (long)st.st_size;
}

static inline void set_up_arena(struct fixture *fx)
{
	struct arena *arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(arena, MAP_FAILED);
	for (unsigned int i = 0; i < ARENA_MAILBOXES; i++) {
		arena->mailbox[i].files = arena->mailbox[i].mm = i;
		arena->epoll_fd[i] = -1;
		for (unsigned int j = 0; j < SCN_FD_SLOTS; j++)
			arena->fd_slots[i][j] = -1;
	}
	arena->mailbox[0].state = MAILBOX_IDLE;
	arena->mailbox[0].pid = arena->mailbox[0].tid = getpid();
	fx->arena = arena;
}

static inline int set_up(void **state)
{
	static char content[FILE_SIZE];
	struct fixture *fx = calloc(1, sizeof(*fx));
	char base[] = "/tmp/sf-ops-XXXXXX";

	assert_non_null(fx);
	assert_non_null(mkdtemp(base));
	snprintf(fx->mnt, sizeof(fx->mnt), "%s/mnt", base);
	snprintf(fx->outside, sizeof(fx->outside), "%s/outside", base);
	put_dir(base, "mnt");
	put_dir(base, "outside");
	memset(content, 'x', sizeof(content));
	put_file(fx->mnt, "f0", content, FILE_SIZE, 0644);
	put_file(fx->mnt, "f1", content, FILE_SIZE, 0644);
	put_dir(fx->mnt, "d0");
	put_dir(fx->mnt, "d1");
	put_file(fx->mnt, "d0/f3", content, 1, 0644);
	put_file(fx->mnt, "bin", pause_image_start, pause_image_end - pause_image_start,
		 0755);
	put_file(fx->outside, "pause", pause_image_start,
		 pause_image_end - pause_image_start, 0755);
	assert_int_equal(symlink("f0", mnt_file(fx, "sym")), 0);
	set_up_arena(fx);
	fx->spawned = -1;
	*state = fx;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type,
			     struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int tear_down(void **state)
{
	struct fixture *fx = *state;

	for (unsigned int i = 0; i < SCN_FD_SLOTS; i++)
		if (fx->arena->fd_slots[0][i] >= 0)
			close(fx->arena->fd_slots[0][i]);
	if (fx->arena->epoll_fd[0] >= 0)
		close(fx->arena->epoll_fd[0]);
	*strrchr(fx->mnt, '/') = '\0';
	assert_int_equal(nftw(fx->mnt, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	munmap(fx->arena, sizeof(*fx->arena));
	free(fx);
	return 0;
}

/* Root gets a tmpfs that nobody else sees, and that ends with the process; others use
 * /tmp as it is. */
static inline int set_up_group(void **state)
{
	(void)state;
	if (geteuid())
		return 0;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	return mount("sf-ops", "/tmp", "tmpfs", 0, NULL);
}

/* A child process that is actor `id`. Returns 0 in the child, which must _exit(). */
static inline pid_t fork_actor(struct fixture *fx, unsigned int id)
{
	struct mailbox *box = &fx->arena->mailbox[id];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		alarm(20); /* a broken test must not leave it behind */
		return 0;
	}
	box->pid = box->tid = pid;
	box->state = MAILBOX_IDLE;
	return pid;
}

static inline pid_t fork_sleeper(struct fixture *fx, unsigned int id)
{
	pid_t pid = fork_actor(fx, id);

	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* Reaps it; its wait status. */
static inline int end_of(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, __WALL), pid);
	return status;
}

/* Exit code of a child, 128 + the signal that killed it. */
static inline int code_of(pid_t pid)
{
	int status = end_of(pid);

	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void short_sleep(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

#endif
