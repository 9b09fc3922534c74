/* SPDX-License-Identifier: MIT */
/* The daemon against the real kernel: a small executor mounts it, runs clients, reads the
 * ledger. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
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
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "harness/daemon/daemon.h"
#include "harness/scenario/tables.h"

#define CTL "/sys/fs/fuse/connections"
#define WAIT_MS                                                                          \
	4000	     /* longer than anything here takes; what is stuck is aborted then   \
		      */
#define STUCK_MS  60 /* a client that is expected to be blocked is given this long */
#define INIT_EACH (INITF_ALL & ~(INITF_NO_OPEN | INITF_NO_FLUSH))

struct rig {
	struct arena *arena;
	char mnt[64];
	char path[96]; /* of at() */
	unsigned int connection;
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

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the small executor ---- */

/* A step of the daemon's main thread: what the mailbox says, of the few that the tests
 * need. */
static void run_step(void *ctx, unsigned int actor)
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

static void fork_daemon(struct rig *rig, unsigned long namespaces)
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

static void await(const struct rig *rig, const _Atomic uint32_t *word, uint32_t value)
{
	int64_t deadline = now_us() + WAIT_MS * 1000;

	while (atomic_load(word) != value) {
		uint32_t seen = atomic_load(&rig->arena->event);

		if (now_us() > deadline)
			break;
		if (atomic_load(word) != value)
			arena_wait(&rig->arena->event, seen, 20000000);
	}
	assert_int_equal(atomic_load(word), value);
}

static void rig_prepare(struct rig *rig, const struct scenario *scn)
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
}

static void rig_start(struct rig *rig, const struct scenario *scn)
{
	rig_prepare(rig, scn);
	fork_daemon(rig, 0);
	await(rig, &rig->arena->daemon.ready, 1);
	close(rig->dev_fd);
	arena_bump(&rig->arena->daemon.start);
}

static void abort_connection(unsigned int connection)
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

static void rig_abort(const struct rig *rig)
{
	abort_connection(rig->connection);
}

static int clean_up(void **state)
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

static int wait_exit(pid_t pid, int timeout_ms)
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

static int daemon_exit(struct rig *rig)
{
	int status = wait_exit(rig->daemon, WAIT_MS);

	rig->daemon_reaped = status != -1;
	return status;
}

static void rig_stop(struct rig *rig)
{
	char path[64];

	rig_abort(rig);
	running.connection = 0;
	running.daemon = 0;
	if (!rig->daemon_reaped) {
		kill(rig->daemon, SIGKILL);
		assert_int_not_equal(wait_exit(rig->daemon, WAIT_MS), -1);
	}
	assert_return_code(umount2(rig->mnt, MNT_DETACH), errno);
	assert_return_code(rmdir(rig->mnt), errno);
	snprintf(path, sizeof(path), CTL "/%u", rig->connection);
	for (int i = 0; i < 100 && access(path, F_OK) == 0; i++)
		usleep(10000);
	assert_int_equal(access(path, F_OK), -1);
	munmap(rig->arena, sizeof(*rig->arena));
	close(rig->kick_fd);
}

static void kick(const struct rig *rig)
{
	const uint64_t one = 1;
	uint32_t kicks = atomic_fetch_add(&rig->arena->daemon.kicks, 1) + 1;

	assert_int_equal(write(rig->kick_fd, &one, sizeof(one)), sizeof(one));
	await(rig, &rig->arena->daemon.acks, kicks);
}

static const char *at(struct rig *rig, const char *name)
{
	snprintf(rig->path, sizeof(rig->path), "%s/%s", rig->mnt, name);
	return rig->path;
}

typedef int client_fn(struct rig *rig, const char *name);

/* The task's exit code is what the function returns: 0 or an errno. Task 0 unless told.
 */
