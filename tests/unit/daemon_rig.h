/* SPDX-License-Identifier: MIT */
/*
 * A small executor for the tests of the daemon: mounts it, runs clients, reads the ledger, and leaves nothing behind.
 */
#ifndef TESTS_DAEMON_RIG_H
#define TESTS_DAEMON_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/daemon/daemon.h"
#include "harness/scenario/tables.h"

#define CTL	 "/sys/fs/fuse/connections"
#define WAIT_MS	 4000 /* longer than anything here takes; what is stuck is aborted then */
#define STUCK_MS 60   /* a client that is expected to be blocked is given this long */

struct rig {
	struct arena *arena;
	char mnt[64];
	char path[96]; /* of at() */
	unsigned int connection;
	ino_t control; /* control_ino() of it */
	int dev_fd, kick_fd;
	pid_t daemon;
	bool daemon_reaped;
};

/* What clean_up() ends after a failed assertion. */
static struct {
	unsigned int connection;
	pid_t daemon;
} running;

static const char bin_image[] = "#!/bin/sh\nexit 7\n";

static inline int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A step of the daemon's main thread: what the mailbox says, of the few that the tests
 * need. */
static inline void run_step(void *ctx, unsigned int actor)
{
	const struct rig *rig = ctx;
	struct mailbox *mailbox = &rig->arena->mailbox[actor];
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", rig->mnt, path_table[mailbox->step.a]);
	if (mailbox->step.op == OP_stat)
		mailbox->ret = stat(path, &st) < 0 ? -errno : 0;
	else if (mailbox->step.op == OP_inval_inode)
		mailbox->ret = daemon_notify_inode(mailbox->step.a);
	else if (mailbox->step.op == OP_inval_entry)
		mailbox->ret = daemon_notify_entry(mailbox->step.a);
	else
		mailbox->ret = -ENOSYS;
	atomic_store(&mailbox->done, atomic_load(&mailbox->seq));
}

static inline void fork_daemon(struct rig *rig, unsigned long namespaces)
{
	const struct daemon_env env = {
		.arena = rig->arena,
		.dev_fd = rig->dev_fd,
		.kick_fd = rig->kick_fd,
		.mnt = rig->mnt,
		.bin = bin_image,
		.bin_len = sizeof(bin_image) - 1,
		.run_step = run_step,
		.ctx = rig,
	};

	rig->daemon =
		namespaces ? (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0)
			   : fork();
	if (rig->daemon == 0) {
		/* What a failed assertion leaves behind ends with the test. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		daemon_main(&env);
	}
	assert_true(rig->daemon > 0);
	running.daemon = rig->daemon;
}

static inline void await(const struct rig *rig, const _Atomic uint32_t *word,
			 uint32_t value)
{
	int64_t deadline = now_us() + WAIT_MS * 1000;

	while (atomic_load(word) != value) {
		uint32_t seen = atomic_load(&rig->arena->event);

		if (now_us() > deadline)
			break;
		if (atomic_load(word) != value)
			arena_listen(rig->arena, seen, 20000000);
	}
	assert_int_equal(atomic_load(word), value);
}

/* Of the connection's directory in fusectl; its number alone may be another's the moment after. */
static inline ino_t control_ino(unsigned int connection)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), CTL "/%u", connection);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static inline void rig_prepare(struct rig *rig, const struct scenario *scn)
{
	struct statx stx;
	char options[128];

	*rig = (struct rig){.mnt = "/tmp/sf-daemon-XXXXXX"};
	rig->arena = mmap(NULL, sizeof(*rig->arena), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(rig->arena, MAP_FAILED);
	rig->arena->scn = *scn;
	assert_non_null(mkdtemp(rig->mnt));
	rig->dev_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	rig->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", rig->dev_fd);
	assert_return_code(
		mount("shortfuse", rig->mnt, "fuse", MS_NOSUID | MS_NODEV, options),
		errno);
	assert_return_code(
		statx(AT_FDCWD, rig->mnt, AT_STATX_DONT_SYNC, STATX_TYPE, &stx), errno);
	rig->connection = running.connection = stx.stx_dev_minor;
	rig->control = control_ino(rig->connection);
	assert_int_not_equal(rig->control, 0);
}

static inline void rig_start(struct rig *rig, const struct scenario *scn)
{
	rig_prepare(rig, scn);
	fork_daemon(rig, 0);
	await(rig, &rig->arena->daemon.ready, 1);
	close(rig->dev_fd);
	arena_bump(&rig->arena->daemon.start);
}

static inline void abort_connection(unsigned int connection)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), CTL "/%u/abort", connection);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		print_error("%s: %s\n", path, strerror(errno));
	close(fd);
}

