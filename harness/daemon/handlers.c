/* SPDX-License-Identifier: MIT */
/* libfuse operations on names, attributes and directories, and the table of all
 * operations. */
#include "handlers.h"

#include <errno.h>

#include "server.h"

double handlers_timeout(void)
{
	return daemon_self.arena->scn.config.timeout ? 3600.0 : 0.0;
}

/* INITF_* by the capability of libfuse. The two that only reply.c can set are not here.
 */
static const struct {
	uint16_t init;
	unsigned int capability;
} capabilities[] = {
	{INITF_ASYNC_READ, FUSE_CAP_ASYNC_READ},
	{INITF_POSIX_LOCKS, FUSE_CAP_POSIX_LOCKS},
	{INITF_FLOCK_LOCKS, FUSE_CAP_FLOCK_LOCKS},
	{INITF_ATOMIC_O_TRUNC, FUSE_CAP_ATOMIC_O_TRUNC},
	{INITF_READDIRPLUS, FUSE_CAP_READDIRPLUS},
	{INITF_READDIRPLUS_AUTO, FUSE_CAP_READDIRPLUS_AUTO},
	{INITF_ASYNC_DIO, FUSE_CAP_ASYNC_DIO},
	{INITF_WRITEBACK_CACHE, FUSE_CAP_WRITEBACK_CACHE},
	{INITF_AUTO_INVAL_DATA, FUSE_CAP_AUTO_INVAL_DATA},
	{INITF_CACHE_SYMLINKS, FUSE_CAP_CACHE_SYMLINKS},
};

static void handle_init(void *userdata, struct fuse_conn_info *conn)
{
	const struct scn_config *config = &daemon_self.arena->scn.config;

	(void)userdata;
	/* Not libfuse's defaults: what the scenario does not name is off. */
	conn->want = 0;
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		if (config->init & capabilities[i].init)
			conn->want |= capabilities[i].capability & conn->capable;
	if (config->max_background) {
		conn->max_background = config->max_background;
		conn->congestion_threshold = (config->max_background * 3u + 3) / 4;
	}
}

static void reply_entry_or_error(fuse_req_t req, int ret, const struct stat *st)
{
	struct fuse_entry_param entry = {0};

	if (ret < 0) {
		fuse_reply_err(req, -ret);
		return;
	}
	entry.ino = st->st_ino;
	entry.attr = *st;
	entry.attr_timeout = entry.entry_timeout = handlers_timeout();
	fuse_reply_entry(req, &entry);
}

static void handle_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct stat st;
	int ret = memfs_lookup(parent, name, &st);

	reply_entry_or_error(req, ret, &st);
}

static void handle_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	memfs_forget(ino, nlookup);
	fuse_reply_none(req);
}

static void handle_forget_multi(fuse_req_t req, size_t count,
				struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		memfs_forget(forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void reply_attr_or_error(fuse_req_t req, int ret, const struct stat *st)
{
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_attr(req, st, handlers_timeout());
}

static void handle_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	int ret = memfs_getattr(ino, &st);

	(void)fi;
	reply_attr_or_error(req, ret, &st);
}

static void handle_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
			   struct fuse_file_info *fi)
{
	static const int bits[][2] = {
		{FUSE_SET_ATTR_MODE, MEMFS_SET_MODE},
		{FUSE_SET_ATTR_UID, MEMFS_SET_UID},
		{FUSE_SET_ATTR_GID, MEMFS_SET_GID},
		{FUSE_SET_ATTR_SIZE, MEMFS_SET_SIZE},
		{FUSE_SET_ATTR_MTIME, MEMFS_SET_MTIME},
		{FUSE_SET_ATTR_MTIME_NOW, MEMFS_SET_MTIME_NOW},
	};
	unsigned int set = 0;
	struct stat st;

	(void)fi;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (to_set & bits[i][0])
			set |= (unsigned int)bits[i][1];
	int ret = memfs_setattr(ino, attr, set, &st);
	reply_attr_or_error(req, ret, &st);
}

static void create_and_reply(fuse_req_t req, fuse_ino_t parent, const char *name,
			     mode_t mode, const char *target)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	const struct memfs_new new = {
		.mode = mode,
		.uid = ctx->uid,
		.gid = ctx->gid,
		.target = target,
	};
	struct stat st;
	int ret = memfs_create(parent, name, &new, &st);

	reply_entry_or_error(req, ret, &st);
}

static void handle_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
			 dev_t rdev)
{
	(void)rdev;
	create_and_reply(req, parent, name, mode, NULL);
}

static void handle_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	create_and_reply(req, parent, name, S_IFDIR | mode, NULL);
}

static void handle_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
			   const char *name)
{
	create_and_reply(req, parent, name, S_IFLNK | 0777, target);
}

static void handle_create(fuse_req_t req, fuse_ino_t parent, const char *name,
			  mode_t mode, struct fuse_file_info *fi)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	const struct memfs_new new = {.mode = mode, .uid = ctx->uid, .gid = ctx->gid};
	struct fuse_entry_param entry = {0};
	int ret = memfs_create(parent, name, &new, &entry.attr);

	/* Without O_EXCL the kernel may not have known that it exists. */
	if (ret == -EEXIST && !(fi->flags & O_EXCL))
		ret = memfs_lookup(parent, name, &entry.attr);
	if (ret < 0) {
		fuse_reply_err(req, -ret);
		return;
	}
	if (fi->flags & O_TRUNC && S_ISREG(entry.attr.st_mode)) {
		const struct stat empty = {0};

		memfs_setattr(entry.attr.st_ino, &empty, MEMFS_SET_SIZE, &entry.attr);
	}
	entry.ino = entry.attr.st_ino;
	entry.attr_timeout = entry.entry_timeout = handlers_timeout();
	handlers_open_flags(fi);
	fuse_reply_create(req, &entry, fi);
}

