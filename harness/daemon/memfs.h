/* SPDX-License-Identifier: MIT */
/*
 * A small file system in memory: the tree that enum path_id describes, and what the run
 * makes of it.
 *
 * One per process, in fixed arrays: nothing is allocated and nothing is cleared, since a
 * daemon is forked for each run and the untouched arrays cost nothing. Contents of the
 * initial files are made up while they are read; only written pages take memory. Times
 * are counted, not taken from the clock: a run repeats exactly.
 *
 * Every function locks for itself, only around memory accesses: it never blocks, never
 * calls out. Results: 0 or a length, or -errno (ENOSPC, ENFILE when an array is full;
 * EFBIG above MEMFS_FILE_MAX). An inode number that does not exist gives -ESTALE. A
 * returned struct stat is filled completely.
 */
#ifndef SF_MEMFS_H
#define SF_MEMFS_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define MEMFS_ROOT     1
#define MEMFS_NAME_MAX 63
#define MEMFS_FILE_MAX (256 * 1024)

typedef uint64_t memfs_ino;

struct memfs_dirent {
	char name[MEMFS_NAME_MAX + 1];
	struct stat st;
	uint64_t next; /* offset of the entry after this one */
};

/* A new inode: its type and permissions, owner, and for a symbolic link its target. */
struct memfs_new {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	const char *target;
};

/* Sets up the initial tree. bin: contents of "bin", kept by reference. */
void memfs_init(const void *bin, size_t bin_len);

/* ret_st of lookup, create and link: the kernel learns the inode; it forgets it later. */
int memfs_lookup(memfs_ino parent, const char *name, struct stat *ret_st);
void memfs_forget(memfs_ino ino, uint64_t nlookup);
/* The inode of "d0/f3", for notifications; no lookup is counted. 0 if there is none. */
memfs_ino memfs_resolve(const char *path);

int memfs_getattr(memfs_ino ino, struct stat *ret_st);
/* to_set: bits MEMFS_SET_*; the values are in attr. */
enum {
	MEMFS_SET_MODE = 1,
	MEMFS_SET_UID = 2,
	MEMFS_SET_GID = 4,
	MEMFS_SET_SIZE = 8,
	MEMFS_SET_MTIME = 16,
	MEMFS_SET_MTIME_NOW = 32
};
int memfs_setattr(memfs_ino ino, const struct stat *attr, unsigned int to_set,
		  struct stat *ret_st);

int memfs_create(memfs_ino parent, const char *name, const struct memfs_new *new,
		 struct stat *ret_st);
int memfs_link(memfs_ino ino, memfs_ino parent, const char *name, struct stat *ret_st);
/* dir: rmdir(2) rather than unlink(2). */
int memfs_unlink(memfs_ino parent, const char *name, int dir);
/* flags: RENAME_NOREPLACE, RENAME_EXCHANGE. */
int memfs_rename(memfs_ino parent, const char *name, memfs_ino newparent,
		 const char *newname, unsigned int flags);
int memfs_readlink(memfs_ino ino, char *buf, size_t size);
/* The entry at offset (0: the first): 1 and *ret, 0 at the end. learn: as a lookup
 * (READDIRPLUS). */
int memfs_readdir(memfs_ino dir, uint64_t offset, int learn, struct memfs_dirent *ret);
int memfs_statfs(struct statvfs *ret_st);

/* Lengths. append: offset is ignored. */
int memfs_read(memfs_ino ino, void *buf, size_t size, uint64_t offset);
int memfs_write(memfs_ino ino, const void *buf, size_t size, uint64_t offset, int append);
int memfs_fallocate(memfs_ino ino, int mode, uint64_t offset, uint64_t len);
int64_t memfs_lseek(memfs_ino ino, uint64_t offset, int whence);
int memfs_copy(memfs_ino from, uint64_t from_offset, memfs_ino to, uint64_t to_offset,
	       size_t len);

/* As getxattr(2) and listxattr(2): size 0 asks for the length. flags: XATTR_CREATE,
 * XATTR_REPLACE. */
int memfs_setxattr(memfs_ino ino, const char *name, const void *value, size_t size,
		   int flags);
int memfs_getxattr(memfs_ino ino, const char *name, void *buf, size_t size);
int memfs_listxattr(memfs_ino ino, char *buf, size_t size);
int memfs_removexattr(memfs_ino ino, const char *name);

/*
 * Locks of fcntl(2) and flock(2) (whole: a flock). A lock that cannot be had is -EAGAIN
 * at once, also where the caller would wait: waiting is a matter of the fault plan.
 * Ranges are inclusive.
 */
struct memfs_lock {
	uint64_t owner, start, end;
	int type; /* F_RDLCK, F_WRLCK, F_UNLCK */
	int whole;
	int32_t pid;
};
int memfs_setlk(memfs_ino ino, const struct memfs_lock *lock);
/* The first lock that stands in the way, or type F_UNLCK. */
int memfs_getlk(memfs_ino ino, struct memfs_lock *lock);
/* Drops what the owner holds of a kind: close(2) on the file. */
void memfs_unlock(memfs_ino ino, uint64_t owner, int whole);

#endif
