/* SPDX-License-Identifier: MIT */
/*
 * Common to the stand-alone programs: a mount in a temporary directory, its connection's number, its end.
 *
 * Each program prints "connection N" once its tasks are on their way into the hang, then "ready", and
 * stays until SIGTERM, SIGINT or the end of standard input; then it kills what it forked, unmounts and
 * removes the directory. What hangs by then is freed through fusectl, by the number.
 */
#ifndef HANG_H
#define HANG_H

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_INO  2
#define FILE_TEXT "hello\n"

static char hang_dir[64];

static inline void die(const char *what)
{
	perror(what);
	if (hang_dir[0]) {
		umount2(hang_dir, MNT_DETACH);
		rmdir(hang_dir);
	}
	_exit(3);
}

/* Minor of st_dev, asked without a request to the server. */
static inline unsigned int connection_of(const char *path)
{
	struct statx stx;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &stx))
		die("statx");
	return stx.stx_dev_minor;
}

static inline struct fuse_session *hang_mount(const struct fuse_lowlevel_ops *ops,
					      size_t size, const char *name, void *data)
{
	char *argv[] = {(char *)name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_session *se = fuse_session_new(&args, ops, size, data);

	snprintf(hang_dir, sizeof(hang_dir), "/tmp/hang.XXXXXX");
	if (!se || !mkdtemp(hang_dir))
		die("fuse_session_new");
	if (fuse_session_mount(se, hang_dir))
		die("fuse_session_mount");
	return se;
}

static inline void hang_attr(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
	st->st_nlink = 1;
	st->st_size = ino == FUSE_ROOT_ID ? 0 : (off_t)strlen(FILE_TEXT);
}

static inline void hang_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	hang_attr(ino, &st);
	fuse_reply_attr(req, &st, 0);
}

/* The only name is "file". */
static inline void hang_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {.ino = FILE_INO};

	(void)parent;
	if (strcmp(name, "file")) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	hang_attr(FILE_INO, &entry.attr);
	fuse_reply_entry(req, &entry);
}

static inline void hang_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_open(req, fi);
}

static inline void hang_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			     struct fuse_file_info *fi)
{
	size_t len = strlen(FILE_TEXT);

	(void)ino;
	(void)fi;
	if ((size_t)off >= len)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, FILE_TEXT + off,
			       len - (size_t)off < size ? len - (size_t)off : size);
}

static inline pid_t hang_serve(struct fuse_session *se)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "hang-server");
	fuse_session_loop(se);
	_exit(0);
}

/* The supervisor must not hold /dev/fuse itself: it would keep the connection alive. */
static inline void hang_drop_device(struct fuse_session *se)
{
	close(fuse_session_fd(se));
}

static volatile sig_atomic_t hang_over;

static inline void hang_end(int sig)
{
	(void)sig;
	hang_over = 1;
}

static inline void hang_ready(unsigned int connection)
{
	printf("connection %u\nready\n", connection);
	fflush(stdout);
}

static inline void hang_stay(void)
{
	struct pollfd in = {.fd = 0, .events = POLLIN};
	struct sigaction sa = {.sa_handler = hang_end};
	char byte;

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	while (!hang_over) {
		if (poll(&in, 1, 200) > 0 && read(0, &byte, 1) <= 0)
			break;
	}
}

/* Ends and reaps what was forked. Gives up on what cannot be killed, after 5 s. */
static inline void hang_clean(const pid_t *pids, unsigned int n)
{
	struct timespec ms10 = {.tv_nsec = 10000000};
	unsigned int left = n;

	umount2(hang_dir, MNT_FORCE);
	umount2(hang_dir, MNT_DETACH);
	for (unsigned int i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; left && i < 500; i++) {
		while (left && waitpid(-1, NULL, WNOHANG) > 0)
			left--;
		if (left)
			nanosleep(&ms10, NULL);
	}
	rmdir(hang_dir);
	_exit(left ? 1 : 0);
}

#endif
