/* SPDX-License-Identifier: MIT */
/* Writes the initramfs of a guest. */

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "initramfs.h"

struct writer {
	struct archive *archive;
	char *err;
};

static int header(struct writer *w, const char *path, mode_t mode, int64_t size,
		  dev_t rdev)
{
	struct archive_entry *entry = archive_entry_new();
	int ret = -ENOMEM;

	if (!entry)
		return ret;
	archive_entry_set_pathname(entry, path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_size(entry, size);
	archive_entry_set_nlink(entry, 1);
	if (S_ISCHR(mode))
		archive_entry_set_rdev(entry, rdev);
	ret = archive_write_header(w->archive, entry) == ARCHIVE_OK ? 0 : -EIO;
	if (ret)
		snprintf(w->err, 300, "initramfs: %.200s",
			 archive_error_string(w->archive));
	archive_entry_free(entry);
	return ret;
}

static int add_data(struct writer *w, const char *path, mode_t mode, const void *data,
		    size_t len)
{
	int ret = header(w, path, S_IFREG | mode, (int64_t)len, 0);

	if (!ret && archive_write_data(w->archive, data, len) != (la_ssize_t)len)
		ret = -EIO;
	return ret;
}

static int add_file(struct writer *w, const char *path, mode_t mode, const char *from)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC), ret;
	void *data = MAP_FAILED;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		ret = -errno;
		snprintf(w->err, 300, "%.200s: %s", from, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ret;
	}
	if (st.st_size)
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED) {
		snprintf(w->err, 300, "%.200s: cannot be read", from);
		return -EIO;
	}
	ret = add_data(w, path, mode, data, (size_t)st.st_size);
	munmap(data, (size_t)st.st_size);
	return ret;
}

static int add_modules(struct writer *w, char *const *modules, size_t n_modules)
{
	size_t size = 1, used = 0;
	char *list;
	int ret = 0;

	for (size_t i = 0; i < n_modules; i++)
		size += strlen(modules[i]) + 1;
	list = calloc(1, size);
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < n_modules && !ret; i++) {
		const char *slash = strrchr(modules[i], '/');
		const char *name = slash ? slash + 1 : modules[i];
		char path[300];

		snprintf(path, sizeof(path), "modules/%s", name);
		ret = add_file(w, path, 0644, modules[i]);
		used += (size_t)snprintf(list + used, size - used, "%s\n", name);
	}
	if (!ret)
		ret = add_data(w, "modules.list", 0644, list, used);
	free(list);
	return ret;
}

static int add_all(struct writer *w, const char *init, char *const *modules,
		   size_t n_modules)
{
	static const char *const dirs[] = {"dev", "proc", "sys", "run", "tmp", "modules"};
	int ret = 0;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && !ret; i++)
		ret = header(w, dirs[i], S_IFDIR | 0755, 0, 0);
	if (!ret)
		ret = header(w, "dev/console", S_IFCHR | 0600, 0, makedev(5, 1));
	if (!ret)
		ret = header(w, "dev/null", S_IFCHR | 0666, 0, makedev(1, 3));
	if (!ret)
		ret = add_file(w, "init", 0755, init);
	if (!ret)
		ret = add_modules(w, modules, n_modules);
	return ret;
}

/* A guest has no dynamic linker: a program that names one would only panic there. */
static int check_static(const char *path, char *err)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0 || pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0) {
		snprintf(err, 300, "%.200s: no executable", path);
		ret = -ENOEXEC;
	}
	for (unsigned int i = 0; !ret && i < eh.e_phnum; i++) {
		if (pread(fd, &ph, sizeof(ph), (off_t)(eh.e_phoff + i * sizeof(ph))) !=
		    sizeof(ph))
			break;
		if (ph.p_type != PT_INTERP)
			continue;
		snprintf(err, 300,
			 "%.200s: not linked statically, so it cannot be a guest's init",
			 path);
		ret = -ENOEXEC;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

int initramfs_make(const char *init, char *const *modules, size_t n_modules, char *err)
{
	struct writer w = {.err = err};
	int fd, ret = check_static(init, err);

	if (ret < 0)
		return ret;
	fd = memfd_create("shortfuse-initramfs", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	w.archive = archive_write_new();
	ret = w.archive ? 0 : -ENOMEM;
	if (!ret && (archive_write_set_format_cpio_newc(w.archive) != ARCHIVE_OK ||
		     archive_write_set_bytes_per_block(w.archive, 65536) != ARCHIVE_OK ||
		     archive_write_set_bytes_in_last_block(w.archive, 1) != ARCHIVE_OK ||
		     archive_write_open_fd(w.archive, fd) != ARCHIVE_OK))
		ret = -EIO;
	if (!ret)
		ret = add_all(&w, init, modules, n_modules);
	if (!ret && archive_write_close(w.archive) != ARCHIVE_OK)
		ret = -EIO;
	archive_write_free(w.archive);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}
