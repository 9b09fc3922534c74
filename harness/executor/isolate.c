/* SPDX-License-Identifier: MIT */
/* Sets the executor up in its namespaces. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolate.h"
#include "leftovers.h"

#define UNIT_NATIVE_US 300 /* fork, exit, wait of a machine that is not slow */
#define GRACE_MS       50
#define GRACE_MAX_MS   1000
#define MAX_TASKS      "1024"

extern const char pause_image_start[], pause_image_end[];

static int fail(char *err, const char *what)
{
	int ret = -errno;

	snprintf(err, 200, "%s: %s", what, strerror(-ret));
	return ret;
}

static int write_pause_image(void)
{
	size_t len = (size_t)(pause_image_end - pause_image_start);
	int fd = open(DIR_OUTSIDE "/pause", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		      0755);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, pause_image_start, len);
	close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

/* The pid that this procfs, of the surrounding namespace, knows us by. */
static int find_owner(struct executor *ex)
{
	struct owner owner;
	char link[32] = "";
	int ret;

	if (readlink("/proc/self", link, sizeof(link) - 1) < 0)
		return -errno;
	ret = owner_of_process("/proc", atoi(link), &owner);
	if (ret < 0)
		return ret;
	ex->uid = owner.uid;
	ex->gid = owner.gid;
	return 0;
}

int isolate_mounts(struct executor *ex, char *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail(err, "making mounts private");
	errno = -find_owner(ex);
	if (errno)
		return fail(err, "/proc/self/stat");
	isolate_cgroup(ex->uid);
	if (mount("shortfuse", DIR_PRIVATE, "tmpfs", MS_NOSUID, "mode=755,size=64m") < 0)
		return fail(err, "mount of a tmpfs on " DIR_PRIVATE);
	if (mkdir(DIR_MOUNT, 0755) < 0 || mkdir(DIR_OUTSIDE, 0755) < 0 ||
	    mkdir(DIR_FUSECTL, 0755) < 0)
		return fail(err, "mkdir below " DIR_PRIVATE);
	/* What paths lead to once a run's mount is detached: nothing there can be made, or removed, and last into the next. */
	if (mount("shortfuse", DIR_MOUNT, "tmpfs", MS_NOSUID | MS_RDONLY,
		  "mode=755,size=4k") < 0)
		return fail(err, "mount of a tmpfs on " DIR_MOUNT);
	if (mount("none", DIR_FUSECTL, "fusectl", 0, NULL) < 0)
		return fail(err, "mount of fusectl (has this kernel FUSE?)");
	leftovers_clean("/proc", DIR_FUSECTL);
	if (mount("proc", "/proc", "proc", 0, NULL) < 0)
		return fail(err, "mount of /proc");
	if (write_pause_image() < 0)
		return fail(err, DIR_OUTSIDE "/pause");
	return 0;
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[400];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		errno = 0; /* a limit that this hierarchy does not have */
	close(fd);
}

void isolate_cgroup(uint32_t owner_pid)
{
	char dir[320];

	cgroups_clean("/proc");
	if (!cgroup_path(owner_pid, dir, sizeof(dir)))
		return;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return;
	write_file(dir, "pids.max", MAX_TASKS);
	write_file(dir, "cgroup.procs", "0");
}

int isolate_descriptors(struct executor *ex, char *err)
{
	int null = open("/dev/null", O_RDWR), kick = eventfd(0, EFD_NONBLOCK);
	int channel = fcntl(ex->channel, F_DUPFD_CLOEXEC, FD_HARNESS);

	if (null < 0 || kick < 0 || channel < 0)
		return fail(err, "descriptors of the executor");
	close(ex->channel);
	ex->channel = channel;
	if (kick != FD_KICK) {
		dup2(kick, FD_KICK);
		close(kick);
	}
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	return 0;
}

void isolate_calibrate(struct executor *ex)
{
	unsigned int best = ~0u;

	for (int i = 0; i < 16; i++) {
		int64_t begin = now_us(), took;
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		took = now_us() - begin;
		if (took < best)
			best = (unsigned int)took;
	}
	ex->unit_us = best;
	ex->grace_ms = GRACE_MS;
	if (best > UNIT_NATIVE_US)
		ex->grace_ms = GRACE_MS * best / UNIT_NATIVE_US;
	if (ex->grace_ms > GRACE_MAX_MS)
		ex->grace_ms = GRACE_MAX_MS;
}
