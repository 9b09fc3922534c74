/* SPDX-License-Identifier: MIT */
/* User stacks of tasks that hang in a real FUSE mount, and readers that must not hang with them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/snapshot/procfs.h"
#include "harness/snapshot/snapshot.h"
#include "harness/snapshot/ustack.h"
#include "tests/unit/raw_fuse.h"

#define DEADLINE_MS 5000

static struct procfs proc;

static int setup(void **state)
{
	(void)state;
	if (geteuid() || access("/dev/fuse", R_OK | W_OK)) {
		print_message("skipped: needs root and /dev/fuse\n");
		exit(77);
	}
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    !mkdtemp(mnt) || procfs_open(&proc, "/proc"))
		return -1;
	control = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	procfs_close(&proc);
	return rmdir(mnt);
}

/* ---- victims ---- */

static char path_f[64];
static volatile int sink;

static void on_signal(int sig)
{
	(void)sig;
}

__attribute__((noinline)) static void victim_helper(void)
{
	struct stat st;

	sink = stat(path_f, &st);
	sink++;
}

__attribute__((noinline)) static void victim_outer(void (*fn)(void))
{
	/* something on the stack that looks like a frame, but is none */
	volatile uintptr_t decoy[4] = {(uintptr_t)&decoy[2], (uintptr_t)&victim_helper};

	fn();
	sink += (int)decoy[0];
}

__attribute__((noinline, optimize("omit-frame-pointer"))) static void bare_helper(void)
{
	struct stat st;

	sink = stat(path_f, &st);
	sink++;
}

__attribute__((noinline, optimize("omit-frame-pointer"))) static void bare_outer(void)
{
	bare_helper();
	sink++;
}

static volatile uintptr_t stale_ret;

__attribute__((noinline)) static void remember_ret(void)
{
	stale_ret = (uintptr_t)__builtin_return_address(0);
}

__attribute__((noinline)) static void decoy_helper(void)
{
	/* what an earlier frame may leave behind: a frame pointer and a return address */
	volatile uintptr_t stale[2] = {(uintptr_t)__builtin_frame_address(0) + 64,
				       stale_ret};
	struct stat st;

	sink = stat(path_f, &st);
	sink += (int)stale[0];
}

__attribute__((noinline)) static void decoy_outer(void)
{
	victim_outer(remember_ret);
	decoy_helper();
	sink++;
}

/* Called through a pointer, so nothing says who called it; in its locals the frame of an earlier, direct call. */
__attribute__((noinline)) static void stale_helper(void)
{
	volatile uintptr_t stale[2] = {*(uintptr_t *)__builtin_frame_address(0),
				       stale_ret};
	struct stat st;

	sink = stat(path_f, &st);
	sink += (int)stale[0];
}

static void run_stale(void)
{
	remember_ret();
	sink++;
	victim_outer(stale_helper);
}

static void run_plain(void)
{
	victim_outer(victim_helper);
}

static void run_exec(void)
{
	int fd = open(path_f, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		execl("/bin/true", "true", NULL);
}

static void run_code(void)
{
	int fd = open(path_f, O_RDONLY | O_CLOEXEC);
	void *text = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	struct stat st;

	/* the code is in memory now, and its file's next GETATTR hangs */
	sink = (int)((long (*)(long, const char *, void *))text)(SYS_stat, path_f, &st);
}

static void start_victim(void (*fn)(void), int drop)
{
	snprintf(path_f, sizeof(path_f), "%s/f", mnt);
	control->drop = drop;
	victim = fork();
	if (victim == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGUSR1, on_signal);
		fn();
		_exit(0);
	}
	for (int i = 0; i < DEADLINE_MS && !control->dropped; i++)
		usleep(1000);
	assert_int_equal(control->dropped, 1);
}

static void wait_state(char want)
{
	struct task_sample a, b;

	for (int i = 0; i < DEADLINE_MS; i++) {
		if (!procfs_sample(&proc, victim, victim, &a) && a.state == want &&
		    !procfs_sample(&proc, victim, victim, &b) && task_sample_same(&a, &b))
			return;
		usleep(1000);
	}
	fail_msg("the victim never was %c", want);
}

static struct snap_task *take(struct snapshot *snap, unsigned int number)
{
	struct snap_task *task;

	snapshot_init(snap);
	snap->conn.number = number;
	task = snapshot_add_task(snap);
	assert_int_equal(procfs_read_task(&proc, victim, victim, task), 0);
	return task;
}

