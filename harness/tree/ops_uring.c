/* SPDX-License-Identifier: MIT */
/*
 * Worker operations through io_uring(7). Each has a ring of its own for one request, which is not waited for; the ring's
 * descriptor stays until the process ends, or its file table is closed: io_uring_files_cancel() is what is to be met.
 */

#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "ops_util.h"
#include "harness/util/bulk.h"

/* What the kernel reads or writes after the operation has returned. */
static BULK struct statx statx_buffer;
static BULK char paths[OP_PATH_SIZE];

static long map_ring(long fd, size_t len, int64_t offset)
{
	return op_sys(SYS_mmap, NULL, len, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_POPULATE, fd, offset);
}

/* Number of requests taken: 1. */
static int64_t submit(const struct io_uring_sqe *request)
{
	struct io_uring_params params;
	long fd, ring, sqes, ret;
	char *zero = (char *)&params;

	for (unsigned int i = 0; i < sizeof(params); i++)
		((volatile char *)zero)[i] = 0;
	fd = op_sys(SYS_io_uring_setup, 1, &params);
	if (fd < 0)
		return fd;
	ring = map_ring(fd, params.sq_off.array + sizeof(uint32_t), IORING_OFF_SQ_RING);
	sqes = map_ring(fd, sizeof(*request), IORING_OFF_SQES);
	if (ring < 0 || sqes < 0) {
		op_sys(SYS_close, fd);
		return ring < 0 ? ring : sqes;
	}
	/* An address, or -errno: cppcheck takes the latter for a null pointer. */
	// cppcheck-suppress nullPointerRedundantCheck
	*(struct io_uring_sqe *)sqes = *request;
	*(uint32_t *)(ring + params.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(ring + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	op_sys(SYS_munmap, ring, params.sq_off.array + sizeof(uint32_t));
	ret = op_sys(SYS_io_uring_enter, fd, 1, 0, 0, NULL, 0);
	op_sys(SYS_munmap, sqes, sizeof(*request));
	if (ret < 0)
		op_sys(SYS_close, fd);
	return ret;
}

static int64_t transfer(const struct op_ctx *ctx, const struct scn_step *step, int opcode,
			int flags)
{
	int fd = *op_slot(ctx, step->a);
	struct io_uring_sqe sqe = {.opcode = (uint8_t)opcode,
				   .flags = (uint8_t)flags,
				   .fd = fd,
				   .off = step->b * OP_PAGE,
				   .addr = (uintptr_t)op_buffer,
				   .len = step->v};

	return fd < 0 ? -EBADF : submit(&sqe);
}

int64_t op_uring_read(const struct op_ctx *ctx, const struct scn_step *step)
{
	return transfer(ctx, step, IORING_OP_READ, 0);
}

int64_t op_uring_write(const struct op_ctx *ctx, const struct scn_step *step)
{
	return transfer(ctx, step, IORING_OP_WRITE, 0);
}

/* IOSQE_ASYNC: by a worker thread (iou-wrk) of the process. */
int64_t op_uring_work(const struct op_ctx *ctx, const struct scn_step *step)
{
	return transfer(ctx, step, IORING_OP_READ, IOSQE_ASYNC);
}

int64_t op_uring_fsync(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct io_uring_sqe sqe = {.opcode = IORING_OP_FSYNC,
				   .fd = *op_slot(ctx, step->a)};

	return sqe.fd < 0 ? -EBADF : submit(&sqe);
}

int64_t op_uring_poll(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct io_uring_sqe sqe = {.opcode = IORING_OP_POLL_ADD,
				   .fd = *op_slot(ctx, step->a),
				   .poll32_events = POLLIN};

	return sqe.fd < 0 ? -EBADF : submit(&sqe);
}

int64_t op_uring_open(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct io_uring_sqe sqe = {.opcode = IORING_OP_OPENAT,
				   .fd = AT_FDCWD,
				   .addr = (uintptr_t)paths,
				   .open_flags = O_RDONLY};

	op_path(ctx, step->a, paths, sizeof(paths));
	return submit(&sqe);
}

int64_t op_uring_statx(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct io_uring_sqe sqe = {.opcode = IORING_OP_STATX,
				   .fd = AT_FDCWD,
				   .addr = (uintptr_t)paths,
				   .off = (uintptr_t)&statx_buffer,
				   .len = STATX_ALL};

	op_path(ctx, step->a, paths, sizeof(paths));
	return submit(&sqe);
}
