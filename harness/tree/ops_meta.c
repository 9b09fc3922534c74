/* SPDX-License-Identifier: MIT */
/* Worker operations on names and attributes beyond the everyday ones, and on ways to get a descriptor. */

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include "harness/scenario/tables.h"
#include "ops_util.h"

#define HANDLE_BYTES 128

static int64_t stat_with(const struct op_ctx *ctx, const struct scn_step *step, int flags)
{
	struct statx stx;
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_statx, AT_FDCWD, path, flags, STATX_ALL, &stx);
}

int64_t op_statx_sync(const struct op_ctx *ctx, const struct scn_step *step)
{
	return stat_with(ctx, step, AT_STATX_FORCE_SYNC);
}

int64_t op_statx_cached(const struct op_ctx *ctx, const struct scn_step *step)
{
	return stat_with(ctx, step, AT_STATX_DONT_SYNC);
}

int64_t op_lstat(const struct op_ctx *ctx, const struct scn_step *step)
{
	return stat_with(ctx, step, AT_SYMLINK_NOFOLLOW);
}

int64_t op_fstat(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct stat st;

	return op_sys(SYS_fstat, *op_slot(ctx, step->a), &st);
}

int64_t op_utimens(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_utimensat, AT_FDCWD, path, NULL, 0);
}

int64_t op_futimens(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_utimensat, *op_slot(ctx, step->a), NULL, NULL, 0);
}

int64_t op_chown(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_fchownat, AT_FDCWD, path, 0, 0, 0);
}

int64_t op_fchown(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_fchown, *op_slot(ctx, step->a), 0, 0);
}

int64_t op_fchmod(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_fchmod, *op_slot(ctx, step->a), 0755);
}

int64_t op_access_write(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_faccessat, AT_FDCWD, path, 2 /* W_OK */);
}

static int64_t rename_with(const struct op_ctx *ctx, const struct scn_step *step,
			   unsigned int flags)
{
	char from[OP_PATH_SIZE], to[OP_PATH_SIZE];

	op_path(ctx, step->a, from, sizeof(from));
	op_path(ctx, step->b, to, sizeof(to));
	return op_sys(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

int64_t op_rename_noreplace(const struct op_ctx *ctx, const struct scn_step *step)
{
	return rename_with(ctx, step, RENAME_NOREPLACE);
}

int64_t op_rename_exchange(const struct op_ctx *ctx, const struct scn_step *step)
{
	return rename_with(ctx, step, RENAME_EXCHANGE);
}

int64_t op_rename_whiteout(const struct op_ctx *ctx, const struct scn_step *step)
{
	return rename_with(ctx, step, RENAME_WHITEOUT);
}

int64_t op_mkfifo(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_mknodat, AT_FDCWD, path, S_IFIFO | 0644, 0);
}

int64_t op_getacl(const struct op_ctx *ctx, const struct scn_step *step)
{
	char path[OP_PATH_SIZE];

	op_path(ctx, step->a, path, sizeof(path));
	return op_sys(SYS_getxattr, path, "system.posix_acl_access", op_buffer,
		      OP_BUFFER_SIZE);
}

int64_t op_fchdir(const struct op_ctx *ctx, const struct scn_step *step)
{
	return op_sys(SYS_fchdir, *op_slot(ctx, step->a));
}

static int64_t open_as(const struct op_ctx *ctx, const struct scn_step *step, int flags)
{
	char path[OP_PATH_SIZE];

	if (*op_slot(ctx, step->a) >= 0)
		return -EBUSY;
	op_path(ctx, step->b, path, sizeof(path));
	return op_keep_fd(ctx, step->a, op_sys(SYS_openat, AT_FDCWD, path, flags, 0644));
}

int64_t op_tmpfile(const struct op_ctx *ctx, const struct scn_step *step)
{
	return open_as(ctx, step, O_TMPFILE | O_RDWR);
}

int64_t op_open_path(const struct op_ctx *ctx, const struct scn_step *step)
{
	return open_as(ctx, step, O_PATH);
}

/* Of the mount itself, by an O_PATH descriptor of its root. */
int64_t op_open_handle(const struct op_ctx *ctx, const struct scn_step *step)
{
	struct {
		struct file_handle head;
		unsigned char bytes[HANDLE_BYTES];
	} handle = {.head.handle_bytes = HANDLE_BYTES};
	char path[OP_PATH_SIZE];
	long root, ret;
	int id;

	if (*op_slot(ctx, step->a) >= 0)
		return -EBUSY;
	op_path(ctx, step->b, path, sizeof(path));
	ret = op_sys(SYS_name_to_handle_at, AT_FDCWD, path, &handle, &id, 0);
	if (ret < 0)
		return ret;
	op_path(ctx, PATH_ROOT, path, sizeof(path));
	root = op_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return root;
	ret = op_sys(SYS_open_by_handle_at, root, &handle, O_RDWR);
	op_sys(SYS_close, root);
	return op_keep_fd(ctx, step->a, ret);
}