static pid_t client_as(struct rig *rig, unsigned int task, client_fn *fn,
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

static pid_t client(struct rig *rig, client_fn *fn, const char *name)
{
	return client_as(rig, 0, fn, name);
}

/* Its exit code, or - 1 after the connection had to be aborted. */
static int result(struct rig *rig, pid_t pid)
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

static int run(struct rig *rig, client_fn *fn, const char *name)
{
	return result(rig, client(rig, fn, name));
}

static bool is_blocked(pid_t pid)
{
	siginfo_t info = {0};

	usleep(STUCK_MS * 1000);
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       !info.si_pid;
}

/* The nth record of an opcode, or NULL. */
static const struct ledger_record *find_record(const struct rig *rig, uint32_t opcode,
					       unsigned int n)
{
	const struct ledger *ledger = &rig->arena->ledger;

	for (unsigned int i = 0; i < LEDGER_SIZE && i < atomic_load(&ledger->head); i++)
		if (ledger->record[i].opcode == opcode && !n--)
			return &ledger->record[i];
	return NULL;
}

static const struct ledger_record *record(const struct rig *rig, uint32_t opcode,
					  unsigned int n)
{
	const struct ledger_record *found = find_record(rig, opcode, n);

	assert_non_null(found);
	/* The client runs on before the daemon has returned from its write(2) to enter it. */
	for (int i = 0; i < 200 && atomic_load(&found->state) == LEDGER_READ; i++)
		usleep(1000);
	return found;
}

static struct scenario plan(unsigned int threads)
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

static void add_fault(struct scenario *scn, uint8_t opcode, uint8_t action,
		      uint16_t value)
{
	scn->faults[scn->n_faults++] = (struct scn_fault){
		.opcode = opcode,
		.requester = ACTOR_ANY,
		.action = action,
		.value = value,
	};
}

static struct scenario one_fault(uint8_t opcode, uint8_t action, uint16_t value)
{
	struct scenario scn = plan(1);

	add_fault(&scn, opcode, action, value);
	return scn;
}

/* ---- clients ---- */

static int do_stat(struct rig *rig, const char *name)
{
	struct stat st;

	return stat(at(rig, name), &st) < 0 ? errno : 0;
}

static int do_open(struct rig *rig, const char *name)
{
	int fd = open(at(rig, name), O_RDWR);

	return fd < 0 ? errno : 0;
}

static int do_read(struct rig *rig, const char *name)
{
	char buf[4096];
	int fd = open(at(rig, name), O_RDONLY);

	if (fd < 0)
		return errno;
	return read(fd, buf, sizeof(buf)) < 0 ? errno : 0;
}

static int do_close(struct rig *rig, const char *name)
{
	int fd = open(at(rig, name), O_RDONLY);

	if (fd < 0)
		return errno;
	return close(fd) < 0 ? errno : 0;
}

static void nothing(int sig)
{
	(void)sig;
}

/* A signal in the middle of a request: the kernel sends INTERRUPT. */
static int do_interrupted_stat(struct rig *rig, const char *name)
{
	const struct sigaction action = {.sa_handler = nothing};
	const struct itimerval timer = {.it_value.tv_usec = 20000};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	return do_stat(rig, name);
}

#define CHECK(expression)                                                                \
	do {                                                                             \
		if (!(expression)) {                                                     \
			fprintf(stderr, "line %d: %s: errno %d\n", __LINE__,             \
				#expression, errno);                                     \
			return 1;                                                        \
		}                                                                        \
	} while (0)

static int use_files(struct rig *rig, const char *name)
{
	static char buf[65536], other[65536];
	int fd = open(at(rig, "f0"), O_RDWR), fd2, pid;
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
	unsigned long flags = 1;
	int status;

	(void)name;
	CHECK(fd >= 0);
	CHECK(pread(fd, buf, sizeof(buf), 0) == sizeof(buf));
	CHECK(buf[0] == buf[4095] && buf[0] != buf[4096]);
	CHECK(pwrite(fd, "hello", 5, 4094) == 5);
	CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
	CHECK(pread(fd, other, sizeof(other), 0) == sizeof(other));
	CHECK(!memcmp(other, buf, 4094) && !memcmp(other + 4094, "hello", 5) &&
	      !memcmp(other + 4099, buf + 4099, sizeof(buf) - 4099));
	CHECK(lseek(fd, 100, SEEK_DATA) == 100 && lseek(fd, 100, SEEK_HOLE) == 65536);
	CHECK(fallocate(fd, 0, 65536, 4096) == 0);
	CHECK(ftruncate(fd, 10) == 0);
	CHECK(poll(&poll_fd, 1, 0) == 1);
	CHECK(ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && flags == 0);
	CHECK(fcntl(fd, F_SETLK, &lock) == 0);
	pid = fork();
	if (pid == 0) {
		lock.l_type = F_RDLCK;
		if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type != F_WRLCK)
			_exit(1);
		_exit(fcntl(fd, F_SETLKW, &lock) == -1 && errno == EAGAIN ? 0 : 2);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(flock(fd, LOCK_EX) == 0);
	fd2 = open(at(rig, "f1"), O_RDWR);
	CHECK(copy_file_range(fd2, &(off_t){0}, fd, &(off_t){0}, 8192, 0) == 8192);
	CHECK(pread(fd, other, 8192, 0) == 8192 && pread(fd2, buf, 8192, 0) == 8192);
	CHECK(!memcmp(other, buf, 8192));
	CHECK(close(fd) == 0 && close(fd2) == 0);
	return 0;
}

static int use_names(struct rig *rig, const char *name)
{
	char buf[256], from[96];
	struct statvfs fs;
	struct stat st;
	int fd;

	(void)name;
	CHECK(stat(at(rig, "gone"), &st) < 0 && errno == ENOENT);
	CHECK(stat(at(rig, "d0/f3"), &st) == 0 && st.st_size == 65536);
	CHECK(access(at(rig, "f0"), R_OK) == 0);
	CHECK(mkdir(at(rig, "n0"), 0700) == 0 && rmdir(at(rig, "n0")) == 0);
	CHECK(mknod(at(rig, "n0"), S_IFREG | 0600, 0) == 0);
	strcpy(from, at(rig, "n0"));
	CHECK(link(from, at(rig, "n1")) == 0);
	CHECK(stat(from, &st) == 0 && st.st_nlink == 2);
	CHECK(rename(from, at(rig, "d0/n2")) == 0);
	CHECK(renameat2(AT_FDCWD, rig->path, AT_FDCWD, from, RENAME_NOREPLACE) == 0);
	CHECK(unlink(from) == 0 && unlink(at(rig, "n1")) == 0);
	CHECK(symlink("f1", at(rig, "n0")) == 0);
	CHECK(readlink(at(rig, "n0"), buf, sizeof(buf)) == 2 && buf[1] == '1');
	CHECK(readlink(at(rig, "sym"), buf, sizeof(buf)) == 2 && buf[1] == '0');
	CHECK(chmod(at(rig, "f2"), 0600) == 0 && truncate(at(rig, "f2"), 5) == 0);
	CHECK(stat(at(rig, "f2"), &st) == 0 && st.st_size == 5 &&
	      st.st_mode == (S_IFREG | 0600));
	CHECK(setxattr(at(rig, "f0"), "user.sf", "value", 5, 0) == 0);
	CHECK(getxattr(at(rig, "f0"), "user.sf", buf, sizeof(buf)) == 5 &&
	      !memcmp(buf, "value", 5));
	CHECK(listxattr(at(rig, "f0"), buf, sizeof(buf)) == 8 && !strcmp(buf, "user.sf"));
	CHECK(removexattr(at(rig, "f0"), "user.sf") == 0);
	CHECK(getxattr(at(rig, "f0"), "user.sf", buf, 9) < 0 && errno == ENODATA);
	CHECK(statvfs(at(rig, "."), &fs) == 0 && fs.f_bsize == 4096);
	fd = open(at(rig, "n1"), O_CREAT | O_EXCL | O_RDWR, 0644);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
	return 0;
}

static int use_directories(struct rig *rig, const char *name)
{
	DIR *dir = opendir(at(rig, "."));
	const struct dirent *dirent;
	unsigned int n = 0;
	int fd;

	(void)name;
	CHECK(dir);
	while ((dirent = readdir(dir)))
		n++;
	CHECK(n == 2 + 8); /* . .. f0 f1 f2 d0 d1 bin sym, and n1 of use_names() or not */
	CHECK(closedir(dir) == 0);
	fd = open(at(rig, "d0"), O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0 && fsync(fd) == 0 && close(fd) == 0);
	return 0;
}

static int do_exec(struct rig *rig, const char *name)
{
	execl(at(rig, name), name, NULL);
	return errno;
}

/* ---- tests ---- */

static void assert_opcodes(const struct rig *rig, const uint32_t *opcodes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!find_record(rig, opcodes[i], 0))
			print_error("no %s was seen\n", opcode_name(opcodes[i]));
		assert_int_equal(record(rig, opcodes[i], 0)->state, LEDGER_ANSWERED);
	}
}

