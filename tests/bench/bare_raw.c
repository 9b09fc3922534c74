/* SPDX-License-Identifier: MIT */
/* Serves by the raw protocol of linux/fuse.h. */

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bare_server.h"

static char request[2 * FUSE_MIN_READ_BUFFER + FILE_SIZE];

static void reply(int fd, uint64_t unique, int error, const void *data, size_t len)
{
	struct fuse_out_header out = {sizeof(out) + len, error, unique};
	struct iovec iov[] = {{&out, sizeof(out)}, {(void *)data, len}};

	/* ENOENT: the request was interrupted meanwhile. */
	if (writev(fd, iov, 2) < 0 && errno != ENOENT)
		_exit(STATUS_INFRA);
}

static struct fuse_attr attr_of(uint64_t node)
{
	int root = node == FUSE_ROOT_ID;

	return (struct fuse_attr){
		.ino = node,
		.mode = root ? S_IFDIR | 0755 : S_IFREG | 0644,
		.nlink = root ? 2 : 1,
		.size = root ? 0 : FILE_SIZE,
	};
}

/* One request; its name in the comments of linux/fuse.h. */
static void answer(int fd, const struct fuse_in_header *in)
{
	const struct fuse_write_in *write_in = (const void *)(in + 1);
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.max_write = FILE_SIZE,
	};
	struct fuse_entry_out entry = {.nodeid = FILE_NODE, .attr = attr_of(FILE_NODE)};
	struct fuse_attr_out attr = {.attr = attr_of(in->nodeid)};
	struct fuse_open_out open_out = {.fh = 1};
	struct fuse_write_out written = {0};

	switch (in->opcode) {
	case FUSE_INIT:
		reply(fd, in->unique, 0, &init, sizeof(init));
		return;
	case FUSE_LOOKUP:
		reply(fd, in->unique, 0, &entry, sizeof(entry));
		return;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		reply(fd, in->unique, 0, &attr, sizeof(attr));
		return;
	case FUSE_OPEN:
		reply(fd, in->unique, 0, &open_out, sizeof(open_out));
		return;
	case FUSE_WRITE:
		written.size = write_in->size;
		reply(fd, in->unique, 0, &written, sizeof(written));
		return;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(fd, in->unique, 0, NULL, 0);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return; /* these have no reply */
	default:
		reply(fd, in->unique, -ENOSYS, NULL, 0);
	}
}

int bare_prepare(void)
{
	return 0;
}

_Noreturn void bare_serve(int fd)
{
	for (;;) {
		ssize_t len = read(fd, request, sizeof(request));

		if (len >= (ssize_t)sizeof(struct fuse_in_header))
			answer(fd, (const void *)request);
		else if (len < 0 && errno == ENODEV)
			_exit(0);
		else if (len < 0 && errno != EINTR && errno != ENOENT && errno != EAGAIN)
			_exit(STATUS_INFRA);
	}
}
