/* SPDX-License-Identifier: MIT */
/* Contents of the in-memory files: a base that is made up while reading, and pages that
 * were written. */
#include <errno.h>
#include <linux/falloc.h>
#include <string.h>
#include <unistd.h>

#include "harness/util/bulk.h"
#include "memfs_node.h"

static BULK unsigned char pages[MEMFS_NODES][MEMFS_PAGES][MEMFS_PAGE];
static const unsigned char *bin_contents;

void memfs_set_bin(const void *bin)
{
	bin_contents = bin;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bytes of a page that was never written, from offset within the page. */
static void base_bytes(const struct node *node, size_t page, size_t offset, void *buf,
		       size_t len)
{
	uint64_t pos = (uint64_t)page * MEMFS_PAGE + offset;
	size_t n = pos < node->base_len ? min_u64(len, node->base_len - pos) : 0;

	if (n && node->base == BASE_BIN)
		memcpy(buf, bin_contents + pos, n);
	else
		memset(buf, 'A' + (int)((memfs_node_ino(node) + page) % 26), n);
	memset((char *)buf + n, 0, len - n);
}

static unsigned char *page_of(const struct node *node, size_t page)
{
	return pages[memfs_node_ino(node) - 1][page];
}

/* The page as memory to write to. */
static unsigned char *own_page(struct node *node, size_t page)
{
	unsigned char *memory = page_of(node, page);

	if (!(node->written >> page & 1)) {
		base_bytes(node, page, 0, memory, MEMFS_PAGE);
		node->written |= 1ULL << page;
	}
	return memory;
}

static void get_bytes(const struct node *node, uint64_t pos, unsigned char *buf,
		      size_t len)
{
	while (len) {
		size_t page = pos / MEMFS_PAGE, offset = pos % MEMFS_PAGE;
		size_t n = min_u64(len, MEMFS_PAGE - offset);

		if (node->written >> page & 1)
			memcpy(buf, page_of(node, page) + offset, n);
		else
			base_bytes(node, page, offset, buf, n);
		buf += n;
		pos += n;
		len -= n;
	}
}

/* buf NULL: zeros. */
static void put_bytes(struct node *node, uint64_t pos, const unsigned char *buf,
		      size_t len)
{
	while (len) {
		size_t page = pos / MEMFS_PAGE, offset = pos % MEMFS_PAGE;
		size_t n = min_u64(len, MEMFS_PAGE - offset);

		if (buf)
			memcpy(own_page(node, page) + offset, buf, n);
		else
			memset(own_page(node, page) + offset, 0, n);
		buf = buf ? buf + n : NULL;
		pos += n;
		len -= n;
	}
}

void memfs_resize(struct node *node, uint64_t size)
{
	size_t first_gone = (size + MEMFS_PAGE - 1) / MEMFS_PAGE;

	if (size < node->size) {
		/* What is cut off must read as zeros if the file grows again. */
		if (size % MEMFS_PAGE && node->written >> (size / MEMFS_PAGE) & 1)
			memset(page_of(node, size / MEMFS_PAGE) + size % MEMFS_PAGE, 0,
			       MEMFS_PAGE - size % MEMFS_PAGE);
		if (first_gone < MEMFS_PAGES)
			node->written &= (1ULL << first_gone) - 1;
		node->base_len = min_u64(node->base_len, size);
	}
	node->size = size;
	node->mtime = memfs_tick();
}

static int regular(memfs_ino ino, struct node **ret)
{
	struct node *node = memfs_node(ino);

	if (!node)
		return -ESTALE;
	if (S_ISDIR(node->mode))
		return -EISDIR;
	if (!S_ISREG(node->mode))
		return -EINVAL;
	*ret = node;
	return 0;
}

int memfs_read(memfs_ino ino, void *buf, size_t size, uint64_t offset)
{
	auto_memfs_lock;
	struct node *node;
	int ret = regular(ino, &node);

	if (ret < 0)
		return ret;
	if (offset >= node->size)
		return 0;
	size = min_u64(size, node->size - offset);
	get_bytes(node, offset, buf, size);
	return (int)size;
}

static int write_bytes(struct node *node, const void *buf, size_t size, uint64_t offset)
{
	if (offset >= MEMFS_FILE_MAX)
		return -EFBIG;
	size = min_u64(size, MEMFS_FILE_MAX - offset);
	put_bytes(node, offset, buf, size);
	if (offset + size > node->size)
		node->size = offset + size;
	node->mtime = memfs_tick();
	return (int)size;
}

int memfs_write(memfs_ino ino, const void *buf, size_t size, uint64_t offset, int append)
{
	auto_memfs_lock;
	struct node *node;
	int ret = regular(ino, &node);

	if (ret < 0)
		return ret;
	return write_bytes(node, buf, size, append ? node->size : offset);
}

int memfs_fallocate(memfs_ino ino, int mode, uint64_t offset, uint64_t len)
{
	auto_memfs_lock;
	struct node *node;
	int ret = regular(ino, &node);

	if (ret < 0)
		return ret;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (offset > MEMFS_FILE_MAX || len > MEMFS_FILE_MAX - offset)
		return -EFBIG;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) && offset < node->size)
		put_bytes(node, offset, NULL, min_u64(len, node->size - offset));
	if (!(mode & FALLOC_FL_KEEP_SIZE) && offset + len > node->size)
		memfs_resize(node, offset + len);
	node->mtime = memfs_tick();
	return 0;
}

int64_t memfs_lseek(memfs_ino ino, uint64_t offset, int whence)
{
	auto_memfs_lock;
	struct node *node;
	int ret = regular(ino, &node);

	if (ret < 0)
		return ret;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (offset >= node->size)
		return -ENXIO;
	return (int64_t)(whence == SEEK_DATA ? offset : node->size);
}

int memfs_copy(memfs_ino from, uint64_t from_offset, memfs_ino to, uint64_t to_offset,
	       size_t len)
{
	auto_memfs_lock;
	struct node *source, *target;
	unsigned char page[MEMFS_PAGE];
	size_t done = 0;
	int ret = regular(from, &source);

	if (ret >= 0)
		ret = regular(to, &target);
	while (ret >= 0 && done < len && from_offset + done < source->size) {
		size_t n = min_u64(sizeof(page), len - done);

		n = min_u64(n, source->size - from_offset - done);
		get_bytes(source, from_offset + done, page, n);
		ret = write_bytes(target, page, n, to_offset + done);
		done += ret > 0 ? (size_t)ret : 0;
	}
	return done ? (int)done : ret;
}
