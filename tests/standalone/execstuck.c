/* SPDX-License-Identifier: MIT */
/*
 * A task that hangs inside execve(): a close-on-exec file of the mount is flushed there, unanswered, with
 * exec_update_lock held, so that most of its files in proc block their readers. execstuck [N] of them.
 */

#include "hang.h"

#define MAX_STUCK 256

static void never_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)req;
	(void)ino;
	(void)fi;
}

static const struct fuse_lowlevel_ops ops = {
	.getattr = hang_getattr,
	.lookup = hang_lookup,
	.open = hang_open,
	.read = hang_read,
	.flush = never_flush,
};

int main(int argc, char **argv)
{
	struct fuse_session *se = hang_mount(&ops, sizeof(ops), "execstuck", NULL);
	struct timespec settle = {.tv_nsec = 300000000};
	int n = argc > 1 ? atoi(argv[1]) : 1;
	pid_t pids[MAX_STUCK + 1];
	char path[80];

	n = n < 1 ? 1 : n > MAX_STUCK ? MAX_STUCK : n;
	snprintf(path, sizeof(path), "%s/file", hang_dir);
	pids[0] = hang_serve(se);
	hang_drop_device(se);
	for (int i = 1; i <= n; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (open(path, O_RDONLY | O_CLOEXEC) < 0)
				_exit(3);
			execl("/bin/true", "true", NULL);
			_exit(3);
		}
	}
	nanosleep(&settle, NULL);
	hang_ready(connection_of(hang_dir));
	hang_stay();
	hang_clean(pids, (unsigned int)n + 1);
}
