/* SPDX-License-Identifier: MIT */
/* Inodes and names of the in-memory file system. */
#include "memfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "memfs_node.h"

#define MEMFS_ENTRIES 96
#define FIRST_OFFSET                                                                     \
	2 /* offsets 0 and 1 are "." and ".."; entry i is at i + FIRST_OFFSET */
#define EPOCH 1700000000

struct entry {
	memfs_ino parent; /* 0: this entry is free */
	memfs_ino ino;
	char name[MEMFS_NAME_MAX + 1];
};

/* The tree that harness/scenario/tables.h promises; inode i is nodes[i - 1]. */
static const struct initial {
	memfs_ino parent;
	const char *name;
	mode_t mode;
	uint64_t size;
} initial_tree[] = {
	{0, "", S_IFDIR | 0777, 0},	      {1, "f0", S_IFREG | 0666, 64 * 1024},
	{1, "f1", S_IFREG | 0666, 64 * 1024}, {1, "f2", S_IFREG | 0666, 64 * 1024},
	{1, "d0", S_IFDIR | 0777, 0},	      {1, "d1", S_IFDIR | 0777, 0},
	{5, "f3", S_IFREG | 0666, 64 * 1024}, {1, "bin", S_IFREG | 0755, 0},
	{1, "sym", S_IFLNK | 0777, 2},
};

#define INITIAL_NODES (sizeof(initial_tree) / sizeof(initial_tree[0]))

pthread_mutex_t memfs_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct node nodes[MEMFS_NODES];
static struct entry entries[MEMFS_ENTRIES];
static int64_t now;

void memfs_init(const void *bin, size_t bin_len)
{
	for (size_t i = 0; i < INITIAL_NODES; i++) {
		const struct initial *from = &initial_tree[i];
		struct node *node = &nodes[i];

		node->mode = from->mode;
		node->nlink = S_ISDIR(from->mode) ? 2 : 1;
		node->size = from->size;
		if (S_ISREG(from->mode)) {
			node->base = BASE_PATTERN;
			node->base_len = from->size;
		}
		if (!from->parent)
			continue;
		entries[i].parent = from->parent;
		entries[i].ino = i + 1;
		strcpy(entries[i].name, from->name);
		if (S_ISDIR(from->mode))
			nodes[from->parent - 1].nlink++;
	}
	struct node *bin_node = memfs_node(memfs_resolve("bin"));
	bin_node->base = BASE_BIN;
	bin_node->size = bin_node->base_len =
		bin_len < MEMFS_FILE_MAX ? bin_len : MEMFS_FILE_MAX;
	memfs_set_bin(bin);
	strcpy(memfs_node(memfs_resolve("sym"))->target, "f0");
}

struct node *memfs_node(memfs_ino ino)
{
	return ino >= 1 && ino <= MEMFS_NODES && nodes[ino - 1].mode ? &nodes[ino - 1]
								     : NULL;
}

memfs_ino memfs_node_ino(const struct node *node)
{
	return (memfs_ino)(node - nodes) + 1;
}

int64_t memfs_tick(void)
{
	return ++now;
}

static void fill_stat(const struct node *node, struct stat *st)
{
	*st = (struct stat){
		.st_ino = memfs_node_ino(node),
		.st_mode = node->mode,
		.st_nlink = node->nlink,
		.st_uid = node->uid,
		.st_gid = node->gid,
		.st_size = (off_t)node->size,
		.st_blksize = MEMFS_PAGE,
		.st_blocks = (blkcnt_t)((node->size + 511) / 512),
		.st_atim.tv_sec = EPOCH,
		.st_mtim.tv_sec = EPOCH + node->mtime,
		.st_ctim.tv_sec = EPOCH + node->mtime,
	};
}

static struct entry *find_entry(memfs_ino parent, const char *name, size_t len)
{
	for (size_t i = 0; i < MEMFS_ENTRIES; i++) {
		struct entry *entry = &entries[i];

		if (entry->parent == parent && !strncmp(entry->name, name, len) &&
		    !entry->name[len])
			return entry;
	}
	return NULL;
}

/* 0, *ret NULL if the name is free. -ENOTDIR, -ENAMETOOLONG, -ENOENT for a removed
 * directory. */
static int find(memfs_ino parent, const char *name, struct entry **ret)
{
	const struct node *dir = memfs_node(parent);
	size_t len = strlen(name);

	if (!dir)
		return -ESTALE;
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	if (len > MEMFS_NAME_MAX)
		return -ENAMETOOLONG;
	*ret = find_entry(parent, name, len);
	return 0;
}

static int find_existing(memfs_ino parent, const char *name, struct entry **ret)
{
	int ret_find = find(parent, name, ret);

	if (ret_find < 0)
		return ret_find;
	return *ret ? 0 : -ENOENT;
}

int memfs_lookup(memfs_ino parent, const char *name, struct stat *ret_st)
{
	auto_memfs_lock;
	struct entry *entry;
	int ret = find_existing(parent, name, &entry);

	if (ret < 0)
		return ret;
	struct node *node = memfs_node(entry->ino);
	node->nlookup++;
	fill_stat(node, ret_st);
	return 0;
}

