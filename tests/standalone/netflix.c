/* SPDX-License-Identifier: MIT */
/*
 * The incident in "Debugging a FUSE deadlock in the Linux kernel": a server inside a pid namespace holds a
 * file of its own mount; the namespace's init exits; the server dies while it flushes that file, so nobody
 * answers, and what it has not closed yet is the device that would end the wait. netflix [DIR]: the
 * namespace ends once DIR/go exists (default: at once).
 */

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "hang.h"

static int report; /* pipe to the parent */

static void flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops ops = {
	.getattr = hang_getattr,
	.lookup = hang_lookup,
	.open = hang_open,
	.read = hang_read,
	.flush = flush,
};

/* The main thread serves; this one opens a file of the mount and keeps it. */
static void *keeper(void *arg)
{
	unsigned int connection = connection_of(hang_dir);
	char path[80];

	(void)arg;
	snprintf(path, sizeof(path), "%s/file", hang_dir);
	if (open(path, O_RDONLY) < 0)
		_exit(3);
	if (write(report, &connection, sizeof(connection)) < 0)
		_exit(3);
	for (;;)
		pause();
	return NULL;
}

static void server(void)
{
	struct fuse_session *se;
	pthread_t thread;

	prctl(PR_SET_NAME, "netflix-server");
	se = hang_mount(&ops, sizeof(ops), "netflix", NULL);
	if (pthread_create(&thread, NULL, keeper, NULL))
		_exit(3);
	fuse_session_loop(se);
	_exit(0);
}

/* Init of the namespace: waits until the server is up, then for the file, then leaves. */
static void container(int from_server, int to_parent, const char *gate)
{
	struct timespec ms20 = {.tv_nsec = 20000000};
	unsigned int connection;

	prctl(PR_SET_NAME, "netflix-init");
	/* A small /tmp of its own: the mount is seen nowhere else, and nothing of it stays behind. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("netflix", "/tmp", "tmpfs", 0, NULL))
		die("mount");
	if (!fork())
		server();
	if (read(from_server, &connection, sizeof(connection)) != sizeof(connection))
		_exit(3);
	if (write(to_parent, &connection, sizeof(connection)) < 0)
		_exit(3);
	while (gate && syscall(SYS_access, gate, F_OK))
		nanosleep(&ms20, NULL);
	_exit(0);
}

int main(int argc, char **argv)
{
	int up[2], out[2], gate_fd = -1;
	char gate[64];
	unsigned int connection;
	pid_t pid;

	if (pipe2(up, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe2");
	/* /tmp is another one inside: reach the file through a descriptor of its folder. */
	if (argc > 1) {
		gate_fd = open(argv[1], O_PATH | O_CLOEXEC | O_DIRECTORY);
		if (gate_fd < 0)
			die(argv[1]);
		snprintf(gate, sizeof(gate), "/proc/self/fd/%d/go", gate_fd);
	}
	report = up[1];
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL,
			     NULL, NULL);
	if (pid < 0)
		die("clone");
	if (!pid)
		container(up[0], out[1], argc > 1 ? gate : NULL);
	close(out[1]);
	if (read(out[0], &connection, sizeof(connection)) != sizeof(connection)) {
		fprintf(stderr, "netflix: the namespace did not come up\n");
		return 3;
	}
	hang_ready(connection);
	/* Comes back when the last member is gone: only an abort does that. */
	waitpid(pid, NULL, 0);
	printf("reaped\n");
	return 0;
}
