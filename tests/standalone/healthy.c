/* SPDX-License-Identifier: MIT */
/* A healthy mount with a busy client: healthy [MS]; each READ and FLUSH takes MS milliseconds. */

#include "hang.h"

static unsigned int delay_ms;

static void delay(void)
{
	struct timespec ts = {delay_ms / 1000, (long)(delay_ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

static void slow_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		      struct fuse_file_info *fi)
{
	delay();
	hang_read(req, ino, size, off, fi);
}

static void slow_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	delay();
	fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops ops = {
	.getattr = hang_getattr,
	.lookup = hang_lookup,
	.open = hang_open,
	.read = slow_read,
	.flush = slow_flush,
};

static void client(void)
{
	char path[80], buf[64];
	long rounds = 0;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "healthy-client");
	snprintf(path, sizeof(path), "%s/file", hang_dir);
	for (;;) {
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, buf, sizeof(buf)) <= 0) {
			fprintf(stderr, "healthy: after %ld rounds: %s\n", rounds,
				strerror(errno));
			_exit(1);
		}
		close(fd);
		rounds++;
	}
}

int main(int argc, char **argv)
{
	struct fuse_session *se = hang_mount(&ops, sizeof(ops), "healthy", NULL);
	pid_t pids[2];
	int status;

	delay_ms = argc > 1 ? (unsigned int)atoi(argv[1]) : 0;
	pids[0] = hang_serve(se);
	hang_drop_device(se);
	pids[1] = fork();
	if (pids[1] < 0)
		die("fork");
	if (!pids[1])
		client();
	hang_ready(connection_of(hang_dir));
	hang_stay();
	/* An aborted connection would have ended the client. */
	if (waitpid(pids[1], &status, WNOHANG) == 0)
		printf("healthy to the end\n");
	fflush(stdout);
	hang_clean(pids, 2);
}
