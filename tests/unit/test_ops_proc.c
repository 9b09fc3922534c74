/* SPDX-License-Identifier: MIT */
/* Tests of the worker operations on tasks and signals. */

#include "ops_fixture.h"

#include <pthread.h>
#include <sys/syscall.h>

#include "harness/daemon/daemon.h"

enum { IMAGE_OUTSIDE, IMAGE_MOUNT };
enum { DEADLINE_MS = 5000 };

/* Not called by what is tested here; the daemon itself is not linked. */
int daemon_notify_inode(unsigned int path)
{
	return -(int)path;
}

int daemon_notify_entry(unsigned int path)
{
	return -(int)path;
}

static void test_kill(void **state)
{
	struct fixture *fx = *state;
	pid_t pid = fork_sleeper(fx, 1);
	unsigned int usr1 = signal_arg(SIGUSR1), sigkill = signal_arg(SIGKILL);

	assert_int_equal(RUN(kill, 2, usr1), -ESRCH);
	assert_int_equal(RUN(kill, 1, usr1), 0);
	assert_int_equal(code_of(pid), 128 + SIGUSR1);
	assert_int_equal(RUN(kill, 1, sigkill), -ESRCH);
	assert_int_equal(fx->arena->daemon.killed, 0);
	pid = fork_sleeper(fx, 1);
	fx->arena->mailbox[3].pid = pid; /* a thread of it */
	assert_int_equal(RUN(kill, 1, sigkill), 0);
	assert_int_equal(code_of(pid), 128 + SIGKILL);
	assert_int_equal(fx->arena->daemon.killed, 1 << 1 | 1 << 3);
	pid = fork_sleeper(fx, ACTOR_DAEMON);
	fx->arena->daemon.pid = pid;
	assert_int_equal(RUN(kill, ACTOR_DAEMON, sigkill), 0);
	assert_int_equal(code_of(pid), 128 + SIGKILL);
}

