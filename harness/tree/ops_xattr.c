/* SPDX-License-Identifier: MIT */
/* Worker operations on extended attributes. */

#include "ops_util.h"

#define XATTR_NAME "user.sf"

int64_t op_getxattr(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_getxattr, path, XATTR_NAME, op_buffer, OP_BUFFER_SIZE);
}

int64_t op_setxattr(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_setxattr, path, XATTR_NAME, op_buffer, step->v, 0);
}

int64_t op_listxattr(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_listxattr, path, op_buffer, OP_BUFFER_SIZE);
}

int64_t op_removexattr(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_removexattr, path, XATTR_NAME);
}