static void everyday(unsigned int threads, uint8_t daemon_flags, uint8_t timeout)
{
	static const uint32_t opcodes[] = {
		FUSE_INIT,	  FUSE_LOOKUP,
		FUSE_GETATTR,	  FUSE_SETATTR,
		FUSE_READLINK,	  FUSE_SYMLINK,
		FUSE_MKNOD,	  FUSE_MKDIR,
		FUSE_UNLINK,	  FUSE_RMDIR,
		FUSE_RENAME,	  FUSE_RENAME2,
		FUSE_LINK,	  FUSE_OPEN,
		FUSE_READ,	  FUSE_WRITE,
		FUSE_STATFS,	  FUSE_RELEASE,
		FUSE_FSYNC,	  FUSE_SETXATTR,
		FUSE_GETXATTR,	  FUSE_LISTXATTR,
		FUSE_REMOVEXATTR, FUSE_FLUSH,
		FUSE_OPENDIR,	  FUSE_READDIR,
		FUSE_RELEASEDIR,  FUSE_FSYNCDIR,
		FUSE_ACCESS,	  FUSE_CREATE,
		FUSE_GETLK,	  FUSE_SETLK,
		FUSE_SETLKW,	  FUSE_IOCTL,
		FUSE_POLL,	  FUSE_FALLOCATE,
		FUSE_LSEEK,	  FUSE_COPY_FILE_RANGE,
	};
	struct scenario scn = plan(threads);
	struct rig rig;

	scn.config.init = INIT_EACH & ~(INITF_READDIRPLUS | INITF_WRITEBACK_CACHE);
	scn.config.daemon = daemon_flags;
	scn.config.timeout = timeout;
	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, use_files, NULL), 0);
	assert_int_equal(run(&rig, use_names, NULL), 0);
	assert_int_equal(run(&rig, do_exec, "bin"), 7);
	assert_int_equal(unlink(at(&rig, "n0")), 0);
	assert_int_equal(run(&rig, use_directories, NULL), 0);
	assert_opcodes(&rig, opcodes, sizeof(opcodes) / sizeof(opcodes[0]));
	assert_int_equal(rig.arena->ledger.n_held, 0);
	assert_int_equal(rig.arena->ledger.n_dropped, 0);
	assert_int_equal(record(&rig, FUSE_OPEN, 0)->server > 0, 1);
	rig_stop(&rig);
}

static void test_everyday(void **state)
{
	(void)state;
	everyday(1, 0, 0);
}

static void test_everyday_threads(void **state)
{
	(void)state;
	everyday(4, 0, 1);
}

