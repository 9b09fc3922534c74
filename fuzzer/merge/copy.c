/* SPDX-License-Identifier: MIT */
/* Copies folders of results that somebody else may have written: nothing but plain files leaves them. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "merge.h"

#define FILE_MAX (64l << 20) /* bytes; evidence and AFL++'s files are far below */

static int copy_bytes(int from, int to, off_t left)
{
	while (left > 0) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, left, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break; /* it was cut while it was read */
		left -= n;
	}
	return 0;
}

static int copy_by_hand(int from, int to)
{
	char buf[1 << 16];
	ssize_t n;

	if (lseek(from, 0, SEEK_SET) < 0 || lseek(to, 0, SEEK_SET) < 0 ||
	    ftruncate(to, 0))
		return -errno;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			return errno ? -errno : -EIO;
	return n < 0 ? -errno : 0;
}

static int copy_as(int from_fd, const char *name, int to_fd, const char *as)
{
	char temp[NAME_MAX + 8];
	struct stat st, old;
	int from, to, ret;

	from = openat(from_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return -errno;
	if (fstat(from, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		close(from);
		return -EINVAL;
	}
	if (!fstatat(to_fd, as, &old, AT_SYMLINK_NOFOLLOW) && S_ISREG(old.st_mode) &&
	    old.st_size == st.st_size && old.st_mtime >= st.st_mtime) {
		close(from);
		return 0;
	}
	snprintf(temp, sizeof(temp), ".%s.tmp", as);
	to = openat(to_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    st.st_mode & 0755);
	if (to < 0) {
		ret = -errno;
		close(from);
		return ret;
	}
	ret = copy_bytes(from, to, st.st_size);
	/* Between some file systems the kernel does not copy by itself. */
	if (ret == -EXDEV || ret == -EOPNOTSUPP || ret == -EINVAL || ret == -ENOSYS)
		ret = copy_by_hand(from, to);
	if (!ret && fsync(to))
		ret = -errno;
	if (close(to) && !ret)
		ret = -errno;
	if (!ret && renameat(to_fd, temp, to_fd, as))
		ret = -errno;
	if (ret)
		unlinkat(to_fd, temp, 0);
	close(from);
	return ret;
}

int merge_copy_file(int from_fd, int to_fd, const char *name)
{
	return copy_as(from_fd, name, to_fd, name);
}

static int copy_seed(int section_fd, const char *id, int to_fd)
{
	char from[NAME_MAX + 16], to[NAME_MAX + 8];

	snprintf(from, sizeof(from), "%s/scenario.bin", id);
	snprintf(to, sizeof(to), "%.200s.bin", id);
	return copy_as(section_fd, from, to_fd, to);
}

int merge_copy_seeds(int merged_fd, int to_fd)
{
	static const char *const sections[] = {"findings/bug", "findings/contract"};
	int ret = 0;

	for (int i = 0; i < 2 && !ret; i++) {
		int fd = openat(merged_fd, sections[i],
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		DIR *dir = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *entry;

		while (dir && !ret && (entry = readdir(dir)))
			if (entry->d_name[0] != '.')
				ret = copy_seed(fd, entry->d_name, to_fd);
		if (dir)
			closedir(dir);
	}
	return ret;
}

static int copy_entry(int from_fd, int to_fd, const struct dirent *entry,
		      unsigned int depth)
{
	struct stat st;

	/* Hidden: locks and half-written files. */
	if (entry->d_name[0] == '.')
		return 0;
	if (fstatat(from_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return depth ? merge_copy_tree(from_fd, entry->d_name, to_fd,
					       entry->d_name, depth - 1)
			     : 0;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return 0;
	return merge_copy_file(from_fd, to_fd, entry->d_name);
}

int merge_copy_tree(int from_fd, const char *from, int to_fd, const char *to,
		    unsigned int depth)
{
	int source =
		openat(from_fd, from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	int target, ret = 0;
	DIR *dir;

	if (source < 0)
		return -errno;
	if (mkdirat(to_fd, to, 0755) && errno != EEXIST) {
		ret = -errno;
		close(source);
		return ret;
	}
	target = openat(to_fd, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = target < 0 ? NULL : fdopendir(source);
	if (!dir) {
		ret = -errno;
		close(source);
		if (target >= 0)
			close(target);
		return ret;
	}
	while (!ret && (entry = readdir(dir)))
		ret = copy_entry(source, target, entry, depth);
	closedir(dir);
	close(target);
	return ret;
}