static void test_stop_cont(void **state)
{
	struct fixture *fx = *state;
	pid_t pid = fork_sleeper(fx, 1);
	int status;

	assert_int_equal(RUN(stop, 1), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(RUN(cont, 1), 0);
	assert_int_equal(waitpid(pid, &status, WCONTINUED), pid);
	assert_true(WIFCONTINUED(status));
	kill(pid, SIGKILL);
	end_of(pid);
	assert_int_equal(RUN(stop, 1), -ESRCH);
	assert_int_equal(RUN(cont, 1), -ESRCH);
}

struct listener {
	struct mailbox *box;
	siginfo_t info;
	int got;
};

static void *listen_usr2(void *arg)
{
	struct listener *listener = arg;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	listener->box->pid = getpid();
	listener->box->tid = gettid();
	/* The raw call: glibc's turns SI_TKILL into SI_USER. */
	listener->got = syscall(SYS_rt_sigtimedwait, &set, &listener->info,
				&(struct timespec){.tv_sec = 5}, sizeof(uint64_t));
	return NULL;
}

static void test_tgkill(void **state)
{
	struct fixture *fx = *state;
	struct listener listener = {.box = &fx->arena->mailbox[1]};
	unsigned int usr2 = signal_arg(SIGUSR2);
	pthread_t thread;

	assert_int_equal(RUN(tgkill, 1, usr2), -ESRCH);
	assert_int_equal(RUN(block, usr2), 0); /* the thread inherits it */
	assert_int_equal(pthread_create(&thread, NULL, listen_usr2, &listener), 0);
	while (!listener.box->tid)
		short_sleep();
	assert_int_equal(RUN(tgkill, 1, usr2), 0);
	pthread_join(thread, NULL);
	assert_int_equal(listener.got, SIGUSR2);
	assert_int_equal(listener.info.si_code, SI_TKILL);
	assert_int_equal(listener.info.si_pid, getpid());
}

static void test_wait(void **state)
{
	struct fixture *fx = *state;
	pid_t pid;

	assert_int_equal(RUN(wait_any), -ECHILD);
	pid = fork_sleeper(fx, 1);
	assert_int_equal(RUN(wait_any), 0);
	kill(pid, SIGKILL);
	assert_int_equal(RUN(wait, 1), 0);
	assert_int_equal(waitpid(pid, NULL, 0), -1);
	assert_int_equal(RUN(wait, 1), -ESRCH);
	assert_int_equal(RUN(wait, 0), -ECHILD);
	pid = fork_sleeper(fx, 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, pid, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(RUN(wait_any), 1);
	assert_int_equal(RUN(wait_any), -ECHILD);
}

static long ms_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_sleep_alarm(void **state)
{
	struct fixture *fx = *state;
	long start = ms_now();

	assert_int_equal(RUN(sleep, V(30)), 0);
	assert_in_range(ms_now() - start, 30, 4000);
	assert_int_equal(RUN(alarm, V(20)), 0);
	assert_int_equal(RUN(sleep, V(5000)), -EINTR);
	assert_in_range(ms_now() - start, 50, 4000);
	assert_int_equal(RUN(alarm, V(100)), 0);
	assert_int_equal(RUN(alarm, V(0)), 0);
	assert_int_equal(RUN(sleep, V(150)), 0);
	signal(SIGALRM, SIG_DFL);
}

/* In a process of its own: what `op` of a signal makes of that signal sent to itself. */
static int own_signal(struct fixture *fx, unsigned int op, int signal)
{
	pid_t pid = fork_actor(fx, 1);
	sigset_t pending;

	if (pid)
		return code_of(pid);
	if (run_args(fx, 1, op, (const int[4]){signal_arg(signal)}))
		_exit(99);
	kill(getpid(), signal);
	sigpending(&pending);
	_exit(sigismember(&pending, signal));
}

static void test_dispositions(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(own_signal(fx, OP_nop, SIGUSR1), 128 + SIGUSR1);
	assert_int_equal(own_signal(fx, OP_handle, SIGUSR1), 0);
	assert_int_equal(own_signal(fx, OP_ignore, SIGUSR1), 0);
	assert_int_equal(own_signal(fx, OP_block, SIGUSR1), 1);
	assert_int_equal(RUN(handle, signal_arg(SIGKILL)), -EINVAL);
	assert_int_equal(RUN(ignore, signal_arg(SIGSTOP)), -EINVAL);
}

/* A handled fault ends the process at the second try, instead of trying for ever. */
static void test_fault_handler(void **state)
{
	struct fixture *fx = *state;
	pid_t pid;

	assert_true(RUN(open, 0, PATH_F0, 0) >= 0);
	assert_int_equal(RUN(mmap, 0, 0, MFLAG_SHARED, 4096), 0);
	pid = fork_actor(fx, 1);
	if (!pid) {
		fx->arena->mailbox[1].mm = 0;
		if (RUN_AS(1, handle, signal_arg(SIGSEGV)))
			_exit(99);
		_exit(RUN_AS(1, touch, 0, 1, 0));
	}
	assert_int_equal(code_of(pid), 128 + SIGSEGV);
}

static bool comm_is(pid_t pid, const char *name)
{
	char path[40], comm[20] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
	return !strcmp(comm, name);
}

static bool becomes(pid_t pid, const char *comm)
{
	for (int i = 0; i < DEADLINE_MS && !comm_is(pid, comm); i++)
		short_sleep();
	return comm_is(pid, comm);
}

static bool has_fd(pid_t pid, int fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return lstat(path, &st) == 0;
}

static void test_exec(void **state)
{
	struct fixture *fx = *state;
	int kept = RUN(open, 0, PATH_F0, 0);
	int closed = RUN(open, 1, PATH_F0, OFLAG_CLOEXEC);
	static const char *const comms[] = {"pause", "bin"};

	for (unsigned int image = IMAGE_OUTSIDE; image <= IMAGE_MOUNT; image++) {
		pid_t pid = fork_actor(fx, 1);

		if (!pid)
			_exit(-RUN_AS(1, exec, image));
		assert_true(becomes(pid, comms[image]));
		assert_true(has_fd(pid, kept));
		assert_false(has_fd(pid, closed));
		kill(pid, SIGKILL);
		assert_int_equal(code_of(pid), 128 + SIGKILL);
	}
	assert_int_equal(RUN(unlink, PATH_BIN), 0);
	assert_int_equal(RUN(exec, IMAGE_MOUNT), -ENOENT);
}

static void test_vfork_exec(void **state)
{
	struct fixture *fx = *state;
	pid_t pid = RUN(vfork_exec, IMAGE_OUTSIDE);
	int status;

	assert_true(pid > 0);
	assert_true(
		comm_is(pid, "pause")); /* at once: the call waits for the execve(2) */
	kill(pid, SIGKILL);
	assert_int_equal(code_of(pid), 128 + SIGKILL);
	assert_int_equal(chmod(mnt_file(fx, "bin"), 0644), 0);
	assert_int_equal(RUN(vfork_exec, IMAGE_MOUNT), -EACCES);
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_int_equal(WEXITSTATUS(status), 127);
	pid = RUN(vfork_exec, IMAGE_OUTSIDE); /* the stack was left sound */
	assert_true(comm_is(pid, "pause"));
	kill(pid, SIGKILL);
	end_of(pid);
}

static void test_fork_exit(void **state)
{
	struct fixture *fx = *state;
	pid_t pid = RUN(fork_exit);

	assert_true(pid > 0);
	assert_int_equal(code_of(pid), 0);
}

static void test_spawn(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(RUN(spawn, 5), SPAWN_RESULT);
	assert_int_equal(fx->spawned, 5);
	assert_int_equal(fx->n_spawned, 1);
	/* The executor's own form: the two after it as well. */
	assert_int_equal(RUN(spawn, 3, 2), SPAWN_RESULT);
	assert_int_equal(fx->spawned, 5);
	assert_int_equal(fx->n_spawned, 4);
}

static void *exit_thread(void *arg)
{
	struct fixture *fx = arg;

	RUN_AS(1, exit, V(3));
	_exit(98); /* not reached */
}

/* exit ends its thread only, exit_group the process. */
static void test_exit(void **state)
{
	struct fixture *fx = *state;
	pid_t pid = fork_actor(fx, 1);
	pthread_t thread;

	if (!pid) {
		if (pthread_create(&thread, NULL, exit_thread, fx))
			_exit(99);
		pthread_join(thread, NULL);
		RUN_AS(1, exit_group, V(7));
		_exit(97);
	}
	assert_int_equal(code_of(pid), 7);
	pid = fork_actor(fx, 1);
	if (!pid) {
		RUN_AS(1, exit, V(3));
		_exit(97);
	}
	assert_int_equal(code_of(pid), 3);
}

static void test_ptrace(void **state)
{
	struct fixture *fx = *state;
	pid_t pid = fork_sleeper(fx, 1);
	int status;

	assert_int_equal(RUN(ptrace_attach, 2), -ESRCH);
	assert_int_equal(RUN(ptrace_detach, 2), -ESRCH);
	assert_int_equal(RUN(ptrace_detach, 1), -ESRCH);
	assert_int_equal(RUN(ptrace_attach, 1), 0);
	assert_int_equal(waitpid(pid, &status, __WALL), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(RUN(ptrace_attach, 1), -EPERM);
	assert_int_equal(RUN(ptrace_detach, 1), 0);
	kill(pid, SIGKILL);
	assert_int_equal(code_of(pid), 128 + SIGKILL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kill),	  TEST(test_stop_cont),	  TEST(test_tgkill),
		TEST(test_wait),	  TEST(test_sleep_alarm), TEST(test_dispositions),
		TEST(test_fault_handler), TEST(test_exec),	  TEST(test_vfork_exec),
		TEST(test_fork_exit),	  TEST(test_spawn),	  TEST(test_exit),
		TEST(test_ptrace),
	};

	return cmocka_run_group_tests(tests, set_up_group, NULL);
}