static void test_everyday_clones(void **state)
{
	(void)state;
	everyday(3, DAEMON_CLONE_FD | DAEMON_LEAK_FD, 0);
}

static void test_writeback_and_readdirplus(void **state)
{
	struct scenario scn = plan(2);
	struct rig rig;

	(void)state;
	scn.config.init = INIT_EACH & ~INITF_READDIRPLUS_AUTO;
	scn.config.open = OPENF_KEEP_CACHE | OPENF_PARALLEL_DIRECT_WRITES;
	scn.config.max_background = 1;
	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, use_files, NULL), 0);
	assert_int_equal(run(&rig, use_names, NULL), 0);
	assert_int_equal(unlink(at(&rig, "n0")), 0);
	assert_int_equal(run(&rig, use_directories, NULL), 0);
	assert_non_null(find_record(&rig, FUSE_READDIRPLUS, 0));
	rig_stop(&rig);
}

static void test_no_open_no_flush(void **state)
{
	struct scenario scn = plan(1);
	struct rig rig;

	(void)state;
	scn.config.init = INITF_NO_OPEN | INITF_NO_FLUSH;
	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, do_read, "f0"), 0);
	assert_int_equal(run(&rig, do_read, "f1"), 0);
	assert_int_equal(record(&rig, FUSE_OPEN, 0)->error, -ENOSYS);
	assert_null(find_record(&rig, FUSE_OPEN, 1));
	assert_int_equal(record(&rig, FUSE_FLUSH, 0)->error, -ENOSYS);
	assert_null(find_record(&rig, FUSE_FLUSH, 1));
	rig_stop(&rig);
}

static void test_nested_namespace(void **state)
{
	struct scenario scn = plan(2);
	struct rig rig;

	(void)state;
	scn.config.daemon = DAEMON_SELF_FILE;
	rig_prepare(&rig, &scn);
	fork_daemon(&rig, CLONE_NEWPID);
	await(&rig, &rig.arena->daemon.ready, 1);
	assert_int_equal(rig.arena->daemon.pid, rig.daemon);
	assert_int_equal(rig.arena->daemon.server[0], rig.daemon);
	assert_true(rig.arena->daemon.server[1] > rig.daemon);
	assert_int_equal(rig.arena->mailbox[ACTOR_DAEMON].tid, rig.daemon);
	close(rig.dev_fd);
	arena_bump(&rig.arena->daemon.start);
	await(&rig, &rig.arena->daemon.self_file, 1);
	assert_int_equal(record(&rig, FUSE_OPEN, 0)->pid, rig.arena->daemon.helper);
	assert_int_equal(run(&rig, do_stat, "f0"), 0);
	rig_stop(&rig);
}

static void test_self_file_one_thread(void **state)
{
	struct scenario scn = plan(1);
	struct rig rig;
	char path[64], link[128];
	bool found = false;

	(void)state;
	scn.config.daemon = DAEMON_SELF_FILE;
	/* It is the daemon that asks, and is not an anonymous requester. */
	add_fault(&scn, FUSE_OPEN, FAULT_none, 0);
	scn.faults[0].requester = ACTOR_DAEMON;
	rig_start(&rig, &scn);
	await(&rig, &rig.arena->daemon.self_file, 1);
	assert_int_equal(record(&rig, FUSE_OPEN, 0)->rule, 1);
	for (int fd = 0; fd < 20; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", rig.daemon, fd);
		len = readlink(path, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		found |= !strcmp(link, at(&rig, "f0"));
	}
	assert_true(found);
	rig_stop(&rig);
}

static void test_clean_end(void **state)
{
	struct scenario scn = plan(4);
	struct rig rig;

	(void)state;
	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, do_read, "f0"), 0);
	assert_return_code(umount2(rig.mnt, 0), errno);
	running.connection = 0;
	assert_int_equal(daemon_exit(&rig), 0);
	assert_return_code(rmdir(rig.mnt), errno);
	munmap(rig.arena, sizeof(*rig.arena));
	close(rig.kick_fd);
}

static void test_errno(void **state)
{
	struct scenario scn = plan(1);
	struct rig rig;

	(void)state;
	/* The first rule that matches decides; the second counts from the first match on.
	 */
	add_fault(&scn, FUSE_LOOKUP, FAULT_error, EXDEV);
	scn.faults[0].nth = 2;
	add_fault(&scn, FUSE_LOOKUP, FAULT_error, EMLINK);
	scn.faults[1].nth = 3;
	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, do_stat, "f0"), 0);
	assert_int_equal(run(&rig, do_stat, "f1"), EXDEV);
	assert_int_equal(run(&rig, do_stat, "f1"), EMLINK);
	assert_int_equal(run(&rig, do_stat, "f1"), 0);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 1)->error, -EXDEV);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 1)->rule, 1);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 2)->rule, 2);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 3)->rule, 0);
	rig_stop(&rig);
}

