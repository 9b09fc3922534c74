/* SPDX-License-Identifier: MIT */
/*
 * A server with faults for the gallery: odd [libfuse options] MOUNTPOINT; what is wrong comes from the environment.
 *
 *   ODD_OPEN, ODD_READ, ODD_FLUSH   seconds that such a reply takes
 *   ODD_VISIT   path that it stats before it answers an OPEN: its own mount, or another server's
 *   ODD_CHILD   1: a child does that, and the server waits for the child; pipe: reads what the child writes
 *   ODD_POLL    1: it does not answer a POLL of /fpoll
 *   ODD_INVAL   1: it drops the cache of a file whose READ it has not answered: NOTIFY_INVAL_INODE
 *   ODD_HELPERS 1: a thread that sleeps on a condition; tick: one that wakes every 0.2 s
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIZE 65536

static void nap(double s)
{
	struct timespec ts = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};

	nanosleep(&ts, NULL);
}

static void take_time(const char *name)
{
	const char *value = getenv(name);

	if (value)
		nap(atof(value));
}

static void *wait_for_ever(void *arg)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_wait(&cond, &mutex);
	return arg;
}

static void *tick(void *arg)
{
	for (;;)
		nap(0.2);
	return arg;
}

static void *start(struct fuse_conn_info *conn, struct fuse_config *config)
{
	const char *helpers = getenv("ODD_HELPERS");
	pthread_t thread;

	conn->want &= ~FUSE_CAP_ASYNC_READ;
	config->attr_timeout = config->entry_timeout = 0;
	if (helpers)
		pthread_create(&thread, NULL,
			       strcmp(helpers, "tick") ? wait_for_ever : tick, NULL);
	return NULL;
}

static void visit(const char *path)
{
	const char *by = getenv("ODD_CHILD");
	int ends[2] = {-1, -1};
	struct stat st;
	pid_t pid;
	char c;

	if (!by) {
		stat(path, &st);
		return;
	}
	if (!strcmp(by, "pipe") && pipe(ends))
		return;
	pid = fork();
	if (pid == 0) {
		/* Who holds the device is a server. */
		for (int fd = 3; fd < 64; fd++)
			if (fd != ends[1])
				close(fd);
		stat(path, &st);
		_exit(0);
	}
	if (ends[1] >= 0) {
		close(ends[1]);
		if (read(ends[0], &c, 1) < 0)
			c = 0;
		close(ends[0]);
	}
	waitpid(pid, NULL, 0);
}

static int odd_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	(void)fi;
	memset(st, 0, sizeof(*st));
	if (!strcmp(path, "/")) {
		st->st_mode = S_IFDIR | 0755;
		st->st_nlink = 2;
	} else if (path[1] == 'f') {
		st->st_mode = S_IFREG | 0666;
		st->st_nlink = 1;
		st->st_size = SIZE;
	} else {
		return -ENOENT;
	}
	return 0;
}

/* The reader waits for the READ with its folio locked, and the notification for that folio. */
static void invalidate(const char *path)
{
	fuse_invalidate_path(fuse_get_context()->fuse, path);
}

static int odd_poll(const char *path, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph, unsigned int *reventsp)
{
	(void)fi;
	*reventsp = 0;
	while (!strcmp(path, "/fpoll"))
		pause();
	if (ph)
		fuse_pollhandle_destroy(ph);
	return 0;
}

static int odd_open(const char *path, struct fuse_file_info *fi)
{
	const char *to = getenv("ODD_VISIT");

	fi->direct_io = !getenv("ODD_INVAL");
	take_time("ODD_OPEN");
	if (to && !strcmp(path, "/fvisit"))
		visit(to);
	return 0;
}

static int odd_read(const char *path, char *buf, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	(void)fi;
	take_time("ODD_READ");
	if (getenv("ODD_INVAL"))
		invalidate(path);
	if (offset >= SIZE)
		return 0;
	if (size > (size_t)(SIZE - offset))
		size = (size_t)(SIZE - offset);
	memset(buf, 'x', size);
	return (int)size;
}

static int odd_write(const char *path, const char *buf, size_t size, off_t offset,
		     struct fuse_file_info *fi)
{
	(void)path;
	(void)buf;
	(void)offset;
	(void)fi;
	return (int)size;
}

static int odd_flush(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	take_time("ODD_FLUSH");
	return 0;
}

static const struct fuse_operations operations = {
	.init = start,
	.getattr = odd_getattr,
	.open = odd_open,
	.read = odd_read,
	.write = odd_write,
	.flush = odd_flush,
};

static struct fuse_operations with_poll;

int main(int argc, char **argv)
{
	with_poll = operations;
	if (getenv("ODD_POLL"))
		with_poll.poll = odd_poll;
	return fuse_main(argc, argv, &with_poll, NULL);
}
