/* SPDX-License-Identifier: MIT */
/* Tests of unshare, and of what the operations see across pid namespaces. */

#include "ops_fixture.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include "harness/daemon/daemon.h"

/* Not called by what is tested here; the daemon itself is not linked. */
int daemon_notify_inode(unsigned int path)
{
	return -(int)path;
}

int daemon_notify_entry(unsigned int path)
{
	return -(int)path;
}

/* Who uses which row of the slots after one of them left the table. */
static void test_unshare_files(void **state)
{
	struct fixture *fx = *state;
	struct arena *arena = fx->arena;
	int fd = RUN(open, 0, PATH_F0, 0);

	/* t1 and t2 are threads of t0. t1 leaves: it gets a row of its own. */
	for (unsigned int i = 1; i <= 2; i++) {
		arena->mailbox[i].state = MAILBOX_IDLE;
		arena->mailbox[i].files = 0;
	}
	arena->mailbox[3].files = 0; /* not there yet: not asked */
	assert_int_equal(RUN_AS(1, unshare, UNSHARE_FILES), 0);
	assert_int_equal(arena->mailbox[1].files, 1);
	assert_int_equal(arena->fd_slots[1][0], fd);
	assert_int_equal(arena->mailbox[0].files, 0);
	assert_int_equal(arena->mailbox[2].files, 0);
	/* t0 leaves the row that bears its number: t2 takes a copy to its own. */
	arena->epoll_fd[0] = 77;
	assert_int_equal(RUN_AS(0, unshare, UNSHARE_FILES), 0);
	arena->epoll_fd[0] = -1;
	assert_int_equal(arena->mailbox[0].files, 0);
	assert_int_equal(arena->mailbox[1].files, 1);
	assert_int_equal(arena->mailbox[2].files, 2);
	assert_int_equal(arena->mailbox[3].files, 0);
	assert_int_equal(arena->fd_slots[2][0], fd);
	assert_int_equal(arena->epoll_fd[2], 77);
}

struct sharer {
	struct fixture *fx;
	int64_t unshared, closed;
};

static int close_after_unshare(void *arg)
{
	struct sharer *sharer = arg;
	struct fixture *fx = sharer->fx;

	sharer->unshared = RUN_AS(1, unshare, UNSHARE_FILES | UNSHARE_FS);
	sharer->closed = RUN_AS(1, close, 0);
	if (chdir("/proc"))
		_exit(1);
	_exit(0);
}

/* The real effect: a close by one of two that shared a table is not seen by the other any
 * more. */
static void test_unshare_effect(void **state)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct fixture *fx = *state;
	struct sharer *sharer = mmap(NULL, sizeof(*sharer), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = RUN(open, 0, PATH_F0, 0);
	char before[256] = "", after[256] = "";
	pid_t pid;

	sharer->fx = fx;
	fx->arena->mailbox[1].state = MAILBOX_IDLE;
	fx->arena->mailbox[1].files = 0;
	assert_non_null(getcwd(before, sizeof(before)));
	pid = clone(close_after_unshare, stack + sizeof(stack),
		    CLONE_FILES | CLONE_FS | SIGCHLD, sharer);
	assert_true(pid > 0);
	assert_int_equal(code_of(pid), 0);
	assert_int_equal(sharer->unshared, 0);
	assert_int_equal(sharer->closed, 0);
	assert_int_equal(fx->arena->fd_slots[1][0], -1);
	assert_int_equal(fx->arena->fd_slots[0][0], fd);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_non_null(getcwd(after, sizeof(after)));
	assert_string_equal(before, after);
	munmap(sharer, sizeof(*sharer));
}

static void test_unshare_mount(void **state)
{
	struct fixture *fx = *state;
	pid_t pid;

	if (geteuid()) {
		assert_int_equal(RUN(unshare, UNSHARE_MOUNT), -EPERM);
		return;
	}
	pid = fork_actor(fx, 1);
	if (!pid) {
		struct stat before, after;

		if (stat("/proc/self/ns/mnt", &before) ||
		    RUN_AS(1, unshare, UNSHARE_MOUNT) ||
		    stat("/proc/self/ns/mnt", &after))
			_exit(99);
		_exit(before.st_ino == after.st_ino);
	}
	assert_int_equal(code_of(pid), 0);
}

/* Forks actor `id` as the init of a pid namespace; it publishes itself by the test's
 * /proc. */
static pid_t fork_into(struct fixture *fx, unsigned int id, unsigned int depth,
		       bool new_pidns)
{
	struct mailbox *box = &fx->arena->mailbox[id];
	unsigned long flags = SIGCHLD | (new_pidns ? CLONE_NEWPID : 0);
	pid_t pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	char link[40] = "";

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(20);
	if (readlink("/proc/self", link, sizeof(link) - 1) < 0)
		_exit(99);
	box->depth = depth;
	box->tid = atoi(link);
	box->pid = box->tid;
	return 0;
}

static void wait_for_pid(struct fixture *fx, unsigned int id)
{
	while (!fx->arena->mailbox[id].pid)
		short_sleep();
}

_Noreturn static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

/*
 * ctl - t0 (the test) - t1 init of A - t2, a member of A - t3 init of C
 *                     - t4 init of B
 */
static void in_namespace_a(struct fixture *fx)
{
	struct op_ctx ctx = context_of(fx, 1);
	pid_t member = fork_into(fx, 2, 1, false), inner;

	if (!member)
		sleep_for_ever();
	inner = fork_into(fx, 3, 2, true);
	if (!inner)
		sleep_for_ever();
	wait_for_pid(fx, 2);
	wait_for_pid(fx, 3);
	wait_for_pid(fx, 4);
	if (op_pid_of(&ctx, 1, 0) != 1)
		_exit(1);
	if (op_pid_of(&ctx, 2, 0) != member || op_pid_of(&ctx, 2, 1) != member)
		_exit(2);
	if (op_pid_of(&ctx, 3, 0) != inner)
		_exit(3);
	if (op_pid_of(&ctx, 4,
		      0)) /* a sibling namespace of the same depth: number 1 there */
		_exit(4);
	if (op_pid_of(&ctx, 0, 0)) /* above */
		_exit(5);
	if (RUN_AS(1, kill, 4, signal_arg(SIGUSR1)) != -ESRCH)
		_exit(6);
	_exit(0);
}

static void test_pid_namespaces(void **state)
{
	struct fixture *fx = *state;
	struct op_ctx ctx = context_of(fx, 0);
	pid_t a, b;

	if (geteuid()) {
		print_message("skip: pid namespaces need root\n");
		skip();
	}
	a = fork_into(fx, 1, 1, true);
	if (!a)
		in_namespace_a(fx);
	b = fork_into(fx, 4, 1, true);
	if (!b)
		sleep_for_ever();
	wait_for_pid(fx, 1);
	wait_for_pid(fx, 4);
	assert_int_equal(op_pid_of(&ctx, 1, 0), a);
	assert_int_equal(op_pid_of(&ctx, 4, 0), b);
	assert_int_equal(code_of(a), 0);
	assert_int_equal(op_pid_of(&ctx, 1, 0), 0);
	assert_int_equal(RUN(kill, 4, signal_arg(SIGKILL)), 0);
	assert_int_equal(code_of(b), 128 + SIGKILL);
	assert_int_equal(op_pid_of(&ctx, 5, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unshare_files),
		TEST(test_unshare_effect),
		TEST(test_unshare_mount),
		TEST(test_pid_namespaces),
	};

	return cmocka_run_group_tests(tests, set_up_group, NULL);
}
