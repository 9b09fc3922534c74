/* SPDX-License-Identifier: MIT */
/* libfuse's low-level operations over memfs; every handler replies before it returns. */
#ifndef SF_HANDLERS_H
#define SF_HANDLERS_H

#include <fuse_lowlevel.h>

extern const struct fuse_lowlevel_ops handlers_ops;

/* Entry and attribute validity in seconds, by the scenario's config. */
double handlers_timeout(void);

/* handlers_io.c: what works on open files. */
void handle_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void handle_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		 struct fuse_file_info *fi);
void handle_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		  struct fuse_file_info *fi);
void handle_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void handle_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void handle_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		  struct fuse_file_info *fi);
void handle_getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		  struct flock *lock);
void handle_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		  struct flock *lock, int sleep);
void handle_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int op);
void handle_bmap(fuse_req_t req, fuse_ino_t ino, size_t blocksize, uint64_t index);
void handle_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
		  struct fuse_file_info *fi, unsigned int flags, const void *in,
		  size_t in_size, size_t out_size);
void handle_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		 struct fuse_pollhandle *ph);
void handle_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		      struct fuse_file_info *fi);
void handle_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		  struct fuse_file_info *fi);
void handle_copy(fuse_req_t req, fuse_ino_t from, off_t from_off,
		 struct fuse_file_info *from_fi, fuse_ino_t to, off_t to_off,
		 struct fuse_file_info *to_fi, size_t len, int flags);
/* Sets the FOPEN_* of the scenario that libfuse has fields for. */
void handlers_open_flags(struct fuse_file_info *fi);

#endif
