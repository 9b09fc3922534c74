/* SPDX-License-Identifier: MIT */
/* Tests of the worker operations on files, directories, descriptors, locks and mappings.
 */

#include "ops_fixture.h"

#include <sys/eventfd.h>
#include <sys/file.h>

#include "harness/daemon/daemon.h"

enum { RDONLY = 0, WRONLY = 1, RDWR = 2 };
enum { LOCK_ARG_READ, LOCK_ARG_WRITE, LOCK_ARG_UNLOCK };
enum { LOAD, STORE };

static unsigned int notified_inode, notified_entry;

/* In place of the daemon's: what the operations called is all that is asked here. */
int daemon_notify_inode(unsigned int path)
{
	notified_inode = path;
	return path == PATH_GONE ? -ENOENT : 0;
}

int daemon_notify_entry(unsigned int path)
{
	notified_entry = path;
	return path == PATH_GONE ? -ENOENT : 0;
}

static void test_table(void **state)
{
	struct fixture *fx = *state;

	for (unsigned int id = 0; id < OP_COUNT; id++)
		if (op_table[id].who == WHO_CTL)
			assert_int_equal(run_step(fx, 0, (struct scn_step){.op = id}),
					 -ENOSYS);
	assert_int_equal(op_table[OP_release].who, WHO_CTL);
	assert_int_equal(run_step(fx, 0, (struct scn_step){.op = OP_COUNT}), -ENOSYS);
	assert_int_equal(run_step(fx, 0, (struct scn_step){.op = 255}), -ENOSYS);
	assert_int_equal(RUN(nop), 0);
}

static void test_paths(void **state)
{
	struct fixture *fx = *state;
	struct op_ctx ctx = context_of(fx, 0);
	char path[128];

	op_path(&ctx, PATH_ROOT, path, sizeof(path));
	assert_string_equal(path, fx->mnt);
	op_path(&ctx, PATH_F3, path, sizeof(path));
	assert_string_equal(path, mnt_file(fx, "d0/f3"));
	op_path(&ctx, PATH_OUT, path, sizeof(path));
	assert_string_equal(path, fx->outside);
	op_path(&ctx, PATH_F0, path, 4);
	assert_string_equal(path, "/tm");
}

