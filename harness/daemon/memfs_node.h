/* SPDX-License-Identifier: MIT */
/* What the files of memfs share: inodes and the lock around them. Private to memfs*.c. */
#ifndef SF_MEMFS_NODE_H
#define SF_MEMFS_NODE_H

#include <pthread.h>
#include <stdbool.h>

#include "memfs.h"

#define MEMFS_NODES 40
#define MEMFS_PAGE  4096
#define MEMFS_PAGES (MEMFS_FILE_MAX / MEMFS_PAGE) /* 64: the bits of node.written */

/* What a page holds that was never written. */
enum node_base { BASE_ZERO, BASE_PATTERN, BASE_BIN };

struct node {
	mode_t mode; /* 0: this node is free */
	uid_t uid;
	gid_t gid;
	uint32_t nlink;
	uint64_t nlookup;
	uint64_t size;
	int64_t mtime;
	uint64_t written;  /* pages that live in the page array */
	uint64_t base_len; /* bytes that come from the base; zeros after them */
	enum node_base base;
	char target[256];
};

extern pthread_mutex_t memfs_mutex;

static inline void memfs_unlock_mutex(pthread_mutex_t **mutex)
{
	pthread_mutex_unlock(*mutex);
}

static inline pthread_mutex_t *memfs_lock_mutex(void)
{
	pthread_mutex_lock(&memfs_mutex);
	return &memfs_mutex;
}

/* Held to the end of the block. */
#define auto_memfs_lock                                                                  \
	__attribute__((cleanup(memfs_unlock_mutex), unused))                             \
	pthread_mutex_t *memfs_locked = memfs_lock_mutex()

/* NULL if there is no such inode. */
struct node *memfs_node(memfs_ino ino);
memfs_ino memfs_node_ino(const struct node *node);
/* Now: one more than at the last call. */
int64_t memfs_tick(void);
/* Contents become size bytes long. */
void memfs_resize(struct node *node, uint64_t size);
/* The inode is gone: so are its attributes and locks. */
void memfs_drop_xattrs(memfs_ino ino);
void memfs_drop_locks(memfs_ino ino);
void memfs_set_bin(const void *bin);

#endif
