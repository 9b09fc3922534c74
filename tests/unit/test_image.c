/* SPDX-License-Identifier: MIT */
/* Kernel images: good ones are understood, each kind of bad one gets a line that says what is wrong. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernel_samples.h"
#include "targets/plumbing/executable.h"
#include "targets/kernel/image.h"
#include "targets/kernel/initramfs.h"

#define RELEASE "6.99-test"
#define TREE	"./lib/modules/" RELEASE "/"

static char dir[] = "/tmp/shortfuse-image-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[4][200];
	static int next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", dir, name);
	return path[next];
}

static const char *put(const char *name, const void *data, size_t len)
{
	const char *path = in_dir(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
	return path;
}

static void expect_refused(const char *spec, int ret, const char *why)
{
	struct image image;
	char err[300] = "";

	assert_int_equal(image_open_qemu(spec, &image, err), ret);
	if (!strstr(err, why))
		fail_msg("%s: '%s' does not say '%s'", spec, err, why);
	assert_null(strchr(err, '\n'));
}

static void test_recognise(void **state)
{
	struct sample s = sample_bzimage(RELEASE);
	char release[100], err[300];
	const char *path = put("bzImage", s.data, s.len);

	(void)state;
	assert_int_equal(image_recognise(path, release, err), KIND_BZIMAGE);
	assert_string_equal(release, RELEASE);
}

static void test_bad_files(void **state)
{
	struct sample s = sample_bzimage(RELEASE);
	Elf64_Ehdr eh = {.e_machine = EM_AARCH64};

	(void)state;
	expect_refused(put("short", s.data, s.len - 1), -EBADMSG, "truncated");
	s.data[0x236] = 0;
	expect_refused(put("bz32", s.data, s.len), -ENOEXEC, "32-bit");
	memset(s.data, 0, sizeof(s.data));
	expect_refused(put("zero", s.data, s.len), -ENOEXEC, "neither a bzImage");
	memcpy(s.data + 0x38, "ARM\x64", 4);
	expect_refused(put("Image", s.data, s.len), -ENOEXEC, "arm64");
	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	expect_refused(put("vmlinux-arm", &eh, sizeof(eh)), -ENOEXEC, "not for x86-64");
	eh.e_machine = EM_X86_64;
	expect_refused(put("program", &eh, sizeof(eh)), -ENOEXEC, "no kernel");
	expect_refused(put("empty", "", 0), -ENODATA, "empty: ");
	expect_refused("/nonexistent/bzImage", -ENOENT,
		       "/nonexistent/bzImage: No such file");
	expect_refused("no-such-name", -ENOENT, "unknown kernel 'no-such-name'");
}

static void test_deb(void **state)
{
	const struct member members[] = {
		{"./boot/vmlinuz-" RELEASE, sample_bzimage(RELEASE)},
		{TREE "kernel/fs/fuse/fuse.ko", sample_module("lib-b,lib_a")},
		{TREE "kernel/lib/lib_b.ko", sample_module("lib_a")},
		{TREE "kernel/lib/lib-a.ko", sample_module("")},
		{TREE "kernel/drivers/virtio_pci.ko", sample_module("")},
		{TREE "kernel/drivers/virtio_console.ko", sample_module("virtio_pci")},
		{"./usr/share/doc/readme", sample_module("")},
	};
	struct image image;
	char err[300] = "";
	struct stat st;

	(void)state;
	sample_deb(in_dir("good.deb"), members, 7);
	for (int pass = 0; pass < 2; pass++) { /* the second time from the cache */
		if (image_open_qemu(in_dir("good.deb"), &image, err) < 0)
			fail_msg("%s", err);
		assert_string_equal(image.release, RELEASE);
		assert_int_equal(image.console, IMAGE_VIRTIO);
		assert_int_equal(image.modules.n, 5);
		assert_non_null(strstr(image.modules.path[0], "lib_a.ko"));
		assert_non_null(strstr(image.modules.path[1], "lib-b.ko"));
		assert_non_null(strstr(image.modules.path[2], "fuse.ko"));
		assert_int_equal(stat(image.kernel, &st), 0);
		assert_int_equal(st.st_size, 2048);
		image_release(&image);
	}
}

