/* SPDX-License-Identifier: MIT */
/* Serves by libfuse's low-level session, as the daemon of a run does: what libfuse itself costs. */

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bare_server.h"

/* libfuse asks for requests of this size, whatever max_write comes to: FUSE_MAX_MAX_PAGES and a page for the header. */
static char request[257 * 4096];
static struct fuse_session *session;

static struct stat stat_of(fuse_ino_t node)
{
	int root = node == FUSE_ROOT_ID;

	return (struct stat){
		.st_ino = node,
		.st_mode = root ? S_IFDIR | 0755 : S_IFREG | 0644,
		.st_nlink = root ? 2 : 1,
		.st_size = root ? 0 : FILE_SIZE,
	};
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {.ino = FILE_NODE, .attr = stat_of(FILE_NODE)};

	(void)parent, (void)name;
	fuse_reply_entry(req, &entry);
}

static void on_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	struct stat st = stat_of(node);

	(void)info;
	fuse_reply_attr(req, &st, 0);
}

static void on_setattr(fuse_req_t req, fuse_ino_t node, struct stat *attr, int to_set,
		       struct fuse_file_info *info)
{
	(void)attr, (void)to_set;
	on_getattr(req, node, info);
}

static void on_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	(void)node;
	info->fh = 1;
	fuse_reply_open(req, info);
}

static void on_write(fuse_req_t req, fuse_ino_t node, const char *data, size_t len,
		     off_t offset, struct fuse_file_info *info)
{
	(void)node, (void)data, (void)offset, (void)info;
	fuse_reply_write(req, len);
}

static void on_close(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	(void)node, (void)info;
	fuse_reply_err(req, 0);
}

static ssize_t io_read(int fd, void *buf, size_t len, void *data)
{
	(void)data;
	return read(fd, buf, len);
}

static ssize_t io_writev(int fd, struct iovec *iov, int count, void *data)
{
	(void)data;
	return writev(fd, iov, count);
}

int bare_prepare(void)
{
	static const struct fuse_lowlevel_ops ops = {
		.lookup = on_lookup,
		.getattr = on_getattr,
		.setattr = on_setattr,
		.open = on_open,
		.write = on_write,
		.flush = on_close,
		.release = on_close,
	};
	char name[] = "bare_libfuse", *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);

	session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	return session ? 0 : -1;
}

_Noreturn void bare_serve(int fd)
{
	static const struct fuse_custom_io io = {.read = io_read, .writev = io_writev};

	if (fuse_session_custom_io(session, &io, fd) < 0)
		_exit(STATUS_INFRA);
	for (;;) {
		ssize_t len = read(fd, request, sizeof(request));

		if (len >= 0) {
			const struct fuse_buf buf = {.mem = request, .size = (size_t)len};

			fuse_session_process_buf(session, &buf);
		} else if (errno == ENODEV) {
			_exit(0);
		} else if (errno != EINTR && errno != ENOENT && errno != EAGAIN) {
			_exit(STATUS_INFRA);
		}
	}
}
