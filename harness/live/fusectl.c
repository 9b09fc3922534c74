/* SPDX-License-Identifier: MIT */
/* Lists, counts and aborts FUSE connections through fusectl. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "fusectl.h"

#define FUSE_CTL_MAGIC 0x65735543 /* fs/fuse/control.c */
#define FUSE_CTL_PATH  "/sys/fs/fuse/connections"

static int mount_detached(void)
{
	int fs, mnt = -1, err = 0;

	fs = fsopen("fusectl", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		err = -errno;
	if (!err) {
		mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
		if (mnt < 0)
			err = -errno;
	}
	close(fs);
	return err ? err : mnt;
}

int fusectl_open(struct fusectl *ctl, char *err)
{
	struct statfs sfs;
	int mnt;

	ctl->fd = open(FUSE_CTL_PATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ctl->fd >= 0 && !fstatfs(ctl->fd, &sfs) && sfs.f_type == FUSE_CTL_MAGIC)
		return 0;
	fusectl_close(ctl);
	mnt = mount_detached();
	if (mnt == -ENODEV)
		return -ENODEV;
	if (mnt < 0) {
		snprintf(err, 200,
			 "fusectl is not mounted on %s and cannot be mounted: %s",
			 FUSE_CTL_PATH, strerror(-mnt));
		return mnt;
	}
	ctl->fd = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ctl->fd < 0) {
		snprintf(err, 200, "fusectl: %s", strerror(errno));
		close(mnt);
		return -EIO;
	}
	close(mnt);
	return 0;
}

void fusectl_close(struct fusectl *ctl)
{
	if (ctl->fd >= 0)
		close(ctl->fd);
	ctl->fd = -1;
}

int fusectl_list(const struct fusectl *ctl, uint32_t *numbers, size_t max)
{
	int fd = openat(ctl->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t n = 0;

	if (!dir)
		return -errno;
	while (n < max && (entry = readdir(dir))) {
		char *end;
		unsigned long number = strtoul(entry->d_name, &end, 10);

		if (!*end && end != entry->d_name)
			numbers[n++] = (uint32_t)number;
	}
	closedir(dir);
	return (int)n;
}

int fusectl_waiting(const struct fusectl *ctl, uint32_t number)
{
	char name[32], buf[32];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%u/waiting", number);
	fd = openat(ctl->fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -ENOENT;
	buf[n] = '\0';
	return atoi(buf);
}

int64_t fusectl_born(const struct fusectl *ctl, uint32_t number)
{
	char name[32];
	struct stat st;

	snprintf(name, sizeof(name), "%u", number);
	return fstatat(ctl->fd, name, &st, 0) ? -errno : (int64_t)st.st_mtime;
}

int fusectl_abort(const struct fusectl *ctl, uint32_t number)
{
	char name[32];
	int fd, err = 0;

	snprintf(name, sizeof(name), "%u/abort", number);
	fd = openat(ctl->fd, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "1", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}