static void test_bad_debs(void **state)
{
	const struct member members[] = {
		{"./boot/vmlinuz-" RELEASE, sample_bzimage(RELEASE)},
		{TREE "kernel/fs/fuse/fuse.ko", sample_module("lib_gone")},
		{TREE "kernel/lib/other.ko", sample_module("")},
	};
	static char half[100000];
	size_t len;
	FILE *file;

	(void)state;
	sample_deb(in_dir("dep.deb"), members, 2);
	expect_refused(in_dir("dep.deb"), -ENOPKG,
		       "needs module lib_gone, which is missing");
	sample_deb(in_dir("bare.deb"), members, 1);
	expect_refused(in_dir("bare.deb"), -ENOENT, "modules of " RELEASE " are missing");
	sample_deb(in_dir("modules.deb"), members + 1, 2);
	expect_refused(in_dir("modules.deb"), -ENOENT, "no kernel (boot/vmlinuz-*)");
	{
		const struct member no_fuse[] = {members[0], members[2]};

		sample_deb(in_dir("nofuse.deb"), no_fuse, 2);
		expect_refused(in_dir("nofuse.deb"), -ENOPKG, "has no FUSE");
	}
	file = fopen(in_dir("dep.deb"), "re");
	len = fread(half, 1, sizeof(half), file);
	fclose(file);
	expect_refused(put("half.deb", half, len / 2), -EBADMSG, "truncated");
	expect_refused(put("head.deb", half, 70), -EBADMSG, "without data");
	expect_refused(put("text.deb", "hello", 5), -EBADMSG, "not a Debian package");
}

static void test_split_debs(void **state)
{
	const struct member binary[] = {
		{"./boot/vmlinuz-" RELEASE, sample_bzimage(RELEASE)}};
	const struct member modules[] = {{"./usr/lib/modules/" RELEASE
					  "/kernel/fs/fuse/fuse.ko",
					  sample_module("")}};
	struct image image;
	char spec[500], err[300] = "";

	(void)state;
	sample_deb(in_dir("binary.deb"), binary, 1);
	sample_deb(in_dir("modules.deb"), modules, 1);
	snprintf(spec, sizeof(spec), "%s,%s", in_dir("binary.deb"),
		 in_dir("modules.deb"));
	if (image_open_qemu(spec, &image, err) < 0)
		fail_msg("%s", err);
	assert_int_equal(image.modules.n, 1);
	assert_int_equal(image.console,
			 IMAGE_SERIAL); /* no virtio_console: the second serial line */
	image_release(&image);
}

static int count_entries(int fd, char *list, size_t size)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int n = 0;

	archive_read_support_format_cpio(a);
	assert_int_equal(archive_read_open_fd(a, fd, 4096), ARCHIVE_OK);
	while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
		n++;
		if (!strcmp(archive_entry_pathname(entry), "modules.list"))
			archive_read_data(a, list, size);
		if (!strcmp(archive_entry_pathname(entry), "init"))
			assert_int_equal(archive_entry_perm(entry), 0755);
		if (!strcmp(archive_entry_pathname(entry), "dev/console"))
			assert_int_equal(archive_entry_filetype(entry), AE_IFCHR);
	}
	archive_read_free(a);
	return n;
}

static void test_initramfs(void **state)
{
	struct sample module = sample_module("");
	Elf64_Ehdr eh = {.e_machine = EM_X86_64};
	char err[300] = "", list[100] = "", *modules[2];
	int fd;

	(void)state;
	modules[0] = strdup(put("b.ko", module.data, module.len));
	modules[1] = strdup(put("a.ko", module.data, module.len));
	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	fd = initramfs_make(put("init", &eh, sizeof(eh)), modules, 2, err);
	assert_true(fd >= 0);
	assert_int_equal(count_entries(fd, list, sizeof(list)), 12);
	assert_string_equal(list, "b.ko\na.ko\n");
	close(fd);
	assert_int_equal(initramfs_make("/bin/sh", modules, 2, err), -ENOEXEC);
	assert_non_null(strstr(err, "not linked statically"));
	assert_int_equal(initramfs_make("/etc/passwd", modules, 2, err), -ENOEXEC);
	free(modules[0]);
	free(modules[1]);
}

static int set_up(void **state)
{
	(void)state;
	return !mkdtemp(dir) || setenv("XDG_CACHE_HOME", dir, 1);
}

static int tear_down(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recognise),  cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_deb),	   cmocka_unit_test(test_bad_debs),
		cmocka_unit_test(test_split_debs), cmocka_unit_test(test_initramfs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