static int frame_at(const struct snap_task *task, const char *name)
{
	for (int i = 0; i < task->n_uframes; i++)
		if (!strncmp(task->uframes[i].name, name, strlen(name)))
			return i;
	return -1;
}

static void dump(const struct snap_task *task)
{
	for (int i = 0; i < task->n_uframes; i++)
		print_message("    %s\n", task->uframes[i].name);
	if (task->unote[0])
		print_message("    note: %s\n", task->unote);
}

static void expect_frames(const char *root, const char *inner, const char *outer)
{
	struct snapshot snap;
	struct snap_task *task = take(&snap, conn);
	pid_t left = -1;

	assert_int_equal(ustack_collect(root, &snap, 1000, &left), 1);
	assert_int_equal(left, 0);
	if (frame_at(task, inner) < 0 || frame_at(task, outer) <= frame_at(task, inner) ||
	    frame_at(task, "main") <= frame_at(task, outer)) {
		dump(task);
		fail_msg("%s < %s < main is not in the stack", inner, outer);
	}
	assert_string_equal(task->unote, "");
	snapshot_release(&snap);
}

/* ---- tests ---- */

static void test_uninterruptible(void **state)
{
	(void)state;
	start_victim(run_plain, FUSE_GETATTR);
	wait_state('S');
	kill(victim, SIGUSR1);
	wait_state('D');
	expect_frames("/proc", "victim_helper", "victim_outer");
	wait_state('D');
}

/* A waiter in its first phase is not disturbed: no INTERRUPT is sent. */
static void test_interruptible(void **state)
{
	(void)state;
	start_victim(run_plain, FUSE_GETATTR);
	wait_state('S');
	expect_frames("/proc", "victim_helper", "victim_outer");
	wait_state('S');
	assert_int_equal(control->interrupts, 0);
}

static void test_no_frame_pointer(void **state)
{
	(void)state;
	start_victim(bare_outer, FUSE_GETATTR);
	wait_state('S');
	expect_frames("/proc", "bare_helper", "bare_outer");
}

/* The call of this very function counts, not what looks like a frame. */
static void test_decoy(void **state)
{
	(void)state;
	start_victim(decoy_outer, FUSE_GETATTR);
	wait_state('S');
	expect_frames("/proc", "decoy_helper", "decoy_outer");
}

static void test_stale(void **state)
{
	(void)state;
	start_victim(run_stale, FUSE_GETATTR);
	wait_state('S');
	expect_frames("/proc", "stale_helper", "victim_outer");
}