static inline void rig_abort(const struct rig *rig)
{
	abort_connection(rig->connection);
}

static inline int clean_up(void **state)
{
	(void)state;
	if (!running.connection)
		return 0;
	abort_connection(running.connection);
	if (running.daemon)
		kill(running.daemon, SIGKILL);
	memset(&running, 0, sizeof(running));
	return 0;
}

#define TEST(function) cmocka_unit_test_teardown(function, clean_up)

static inline int wait_exit(pid_t pid, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = (int)syscall(SYS_pidfd_open, pid, 0),
				 .events = POLLIN};
	int status = -1, n;

	do
		n = poll(&poll_fd, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	close(poll_fd.fd);
	if (n != 1 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static inline int daemon_exit(struct rig *rig)
{
	int status = wait_exit(rig->daemon, WAIT_MS);

	rig->daemon_reaped = status != -1;
	return status;
}

static inline void rig_stop(struct rig *rig)
{
	rig_abort(rig);
	running.connection = 0;
	running.daemon = 0;
	if (!rig->daemon_reaped) {
		kill(rig->daemon, SIGKILL);
		assert_int_not_equal(wait_exit(rig->daemon, WAIT_MS), -1);
	}
	assert_return_code(umount2(rig->mnt, MNT_DETACH), errno);
	assert_return_code(rmdir(rig->mnt), errno);
	for (int i = 0; i < 100 && control_ino(rig->connection) == rig->control; i++)
		usleep(10000);
	assert_int_not_equal(control_ino(rig->connection), rig->control);
	munmap(rig->arena, sizeof(*rig->arena));
	close(rig->kick_fd);
}

static inline void kick(const struct rig *rig)
{
	const uint64_t one = 1;
	uint32_t kicks = atomic_fetch_add(&rig->arena->daemon.kicks, 1) + 1;

	assert_int_equal(write(rig->kick_fd, &one, sizeof(one)), sizeof(one));
	await(rig, &rig->arena->daemon.acks, kicks);
}

static inline const char *at(struct rig *rig, const char *name)
{
	snprintf(rig->path, sizeof(rig->path), "%s/%s", rig->mnt, name);
	return rig->path;
}

typedef int client_fn(struct rig *rig, const char *name);

/* Returns an exit code: 0 or an errno. */
/* The task's exit code is what the function returns: 0 or an errno. Task 0 unless told.
 */
static inline pid_t client_as(struct rig *rig, unsigned int task, client_fn *fn,
			      const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		atomic_store(&rig->arena->mailbox[task].tid, gettid());
		atomic_store(&rig->arena->mailbox[task].pid, getpid());
		_exit(fn(rig, name));
	}
	assert_true(pid > 0);
	return pid;
}

static inline pid_t client(struct rig *rig, client_fn *fn, const char *name)
{
	return client_as(rig, 0, fn, name);
}

/* Its exit code, or - 1 after the connection had to be aborted. */
static inline int result(struct rig *rig, pid_t pid)
{
	int status = wait_exit(pid, WAIT_MS);

	if (status == -1) {
		rig_abort(rig);
		kill(pid, SIGKILL);
		wait_exit(pid, WAIT_MS);
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int run(struct rig *rig, client_fn *fn, const char *name)
{
	return result(rig, client(rig, fn, name));
}

static inline bool is_blocked(pid_t pid)
{
	siginfo_t info = {0};

	usleep(STUCK_MS * 1000);
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       !info.si_pid;
}

/* It has ended, or does so soon; not yet reaped. */
static inline bool ends(pid_t pid)
{
	struct pollfd poll_fd = {
		.fd = (int)syscall(SYS_pidfd_open, pid, 0),
		.events = POLLIN,
	};
	int n = poll(&poll_fd, 1, WAIT_MS);

	close(poll_fd.fd);
	return n == 1;
}

/* The nth record of an opcode, or NULL. */
static inline const struct ledger_record *find_record(const struct rig *rig,
						      uint32_t opcode, unsigned int n)
{
	const struct ledger *ledger = &rig->arena->ledger;

	for (unsigned int i = 0; i < LEDGER_SIZE && i < atomic_load(&ledger->head); i++)
		if (ledger->record[i].opcode == opcode && !n--)
			return &ledger->record[i];
	return NULL;
}

static inline const struct ledger_record *record(const struct rig *rig, uint32_t opcode,
						 unsigned int n)
{
	const struct ledger_record *found = find_record(rig, opcode, n);

	assert_non_null(found);
	/* The client runs on before the daemon has returned from its write(2) to enter it. */
	for (int i = 0; i < 200 && atomic_load(&found->state) == LEDGER_READ; i++)
		usleep(1000);
	return found;
}

/* Waits until there is such a record. */
static inline bool await_record(const struct rig *rig, uint32_t opcode, unsigned int n)
{
	int64_t deadline = now_us() + WAIT_MS * 1000;

	while (!find_record(rig, opcode, n)) {
		if (now_us() > deadline)
			return false;
		usleep(1000);
	}
	return true;
}

static inline struct scenario plan(unsigned int threads)
{
	struct scenario scn;

	scenario_init(&scn);
	scn.config.threads = (uint8_t)threads;
	/* Or a held LOOKUP keeps every other one in its directory waiting
	 * (fuse_lock_inode()), and uninterruptibly so. */
	scn.config.init = INITF_PARALLEL_DIROPS;
	/* Or one stat(2) is two requests. */
	scn.config.timeout = 1;
	return scn;
}

static inline void add_fault(struct scenario *scn, uint8_t opcode, uint8_t action,
			     uint16_t value)
{
	scn->faults[scn->n_faults++] = (struct scn_fault){
		.opcode = opcode,
		.requester = ACTOR_ANY,
		.action = action,
		.value = value,
	};
}

static inline struct scenario one_fault(uint8_t opcode, uint8_t action, uint16_t value)
{
	struct scenario scn = plan(1);

	add_fault(&scn, opcode, action, value);
	return scn;
}

static inline int do_stat(struct rig *rig, const char *name)
{
	struct stat st;

	return stat(at(rig, name), &st) < 0 ? errno : 0;
}

static inline int do_open(struct rig *rig, const char *name)
{
	int fd = open(at(rig, name), O_RDWR);

	return fd < 0 ? errno : 0;
}

static inline int do_read(struct rig *rig, const char *name)
{
	char buf[4096];
	int fd = open(at(rig, name), O_RDONLY);

	if (fd < 0)
		return errno;
	return read(fd, buf, sizeof(buf)) < 0 ? errno : 0;
}

static inline int do_close(struct rig *rig, const char *name)
{
	int fd = open(at(rig, name), O_RDONLY);

	if (fd < 0)
		return errno;
	return close(fd) < 0 ? errno : 0;
}

/* The main() of the test programs. */
static inline int rig_run_tests(const struct CMUnitTest *tests, size_t n)
{
	if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) < 0) {
		fprintf(stderr, "SKIP: needs root and /dev/fuse\n");
		return 77;
	}
	/* Mounts made here end with this process, whatever happens to it. */
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		fprintf(stderr, "SKIP: no mount namespace: %s\n", strerror(errno));
		return 77;
	}
	mount("none", CTL, "fusectl", 0, NULL); /* EBUSY: it is there */
	return _cmocka_run_group_tests("daemon", tests, n, NULL, NULL);
}

#endif
