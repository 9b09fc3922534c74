/* SPDX-License-Identifier: MIT */
/*
 * A READ that is never answered, sent asynchronously (ASYNC_READ): its reader waits for a locked page and for no
 * request of its own.
 */

#include "hang.h"

static void never_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	(void)req;
	(void)ino;
	(void)size;
	(void)off;
	(void)fi;
}

static void async_init(void *data, struct fuse_conn_info *conn)
{
	(void)data;
	conn->want |= conn->capable & FUSE_CAP_ASYNC_READ;
}

static const struct fuse_lowlevel_ops ops = {
	.init = async_init,
	.getattr = hang_getattr,
	.lookup = hang_lookup,
	.open = hang_open,
	.read = never_read,
};

int main(void)
{
	struct fuse_session *se = hang_mount(&ops, sizeof(ops), "readstuck", NULL);
	struct timespec settle = {.tv_nsec = 200000000};
	char path[80], byte;
	pid_t pids[2];
	int fd;

	pids[0] = hang_serve(se);
	hang_drop_device(se);
	pids[1] = fork();
	if (pids[1] < 0)
		die("fork");
	if (!pids[1]) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "reader");
		snprintf(path, sizeof(path), "%s/file", hang_dir);
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	nanosleep(&settle, NULL);
	hang_ready(connection_of(hang_dir));
	hang_stay();
	hang_clean(pids, 2);
}