static void test_requester(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_error, EXDEV);
	struct rig rig;

	(void)state;
	scn.faults[0].requester = 3;
	add_fault(&scn, FUSE_INIT, FAULT_none, 0);
	scn.faults[1].requester = ACTOR_KERNEL;
	rig_start(&rig, &scn);
	assert_int_equal(result(&rig, client_as(&rig, 2, do_stat, "f0")), 0);
	assert_int_equal(result(&rig, client_as(&rig, 3, do_stat, "f1")), EXDEV);
	assert_int_equal(record(&rig, FUSE_INIT, 0)->rule, 2);
	rig_stop(&rig);
}

static void test_hold_and_release(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold, 0);
	struct rig rig;
	pid_t first, second;

	(void)state;
	rig_start(&rig, &scn);
	first = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	second = client_as(&rig, 1, do_stat, "f1");
	await(&rig, &rig.arena->ledger.n_held, 2);
	assert_true(is_blocked(first));
	assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->state, LEDGER_HELD);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->pid, first);
	atomic_store(&rig.arena->daemon.release, 1);
	kick(&rig);
	assert_int_equal(result(&rig, first), 0);
	assert_true(is_blocked(second));
	atomic_store(&rig.arena->daemon.release, UINT32_MAX);
	kick(&rig);
	assert_int_equal(result(&rig, second), 0);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 1)->state, LEDGER_ANSWERED);
	assert_int_equal(rig.arena->ledger.n_held, 0);
	rig_stop(&rig);
}

static void test_hold_init(void **state)
{
	struct scenario scn = one_fault(FUSE_INIT, FAULT_hold, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	scn.config.daemon = DAEMON_SELF_FILE;
	rig_start(&rig, &scn);
	await(&rig, &rig.arena->ledger.n_held, 1);
	pid = client(&rig, do_stat, "f0");
	assert_true(is_blocked(pid));
	assert_int_equal(rig.arena->daemon.inited, 0);
	atomic_store(&rig.arena->daemon.release, 1);
	kick(&rig);
	assert_int_equal(result(&rig, pid), 0);
	assert_int_equal(rig.arena->daemon.inited, 1);
	await(&rig, &rig.arena->daemon.self_file, 1);
	rig_stop(&rig);
}

static void test_healing(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold, 0);
	struct rig rig;
	pid_t first, second;

	(void)state;
	scn.config.threads = 3;
	rig_start(&rig, &scn);
	first = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	atomic_store(&rig.arena->daemon.gate_closed, 1);
	kick(&rig);
	second = client(&rig, do_stat, "f1");
	assert_true(is_blocked(second));
	assert_null(find_record(&rig, FUSE_LOOKUP, 1));
	atomic_store(&rig.arena->daemon.healing, 1);
	kick(&rig);
	assert_int_equal(result(&rig, first), 0);
	assert_int_equal(result(&rig, second), 0);
	assert_int_equal(run(&rig, do_stat, "f2"), 0);
	rig_stop(&rig);
}

static void test_hold_until_step(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold_step, 5);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	atomic_store(&rig.arena->daemon.step, 4);
	kick(&rig);
	assert_true(is_blocked(pid));
	atomic_store(&rig.arena->daemon.step, 5);
	kick(&rig);
	assert_int_equal(result(&rig, pid), 0);
	assert_int_equal(run(&rig, do_stat, "f1"),
			 0); /* the step has come: not held any more */
	rig_stop(&rig);
}

static void test_hold_until_more(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold_more, 2);
	struct rig rig;
	pid_t pid;

	(void)state;
	scn.faults[0].nth = 1;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	assert_int_equal(run(&rig, do_stat, "gone"), ENOENT);
	assert_true(is_blocked(pid));
	assert_int_equal(run(&rig, do_stat, "n0"), ENOENT);
	assert_int_equal(result(&rig, pid), 0);
	rig_stop(&rig);
}

static void test_hold_ms(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold_ms, 80);
	struct rig rig;
	int64_t start;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	start = now_us();
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_timed, 1);
	assert_int_equal(result(&rig, pid), 0);
	assert_true(now_us() - start >= 80000);
	assert_int_equal(rig.arena->ledger.n_timed, 0);
	rig_stop(&rig);
}

static void test_hold_until_kill(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold_kill, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client_as(&rig, 2, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	kill(pid, SIGKILL);
	assert_true(is_blocked(pid)); /* it was read: SIGKILL alone does not end it */
	atomic_store(&rig.arena->daemon.killed, 1 << 1);
	kick(&rig);
	assert_true(is_blocked(pid));
	atomic_store(&rig.arena->daemon.killed, 1 << 2);
	kick(&rig);
	assert_int_equal(result(&rig, pid), 128 + SIGKILL);
	rig_stop(&rig);
}

static void test_drop(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_drop, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_dropped, 1);
	atomic_store(&rig.arena->daemon.healing, 1);
	kick(&rig);
	assert_true(is_blocked(pid)); /* healing does not bring it back */
	assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->state, LEDGER_DROPPED);
	kill(rig.daemon, SIGKILL);
	assert_int_equal(daemon_exit(&rig), SIGKILL);
	assert_int_not_equal(result(&rig, pid), 0);
	rig_stop(&rig);
}

