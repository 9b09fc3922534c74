/* SPDX-License-Identifier: MIT */
/* The proc readers on a real tree of children with known states. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/snapshot/procfs.h"

#define DEADLINE_MS 5000

static struct procfs proc;

enum kid {
	SLEEPER,
	STOPPED,
	ZOMBIE,
	VFORKER,
	THREADS,
	LEADER,
	NAMESPACED,
	BUSY,
	NAPPER,
	KIDS
};
static pid_t kids[KIDS];
/* [0]: the vfork child, [1]: a second thread, [2]: the thread of LEADER */
static volatile pid_t *shared;

static void *thread_main(void *arg)
{
	shared[(intptr_t)arg] = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

static _Noreturn void kid_main(enum kid kid)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	switch (kid) {
	case SLEEPER:
		prctl(PR_SET_NAME, "a) b");
		break;
	case STOPPED:
		raise(SIGSTOP);
		break;
	case ZOMBIE:
		_exit(3);
	case VFORKER:
		if (vfork() == 0) {
			shared[0] = getpid();
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		break;
	case THREADS:
		pthread_create(&thread, NULL, thread_main, (void *)1);
		break;
	case LEADER:
		pthread_create(&thread, NULL, thread_main, (void *)2);
		while (!shared[2])
			usleep(1000);
		syscall(SYS_exit, 0);
		break;
	case BUSY:
		for (;;)
			__asm__ volatile("" ::: "memory");
	case NAPPER:
		for (;;)
			usleep(1000);
	default:
		break;
	}
	for (;;)
		pause();
}

static void wait_state(pid_t pid, pid_t tid, char want)
{
	struct task_sample s;

	for (int i = 0; i < DEADLINE_MS; i++) {
		if (!procfs_sample(&proc, pid, tid, &s) && s.state == want &&
		    (want == 'Z' || want == 'R' || !s.running))
			return;
		usleep(1000);
	}
	fail_msg("%d/%d never was %c", pid, tid, want);
}

static int setup(void **state)
{
	(void)state;
	if (procfs_open(&proc, "/proc"))
		return -1;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	for (int i = 0; i < KIDS; i++) {
		unsigned long flags = i == NAMESPACED ? CLONE_NEWPID : 0;
		long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

		if (pid == 0)
			kid_main((enum kid)i);
		kids[i] = (pid_t)pid;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (shared && shared[0] > 0)
		kill(shared[0], SIGKILL);
	for (int i = 0; i < KIDS; i++)
		if (kids[i] > 0) {
			kill(kids[i], SIGKILL);
			waitpid(kids[i], NULL, 0);
		}
	procfs_close(&proc);
	return 0;
}

static bool has_frame(const struct snap_task *task, const char *name)
{
	for (size_t i = 0; i < task->n_frames; i++)
		if (strstr(task->frames[i].name, name))
			return true;
	return false;
}

static void read_kid(enum kid kid, char want, struct snap_task *task)
{
	if (kids[kid] <= 0) {
		print_message("needs root\n");
		skip();
	}
	wait_state(kids[kid], kids[kid], want);
	memset(task, 0, sizeof(*task));
	assert_int_equal(procfs_read_task(&proc, kids[kid], kids[kid], task), 0);
	assert_int_equal(task->state, want);
	assert_int_equal(task->pid, kids[kid]);
	assert_int_equal(task->ppid, getpid());
	assert_false(task->vanished);
	assert_int_equal(task->dev_fd, -1);
	assert_int_equal(task->tracer, 0);
}

static void test_sleeper(void **state)
{
	struct snap_task task;

	(void)state;
	read_kid(SLEEPER, 'S', &task);
	assert_string_equal(task.comm, "a) b");
	assert_int_equal(task.syscall, SYS_pause);
	assert_true(task.sp && task.pc);
	assert_int_equal(task.n_threads, 1);
	assert_int_equal(task.inner_tid, kids[SLEEPER]);
	assert_true(task.switches > 0);
	assert_true(task.pidns > 0);
	assert_false(task.flags & PF_EXITING);
	if (!geteuid())
		assert_true(has_frame(&task, "pause"));
}

static void test_stopped(void **state)
{
	struct snap_task task;

	(void)state;
	/* pending while it is stopped: both kinds of pending show up */
	wait_state(kids[STOPPED], kids[STOPPED], 'T');
	kill(kids[STOPPED], SIGUSR1);
	syscall(SYS_tgkill, kids[STOPPED], kids[STOPPED], SIGUSR2);
	read_kid(STOPPED, 'T', &task);
	assert_int_equal(task.shdpnd, 1ull << (SIGUSR1 - 1));
	assert_int_equal(task.sigpnd, 1ull << (SIGUSR2 - 1));
	if (!geteuid())
		assert_true(has_frame(&task, "do_signal_stop"));
}

static void test_zombie(void **state)
{
	struct snap_task task;
	struct task_sample a, b;
	struct procfs_probe probe;
	struct probe_sample ps;

	(void)state;
	read_kid(ZOMBIE, 'Z', &task);
	assert_true(task.flags & PF_EXITING);
	assert_string_equal(task.wchan, "0");
	assert_int_equal(procfs_sample(&proc, kids[ZOMBIE], kids[ZOMBIE], &a), 0);
	assert_int_equal(procfs_sample(&proc, kids[ZOMBIE], kids[ZOMBIE], &b), 0);
	assert_true(a.exiting && a.n_threads == 1);
	assert_true(task_sample_same(&a, &b));
	assert_int_equal(procfs_probe_open(&proc, kids[ZOMBIE], kids[ZOMBIE], &probe), 0);
	assert_int_equal(procfs_probe_read(&probe, &ps), 0);
	assert_false(ps.asleep);
	assert_int_equal(procfs_probe_state(&probe), 'Z');
	/* reaped: every way of reading tells that it is gone */
	waitpid(kids[ZOMBIE], NULL, 0);
	assert_int_equal(procfs_probe_read(&probe, &ps), -ESRCH);
	assert_int_equal(procfs_probe_state(&probe), -ESRCH);
	procfs_probe_close(&probe);
	assert_int_equal(procfs_sample(&proc, kids[ZOMBIE], kids[ZOMBIE], &a), -ESRCH);
	memset(&task, 0, sizeof(task));
	assert_int_equal(procfs_read_task(&proc, kids[ZOMBIE], kids[ZOMBIE], &task),
			 -ESRCH);
	assert_true(task.vanished);
	kids[ZOMBIE] = 0;
}

static void test_vfork_parent(void **state)
{
	struct snap_task task;

	(void)state;
	read_kid(VFORKER, 'D', &task);
	assert_string_equal(task.wchan, "kernel_clone");
	if (!geteuid())
		assert_true(has_frame(&task, "clone"));
}

static int count_thread(void *ctx, pid_t pid, pid_t tid)
{
	int *n = ctx;

	(void)pid;
	n[0]++;
	n[1] |= tid == shared[1];
	return 0;
}

static void test_threads(void **state)
{
	struct snap_task task;
	int n[2] = {0};

	(void)state;
	read_kid(THREADS, 'S', &task);
	while (!shared[1])
		usleep(1000);
	wait_state(kids[THREADS], shared[1], 'S');
	assert_int_equal(procfs_each_thread_of(&proc, kids[THREADS], count_thread, n), 0);
	assert_int_equal(n[0], 2);
	assert_int_equal(n[1], 1);
	memset(&task, 0, sizeof(task));
	assert_int_equal(procfs_read_task(&proc, kids[THREADS], shared[1], &task), 0);
	assert_int_equal(task.n_threads, 2);
	assert_int_equal(task.tid, shared[1]);
}

/* A main thread that is a zombie is not reapable while another thread lives. */
static void test_zombie_leader(void **state)
{
	struct snap_task task;

	(void)state;
	read_kid(LEADER, 'Z', &task);
	assert_int_equal(task.n_threads, 2);
	memset(&task, 0, sizeof(task));
	assert_int_equal(procfs_read_task(&proc, kids[LEADER], shared[2], &task), 0);
	assert_int_equal(task.state, 'S');
}

static void test_namespaced(void **state)
{
	struct snap_task task, other;

	(void)state;
	read_kid(NAMESPACED, 'S', &task);
	read_kid(SLEEPER, 'S', &other);
	assert_int_equal(task.inner_tid, 1);
	assert_true(task.pidns && task.pidns != other.pidns);
}

struct seen {
	int kids, total;
};

static int see(void *ctx, pid_t pid, pid_t tid)
{
	struct seen *seen = ctx;

	seen->total++;
	for (int i = 0; i < KIDS; i++)
		seen->kids += kids[i] == pid && pid == tid;
	return 0;
}

static int stop_at_three(void *ctx, pid_t pid, pid_t tid)
{
	(void)pid;
	(void)tid;
	return ++*(int *)ctx == 3 ? 42 : 0;
}

static void test_walk(void **state)
{
	struct seen seen = {0};
	int alive = 0, n = 0;

	(void)state;
	for (int i = 0; i < KIDS; i++)
		alive += kids[i] > 0;
	/* twice: a walk must not share its place with the next one */
	assert_int_equal(procfs_each_thread(&proc, see, &seen), 0);
	assert_int_equal(seen.kids, alive);
	assert_int_equal(procfs_each_thread(&proc, see, &seen), 0);
	assert_int_equal(seen.kids, 2 * alive);
	assert_int_equal(procfs_each_thread(&proc, stop_at_three, &n), 42);
	assert_int_equal(n, 3);
	assert_int_equal(procfs_each_thread_of(&proc, 0x3fffffff, see, &seen), -ESRCH);
}

/* Asleep and awake, over time. */
static void test_sampler(void **state)
{
	struct task_sample a, b;
	struct procfs_probe sleeper, busy;
	struct probe_sample x, y;
	uint64_t h1, h2;

	(void)state;
	wait_state(kids[SLEEPER], kids[SLEEPER], 'S');
	assert_int_equal(procfs_sample(&proc, kids[SLEEPER], kids[SLEEPER], &a), 0);
	usleep(20000);
	assert_int_equal(procfs_sample(&proc, kids[SLEEPER], kids[SLEEPER], &b), 0);
	assert_true(task_sample_same(&a, &b));
	assert_false(a.running || a.exiting || a.sigkill_pending || a.in_exec ||
		     a.limited);
	assert_string_equal(a.comm, "a) b");
	assert_int_equal(a.ppid, getpid());
	assert_int_equal(procfs_sample_safe(&proc, kids[SLEEPER], kids[SLEEPER], &b), 0);
	assert_true(b.limited && b.state == 'S' && b.switches == a.switches);
	assert_string_equal(b.comm, "a) b");
	assert_int_equal(procfs_sample(&proc, kids[SLEEPER], kids[SLEEPER], &a), 0);
	if (!geteuid())
		assert_true(a.stack_hash);

	assert_int_equal(procfs_sample(&proc, kids[BUSY], kids[BUSY], &a), 0);
	assert_int_equal(procfs_sample(&proc, kids[BUSY], kids[BUSY], &b), 0);
	assert_true(a.running);
	assert_false(task_sample_same(&a, &b));

	/* it sleeps each time we look, but not the same sleep */
	wait_state(kids[NAPPER], kids[NAPPER], 'S');
	assert_int_equal(procfs_sample(&proc, kids[NAPPER], kids[NAPPER], &a), 0);
	usleep(50000);
	wait_state(kids[NAPPER], kids[NAPPER], 'S');
	assert_int_equal(procfs_sample(&proc, kids[NAPPER], kids[NAPPER], &b), 0);
	assert_true(b.switches > a.switches);
	assert_false(task_sample_same(&a, &b));

	assert_int_equal(procfs_probe_open(&proc, kids[SLEEPER], kids[SLEEPER], &sleeper),
			 0);
	assert_int_equal(procfs_probe_open(&proc, kids[BUSY], kids[BUSY], &busy), 0);
	assert_int_equal(procfs_probe_read(&sleeper, &x), 0);
	usleep(20000);
	assert_int_equal(procfs_probe_read(&sleeper, &y), 0);
	assert_true(x.asleep && y.asleep && x.runs == y.runs && x.runs > 0);
	if (!geteuid()) {
		assert_int_equal(procfs_probe_stack(&sleeper, &h1), 0);
		assert_int_equal(procfs_probe_stack(&sleeper, &h2), 0);
		assert_true(h1 && h1 == h2);
	}
	assert_int_equal(procfs_probe_read(&busy, &x), 0);
	assert_false(x.asleep);
	procfs_probe_close(&sleeper);
	procfs_probe_close(&busy);
}

/* As on kernels up to 5.15, where wchan is "0" whoever asks: syscall tells the same. */
static void test_blind(void **state)
{
	struct procfs blind = proc;
	struct procfs_probe probe;
	struct probe_sample seen;
	struct task_sample a, b;

	(void)state;
	wait_state(kids[SLEEPER], kids[SLEEPER], 'S');
	blind.blind = true;
	assert_int_equal(procfs_sample(&blind, kids[SLEEPER], kids[SLEEPER], &a), 0);
	if (access("/proc/self/syscall", R_OK))
		skip();
	assert_false(a.running);
	assert_int_equal(procfs_sample(&blind, kids[SLEEPER], kids[SLEEPER], &b), 0);
	assert_true(task_sample_same(&a, &b));
	assert_int_equal(procfs_sample(&blind, kids[BUSY], kids[BUSY], &a), 0);
	assert_true(a.running);
	assert_int_equal(procfs_probe_open(&blind, kids[SLEEPER], kids[SLEEPER], &probe),
			 0);
	assert_int_equal(procfs_probe_read(&probe, &seen), 0);
	assert_true(seen.asleep);
	procfs_probe_close(&probe);
	/* Whatever this kernel is: once calibrated, who sleeps is not on the run queue. */
	procfs_calibrate(&blind);
	assert_int_equal(procfs_sample(&blind, kids[SLEEPER], kids[SLEEPER], &a), 0);
	assert_false(a.running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleeper),	   cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_zombie),	   cmocka_unit_test(test_vfork_parent),
		cmocka_unit_test(test_threads),	   cmocka_unit_test(test_zombie_leader),
		cmocka_unit_test(test_namespaced), cmocka_unit_test(test_walk),
		cmocka_unit_test(test_sampler),	   cmocka_unit_test(test_blind),
	};

	return cmocka_run_group_tests_name("procfs", tests, setup, teardown);
}
