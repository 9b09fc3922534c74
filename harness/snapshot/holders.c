/* SPDX-License-Identifier: MIT */
/* Finds who holds /dev/fuse, by the text of /proc/PID/task/TID/fd links alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/snapshot/procfs_parse.h"

#define DEV_NAME "/dev/fuse"

struct search {
	int dir; /* PID/task/TID */
	pid_t pid, tid;
	struct dev_holder *ret;
	size_t n, max;
};

/* "fuse_connection:\tN" where fuse_dev_show_fdinfo() exists. Only for our own device:
 * show_fdinfo of another file may block, that of an epoll takes ep->mtx. */
static uint32_t read_connection(int dir, int fd)
{
	char name[32], buf[1024];
	const char *p;

	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	if (procfs_read_at(dir, name, buf, sizeof(buf)) < 0)
		return 0;
	p = strstr(buf, "fuse_connection:");
	return p ? (uint32_t)strtoul(p + strlen("fuse_connection:"), NULL, 10) : 0;
}

static int look_at_fd(void *ctx, pid_t fd)
{
	struct search *search = ctx;
	char name[32], link[256];
	ssize_t n;

	snprintf(name, sizeof(name), "fd/%d", fd);
	n = readlinkat(search->dir, name, link, sizeof(link) - 1);
	if (n < (ssize_t)strlen(DEV_NAME))
		return 0;
	link[n] = '\0';
	/* the device may be bind-mounted elsewhere: ".../dev/fuse" */
	if (strcmp(link + n - strlen(DEV_NAME), DEV_NAME))
		return 0;
	search->ret[search->n++] = (struct dev_holder){
		.pid = search->pid,
		.tid = search->tid,
		.fd = fd,
		.conn = read_connection(search->dir, fd),
	};
	return search->n == search->max;
}

int procfs_dev_fds(const struct procfs *pf, pid_t pid, pid_t tid, struct dev_holder *ret,
		   size_t max)
{
	struct search search = {.pid = pid, .tid = tid, .ret = ret, .max = max};
	int err;

	if (!max)
		return 0;
	search.dir = procfs_task_dir(pf, pid, tid);
	if (search.dir < 0)
		return search.dir;
	err = procfs_in_exec(search.dir);
	if (!err)
		err = procfs_each_number(search.dir, "fd", look_at_fd, &search);
	close(search.dir);
	return err < 0 ? err : (int)search.n;
}

struct all {
	const struct procfs *pf;
	struct dev_holder *ret;
	size_t n, max;
};

static bool leader_shows(const struct all *all, const struct dev_holder *holder)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->ret[i].tid == holder->pid && all->ret[i].fd == holder->fd)
			return true;
	return false;
}

/* The main thread comes first in /proc/PID/task. */
static int look_at_thread(void *ctx, pid_t pid, pid_t tid)
{
	struct all *all = ctx;
	int n = procfs_dev_fds(all->pf, pid, tid, all->ret + all->n, all->max - all->n);
	size_t first = all->n;

	/* it may have gone, or be unreadable: nobody that we could name */
	for (int i = 0; i < n; i++) {
		struct dev_holder holder = all->ret[first + (size_t)i];

		if (tid == pid || !leader_shows(all, &holder))
			all->ret[all->n++] = holder;
	}
	return all->n == all->max;
}

int procfs_dev_holders(const struct procfs *pf, struct dev_holder *ret, size_t max)
{
	struct all all = {.pf = pf, .ret = ret, .max = max};
	int err = procfs_each_thread(pf, look_at_thread, &all);

	return err < 0 ? err : (int)all.n;
}