static void test_reorder(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_reorder, 3);
	static const char *const names[] = {"f0", "f1", "f2"};
	struct rig rig;
	pid_t pid[3];

	(void)state;
	rig_start(&rig, &scn);
	for (unsigned int i = 0; i < 3; i++) {
		pid[i] = client_as(&rig, i, do_stat, names[i]);
		if (i < 2)
			await(&rig, &rig.arena->ledger.n_held, i + 1);
	}
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(result(&rig, pid[i]), 0);
	assert_true(record(&rig, FUSE_LOOKUP, 2)->done_ns <
		    record(&rig, FUSE_LOOKUP, 1)->done_ns);
	assert_true(record(&rig, FUSE_LOOKUP, 1)->done_ns <
		    record(&rig, FUSE_LOOKUP, 0)->done_ns);
	rig_stop(&rig);
}

static void test_duplicate(void **state)
{
	struct scenario scn = one_fault(0, FAULT_duplicate, 0);
	struct rig rig;

	(void)state;
	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, do_read, "f0"), 0);
	assert_int_equal(record(&rig, FUSE_READ, 0)->state, LEDGER_ANSWERED);
	assert_int_equal(record(&rig, FUSE_READ, 0)->action, FAULT_duplicate);
	rig_stop(&rig);
}

static void test_unknown_unique(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_bogus, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_dropped, 1);
	assert_true(is_blocked(pid));
	assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->state, LEDGER_DROPPED);
	rig_abort(&rig);
	assert_int_not_equal(result(&rig, pid), 0);
	rig_stop(&rig);
}

static void test_wrong_size(uint8_t action, uint16_t value, uint8_t opcode, client_fn *fn,
			    int expected)
{
	struct scenario scn = one_fault(opcode, action, value);
	struct rig rig;

	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, fn, "f0"), expected);
	assert_int_equal(record(&rig, opcode, 0)->state, LEDGER_ANSWERED);
	assert_int_equal(record(&rig, opcode, 0)->error, -expected);
	rig_stop(&rig);
}

static void test_short_and_long(void **state)
{
	(void)state;
	test_wrong_size(FAULT_truncated, 0, FUSE_LOOKUP, do_stat, EIO);
	test_wrong_size(FAULT_truncated, 100, FUSE_LOOKUP, do_stat, EIO);
	test_wrong_size(FAULT_oversized, 0, FUSE_LOOKUP, do_stat, EIO);
	test_wrong_size(FAULT_oversized, 65535, FUSE_OPEN, do_open, EIO);
	/* READ may be short: no error. */
	test_wrong_size(FAULT_truncated, 96, FUSE_READ, do_read, 0);
}

static void test_shorter_than_a_header(void **state)
{
	struct scenario scn = one_fault(FUSE_FLUSH, FAULT_truncated, 1);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_close, "f0");
	await(&rig, &rig.arena->ledger.n_dropped, 1);
	assert_true(is_blocked(pid));
	rig_abort(&rig);
	assert_int_not_equal(result(&rig, pid), -1);
	rig_stop(&rig);
}

static void test_noread_and_gate(void **state)
{
	struct scenario scn = one_fault(FUSE_OPEN, FAULT_noread, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_close, "f0");
	assert_true(is_blocked(pid));
	assert_int_equal(record(&rig, FUSE_OPEN, 0)->state, LEDGER_ANSWERED);
	assert_null(find_record(&rig, FUSE_FLUSH, 0));
	assert_int_equal(rig.arena->daemon.gate_closed, 1);
	atomic_store(&rig.arena->daemon.gate_closed, 0);
	kick(&rig);
	assert_int_equal(result(&rig, pid), 0);
	rig_stop(&rig);
}

static void test_exit(void **state)
{
	static const uint8_t actions[] = {FAULT_exit_before, FAULT_exit_after};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct scenario scn = one_fault(FUSE_LOOKUP, actions[i], 0);
		struct rig rig;
		pid_t pid;

		scn.config.threads = 1 + i;
		rig_start(&rig, &scn);
		pid = client(&rig, do_stat, "f0");
		assert_int_equal(daemon_exit(&rig), 0);
		assert_int_equal(result(&rig, pid), i ? 0 : ECONNABORTED);
		assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->state,
				 i ? LEDGER_ANSWERED : LEDGER_DROPPED);
		rig_stop(&rig);
	}
}

static void test_kill(void **state)
{
	static const uint8_t actions[] = {FAULT_kill_before, FAULT_kill_after};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct scenario scn = one_fault(FUSE_LOOKUP, actions[i], 0);
		struct rig rig;
		pid_t pid;

		rig_start(&rig, &scn);
		pid = client(&rig, do_stat, "f0");
		await(&rig, &rig.arena->daemon.wants, DAEMON_WANTS_KILL);
		assert_int_equal(is_blocked(pid), !i);
		kill(rig.daemon, SIGKILL);
		assert_int_equal(daemon_exit(&rig), SIGKILL);
		assert_int_equal(result(&rig, pid), i ? 0 : ECONNABORTED);
		rig_stop(&rig);
	}
}

