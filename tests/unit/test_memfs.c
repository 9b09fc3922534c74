/* SPDX-License-Identifier: MIT */
/* The in-memory file system without a kernel: contents, names, link counts, locks, limits. */
#include <errno.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "harness/daemon/memfs.h"

static const char bin[] = "contents of bin";

static memfs_ino lookup(memfs_ino parent, const char *name)
{
	struct stat st;

	assert_int_equal(memfs_lookup(parent, name, &st), 0);
	return st.st_ino;
}

static memfs_ino create(memfs_ino parent, const char *name, mode_t mode)
{
	const struct memfs_new new = {.mode = mode};
	struct stat st;

	assert_int_equal(memfs_create(parent, name, &new, &st), 0);
	return st.st_ino;
}

static struct stat attr(memfs_ino ino)
{
	struct stat st;

	assert_int_equal(memfs_getattr(ino, &st), 0);
	return st;
}

static void resize(memfs_ino ino, off_t size)
{
	const struct stat want = {.st_size = size};
	struct stat st;

	assert_int_equal(memfs_setattr(ino, &want, MEMFS_SET_SIZE, &st), 0);
	assert_int_equal(st.st_size, size);
}

static void assert_bytes(memfs_ino ino, uint64_t offset, size_t len, char value)
{
	char buf[256];

	assert_true(len <= sizeof(buf));
	assert_int_equal(memfs_read(ino, buf, len, offset), len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(buf[i], value);
}

static void test_initial_tree(void **state)
{
	struct stat st;
	char buf[64];

	(void)state;
	assert_int_equal(memfs_resolve("."), MEMFS_ROOT);
	assert_int_equal(attr(MEMFS_ROOT).st_nlink, 4);
	assert_int_equal(memfs_resolve("d0/f3"), lookup(lookup(MEMFS_ROOT, "d0"), "f3"));
	assert_int_equal(memfs_resolve("d0/gone"), 0);
	assert_int_equal(memfs_lookup(MEMFS_ROOT, "gone", &st), -ENOENT);
	assert_int_equal(memfs_lookup(memfs_resolve("f0"), "x", &st), -ENOTDIR);
	assert_int_equal(memfs_lookup(1000, "x", &st), -ESTALE);
	assert_int_equal(memfs_read(memfs_resolve("bin"), buf, sizeof(buf), 0),
			 sizeof(bin));
	assert_string_equal(buf, bin);
	assert_int_equal(attr(memfs_resolve("bin")).st_mode, S_IFREG | 0755);
	assert_int_equal(memfs_readlink(memfs_resolve("sym"), buf, sizeof(buf)), 2);
	assert_string_equal(buf, "f0");
}

static void test_contents(void **state)
{
	memfs_ino f0 = memfs_resolve("f0");
	char first, second;

	(void)state;
	assert_int_equal(memfs_read(f0, &first, 1, 0), 1);
	assert_int_equal(memfs_read(f0, &second, 1, 4096), 1);
	assert_int_not_equal(first, second);
	assert_bytes(f0, 4000, 96, first);
	assert_bytes(f0, 4096, 100, second);
	/* A write over a page border leaves what is around it. */
	assert_int_equal(memfs_write(f0, "xxxx", 4, 4094, 0), 4);
	assert_bytes(f0, 4000, 94, first);
	assert_bytes(f0, 4094, 4, 'x');
	assert_bytes(f0, 4098, 100, second);
	/* What was cut off is zero when the file grows again, written or not. */
	resize(f0, 4096);
	resize(f0, 8192);
	assert_bytes(f0, 4095, 1, 'x');
	assert_bytes(f0, 4096, 200, 0);
	resize(f0, 4095);
	resize(f0, 8192);
	assert_bytes(f0, 4095, 100, 0);
	assert_bytes(f0, 4094, 1, 'x');
	assert_int_equal(memfs_read(f0, &first, 1, 8192), 0);
	assert_int_equal(memfs_write(f0, "end", 3, 0, 1), 3);
	assert_int_equal(attr(f0).st_size, 8195);
}

static void test_holes_and_limits(void **state)
{
	memfs_ino f1 = memfs_resolve("f1");
	struct stat st;

	(void)state;
	assert_int_equal(
		memfs_fallocate(f1, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 50),
		0);
	assert_bytes(f1, 100, 50, 0);
	assert_bytes(f1, 150, 50, 'A' + 3);
	assert_int_equal(memfs_fallocate(f1, FALLOC_FL_COLLAPSE_RANGE, 0, 4096),
			 -EOPNOTSUPP);
	assert_int_equal(memfs_fallocate(f1, 0, MEMFS_FILE_MAX, 1), -EFBIG);
	assert_int_equal(memfs_write(f1, "xy", 2, MEMFS_FILE_MAX, 0), -EFBIG);
	assert_int_equal(memfs_write(f1, "xy", 2, MEMFS_FILE_MAX - 1, 0), 1);
	assert_int_equal(attr(f1).st_size, MEMFS_FILE_MAX);
	assert_bytes(f1, 200000, 100, 0);
	st.st_size = MEMFS_FILE_MAX + 1;
	assert_int_equal(memfs_setattr(f1, &st, MEMFS_SET_SIZE, &st), -EFBIG);
	assert_int_equal(memfs_lseek(f1, 10, SEEK_DATA), 10);
	assert_int_equal(memfs_lseek(f1, 10, SEEK_HOLE), MEMFS_FILE_MAX);
	assert_int_equal(memfs_lseek(f1, MEMFS_FILE_MAX, SEEK_DATA), -ENXIO);
	assert_int_equal(memfs_read(memfs_resolve("d0"), &st, 1, 0), -EISDIR);
}

static void test_copy(void **state)
{
	memfs_ino from = memfs_resolve("f2"),
		  to = create(MEMFS_ROOT, "copy", S_IFREG | 0600);

	(void)state;
	assert_int_equal(memfs_copy(from, 4090, to, 1, 10000), 10000);
	assert_int_equal(attr(to).st_size, 10001);
	assert_bytes(to, 0, 1, 0);
	assert_bytes(to, 1, 6, 'A' + 4);
	assert_bytes(to, 7, 100, 'A' + 5);
	assert_int_equal(memfs_copy(from, 65530, to, 0, 100),
			 6); /* the end of the source */
	assert_int_equal(memfs_copy(from, 65536, to, 0, 100), 0);
	assert_int_equal(memfs_unlink(MEMFS_ROOT, "copy", 0), 0);
	memfs_forget(to, 1);
}

static void test_names(void **state)
{
	memfs_ino dir = create(MEMFS_ROOT, "n0", S_IFDIR | 0755);
	memfs_ino file = create(dir, "a", S_IFREG | 0600);
	const struct memfs_new new = {.mode = S_IFREG};
	char name[MEMFS_NAME_MAX + 2];
	struct stat st;

	(void)state;
	assert_int_equal(attr(MEMFS_ROOT).st_nlink, 5);
	assert_int_equal(memfs_create(dir, "a", &new, &st), -EEXIST);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(memfs_create(dir, name, &new, &st), -ENAMETOOLONG);
	assert_int_equal(memfs_link(file, MEMFS_ROOT, "b", &st), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(memfs_link(dir, MEMFS_ROOT, "c", &st), -EPERM);
	assert_int_equal(memfs_unlink(MEMFS_ROOT, "n0", 1), -ENOTEMPTY);
	assert_int_equal(memfs_unlink(MEMFS_ROOT, "n0", 0), -EISDIR);
	assert_int_equal(memfs_unlink(MEMFS_ROOT, "b", 1), -ENOTDIR);
	assert_int_equal(memfs_rename(dir, "a", MEMFS_ROOT, "b", 0),
			 0); /* one file: nothing happens */
	assert_int_equal(memfs_rename(dir, "a", MEMFS_ROOT, "f2", RENAME_NOREPLACE),
			 -EEXIST);
	assert_int_equal(memfs_rename(dir, "a", MEMFS_ROOT, "d1", 0), -EISDIR);
	assert_int_equal(memfs_rename(MEMFS_ROOT, "d1", MEMFS_ROOT, "b", 0), -ENOTDIR);
	assert_int_equal(memfs_rename(MEMFS_ROOT, "n0", MEMFS_ROOT, "b", RENAME_EXCHANGE),
			 0);
	assert_int_equal(memfs_resolve("b/a"), file);
	assert_int_equal(memfs_resolve("n0"), file);
	assert_int_equal(memfs_unlink(dir, "a", 0), 0);
	assert_int_equal(memfs_unlink(MEMFS_ROOT, "b", 1), 0);
	assert_int_equal(attr(MEMFS_ROOT).st_nlink, 4);
	assert_int_equal(memfs_create(dir, "late", &new, &st),
			 -ENOENT); /* removed, still known */
	assert_int_equal(memfs_unlink(MEMFS_ROOT, "n0", 0), 0);
	assert_int_equal(attr(file).st_nlink, 0); /* the kernel still knows it */
	memfs_forget(file, 2);
	assert_int_equal(memfs_getattr(file, &st), -ESTALE);
	memfs_forget(dir, 1);
	assert_int_equal(memfs_getattr(dir, &st), -ESTALE);
}

/* Arrays run full, and everything comes back. */
static void test_full(void **state)
{
	const struct memfs_new new = {.mode = S_IFREG};
	memfs_ino made[64];
	struct stat st;
	char name[16];
	unsigned int n = 0;
	int ret;

	(void)state;
	for (;; n++) {
		snprintf(name, sizeof(name), "full%u", n);
		ret = memfs_create(MEMFS_ROOT, name, &new, &st);
		if (ret < 0)
			break;
		assert_true(n < 64);
		made[n] = st.st_ino;
	}
	assert_int_equal(ret, -ENFILE);
	assert_true(n > 20);
	while (n--) {
		snprintf(name, sizeof(name), "full%u", n);
		assert_int_equal(memfs_unlink(MEMFS_ROOT, name, 0), 0);
		memfs_forget(made[n], 1);
	}
	memfs_forget(create(MEMFS_ROOT, "again", S_IFREG), 1);
	assert_int_equal(memfs_unlink(MEMFS_ROOT, "again", 0), 0);
}

static void test_readdir(void **state)
{
	struct memfs_dirent dirent;
	uint64_t offset = 0;
	unsigned int n = 0;

	(void)state;
	/* What is removed behind the reader does not make it miss or repeat an entry. */
	memfs_ino a = create(memfs_resolve("d1"), "a", S_IFREG);
	create(memfs_resolve("d1"), "b", S_IFREG);
	while (memfs_readdir(memfs_resolve("d1"), offset, 0, &dirent) > 0) {
		static const char *const names[] = {".", "..", "a", "b"};

		assert_true(n < 4);
		assert_string_equal(dirent.name, names[n++]);
		if (dirent.st.st_ino == a)
			assert_int_equal(memfs_unlink(memfs_resolve("d1"), "a", 0), 0);
		offset = dirent.next;
	}
	assert_int_equal(n, 4);
	assert_int_equal(memfs_readdir(MEMFS_ROOT, 1, 0, &dirent), 1);
	assert_int_equal(dirent.st.st_ino, MEMFS_ROOT);
	assert_int_equal(memfs_readdir(memfs_resolve("d1"), 1, 0, &dirent), 1);
	assert_int_equal(dirent.st.st_ino, MEMFS_ROOT);
}

static void test_xattrs(void **state)
{
	memfs_ino f0 = memfs_resolve("f0");
	char buf[16];

	(void)state;
	assert_int_equal(memfs_getxattr(f0, "user.a", buf, sizeof(buf)), -ENODATA);
	assert_int_equal(memfs_setxattr(f0, "user.a", "12345", 5, 2 /* XATTR_REPLACE */),
			 -ENODATA);
	assert_int_equal(memfs_setxattr(f0, "user.a", "12345", 5, 0), 0);
	assert_int_equal(memfs_setxattr(f0, "user.a", "1", 1, 1 /* XATTR_CREATE */),
			 -EEXIST);
	assert_int_equal(memfs_getxattr(f0, "user.a", NULL, 0), 5);
	assert_int_equal(memfs_getxattr(f0, "user.a", buf, 4), -ERANGE);
	assert_int_equal(memfs_getxattr(f0, "user.a", buf, 5), 5);
	assert_memory_equal(buf, "12345", 5);
	assert_int_equal(memfs_listxattr(f0, NULL, 0), 7);
	assert_int_equal(memfs_listxattr(memfs_resolve("f1"), NULL, 0), 0);
	assert_int_equal(memfs_removexattr(f0, "user.a"), 0);
	assert_int_equal(memfs_removexattr(f0, "user.a"), -ENODATA);
}

static int setlk(uint64_t owner, int type, uint64_t start, uint64_t end)
{
	const struct memfs_lock lock = {
		.owner = owner, .start = start, .end = end, .type = type};

	return memfs_setlk(memfs_resolve("f2"), &lock);
}

static void test_locks(void **state)
{
	struct memfs_lock probe = {
		.owner = 2, .start = 0, .end = INT64_MAX, .type = F_RDLCK};

	(void)state;
	assert_int_equal(setlk(1, F_WRLCK, 0, 99), 0);
	assert_int_equal(setlk(2, F_RDLCK, 50, 60), -EAGAIN);
	assert_int_equal(setlk(2, F_RDLCK, 100, 110), 0);
	assert_int_equal(setlk(1, F_RDLCK, 105, 120), 0); /* readers share */
	/* Unlocking the middle leaves both ends. */
	assert_int_equal(setlk(1, F_UNLCK, 40, 60), 0);
	assert_int_equal(setlk(2, F_WRLCK, 40, 60), 0);
	assert_int_equal(setlk(2, F_WRLCK, 39, 39), -EAGAIN);
	assert_int_equal(setlk(2, F_WRLCK, 61, 61), -EAGAIN);
	assert_int_equal(memfs_getlk(memfs_resolve("f2"), &probe), 0);
	assert_int_equal(probe.type, F_WRLCK);
	assert_int_equal(probe.owner, 1);
	memfs_unlock(memfs_resolve("f2"), 1, 0);
	probe = (struct memfs_lock){.owner = 2, .end = INT64_MAX, .type = F_WRLCK};
	assert_int_equal(memfs_getlk(memfs_resolve("f2"), &probe), 0);
	assert_int_equal(probe.type, F_UNLCK);
	/* flock(2) locks are a kind of their own. */
	probe = (struct memfs_lock){
		.owner = 7, .end = UINT64_MAX, .type = F_WRLCK, .whole = 1};
	assert_int_equal(memfs_setlk(memfs_resolve("f2"), &probe), 0);
	probe.owner = 8;
	assert_int_equal(memfs_setlk(memfs_resolve("f2"), &probe), -EAGAIN);
	assert_int_equal(setlk(8, F_WRLCK, 1000, 1001), 0);
	memfs_unlock(memfs_resolve("f2"), 7, 1);
	assert_int_equal(memfs_setlk(memfs_resolve("f2"), &probe), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initial_tree),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_holes_and_limits),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_readdir),
		cmocka_unit_test(test_xattrs),
		cmocka_unit_test(test_locks),
	};

	memfs_init(bin, sizeof(bin));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
