/* SPDX-License-Identifier: MIT */
/* Finds and aborts connections that belong to an executor that is no more. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/snapshot/procfs.h"
#include "leftovers.h"

#define OWNER_MAGIC 0x5f000000u
#define OWNER_MASK  0xff000000u
#define OWNER_NS    0x00fff000u
#define OWNER_START 0x00000fffu

static uint32_t hash12(uint64_t value)
{
	return (uint32_t)((value * 0x9e3779b97f4a7c15ull) >> 52);
}

struct process_stat {
	char state;
	unsigned int flags;
	unsigned long long start; /* clock ticks since boot */
};

/* Fields 3 (state), 9 (flags) and 22 (starttime) of /proc/PID/stat, proc(5). */
static int read_stat(const char *proc_root, pid_t pid, struct process_stat *ret)
{
	char path[64], buf[1024], *rest;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%d/stat", proc_root, (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -ESRCH;
	buf[n] = '\0';
	rest = strrchr(buf, ')');
	if (!rest ||
	    sscanf(rest + 1,
		   " %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d"
		   " %*d %*d %*d %llu",
		   &ret->state, &ret->flags, &ret->start) != 3)
		return -EPROTO;
	return 0;
}

/* Of the namespace that proc_root was mounted in: its pid 1 is there whoever asks. */
static uint32_t namespace_part(const char *proc_root)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/1/ns/pid", proc_root);
	return stat(path, &st) < 0 ? 0 : hash12(st.st_ino) << 12;
}

int owner_of_process(const char *proc_root, pid_t pid, struct owner *ret)
{
	struct process_stat st;
	int err = read_stat(proc_root, pid, &st);

	if (err < 0)
		return err;
	ret->uid = (uint32_t)pid;
	ret->gid = OWNER_MAGIC | namespace_part(proc_root) | hash12(st.start);
	return 0;
}

bool process_gone(const char *proc_root, pid_t pid)
{
	struct process_stat st;

	return read_stat(proc_root, pid, &st) < 0 || st.state == 'Z' || st.state == 'X' ||
	       (st.flags & PF_EXITING);
}

static bool owner_lives(const char *proc_root, uint32_t uid, uint32_t gid)
{
	struct process_stat st;

	return !process_gone(proc_root, (pid_t)uid) &&
	       !read_stat(proc_root, (pid_t)uid, &st) &&
	       hash12(st.start) == (gid & OWNER_START);
}

/* Only if it still is whose it was when it was looked at. */
static bool abort_connection(int ctl_fd, const char *name, const struct stat *was)
{
	char path[300];
	struct stat st;
	bool done;
	int fd;

	snprintf(path, sizeof(path), "%s/abort", name);
	fd = openat(ctl_fd, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = !fstat(fd, &st) && st.st_uid == was->st_uid && st.st_gid == was->st_gid &&
	       write(fd, "1", 1) == 1;
	close(fd);
	return done;
}

/* Aborts the connections whose owner is chosen. How many, or -errno. */
static int abort_chosen(const char *ctl_root,
			bool (*choose)(const void *ctx, uint32_t uid, uint32_t gid),
			const void *ctx)
{
	DIR *dir = opendir(ctl_root);
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (choose(ctx, st.st_uid, st.st_gid) &&
		    abort_connection(dirfd(dir), entry->d_name, &st))
			n++;
	}
	closedir(dir);
	return n;
}

static bool is_leftover(const void *proc_root, uint32_t uid, uint32_t gid)
{
	return (gid & OWNER_MASK) == OWNER_MAGIC &&
	       (gid & OWNER_NS) == namespace_part(proc_root) &&
	       !owner_lives(proc_root, uid, gid);
}

int leftovers_clean(const char *proc_root, const char *ctl_root)
{
	return abort_chosen(ctl_root, is_leftover, proc_root);
}

static bool is_of_owner(const void *ctx, uint32_t uid, uint32_t gid)
{
	const struct owner *owner = ctx;

	return uid == owner->uid && gid == owner->gid;
}

int leftovers_abort(const char *ctl_root, const struct owner *owner)
{
	return abort_chosen(ctl_root, is_of_owner, owner);
}
