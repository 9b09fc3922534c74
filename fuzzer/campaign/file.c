/* SPDX-License-Identifier: MIT */
/* Atomic writes and whole reads of the files of a results folder. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

int file_sync_dir(int dir_fd)
{
	/* Where a folder cannot be synced (EINVAL: fsync(2) is not for it), there is nothing to wait for. */
	return fsync(dir_fd) && errno != EINVAL ? -errno : 0;
}

int file_write(int dir_fd, const char *name, const void *data, size_t len)
{
	char temp[NAME_MAX];
	int fd, ret;

	if (snprintf(temp, sizeof(temp), ".%s.tmp", name) >= (int)sizeof(temp))
		return -ENAMETOOLONG;
	fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, data, len);
	/* Before rename(2): else the new name may stand for an empty file after a power cut. */
	if (!ret && fsync(fd))
		ret = -errno;
	/* Delayed allocation can report a full disk at close(2), and only there. */
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && renameat(dir_fd, temp, dir_fd, name))
		ret = -errno;
	if (ret) {
		unlinkat(dir_fd, temp, 0);
		return ret;
	}
	return file_sync_dir(dir_fd);
}

int file_printf(int dir_fd, const char *name, const char *format, ...)
{
	va_list ap;
	char *text;
	int len, ret;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len < 0)
		return -ENOMEM;
	ret = file_write(dir_fd, name, text, len);
	free(text);
	return ret;
}

static int read_all(int fd, size_t max, char **ret_data, size_t *ret_len)
{
	size_t have = 0, size = 4096;
	char *data = malloc(size + 1), *more;
	ssize_t n;

	while (data && (n = read(fd, data + have, size - have)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || have + n > max) {
			int err = n < 0 ? errno : EFBIG;

			free(data);
			return -err;
		}
		have += n;
		if (have < size)
			continue;
		size *= 2;
		more = realloc(data, size + 1);
		if (!more)
			free(data);
		data = more;
	}
	if (!data)
		return -ENOMEM;
	data[have] = '\0';
	*ret_data = data;
	*ret_len = have;
	return 0;
}

int file_read(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_len)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = read_all(fd, max, ret_data, ret_len);
	close(fd);
	return ret;
}

/* A line that was torn by a full disk or a power cut is not continued by the next one. */
static int end_line(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char last = '\n';

	if (size > 0 && pread(fd, &last, 1, size - 1) < 0)
		return -errno;
	return last == '\n' ? 0 : write_all(fd, "\n", 1);
}

int file_append(int dir_fd, const char *name, const char *line)
{
	int fd = openat(dir_fd, name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	int ret;

	if (fd < 0)
		return -errno;
	ret = end_line(fd);
	if (!ret)
		ret = write_all(fd, line, strlen(line));
	if (!ret && fdatasync(fd))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int file_make_dir(int dir_fd, const char *path)
{
	char part[PATH_MAX];
	int fd;

	if (strlen(path) >= sizeof(part))
		return -ENAMETOOLONG;
	for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
		memcpy(part, path, slash - path);
		part[slash - path] = '\0';
		if (mkdirat(dir_fd, part, 0755) && errno != EEXIST)
			return -errno;
	}
	if (mkdirat(dir_fd, path, 0755) && errno != EEXIST)
		return -errno;
	fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int file_remove_tree(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) && errno == EISDIR)
			file_remove_tree(fd, entry->d_name);
	}
	closedir(dir);
	return unlinkat(dir_fd, name, AT_REMOVEDIR) ? -errno : 0;
}