memfs_ino memfs_resolve(const char *path)
{
	auto_memfs_lock;
	memfs_ino ino = MEMFS_ROOT;

	while (*path && strcmp(path, ".")) {
		size_t len = strcspn(path, "/");
		const struct entry *entry =
			len > MEMFS_NAME_MAX ? NULL : find_entry(ino, path, len);

		if (!entry)
			return 0;
		ino = entry->ino;
		path += len + (path[len] == '/');
	}
	return ino;
}

static void free_if_unused(struct node *node)
{
	memfs_ino ino = memfs_node_ino(node);

	if (node->nlink || node->nlookup || ino == MEMFS_ROOT)
		return;
	memfs_drop_xattrs(ino);
	memfs_drop_locks(ino);
	*node = (struct node){0};
}

void memfs_forget(memfs_ino ino, uint64_t nlookup)
{
	auto_memfs_lock;
	struct node *node = memfs_node(ino);

	if (!node)
		return;
	node->nlookup -= nlookup < node->nlookup ? nlookup : node->nlookup;
	free_if_unused(node);
}

int memfs_getattr(memfs_ino ino, struct stat *ret_st)
{
	auto_memfs_lock;
	const struct node *node = memfs_node(ino);

	if (!node)
		return -ESTALE;
	fill_stat(node, ret_st);
	return 0;
}

int memfs_setattr(memfs_ino ino, const struct stat *attr, unsigned int to_set,
		  struct stat *ret_st)
{
	auto_memfs_lock;
	struct node *node = memfs_node(ino);

	if (!node)
		return -ESTALE;
	if (to_set & MEMFS_SET_SIZE) {
		if (S_ISDIR(node->mode))
			return -EISDIR;
		if (attr->st_size < 0 || attr->st_size > MEMFS_FILE_MAX)
			return -EFBIG;
		memfs_resize(node, (uint64_t)attr->st_size);
	}
	if (to_set & MEMFS_SET_MODE)
		node->mode = (node->mode & S_IFMT) | (attr->st_mode & 07777);
	if (to_set & MEMFS_SET_UID)
		node->uid = attr->st_uid;
	if (to_set & MEMFS_SET_GID)
		node->gid = attr->st_gid;
	if (to_set & MEMFS_SET_MTIME_NOW)
		node->mtime = memfs_tick();
	else if (to_set & MEMFS_SET_MTIME)
		node->mtime = attr->st_mtim.tv_sec - EPOCH;
	fill_stat(node, ret_st);
	return 0;
}

/* Enters a name for the inode; the caller has seen that it is free. */
static int add_entry(memfs_ino parent, const char *name, memfs_ino ino)
{
	if (!memfs_node(parent)->nlink)
		return -ENOENT; /* removed, but still somebody's working directory */
	for (size_t i = 0; i < MEMFS_ENTRIES; i++) {
		struct entry *entry = &entries[i];

		if (entry->parent)
			continue;
		entry->parent = parent;
		entry->ino = ino;
		strcpy(entry->name, name);
		memfs_node(parent)->mtime = memfs_tick();
		return 0;
	}
	return -ENOSPC;
}

static struct node *free_node(void)
{
	for (size_t i = 0; i < MEMFS_NODES; i++)
		if (!nodes[i].mode)
			return &nodes[i];
	return NULL;
}

int memfs_create(memfs_ino parent, const char *name, const struct memfs_new *new,
		 struct stat *ret_st)
{
	auto_memfs_lock;
	struct entry *entry;
	int ret = find(parent, name, &entry);

	if (ret < 0)
		return ret;
	if (entry)
		return -EEXIST;
	struct node *node = free_node();
	if (!node)
		return -ENFILE;
	ret = add_entry(parent, name, memfs_node_ino(node));
	if (ret < 0)
		return ret;
	*node = (struct node){
		.mode = new->mode &S_IFMT ? new->mode : new->mode | S_IFREG,
		.uid = new->uid,
		.gid = new->gid,
		.nlink = S_ISDIR(new->mode) ? 2 : 1,
		.nlookup = 1,
		.mtime = memfs_tick(),
	};
	if (new->target) {
		snprintf(node->target, sizeof(node->target), "%s", new->target);
		node->size = strlen(node->target);
	}
	if (S_ISDIR(new->mode))
		memfs_node(parent)->nlink++;
	fill_stat(node, ret_st);
	return 0;
}

int memfs_link(memfs_ino ino, memfs_ino parent, const char *name, struct stat *ret_st)
{
	auto_memfs_lock;
	struct node *node = memfs_node(ino);
	struct entry *entry;
	int ret = find(parent, name, &entry);

	if (ret < 0)
		return ret;
	if (!node)
		return -ESTALE;
	if (entry)
		return -EEXIST;
	if (S_ISDIR(node->mode))
		return -EPERM;
	if (!node->nlink)
		return -ENOENT;
	ret = add_entry(parent, name, ino);
	if (ret < 0)
		return ret;
	node->nlink++;
	node->nlookup++;
	fill_stat(node, ret_st);
	return 0;
}