static void test_open_close(void **state)
{
	struct fixture *fx = *state;
	int *slots = fx->arena->fd_slots[0];
	int fd;

	assert_int_equal(RUN(open, 0, PATH_GONE, RDONLY), -ENOENT);
	assert_int_equal(slots[0], -1);
	fd = RUN(open, 0, PATH_F0, RDWR | OFLAG_APPEND | OFLAG_NONBLOCK | OFLAG_SYNC);
	assert_true(fd >= 0);
	assert_int_equal(slots[0], fd);
	assert_int_equal(fcntl(fd, F_GETFL) &
				 (O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC),
			 O_RDWR | O_APPEND | O_NONBLOCK | O_SYNC);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(RUN(open, 0, PATH_F1, RDWR | OFLAG_TRUNC), -EBUSY);
	assert_int_equal(size_of(fx, "f1"), FILE_SIZE); /* not even tried */
	assert_int_equal(slots[0], fd);
	assert_true(RUN(open, 1, PATH_F1, WRONLY | OFLAG_TRUNC | OFLAG_CLOEXEC) >= 0);
	assert_int_equal(size_of(fx, "f1"), 0);
	assert_int_equal(fcntl(slots[1], F_GETFD), FD_CLOEXEC);
	assert_int_equal(RUN(close, 0), 0);
	assert_int_equal(slots[0], -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(RUN(close, 0), -EBADF);
	assert_int_equal(RUN(open, 2, PATH_N0, WRONLY), -ENOENT);
	assert_true(RUN(creat, 2, PATH_N0, WRONLY) >= 0);
	assert_int_equal(size_of(fx, "n0"), 0);
	assert_int_equal(RUN(creat, 3, PATH_D0, WRONLY), -EISDIR);
}

static void test_read_write(void **state)
{
	struct fixture *fx = *state;

	assert_true(RUN(creat, 0, PATH_N0, RDWR) >= 0);
	assert_int_equal(RUN(write, 0, V(65535)), 65535);
	assert_int_equal(size_of(fx, "n0"), 65535);
	assert_int_equal(RUN(read, 0, V(10)), 0);
	assert_int_equal(RUN(pread, 0, 15, V(65535)), 4095);
	assert_int_equal(RUN(pwrite, 0, 15, V(5000)), 5000);
	assert_int_equal(size_of(fx, "n0"), 15 * 4096 + 5000);
	assert_int_equal(RUN(fsync, 0), 0);
	assert_int_equal(RUN(fdatasync, 0), 0);
	assert_int_equal(RUN(sync_range, 0), 0);
	assert_int_equal(RUN(ftruncate, 0, V(100)), 0);
	assert_int_equal(size_of(fx, "n0"), 100);
	assert_int_equal(RUN(fallocate, 0, 2, V(8)), 0);
	assert_int_equal(size_of(fx, "n0"), 2 * 4096 + 8);
	assert_int_equal(RUN(fallocate, 0, 2, V(0)), -EINVAL);
	assert_true(RUN(open, 1, PATH_F0, RDONLY) >= 0);
	assert_int_equal(RUN(read, 1, V(7)), 7);
	assert_int_equal(RUN(write, 1, V(7)), -EBADF);
	assert_int_equal(RUN(lseek, 1, V(5)), 5);
	assert_int_equal(RUN(copy_range, 1, 0, V(60000)), 60000);
	assert_int_equal(size_of(fx, "n0"), 65535 + 60000);
	assert_int_equal(RUN(lseek, 0, V(1)), 1);
	assert_int_equal(RUN(ftruncate, 0, V(0)), 0);
	assert_int_equal(RUN(lseek, 0, V(1)), -ENXIO);
	assert_in_range(-RUN(ioctl, 1), 0, ENOTTY); /* tmpfs has it since 6.0 */
}

/* Every operation that takes a descriptor says so when there is none. */
static void test_empty_slots(void **state)
{
	static const uint8_t ops[] = {
		OP_close,     OP_read,	      OP_write,	    OP_pread,	   OP_pwrite,
		OP_fsync,     OP_fdatasync,   OP_ftruncate, OP_sync_range, OP_dup2,
		OP_dup3,      OP_flock,	      OP_setlk,	    OP_setlkw,	   OP_epoll_add,
		OP_fallocate, OP_lseek,	      OP_poll,	    OP_copy_range, OP_ioctl,
		OP_aio_read,  OP_aio_write,   OP_mmap,	    OP_munmap,	   OP_touch,
		OP_msync,     OP_close_range,
	};
	struct fixture *fx = *state;

	for (unsigned int i = 0; i < sizeof(ops); i++) {
		struct scn_step step = {.op = ops[i], .a = 2, .v = 1};

		if (run_step(fx, 0, step) != -EBADF)
			fail_msg("%s: not -EBADF", op_table[ops[i]].name);
	}
}

static void test_paths_ops(void **state)
{
	struct fixture *fx = *state;
	struct stat st;

	assert_int_equal(RUN(stat, PATH_F0), 0);
	assert_int_equal(RUN(stat, PATH_GONE), -ENOENT);
	assert_int_equal(RUN(access, PATH_D0), 0);
	assert_int_equal(RUN(access, PATH_GONE), -ENOENT);
	assert_int_equal(RUN(statfs, PATH_ROOT), 0);
	assert_int_equal(RUN(statfs, PATH_GONE), -ENOENT);
	assert_int_equal(RUN(chmod, PATH_F0), 0);
	assert_int_equal(stat(mnt_file(fx, "f0"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0755);
	assert_int_equal(RUN(chmod, PATH_GONE), -ENOENT);
	assert_int_equal(RUN(truncate, PATH_F0, V(77)), 0);
	assert_int_equal(size_of(fx, "f0"), 77);
	assert_int_equal(RUN(truncate, PATH_D0, V(77)), -EISDIR);
	assert_int_equal(RUN(chdir, PATH_GONE), -ENOENT);
	assert_int_equal(RUN(chdir, PATH_D0), 0);
	assert_int_equal(access("f3", F_OK), 0);
	assert_int_equal(chdir("/"), 0);
}

static void test_names(void **state)
{
	struct fixture *fx = *state;
	char target[128] = "";
	struct stat st;

	assert_true(RUN(readdir, PATH_ROOT) > 6 * 24); /* of a linux_dirent64 each */
	assert_int_equal(RUN(readdir, PATH_F0), -ENOTDIR);
	assert_int_equal(RUN(mkdir, PATH_N1), 0);
	assert_int_equal(RUN(mkdir, PATH_N1), -EEXIST);
	assert_int_equal(RUN(rmdir, PATH_D0), -ENOTEMPTY);
	assert_int_equal(RUN(rmdir, PATH_N1), 0);
	assert_int_equal(RUN(rmdir, PATH_N1), -ENOENT);
	assert_int_equal(RUN(mknod, PATH_N1), 0);
	assert_int_equal(lstat(mnt_file(fx, "n1"), &st), 0);
	assert_int_equal(st.st_mode & S_IFMT, S_IFREG);
	assert_int_equal(RUN(mknod, PATH_N1), -EEXIST);
	assert_int_equal(RUN(rename, PATH_N1, PATH_N2), 0);
	assert_int_equal(size_of(fx, "n1"), -ENOENT);
	assert_int_equal(size_of(fx, "d0/n2"), 0);
	assert_int_equal(RUN(rename, PATH_N1, PATH_N2), -ENOENT);
	assert_int_equal(RUN(link, PATH_F0, PATH_N1), 0);
	assert_int_equal(size_of(fx, "n1"), FILE_SIZE);
	assert_int_equal(RUN(link, PATH_F0, PATH_N1), -EEXIST);
	assert_int_equal(RUN(unlink, PATH_N1), 0);
	assert_int_equal(size_of(fx, "n1"), -ENOENT);
	assert_int_equal(RUN(unlink, PATH_N1), -ENOENT);
	assert_int_equal(RUN(symlink, PATH_F0, PATH_N0), 0);
	assert_true(readlink(mnt_file(fx, "n0"), target, sizeof(target) - 1) > 0);
	assert_string_equal(target, mnt_file(fx, "f0"));
	assert_int_equal(RUN(symlink, PATH_F0, PATH_N0), -EEXIST);
	assert_int_equal(RUN(readlink, PATH_SYM), 2);
	assert_int_equal(RUN(readlink, PATH_F0), -EINVAL);
}

static void test_invalidate(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(RUN_AS(ACTOR_DAEMON, inval_inode, PATH_F1), 0);
	assert_int_equal(notified_inode, PATH_F1);
	assert_int_equal(RUN_AS(ACTOR_DAEMON, inval_entry, PATH_D1), 0);
	assert_int_equal(notified_entry, PATH_D1);
	assert_int_equal(RUN_AS(ACTOR_DAEMON, inval_inode, PATH_GONE), -ENOENT);
	assert_int_equal(RUN_AS(ACTOR_DAEMON, inval_entry, PATH_GONE), -ENOENT);
	assert_int_equal(RUN(inval_inode, PATH_F0), -ENOSYS);
	assert_int_equal(RUN(inval_entry, PATH_F0), -ENOSYS);
	assert_int_equal(notified_inode, PATH_GONE);
}

static void test_xattr(void **state)
{
	struct fixture *fx = *state;
	int64_t ret = RUN(setxattr, PATH_F0, V(33));

	if (ret == -EOPNOTSUPP) {
		print_message(
			"skip: no user attributes on this tmpfs (Linux before 6.6)\n");
		skip();
	}
	assert_int_equal(ret, 0);
	assert_int_equal(RUN(getxattr, PATH_F0), 33);
	assert_int_equal(RUN(listxattr, PATH_F0), sizeof("user.sf"));
	assert_int_equal(RUN(removexattr, PATH_F0), 0);
	assert_int_equal(RUN(getxattr, PATH_F0), -ENODATA);
	assert_int_equal(RUN(removexattr, PATH_F0), -ENODATA);
	assert_int_equal(RUN(setxattr, PATH_GONE, V(33)), -ENOENT);
	assert_int_equal(RUN(listxattr, PATH_GONE), -ENOENT);
}

static bool same_file(int a, int b)
{
	struct stat sa, sb;

	return !fstat(a, &sa) && !fstat(b, &sb) && sa.st_ino == sb.st_ino &&
	       sa.st_dev == sb.st_dev;
}

static void test_dup(void **state)
{
	struct fixture *fx = *state;
	int *slots = fx->arena->fd_slots[0];
	int second, copy;

	assert_true(RUN(open, 0, PATH_F0, RDONLY) >= 0);
	second = RUN(open, 1, PATH_F1, RDONLY);
	assert_false(same_file(slots[0], slots[1]));
	assert_int_equal(RUN(dup2, 0, 1), second);
	assert_int_equal(slots[1], second);
	assert_true(same_file(slots[0], slots[1]));
	copy = RUN(dup2, 0, 2);
	assert_int_equal(copy, slots[2]);
	assert_true(slots[2] != slots[0] && same_file(slots[0], slots[2]));
	assert_int_equal(fcntl(slots[2], F_GETFD), 0);
	assert_int_equal(RUN(dup3, 0, 1), second);
	assert_int_equal(fcntl(slots[1], F_GETFD), FD_CLOEXEC);
	copy = RUN(dup3, 0, 3);
	assert_int_equal(copy, slots[3]);
	assert_int_equal(fcntl(slots[3], F_GETFD), FD_CLOEXEC);
	assert_int_equal(RUN(dup3, 0, 0), -EINVAL);
	assert_int_equal(RUN(dup2, 0, 0), slots[0]);
}

static void test_close_range(void **state)
{
	struct fixture *fx = *state;
	int *slots = fx->arena->fd_slots[0];
	int old[4];

	for (unsigned int i = 0; i < 4; i++)
		old[i] = RUN(open, i, PATH_F0, RDONLY);
	assert_true(old[0] >= 0 && old[3] == old[0] + 3);
	assert_int_equal(RUN(close_range, 5, 7), -EBADF);
	assert_int_equal(RUN(close_range, 2, 1), 0);
	assert_int_equal(slots[0], old[0]);
	assert_int_equal(slots[1], -1);
	assert_int_equal(slots[2], -1);
	assert_int_equal(slots[3], old[3]);
	assert_int_equal(fcntl(old[0], F_GETFD), 0);
	assert_int_equal(fcntl(old[1], F_GETFD), -1);
	assert_int_equal(fcntl(old[2], F_GETFD), -1);
	assert_int_equal(fcntl(old[3], F_GETFD), 0);
	/* What lies between the two descriptors goes too: a slot outside the range, the
	 * epoll set. */
	slots[7] = fcntl(old[0], F_DUPFD, old[0] + 1);
	fx->arena->epoll_fd[0] = fcntl(old[0], F_DUPFD, old[0] + 1);
	assert_int_equal(RUN(close_range, 0, 3), 0);
	for (unsigned int i = 0; i < SCN_FD_SLOTS; i++)
		assert_int_equal(slots[i], -1);
	assert_int_equal(fx->arena->epoll_fd[0], -1);
	assert_int_equal(fcntl(old[0] + 2, F_GETFD), -1);
}

static void test_poll(void **state)
{
	struct fixture *fx = *state;
	int event = eventfd(0, EFD_CLOEXEC);
	uint64_t one = 1;

	assert_int_equal(RUN(epoll_wait), -EBADF);
	assert_true(RUN(open, 0, PATH_F0, RDONLY) >= 0);
	assert_int_equal(RUN(epoll_add, 0), -EPERM); /* a file of tmpfs has no ->poll */
	assert_int_equal(RUN(poll, 0, V(1000)), 1);
	fx->arena->fd_slots[0][1] = event;
	assert_int_equal(RUN(epoll_add, 1), 0);
	assert_int_equal(RUN(epoll_add, 1), -EEXIST);
	assert_int_equal(RUN(epoll_wait, V(1)), 0);
	assert_int_equal(write(event, &one, sizeof(one)), sizeof(one));
	assert_int_equal(RUN(epoll_wait, V(1000)), 1);
}

static void test_flock(void **state)
{
	struct fixture *fx = *state;
	int other = open(mnt_file(fx, "f0"), O_RDWR | O_CLOEXEC);

	assert_true(RUN(open, 0, PATH_F0, RDWR) >= 0);
	assert_int_equal(RUN(flock, 0, LOCK_ARG_READ), 0);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(flock(other, LOCK_UN), 0);
	assert_int_equal(RUN(flock, 0, LOCK_ARG_WRITE), 0);
	assert_int_equal(flock(other, LOCK_SH | LOCK_NB), -1);
	assert_int_equal(RUN(flock, 0, LOCK_ARG_UNLOCK), 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(RUN(flock, 0, 3), -EINVAL);
	close(other);
}

/* What another process is told when it asks for the lock. */
static int64_t lock_elsewhere(struct fixture *fx, unsigned int lock)
{
	pid_t pid = fork_actor(fx, 1);

	if (!pid) {
		fx->arena->mailbox[1].files = 0;
		_exit(-RUN_AS(1, setlk, 0, lock));
	}
	return -code_of(pid);
}

static void test_posix_locks(void **state)
{
	struct fixture *fx = *state;
	pid_t pid;

	assert_true(RUN(open, 0, PATH_F0, RDWR) >= 0);
	assert_int_equal(RUN(setlk, 0, LOCK_ARG_READ), 0);
	assert_int_equal(lock_elsewhere(fx, LOCK_ARG_READ), 0);
	assert_int_equal(lock_elsewhere(fx, LOCK_ARG_WRITE), -EAGAIN);
	assert_int_equal(RUN(setlkw, 0, LOCK_ARG_WRITE), 0);
	assert_int_equal(lock_elsewhere(fx, LOCK_ARG_READ), -EAGAIN);
	pid = fork_actor(fx, 1);
	if (!pid) {
		fx->arena->mailbox[1].files = 0;
		RUN_AS(1, alarm, V(20));
		_exit(-RUN_AS(1, setlkw, 0, LOCK_ARG_READ));
	}
	assert_int_equal(code_of(pid), EINTR);
	assert_int_equal(RUN(setlk, 0, LOCK_ARG_UNLOCK), 0);
	assert_int_equal(lock_elsewhere(fx, LOCK_ARG_WRITE), 0);
	assert_int_equal(RUN(setlk, 0, 3), -EINVAL);
}

static int byte_at(struct fixture *fx, long offset)
{
	unsigned char byte = 0;

	assert_int_equal(pread(fx->arena->fd_slots[0][0], &byte, 1, offset), 1);
	return byte;
}

static void test_map(void **state)
{
	struct fixture *fx = *state;
	struct map_slot *map = &fx->arena->map_slots[0][1];

	assert_true(RUN(open, 0, PATH_F0, RDWR) >= 0);
	assert_true(RUN(open, 1, PATH_F1, WRONLY) >= 0);
	assert_int_equal(RUN(mmap, 1, 1, MFLAG_SHARED, 1), -EACCES);
	assert_null(map->addr);
	assert_int_equal(RUN(mmap, 1, 0, MFLAG_SHARED | MFLAG_WRITE, 4097), 0);
	assert_int_equal(map->len, 8192);
	assert_int_equal(RUN(mmap, 1, 0, MFLAG_SHARED, 1), -EBUSY);
	assert_int_equal(RUN(touch, 1, LOAD, 1), 0);
	assert_int_equal(byte_at(fx, 4096), 'x');
	assert_int_equal(RUN(touch, 1, STORE, 1), 0);
	assert_int_equal(byte_at(fx, 4096), 1);
	assert_int_equal(RUN(touch, 1, STORE, 2), -EINVAL);
	assert_int_equal(RUN(msync, 1), 0);
	assert_int_equal(RUN(munmap, 1), 0);
	assert_null(map->addr);
	assert_int_equal(RUN(munmap, 1), -EBADF);
	/* Private: the file does not see the store. At least a page. */
	assert_int_equal(RUN(mmap, 1, 0, MFLAG_WRITE | MFLAG_POPULATE, 0), 0);
	assert_int_equal(map->len, 4096);
	assert_int_equal(RUN(touch, 1, STORE, 0), 0);
	assert_int_equal(byte_at(fx, 0), 'x');
	assert_int_equal(RUN(munmap, 1), 0);
}

/* Exit code of a process that touches a page of its copy of map0. */
static int touch_elsewhere(struct fixture *fx, unsigned int rw, unsigned int page)
{
	pid_t pid = fork_actor(fx, 1);

	if (!pid) {
		signal(SIGSEGV, SIG_DFL); /* the sanitisers have handlers */
		signal(SIGBUS, SIG_DFL);
		fx->arena->mailbox[1].mm = 0;
		_exit(RUN_AS(1, touch, 0, rw, page) != 0);
	}
	return code_of(pid);
}

static void test_map_faults(void **state)
{
	struct fixture *fx = *state;

	assert_true(RUN(open, 0, PATH_F0, RDWR) >= 0);
	assert_int_equal(RUN(mmap, 0, 0, MFLAG_SHARED, 8192), 0);
	assert_int_equal(touch_elsewhere(fx, LOAD, 1), 0);
	assert_int_equal(touch_elsewhere(fx, STORE, 1), 128 + SIGSEGV);
	assert_int_equal(RUN(ftruncate, 0, V(4096)), 0);
	assert_int_equal(touch_elsewhere(fx, LOAD, 0), 0);
	assert_int_equal(touch_elsewhere(fx, LOAD, 1), 128 + SIGBUS);
	assert_int_equal(RUN(munmap, 0), 0);
}

static void test_aio(void **state)
{
	struct fixture *fx = *state;
	long size = 3 * 4096 + 100;

	assert_true(RUN(creat, 0, PATH_N0, RDWR) >= 0);
	assert_int_equal(RUN(aio_write, 0, 3, V(100)), 1);
	for (int i = 0; i < 1000 && size_of(fx, "n0") != size; i++)
		short_sleep();
	assert_int_equal(size_of(fx, "n0"), size);
	assert_int_equal(RUN(aio_read, 0, 0, V(100)), 1);
	assert_true(RUN(open, 1, PATH_F0, RDONLY) >= 0);
	assert_int_equal(RUN(aio_write, 1, 0, V(100)), -EBADF);
}

static void test_steal_dev(void **state)
{
	struct fixture *fx = *state;
	struct daemon_shared *daemon = &fx->arena->daemon;
	int fd = open(mnt_file(fx, "f1"), O_RDONLY | O_CLOEXEC);
	pid_t pid;

	assert_int_equal(RUN(steal_dev, 0), -ESRCH);
	pid = fork_sleeper(fx, ACTOR_DAEMON);
	daemon->pid = pid;
	daemon->dev_fd = fd;
	assert_true(RUN(steal_dev, 0) >= 0);
	assert_true(same_file(fd, fx->arena->fd_slots[0][0]));
	assert_int_equal(RUN(steal_dev, 0), -EBUSY);
	daemon->dev_fd = 9999;
	assert_int_equal(RUN(steal_dev, 1), -EBADF);
	kill(pid, SIGKILL);
	assert_int_equal(code_of(pid), 128 + SIGKILL);
	assert_int_equal(RUN(steal_dev, 1), -ESRCH);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table),      TEST(test_paths),       TEST(test_open_close),
		TEST(test_read_write), TEST(test_empty_slots), TEST(test_paths_ops),
		TEST(test_names),      TEST(test_invalidate),  TEST(test_xattr),
		TEST(test_dup),	       TEST(test_close_range), TEST(test_poll),
		TEST(test_flock),      TEST(test_posix_locks), TEST(test_map),
		TEST(test_map_faults), TEST(test_aio),	       TEST(test_steal_dev),
	};

	return cmocka_run_group_tests(tests, set_up_group, NULL);
}