/* proc under another name only. */
static void test_other_proc(void **state)
{
	char root[] = "/tmp/ustack-proc-XXXXXX";

	(void)state;
	start_victim(run_plain, FUSE_GETATTR);
	wait_state('S');
	assert_non_null(mkdtemp(root));
	assert_int_equal(mount("proc", root, "proc", 0, NULL), 0);
	assert_int_equal(mount("tmpfs", "/proc", "tmpfs", 0, NULL), 0);
	expect_frames(root, "victim_helper", "victim_outer");
	assert_int_equal(umount2("/proc", 0), 0);
	assert_int_equal(umount2(root, 0), 0);
	assert_int_equal(rmdir(root), 0);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A task that hangs in execve() holds exec_update_lock: plain reads of its stack would hang, too. */
static void test_hung_exec(void **state)
{
	struct snapshot snap;
	struct snap_task *task;
	struct task_sample sample;
	static struct dev_holder
		holders[4096]; /* others on this machine hold some, too */
	struct procfs_probe probe;
	struct probe_sample look;
	uint64_t hash;
	pid_t left = -1;
	int64_t start;

	(void)state;
	start_victim(run_exec, FUSE_FLUSH);
	wait_state('S');
	assert_int_equal(procfs_sample(&proc, victim, victim, &sample), 0);
	assert_true(sample.in_exec && sample.limited);
	start = now_ms();
	task = take(&snap, conn);
	assert_true(now_ms() - start < 1000);
	/* wchan is readable on older kernels */
	assert_true(task->n_frames > 0);
	assert_string_equal(task->frames[task->n_frames - 1].name, "begin_new_exec");
	assert_non_null(strstr(task->unote, "execve"));
	assert_true(procfs_dev_holders(&proc, holders, 4096) >= 0);
	assert_int_equal(procfs_probe_open(&proc, victim, victim, &probe), 0);
	assert_int_equal(procfs_probe_stack(&probe, &hash), -EAGAIN);
	assert_int_equal(procfs_probe_read(&probe, &look), 0);
	assert_true(look.in_exec && look.asleep);
	assert_int_equal(procfs_probe_state(&probe), 'S');
	procfs_probe_close(&probe);
	assert_int_equal(ustack_collect("/proc", &snap, 300, &left), 0);
	assert_int_equal(left, 0);
	assert_non_null(strstr(task->unote, "execve"));
	snapshot_release(&snap);
}

/* Code on the hung mount: known by its device, and never opened. */
static void test_code_on_fuse(void **state)
{
	struct snapshot snap;
	struct snap_task *task;
	pid_t left = -1;

	(void)state;
	start_victim(run_code, FUSE_GETATTR);
	wait_state('S');
	control->drop = FUSE_OPEN;
	task = take(&snap, conn);
	assert_int_equal(ustack_collect("/proc", &snap, 500, &left), 1);
	assert_int_equal(left, 0);
	assert_string_equal(task->uframes[0].name, "?");
	assert_int_equal(frame_at(task, "run_code"), 1);
	assert_non_null(strstr(task->unote, "FUSE mount"));
	assert_int_equal(control->dropped, 1);
	snapshot_release(&snap);
}

/* The same, but nobody told which device hangs: the reader gets stuck, and everybody else goes on. */
static void test_reader_hangs(void **state)
{
	struct snapshot snap;
	struct snap_task *task;
	pid_t left = -1;
	int64_t start = now_ms();

	(void)state;
	start_victim(run_code, FUSE_GETATTR);
	wait_state('S');
	control->drop = FUSE_OPEN;
	task = take(&snap, 0);
	start = now_ms();
	assert_int_equal(ustack_collect("/proc", &snap, 300, &left), 0);
	assert_true(now_ms() - start < 1000);
	assert_true(left > 0);
	assert_int_equal(control->dropped, 2);
	assert_non_null(strstr(task->unote, "given up"));
	snapshot_release(&snap);
	/* it ends with the connection */
	abort_connection();
	for (int i = 0; i < DEADLINE_MS && waitpid(left, NULL, __WALL | WNOHANG) == 0;
	     i++)
		usleep(1000);
	assert_int_equal(kill(left, 0), -1);
}

/* The server holds the device; its link tells, and its fdinfo where the kernel is new enough. */
static void test_holders(void **state)
{
	static struct dev_holder
		holders[4096]; /* others on this machine hold some, too */
	struct snap_task task = {0};
	int n, found = 0, fds[2];

	(void)state;
	n = procfs_dev_holders(&proc, holders, 4096);
	assert_in_range(n, 1, 4095);
	for (int i = 0; i < n; i++) {
		if (holders[i].pid != server)
			continue;
		found++;
		assert_int_equal(holders[i].tid, server);
		assert_true(holders[i].conn == conn || !holders[i].conn);
	}
	assert_int_equal(found, 1);
	assert_int_equal(procfs_dev_holders(&proc, holders, 1), 1);
	assert_int_equal(procfs_dev_fds(&proc, getpid(), getpid(), holders, 64), 0);
	fds[0] = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	fds[1] = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	assert_int_equal(procfs_dev_fds(&proc, getpid(), getpid(), holders, 64), 2);
	assert_int_equal(procfs_dev_fds(&proc, getpid(), getpid(), holders, 1), 1);
	assert_int_equal(holders[0].fd, fds[0]);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(procfs_read_task(&proc, server, server, &task), 0);
	assert_true(task.dev_fd > 2);
}

static void test_notes(void **state)
{
	struct snapshot snap;
	struct snap_task *task;
	pid_t left = -1;

	(void)state;
	snapshot_init(&snap);
	task = snapshot_add_task(&snap);
	task->tid = 1;
	task->state = 'S';
	task->flags = PF_EXITING;
	task = snapshot_add_task(&snap);
	task->tid = 1;
	task->state = 'R';
	assert_int_equal(ustack_collect("/proc", &snap, 300, &left), 0);
	assert_string_equal(snap.tasks[0].unote, "no mm (exiting)");
	assert_non_null(strstr(snap.tasks[1].unote, "runs"));
	snapshot_release(&snap);
}

#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mount_setup, mount_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MOUNTED(test_uninterruptible),
		MOUNTED(test_interruptible),
		MOUNTED(test_no_frame_pointer),
		MOUNTED(test_decoy),
		MOUNTED(test_stale),
		MOUNTED(test_other_proc),
		MOUNTED(test_hung_exec),
		MOUNTED(test_code_on_fuse),
		MOUNTED(test_reader_hangs),
		MOUNTED(test_holders),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests_name("ustack", tests, setup, teardown);
}
