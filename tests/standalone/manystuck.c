/* SPDX-License-Identifier: MIT */
/*
 * Many tasks, each with a LOOKUP of its own that is never answered: manystuck [N], 1000 by default. Each looks
 * into a directory of its own, or all but one would wait for the directory's lock.
 */

#include "hang.h"

#define MAX_STUCK 20000
#define DIR_INO	  1000

static pid_t pids[MAX_STUCK + 1];

static void dir_attr(fuse_ino_t ino, struct stat *st)
{
	hang_attr(FUSE_ROOT_ID, st);
	st->st_ino = ino;
}

static void many_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {.entry_timeout = 3600, .attr_timeout = 3600};

	if (parent != FUSE_ROOT_ID)
		return;
	entry.ino = DIR_INO + (fuse_ino_t)atoi(name);
	dir_attr(entry.ino, &entry.attr);
	fuse_reply_entry(req, &entry);
}

static void many_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	dir_attr(ino, &st);
	fuse_reply_attr(req, &st, 3600);
}

static const struct fuse_lowlevel_ops ops = {
	.getattr = many_getattr,
	.lookup = many_lookup,
};

static pid_t start(int n)
{
	char path[96];
	struct stat st;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "never");
	snprintf(path, sizeof(path), "%s/%d/never", hang_dir, n);
	stat(path, &st);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct fuse_session *se = hang_mount(&ops, sizeof(ops), "manystuck", NULL);
	struct timespec settle = {.tv_nsec = 500000000};
	int n = argc > 1 ? atoi(argv[1]) : 1000;

	if (n < 1 || n > MAX_STUCK) {
		fprintf(stderr, "usage: manystuck [1..%d]\n", MAX_STUCK);
		n = 1;
	}
	pids[0] = hang_serve(se);
	hang_drop_device(se);
	for (int i = 1; i <= n; i++)
		pids[i] = start(i);
	nanosleep(&settle, NULL);
	hang_ready(connection_of(hang_dir));
	hang_stay();
	hang_clean(pids, (unsigned int)n + 1);
}