static void test_stop(void **state)
{
	static const uint8_t actions[] = {FAULT_stop_before, FAULT_stop_after};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct scenario scn = one_fault(FUSE_LOOKUP, actions[i], 0);
		struct rig rig;
		pid_t pid;

		rig_start(&rig, &scn);
		pid = client(&rig, do_stat, "f0");
		await(&rig, &rig.arena->daemon.wants, DAEMON_WANTS_STOP);
		assert_int_equal(is_blocked(pid), !i);
		kill(rig.daemon, SIGSTOP);
		atomic_store(&rig.arena->daemon.wants, DAEMON_WANTS_NOTHING);
		syscall(SYS_futex, &rig.arena->daemon.wants, 1 /* FUTEX_WAKE */, 1, NULL,
			NULL, 0);
		if (!i)
			assert_true(is_blocked(pid));
		kill(rig.daemon, SIGCONT);
		assert_int_equal(result(&rig, pid), 0);
		rig_stop(&rig);
	}
}

static void test_self_actions(void **state)
{
	static const uint8_t actions[] = {FAULT_self_open, FAULT_self_read,
					  FAULT_self_stat};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct scenario scn = one_fault(FUSE_LOOKUP, actions[i], PATH_F1);
		struct rig rig;

		scn.faults[0].nth = 1;
		scn.config.threads = 2;
		rig_start(&rig, &scn);
		assert_int_equal(run(&rig, do_stat, "f0"), 0);
		/* The lookup of f1 came in between and from the server that handled the
		 * first. */
		assert_int_equal(record(&rig, FUSE_LOOKUP, 1)->pid,
				 record(&rig, FUSE_LOOKUP, 0)->server);
		assert_true(record(&rig, FUSE_LOOKUP, 1)->done_ns <
			    record(&rig, FUSE_LOOKUP, 0)->done_ns);
		if (i == 1)
			assert_int_equal(record(&rig, FUSE_READ, 0)->error, 0);
		rig_stop(&rig);
	}
}

static void test_self_deadlock(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_self_stat, PATH_F1);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	assert_true(is_blocked(pid));
	/* Its own request was never read: it is killable. */
	kill(rig.daemon, SIGKILL);
	assert_int_equal(daemon_exit(&rig), SIGKILL);
	assert_int_not_equal(result(&rig, pid), -1);
	rig_stop(&rig);
}

static void test_thread_exit(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_thread_exit, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	scn.faults[0].nth = 1;
	scn.config.threads = 2;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_dropped, 1);
	assert_int_equal(run(&rig, do_open, "d0/f3"), 0);
	assert_true(is_blocked(pid));
	rig_abort(&rig);
	assert_int_not_equal(result(&rig, pid), -1);
	rig_stop(&rig);
}

/* Number of INTERRUPTs, and what became of a held LOOKUP whose client gets a signal. */
static unsigned int interrupt(uint8_t action, bool clones, int *ret_result)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold, 0);
	struct rig rig;
	unsigned int n = 0;
	pid_t pid;

	add_fault(&scn, FUSE_INTERRUPT, action, 0);
	scn.faults[1].requester = 0;
	if (clones) {
		scn.config.threads = 3;
		scn.config.daemon = DAEMON_CLONE_FD;
	}
	rig_start(&rig, &scn);
	pid = client(&rig, do_interrupted_stat, "f0");
	is_blocked(pid);
	is_blocked(pid);
	while (find_record(&rig, FUSE_INTERRUPT, n))
		n++;
	if (n) {
		assert_int_equal(record(&rig, FUSE_INTERRUPT, 0)->pid, pid);
		assert_int_equal(record(&rig, FUSE_INTERRUPT, 0)->rule, 2);
	}
	atomic_store(&rig.arena->daemon.release, 1);
	kick(&rig);
	*ret_result = result(&rig, pid);
	/* Another one, to see whether the kernel still sends them. */
	pid = client(&rig, do_interrupted_stat, "f1");
	is_blocked(pid);
	is_blocked(pid);
	atomic_store(&rig.arena->daemon.release, 1);
	kick(&rig);
	assert_int_equal(result(&rig, pid), *ret_result);
	if (action == FAULT_intr_enosys)
		assert_null(find_record(&rig, FUSE_INTERRUPT, n));
	else
		assert_non_null(find_record(&rig, FUSE_INTERRUPT, n));
	rig_stop(&rig);
	return n;
}

static void test_interrupts(void **state)
{
	int ret;

	(void)state;
	for (int clones = 0; clones < 2; clones++) {
		assert_int_equal(interrupt(FAULT_intr_ignore, clones, &ret), 1);
		assert_int_equal(ret, 0);
		assert_int_equal(interrupt(FAULT_intr_enosys, clones, &ret), 1);
		assert_int_equal(ret, 0);
		assert_int_equal(interrupt(FAULT_intr_again, clones, &ret), 9);
		assert_int_equal(ret, 0);
		assert_int_equal(interrupt(FAULT_intr_honour, clones, &ret), 1);
		assert_int_equal(ret, EINTR);
	}
}

static void daemon_step(struct rig *rig, uint8_t op, uint8_t path)
{
	struct mailbox *mailbox = &rig->arena->mailbox[ACTOR_DAEMON];

	mailbox->step = (struct scn_step){.actor = ACTOR_DAEMON, .op = op, .a = path};
	atomic_fetch_add(&mailbox->seq, 1);
	kick(rig);
	await(rig, &mailbox->done, mailbox->seq);
}