static void handle_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
			const char *name)
{
	struct stat st;
	int ret = memfs_link(ino, parent, name, &st);

	reply_entry_or_error(req, ret, &st);
}

static void handle_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, -memfs_unlink(parent, name, 0));
}

static void handle_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, -memfs_unlink(parent, name, 1));
}

static void handle_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
			  fuse_ino_t newparent, const char *newname, unsigned int flags)
{
	fuse_reply_err(req, -memfs_rename(parent, name, newparent, newname, flags));
}

static void handle_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[256];
	int ret = memfs_readlink(ino, target, sizeof(target));

	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_readlink(req, target);
}

static void handle_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	int ret = memfs_getattr(ino, &st);

	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_open(req, fi);
}

static size_t add_entry(fuse_req_t req, char *buf, size_t size,
			const struct memfs_dirent *dirent, bool plus)
{
	struct fuse_entry_param entry = {0};

	if (!plus)
		return fuse_add_direntry(req, buf, size, dirent->name, &dirent->st,
					 (off_t)dirent->next);
	entry.ino = dirent->st.st_ino;
	entry.attr = dirent->st;
	entry.attr_timeout = entry.entry_timeout = handlers_timeout();
	return fuse_add_direntry_plus(req, buf, size, dirent->name, &entry,
				      (off_t)dirent->next);
}

static void read_directory(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			   bool plus)
{
	char *buf = (char *)server_current()->buf->out;
	struct memfs_dirent dirent;
	size_t used = 0;
	int ret;

	if (size > sizeof(server_current()->buf->out))
		size = sizeof(server_current()->buf->out);
	while ((ret = memfs_readdir(ino, (uint64_t)off, plus, &dirent)) > 0) {
		size_t len = add_entry(req, buf + used, size - used, &dirent, plus);

		if (len > size - used) {
			/* Not told after all. "." and ".." (offsets 0 and 1) count no
			 * lookup. */
			if (plus && off >= 2)
				memfs_forget(dirent.st.st_ino, 1);
			break;
		}
		used += len;
		off = (off_t)dirent.next;
	}
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_buf(req, buf, used);
}

static void handle_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			   struct fuse_file_info *fi)
{
	(void)fi;
	read_directory(req, ino, size, off, false);
}

static void handle_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			       struct fuse_file_info *fi)
{
	(void)fi;
	read_directory(req, ino, size, off, true);
}

static void handle_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino, (void)fi;
	fuse_reply_err(req, 0);
}

static void handle_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	(void)ino;
	memfs_statfs(&st);
	fuse_reply_statfs(req, &st);
}

static void handle_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			    const char *value, size_t size, int flags)
{
	fuse_reply_err(req, -memfs_setxattr(ino, name, value, size, flags));
}

/* size 0 asks for the length alone. */
static void reply_xattr(fuse_req_t req, int ret, size_t size)
{
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else if (!size)
		fuse_reply_xattr(req, (size_t)ret);
	else
		fuse_reply_buf(req, (const char *)server_current()->buf->out,
			       (size_t)ret);
}

static void handle_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	reply_xattr(req, memfs_getxattr(ino, name, server_current()->buf->out, size),
		    size);
}

static void handle_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	reply_xattr(req, memfs_listxattr(ino, (char *)server_current()->buf->out, size),
		    size);
}

static void handle_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	fuse_reply_err(req, -memfs_removexattr(ino, name));
}

static void handle_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct stat st;

	(void)mask;
	fuse_reply_err(req, -memfs_getattr(ino, &st));
}

static void handle_retrieve_reply(fuse_req_t req, void *cookie, fuse_ino_t ino,
				  off_t offset, struct fuse_bufvec *bufv)
{
	(void)cookie, (void)ino, (void)offset, (void)bufv;
	fuse_reply_none(req);
}

const struct fuse_lowlevel_ops handlers_ops = {
	.init = handle_init,
	.lookup = handle_lookup,
	.forget = handle_forget,
	.forget_multi = handle_forget_multi,
	.getattr = handle_getattr,
	.setattr = handle_setattr,
	.readlink = handle_readlink,
	.mknod = handle_mknod,
	.mkdir = handle_mkdir,
	.symlink = handle_symlink,
	.create = handle_create,
	.link = handle_link,
	.unlink = handle_unlink,
	.rmdir = handle_rmdir,
	.rename = handle_rename,
	.open = handle_open,
	.read = handle_read,
	.write = handle_write,
	.flush = handle_flush,
	.release = handle_release,
	.fsync = handle_fsync,
	.opendir = handle_opendir,
	.readdir = handle_readdir,
	.readdirplus = handle_readdirplus,
	.releasedir = handle_releasedir,
	.fsyncdir = handle_fsync,
	.statfs = handle_statfs,
	.setxattr = handle_setxattr,
	.getxattr = handle_getxattr,
	.listxattr = handle_listxattr,
	.removexattr = handle_removexattr,
	.access = handle_access,
	.getlk = handle_getlk,
	.setlk = handle_setlk,
	.flock = handle_flock,
	.bmap = handle_bmap,
	.ioctl = handle_ioctl,
	.poll = handle_poll,
	.fallocate = handle_fallocate,
	.lseek = handle_lseek,
	.copy_file_range = handle_copy,
	.retrieve_reply = handle_retrieve_reply,
};
