/* SPDX-License-Identifier: MIT */
/* A daemon of one thread that reads a file of its own mount inside a handler: it waits for itself. */

#include "hang.h"

static void self_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	char path[80];
	int fd;

	if (!strcmp(name, "trap")) {
		snprintf(path, sizeof(path), "%s/file", hang_dir);
		fd = open(path,
			  O_RDONLY); /* its own LOOKUP: nobody is there to read it */
		if (fd >= 0)
			close(fd);
	}
	hang_lookup(req, parent, name);
}

static const struct fuse_lowlevel_ops ops = {
	.getattr = hang_getattr,
	.lookup = self_lookup,
	.open = hang_open,
	.read = hang_read,
};

int main(void)
{
	struct fuse_session *se = hang_mount(&ops, sizeof(ops), "selfaccess", NULL);
	char path[80];
	struct stat st;
	pid_t pids[2];

	pids[0] = hang_serve(se);
	hang_drop_device(se);
	pids[1] = fork();
	if (pids[1] < 0)
		die("fork");
	if (!pids[1]) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "hang-client");
		snprintf(path, sizeof(path), "%s/trap", hang_dir);
		stat(path, &st);
		_exit(0);
	}
	hang_ready(connection_of(hang_dir));
	hang_stay();
	hang_clean(pids, 2);
}
