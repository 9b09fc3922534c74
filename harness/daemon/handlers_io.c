/* SPDX-License-Identifier: MIT */
/* libfuse operations on open files: data, locks, and what a file descriptor can be asked.
 */
#include "handlers.h"

#include <errno.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>

#include "server.h"

static void reply_error_or_ok(fuse_req_t req, int ret)
{
	fuse_reply_err(req, ret < 0 ? -ret : 0);
}

static void reply_length(fuse_req_t req, int ret)
{
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_write(req, (size_t)ret);
}

void handlers_open_flags(struct fuse_file_info *fi)
{
	uint8_t open = daemon_self.arena->scn.config.open;

	fi->direct_io = !!(open & OPENF_DIRECT_IO);
	fi->keep_cache = !!(open & OPENF_KEEP_CACHE);
	fi->nonseekable = !!(open & OPENF_NONSEEKABLE);
	fi->noflush = !!(open & OPENF_NOFLUSH);
}

void handle_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	int ret;

	if (daemon_self.arena->scn.config.init & INITF_NO_OPEN) {
		/* fuse_file_open(): the kernel opens by itself from now on. */
		fuse_reply_err(req, ENOSYS);
		return;
	}
	ret = memfs_getattr(ino, &st);
	/* The kernel passes O_TRUNC on only with ATOMIC_O_TRUNC. */
	if (ret >= 0 && fi->flags & O_TRUNC) {
		const struct stat empty = {0};

		ret = memfs_setattr(ino, &empty, MEMFS_SET_SIZE, &st);
	}
	if (ret < 0) {
		fuse_reply_err(req, -ret);
		return;
	}
	handlers_open_flags(fi);
	fuse_reply_open(req, fi);
}

void handle_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		 struct fuse_file_info *fi)
{
	unsigned char *buf = server_current()->buf->out;
	int ret;

	(void)fi;
	if (size > sizeof(server_current()->buf->out))
		size = sizeof(server_current()->buf->out);
	ret = memfs_read(ino, buf, size, (uint64_t)off);
	if (ret < 0)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_buf(req, (const char *)buf, (size_t)ret);
}

/* With WRITEBACK_CACHE the kernel knows the end of the file and its offsets already say
 * where to append. */
void handle_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		  struct fuse_file_info *fi)
{
	bool append = fi->flags & O_APPEND && !fi->writepage &&
		      !(daemon_self.arena->scn.config.init & INITF_WRITEBACK_CACHE);

	reply_length(req, memfs_write(ino, buf, size, (uint64_t)off, append));
}

void handle_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	/* fuse_flush() also carries the end of this owner's fcntl locks. */
	memfs_unlock(ino, fi->lock_owner, 0);
	fuse_reply_err(req,
		       daemon_self.arena->scn.config.init & INITF_NO_FLUSH ? ENOSYS : 0);
}

void handle_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (fi->flock_release)
		memfs_unlock(ino, fi->lock_owner, 1);
	fuse_reply_err(req, 0);
}

void handle_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino, (void)datasync, (void)fi;
	fuse_reply_err(req, 0);
}

static struct memfs_lock to_range(const struct flock *lock, uint64_t owner)
{
	return (struct memfs_lock){
		.owner = owner,
		.start = (uint64_t)lock->l_start,
		.end = lock->l_len ? (uint64_t)(lock->l_start + lock->l_len - 1)
				   : INT64_MAX,
		.type = lock->l_type,
		.pid = lock->l_pid,
	};
}

void handle_getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		  struct flock *lock)
{
	struct memfs_lock found = to_range(lock, fi->lock_owner);
	int ret = memfs_getlk(ino, &found);

	if (ret < 0) {
		fuse_reply_err(req, -ret);
		return;
	}
	lock->l_type = (short)found.type;
	lock->l_start = (off_t)found.start;
	lock->l_len = found.end == INT64_MAX ? 0 : (off_t)(found.end - found.start + 1);
	lock->l_pid = found.pid;
	fuse_reply_lock(req, lock);
}

void handle_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		  struct flock *lock, int sleep)
{
	const struct memfs_lock range = to_range(lock, fi->lock_owner);

	(void)sleep;
	reply_error_or_ok(req, memfs_setlk(ino, &range));
}

void handle_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int op)
{
	const struct memfs_lock lock = {
		.owner = fi->lock_owner,
		.end = UINT64_MAX,
		.type = op & LOCK_UN   ? F_UNLCK
			: op & LOCK_EX ? F_WRLCK
				       : F_RDLCK,
		.whole = 1,
	};

	reply_error_or_ok(req, memfs_setlk(ino, &lock));
}

/* The kernel asks this only of mounts on a block device (fuse_bmap()). */
void handle_bmap(fuse_req_t req, fuse_ino_t ino, size_t blocksize, uint64_t index)
{
	(void)ino, (void)blocksize;
	fuse_reply_bmap(req, index);
}

void handle_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
		  struct fuse_file_info *fi, unsigned int flags, const void *in,
		  size_t in_size, size_t out_size)
{
	const unsigned long no_flags = 0;

	(void)ino, (void)arg, (void)fi, (void)flags, (void)in, (void)in_size;
	if (cmd != (unsigned int)FS_IOC_GETFLAGS || out_size > sizeof(no_flags))
		fuse_reply_err(req, ENOTTY);
	else
		fuse_reply_ioctl(req, 0, &no_flags, out_size);
}

void handle_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		 struct fuse_pollhandle *ph)
{
	(void)ino;
	/* Always ready: nobody needs to be notified. */
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req,
			fi->poll_events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM));
}

void handle_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		      struct fuse_file_info *fi)
{
	(void)fi;
	reply_error_or_ok(req, memfs_fallocate(ino, mode, (uint64_t)off, (uint64_t)len));
}

void handle_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		  struct fuse_file_info *fi)
{
	int64_t ret = memfs_lseek(ino, (uint64_t)off, whence);

	(void)fi;
	if (ret < 0)
		fuse_reply_err(req, (int)-ret);
	else
		fuse_reply_lseek(req, (off_t)ret);
}

void handle_copy(fuse_req_t req, fuse_ino_t from, off_t from_off,
		 struct fuse_file_info *from_fi, fuse_ino_t to, off_t to_off,
		 struct fuse_file_info *to_fi, size_t len, int flags)
{
	(void)from_fi, (void)to_fi, (void)flags;
	reply_length(req,
		     memfs_copy(from, (uint64_t)from_off, to, (uint64_t)to_off, len));
}