static bool is_empty(memfs_ino dir)
{
	for (size_t i = 0; i < MEMFS_ENTRIES; i++)
		if (entries[i].parent == dir)
			return false;
	return true;
}

/* The name goes, and the inode with it if that was its last. */
static void remove_entry(struct entry *entry)
{
	struct node *node = memfs_node(entry->ino), *dir = memfs_node(entry->parent);

	if (S_ISDIR(node->mode)) {
		node->nlink = 0;
		dir->nlink--;
	} else {
		node->nlink--;
	}
	dir->mtime = memfs_tick();
	entry->parent = 0;
	free_if_unused(node);
}

int memfs_unlink(memfs_ino parent, const char *name, int dir)
{
	auto_memfs_lock;
	struct entry *entry;
	int ret = find_existing(parent, name, &entry);

	if (ret < 0)
		return ret;
	if (S_ISDIR(memfs_node(entry->ino)->mode)) {
		if (!dir)
			return -EISDIR;
		if (!is_empty(entry->ino))
			return -ENOTEMPTY;
	} else if (dir) {
		return -ENOTDIR;
	}
	remove_entry(entry);
	return 0;
}

/* The number of subdirectories is part of a directory's link count. */
static void move_entry(struct entry *entry, memfs_ino parent, const char *name)
{
	if (S_ISDIR(memfs_node(entry->ino)->mode)) {
		memfs_node(entry->parent)->nlink--;
		memfs_node(parent)->nlink++;
	}
	memfs_node(entry->parent)->mtime = memfs_node(parent)->mtime = memfs_tick();
	entry->parent = parent;
	strcpy(entry->name, name);
}

int memfs_rename(memfs_ino parent, const char *name, memfs_ino newparent,
		 const char *newname, unsigned int flags)
{
	auto_memfs_lock;
	struct entry *from, *to;
	int ret = find_existing(parent, name, &from);

	if (ret < 0)
		return ret;
	ret = find(newparent, newname, &to);
	if (ret < 0)
		return ret;
	if (flags & ~(unsigned int)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE) {
		char old[MEMFS_NAME_MAX + 1];

		if (!to)
			return -ENOENT;
		strcpy(old, from->name);
		move_entry(from, newparent, newname);
		move_entry(to, parent, old);
		return 0;
	}
	if (to && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!memfs_node(newparent)->nlink)
		return -ENOENT;
	if (to && to->ino == from->ino)
		return 0;
	if (to) {
		bool dir = S_ISDIR(memfs_node(to->ino)->mode);

		if (dir != !!S_ISDIR(memfs_node(from->ino)->mode))
			return dir ? -EISDIR : -ENOTDIR;
		if (dir && !is_empty(to->ino))
			return -ENOTEMPTY;
		remove_entry(to);
	}
	move_entry(from, newparent, newname);
	return 0;
}

int memfs_readlink(memfs_ino ino, char *buf, size_t size)
{
	auto_memfs_lock;
	const struct node *node = memfs_node(ino);

	if (!node)
		return -ESTALE;
	if (!S_ISLNK(node->mode))
		return -EINVAL;
	return snprintf(buf, size, "%s", node->target);
}

static memfs_ino parent_of(memfs_ino dir)
{
	for (size_t i = 0; i < MEMFS_ENTRIES; i++)
		if (entries[i].parent && entries[i].ino == dir)
			return entries[i].parent;
	return MEMFS_ROOT;
}

int memfs_readdir(memfs_ino dir, uint64_t offset, int learn, struct memfs_dirent *ret)
{
	auto_memfs_lock;

	if (!memfs_node(dir))
		return -ESTALE;
	if (offset < FIRST_OFFSET) {
		strcpy(ret->name, offset ? ".." : ".");
		fill_stat(memfs_node(offset ? parent_of(dir) : dir), &ret->st);
		ret->next = offset + 1;
		return 1;
	}
	for (size_t i = offset - FIRST_OFFSET; i < MEMFS_ENTRIES; i++) {
		struct node *node;

		if (entries[i].parent != dir)
			continue;
		node = memfs_node(entries[i].ino);
		strcpy(ret->name, entries[i].name);
		fill_stat(node, &ret->st);
		ret->next = i + FIRST_OFFSET + 1;
		node->nlookup += !!learn;
		return 1;
	}
	return 0;
}

int memfs_statfs(struct statvfs *ret_st)
{
	auto_memfs_lock;
	fsfilcnt_t n_free = 0;

	for (size_t i = 0; i < MEMFS_NODES; i++)
		n_free += !nodes[i].mode;
	*ret_st = (struct statvfs){
		.f_bsize = MEMFS_PAGE,
		.f_frsize = MEMFS_PAGE,
		.f_blocks = MEMFS_NODES * MEMFS_PAGES,
		.f_bfree = n_free * MEMFS_PAGES,
		.f_bavail = n_free * MEMFS_PAGES,
		.f_files = MEMFS_NODES,
		.f_ffree = n_free,
		.f_favail = n_free,
		.f_namemax = MEMFS_NAME_MAX,
	};
	return 0;
}
