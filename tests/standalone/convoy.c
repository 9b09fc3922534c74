/* SPDX-License-Identifier: MIT */
/*
 * A directory convoy: one LOOKUP is never answered, 30 tasks wait for the directory that it locks.
 * convoy kill: all of them are sent SIGKILL once they hang.
 */

#include "hang.h"

#define VICTIMS 30

/* Without PARALLEL_DIROPS fuse_lock_inode() serialises LOOKUP and READDIR of a directory. */
static void serial_init(void *data, struct fuse_conn_info *conn)
{
	(void)data;
	conn->want &= ~(unsigned int)FUSE_CAP_PARALLEL_DIROPS;
}

static void never_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	if (strcmp(name, "never"))
		hang_lookup(req, parent, name);
}

static const struct fuse_lowlevel_ops ops = {
	.init = serial_init,
	.getattr = hang_getattr,
	.lookup = never_lookup,
	.open = hang_open,
	.read = hang_read,
};

static pid_t start(int n)
{
	static const char *const names[] = {"never", "mkdir", "unlink", "stat"};
	int what = n ? 1 + n % 3 : 0;
	char path[80];
	struct stat st;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, names[what]);
	snprintf(path, sizeof(path), "%s/%s%.*d", hang_dir, names[what], n > 0, n);
	if (!n)
		snprintf(path, sizeof(path), "%s/never", hang_dir);
	if (what == 1)
		mkdir(path, 0755);
	else if (what == 2)
		unlink(path);
	else
		stat(path, &st);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct fuse_session *se = hang_mount(&ops, sizeof(ops), "convoy", NULL);
	struct timespec settle = {.tv_nsec = 200000000};
	pid_t pids[VICTIMS + 2];

	pids[0] = hang_serve(se);
	hang_drop_device(se);
	pids[1] = start(0);
	nanosleep(&settle, NULL); /* the first one takes the lock */
	for (int i = 1; i <= VICTIMS; i++)
		pids[1 + i] = start(i);
	nanosleep(&settle, NULL);
	if (argc > 1 && !strcmp(argv[1], "kill"))
		for (int i = 0; i <= VICTIMS; i++)
			kill(pids[1 + i], SIGKILL);
	hang_ready(connection_of(hang_dir));
	hang_stay();
	hang_clean(pids, VICTIMS + 2);
}