static void test_daemon_steps(void **state)
{
	struct rig rig;

	(void)state;
	for (unsigned int threads = 2; threads <= 4; threads++) {
		struct scenario scn = plan(threads);

		scn.config.timeout = 1;
		rig_start(&rig, &scn);
		await(&rig, &rig.arena->daemon.inited, 1);
		for (unsigned int i = 0; i < 20; i++) {
			/* Threads that just served may lead or follow: the step always
			 * finds the main one. */
			assert_int_equal(run(&rig, do_stat, "d0/f3"), 0);
			daemon_step(&rig, OP_stat, PATH_F0);
			assert_int_equal(rig.arena->mailbox[ACTOR_DAEMON].ret, 0);
		}
		assert_null(find_record(&rig, FUSE_LOOKUP, 3)); /* cached for an hour */
		daemon_step(&rig, OP_inval_entry, PATH_F0);
		assert_int_equal(rig.arena->mailbox[ACTOR_DAEMON].ret, 0);
		daemon_step(&rig, OP_stat, PATH_F0);
		assert_non_null(find_record(&rig, FUSE_LOOKUP, 3));
		daemon_step(&rig, OP_inval_inode, PATH_F0);
		assert_int_equal(rig.arena->mailbox[ACTOR_DAEMON].ret, 0);
		daemon_step(&rig, OP_inval_inode, PATH_GONE);
		assert_int_equal(rig.arena->mailbox[ACTOR_DAEMON].ret, -ENOENT);
		daemon_step(&rig, OP_inval_entry,
			    PATH_F1); /* the kernel does not know it */
		assert_int_equal(rig.arena->mailbox[ACTOR_DAEMON].ret, -ENOENT);
		rig_stop(&rig);
	}
}

static void test_close_dev(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	scn.config.threads = 3;
	scn.config.daemon = DAEMON_CLONE_FD;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	atomic_store(&rig.arena->daemon.close_dev, 1);
	kick(&rig);
	assert_int_equal(result(&rig, pid), ECONNABORTED);
	/* It lives on, deaf to the mount but not to us. */
	assert_true(is_blocked(rig.daemon));
	kick(&rig);
	rig_stop(&rig);
}

/* ---- figures ---- */

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void test_measure(void **state)
{
	enum { RUNS = 60, STATS = 2000 };
	static int64_t start_us[RUNS], stat_us[RUNS];
	struct scenario scn = plan(1);

	(void)state;
	scn.config.timeout = 0;
	for (unsigned int i = 0; i < RUNS; i++) {
		struct rig rig;
		struct stat st;
		int64_t start;

		rig_prepare(&rig, &scn);
		start = now_us();
		fork_daemon(&rig, 0);
		await(&rig, &rig.arena->daemon.ready, 1);
		arena_bump(&rig.arena->daemon.start);
		await(&rig, &rig.arena->daemon.inited, 1);
		start_us[i] = now_us() - start;
		close(rig.dev_fd);
		start = now_us();
		for (unsigned int n = 0; n < STATS / RUNS; n++)
			stat(at(&rig, "."), &st);
		stat_us[i] = (now_us() - start) * 10 / (STATS / RUNS);
		rig_stop(&rig);
	}
	qsort(start_us, RUNS, sizeof(int64_t), compare);
	qsort(stat_us, RUNS, sizeof(int64_t), compare);
	print_message("fork to INIT answered: median %ld us; stat: median %ld.%ld us\n",
		      (long)start_us[RUNS / 2], (long)stat_us[RUNS / 2] / 10,
		      (long)stat_us[RUNS / 2] % 10);
	assert_true(start_us[RUNS / 2] < 20000);
}

#define TEST(function) cmocka_unit_test_teardown(function, clean_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_everyday),
		TEST(test_everyday_threads),
		TEST(test_everyday_clones),
		TEST(test_writeback_and_readdirplus),
		TEST(test_no_open_no_flush),
		TEST(test_nested_namespace),
		TEST(test_self_file_one_thread),
		TEST(test_clean_end),
		TEST(test_errno),
		TEST(test_requester),
		TEST(test_hold_and_release),
		TEST(test_hold_init),
		TEST(test_healing),
		TEST(test_hold_until_step),
		TEST(test_hold_until_more),
		TEST(test_hold_ms),
		TEST(test_hold_until_kill),
		TEST(test_drop),
		TEST(test_reorder),
		TEST(test_duplicate),
		TEST(test_unknown_unique),
		TEST(test_short_and_long),
		TEST(test_shorter_than_a_header),
		TEST(test_noread_and_gate),
		TEST(test_exit),
		TEST(test_kill),
		TEST(test_stop),
		TEST(test_self_actions),
		TEST(test_self_deadlock),
		TEST(test_thread_exit),
		TEST(test_interrupts),
		TEST(test_daemon_steps),
		TEST(test_close_dev),
		TEST(test_measure),
	};

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
	if (access(CTL "/.", F_OK) == 0)
		mount("none", CTL, "fusectl", 0, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
