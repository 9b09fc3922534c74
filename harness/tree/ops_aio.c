/* SPDX-License-Identifier: MIT */
/* Worker operations that start asynchronous I/O and do not wait for it: io_submit(2). */

#include <linux/aio_abi.h>

#include "ops_util.h"

/*
 * A context each, which the process's exit_aio() waits for and frees. A static one would
 * be wrong in forked children: a context belongs to an address space.
 */
static int64_t submit(const struct op_ctx *ctx, const struct scn_step *step, int opcode)
{
	struct iocb io = {
		.aio_lio_opcode = opcode,
		.aio_fildes = *op_slot(ctx, step->a),
		.aio_buf = (uintptr_t)op_buffer,
		.aio_nbytes = step->v,
		.aio_offset = step->b * OP_PAGE,
	};
	struct iocb *list[] = {&io};
	aio_context_t context = 0;
	long ret = op_sys(SYS_io_setup, 1, &context);

	if (ret < 0)
		return ret;
	ret = op_sys(SYS_io_submit, context, 1, list);
	if (ret < 0)
		op_sys(SYS_io_destroy, context);
	return ret;
}

int64_t op_aio_read(const struct op_ctx *ctx, const struct scn_step *step)
{
	return submit(ctx, step, IOCB_CMD_PREAD);
}

int64_t op_aio_write(const struct op_ctx *ctx, const struct scn_step *step)
{
	return submit(ctx, step, IOCB_CMD_PWRITE);
}
