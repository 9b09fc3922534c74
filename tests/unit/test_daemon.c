/* SPDX-License-Identifier: MIT */
/* The daemon against the real kernel: everyday I/O, threads, namespaces, steps, and what it costs. */
#include "daemon_rig.h"

#include <dirent.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#define INIT_EACH (INITF_ALL & ~(INITF_NO_OPEN | INITF_NO_FLUSH))

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
		TEST(test_daemon_steps),
		TEST(test_close_dev),
		TEST(test_measure),
	};

	return rig_run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
