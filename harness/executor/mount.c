/* SPDX-License-Identifier: MIT */
/* The mount under test: made, named, aborted and removed without ever touching a file of it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

/*
 * The number of a connection is the minor of its device (fuse_fill_super_common, fuse_ctl_add_conn). No
 * request is sent for it: AT_STATX_DONT_SYNC takes what the inode has (fuse_update_get_attr).
 */
static int connection_number(unsigned int *ret_conn)
{
	struct statx stx;

	if (statx(AT_FDCWD, DIR_MOUNT, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &stx) < 0)
		return -errno;
	*ret_conn = stx.stx_dev_minor;
	return 0;
}

static void mount_options(const struct run *run, char *buf, size_t size)
{
	unsigned int mount = run->scn->config.mount;

	snprintf(buf, size, "fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other%s%s",
		 FD_DEV, run->ex->uid, run->ex->gid,
		 mount & MOUNT_DEFAULT_PERMISSIONS ? ",default_permissions" : "",
		 mount & MOUNT_MAX_READ_4K ? ",max_read=4096" : "");
}

static int open_device(const struct run *run)
{
	int fd = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (dup3(fd, FD_DEV, run->scn->config.daemon & DAEMON_LEAK_FD ? 0 : O_CLOEXEC) <
	    0)
		ret = -errno;
	close(fd);
	return ret;
}

int run_mount(struct run *run, char *err)
{
	unsigned long flags = MS_NOSUID | MS_NODEV;
	char options[200];
	int ret = open_device(run);

	if (ret < 0) {
		snprintf(err, 200, "/dev/fuse: %s", strerror(-ret));
		return ret;
	}
	if (run->scn->config.mount & MOUNT_NOATIME)
		flags |= MS_NOATIME;
	if (run->scn->config.mount & MOUNT_SYNC)
		flags |= MS_SYNCHRONOUS;
	mount_options(run, options, sizeof(options));
	if (mount("shortfuse", DIR_MOUNT, "fuse.shortfuse", flags, options) < 0) {
		ret = -errno;
		snprintf(err, 200, "mount of FUSE on %s: %s", DIR_MOUNT, strerror(-ret));
		close(FD_DEV);
		return ret;
	}
	run->mounted = true;
	ret = connection_number(&run->conn);
	if (ret < 0)
		snprintf(err, 200, "statx %s: %s", DIR_MOUNT, strerror(-ret));
	return ret;
}

/*
 * Numbers are used again: the connection of a run that is gone may be somebody else's now. The owner of its files
 * tells (fuse_ctl_add_dentry), see leftovers.h.
 */
static int control_open(const struct run *run, const char *file, int flags)
{
	char path[96];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), DIR_FUSECTL "/%u/%s", run->conn, file);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return fd;
	if (!fstat(fd, &st) && st.st_uid == run->ex->uid && st.st_gid == run->ex->gid)
		return fd;
	close(fd);
	return -1;
}

void run_abort(struct run *run)
{
	int fd = control_open(run, "abort", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) == 1) {
		if (!run->aborted)
			run->aborted_us = now_us();
		run->aborted = true;
	}
	close(fd);
}

int run_waiting(const struct run *run)
{
	char buf[24] = "";
	int fd = control_open(run, "waiting", O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 ? atoi(buf) : -1;
}

static int umount_with(struct run *run, int flags)
{
	if (umount2(DIR_MOUNT, UMOUNT_NOFOLLOW | flags) < 0)
		return -errno;
	run->mounted = false;
	return 0;
}

int run_umount_unused(struct run *run)
{
	return umount_with(run, 0);
}

int run_umount(struct run *run, bool force)
{
	int ret = umount_with(run, force ? MNT_FORCE : 0);

	return ret < 0 ? umount_with(run, MNT_DETACH) : ret;
}
