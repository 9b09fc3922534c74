/* SPDX-License-Identifier: MIT */
/* Extended attributes and file locks of the in-memory file system. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "harness/util/bulk.h"
#include "memfs_node.h"

#define N_XATTRS  16
#define N_LOCKS	  64
#define XATTR_MAX 65536

/* The values lie apart: a look through the names must not touch a page for each. */
static struct xattr {
	memfs_ino ino; /* 0: free */
	size_t size;
	char name[64];
} xattrs[N_XATTRS];

static BULK unsigned char xattr_values[N_XATTRS][XATTR_MAX];

static unsigned char *value_of(const struct xattr *xattr)
{
	return xattr_values[xattr - xattrs];
}

static struct held_lock {
	memfs_ino ino; /* 0: free */
	struct memfs_lock lock;
} locks[N_LOCKS];

/* name NULL: a free one. */
static struct xattr *find_xattr(memfs_ino ino, const char *name)
{
	for (size_t i = 0; i < N_XATTRS; i++) {
		if (name ? xattrs[i].ino == ino && !strcmp(xattrs[i].name, name)
			 : !xattrs[i].ino)
			return &xattrs[i];
	}
	return NULL;
}

int memfs_setxattr(memfs_ino ino, const char *name, const void *value, size_t size,
		   int flags)
{
	auto_memfs_lock;
	struct xattr *xattr = find_xattr(ino, name);

	if (!memfs_node(ino))
		return -ESTALE;
	if (size > XATTR_MAX)
		return -E2BIG;
	if (strlen(name) >= sizeof(xattr->name))
		return -ERANGE;
	if (xattr && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!xattr && (flags & XATTR_REPLACE))
		return -ENODATA;
	if (!xattr)
		xattr = find_xattr(0, NULL);
	if (!xattr)
		return -ENOSPC;
	xattr->ino = ino;
	xattr->size = size;
	snprintf(xattr->name, sizeof(xattr->name), "%s", name);
	memcpy(value_of(xattr), value, size);
	return 0;
}

int memfs_getxattr(memfs_ino ino, const char *name, void *buf, size_t size)
{
	auto_memfs_lock;
	const struct xattr *xattr = find_xattr(ino, name);

	if (!xattr)
		return -ENODATA;
	if (size && size < xattr->size)
		return -ERANGE;
	if (size)
		memcpy(buf, value_of(xattr), xattr->size);
	return (int)xattr->size;
}

int memfs_listxattr(memfs_ino ino, char *buf, size_t size)
{
	auto_memfs_lock;
	size_t total = 0;

	for (size_t i = 0; i < N_XATTRS; i++) {
		size_t len = strlen(xattrs[i].name) + 1;

		if (xattrs[i].ino != ino)
			continue;
		if (size && total + len > size)
			return -ERANGE;
		if (size)
			memcpy(buf + total, xattrs[i].name, len);
		total += len;
	}
	return (int)total;
}

int memfs_removexattr(memfs_ino ino, const char *name)
{
	auto_memfs_lock;
	struct xattr *xattr = find_xattr(ino, name);

	if (!xattr)
		return -ENODATA;
	xattr->ino = 0;
	return 0;
}

void memfs_drop_xattrs(memfs_ino ino)
{
	for (size_t i = 0; i < N_XATTRS; i++)
		if (xattrs[i].ino == ino)
			xattrs[i].ino = 0;
}

void memfs_drop_locks(memfs_ino ino)
{
	for (size_t i = 0; i < N_LOCKS; i++)
		if (locks[i].ino == ino)
			locks[i].ino = 0;
}

static bool overlaps(const struct held_lock *held, memfs_ino ino,
		     const struct memfs_lock *lock)
{
	return held->ino == ino && held->lock.whole == lock->whole &&
	       held->lock.start <= lock->end && lock->start <= held->lock.end;
}

static struct held_lock *conflict(memfs_ino ino, const struct memfs_lock *lock)
{
	for (size_t i = 0; i < N_LOCKS; i++) {
		struct held_lock *held = &locks[i];

		if (overlaps(held, ino, lock) && held->lock.owner != lock->owner &&
		    (held->lock.type == F_WRLCK || lock->type == F_WRLCK))
			return held;
	}
	return NULL;
}

static int add_lock(memfs_ino ino, const struct memfs_lock *lock, uint64_t start,
		    uint64_t end)
{
	for (size_t i = 0; i < N_LOCKS; i++) {
		if (locks[i].ino)
			continue;
		locks[i].ino = ino;
		locks[i].lock = *lock;
		locks[i].lock.start = start;
		locks[i].lock.end = end;
		return 0;
	}
	return -ENOLCK;
}

/* Takes the range out of what the owner holds: up to two pieces of an old lock stay. */
static int cut_out(memfs_ino ino, const struct memfs_lock *lock)
{
	int ret = 0;

	for (size_t i = 0; i < N_LOCKS; i++) {
		struct held_lock old = locks[i];

		if (!overlaps(&old, ino, lock) || old.lock.owner != lock->owner)
			continue;
		locks[i].ino = 0;
		if (old.lock.start < lock->start)
			ret = add_lock(ino, &old.lock, old.lock.start, lock->start - 1);
		if (!ret && old.lock.end > lock->end)
			ret = add_lock(ino, &old.lock, lock->end + 1, old.lock.end);
	}
	return ret;
}

int memfs_setlk(memfs_ino ino, const struct memfs_lock *lock)
{
	auto_memfs_lock;
	int ret;

	if (!memfs_node(ino))
		return -ESTALE;
	if (lock->type != F_UNLCK && conflict(ino, lock))
		return -EAGAIN;
	ret = cut_out(ino, lock);
	if (ret < 0 || lock->type == F_UNLCK)
		return ret;
	return add_lock(ino, lock, lock->start, lock->end);
}

int memfs_getlk(memfs_ino ino, struct memfs_lock *lock)
{
	auto_memfs_lock;
	const struct held_lock *held = conflict(ino, lock);

	if (!memfs_node(ino))
		return -ESTALE;
	if (held)
		*lock = held->lock;
	else
		lock->type = F_UNLCK;
	return 0;
}

void memfs_unlock(memfs_ino ino, uint64_t owner, int whole)
{
	const struct memfs_lock all = {
		.owner = owner,
		.end = UINT64_MAX,
		.type = F_UNLCK,
		.whole = whole,
	};

	memfs_setlk(ino, &all);
}
