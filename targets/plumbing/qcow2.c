/* SPDX-License-Identifier: MIT */
/* Writes an empty qcow2 image (docs/interop/qcow2.txt of QEMU). */

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "qcow2.h"

#define CLUSTER_BITS 16
#define CLUSTER	     (1u << CLUSTER_BITS)

/* All fields are big endian. */
struct qcow2_header {
	uint32_t magic, version;
	uint64_t backing_offset;
	uint32_t backing_size, cluster_bits;
	uint64_t size;
	uint32_t crypt, l1_size;
	uint64_t l1_offset, refcount_offset;
	uint32_t refcount_clusters, n_snapshots;
	uint64_t snapshots_offset;
};

/* Clusters: 0 header, 1 refcount table, 2 refcount block, 3 L1 table (empty). */
int qcow2_make(unsigned int size_mb)
{
	struct qcow2_header header = {
		.magic = htobe32(0x514649fb),
		.version = htobe32(2),
		.cluster_bits = htobe32(CLUSTER_BITS),
		.size = htobe64((uint64_t)size_mb << 20),
		.l1_size = htobe32(1),
		.l1_offset = htobe64(3 * CLUSTER),
		.refcount_offset = htobe64(1 * CLUSTER),
		.refcount_clusters = htobe32(1),
	};
	uint64_t block = htobe64(2 * CLUSTER);
	uint16_t used[4] = {htobe16(1), htobe16(1), htobe16(1), htobe16(1)};
	int fd = memfd_create("shortfuse-snapshot", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, 4 * CLUSTER) < 0 ||
	    pwrite(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    pwrite(fd, &block, sizeof(block), CLUSTER) != sizeof(block) ||
	    pwrite(fd, used, sizeof(used), 2 * CLUSTER) != sizeof(used)) {
		close(fd);
		return -EIO;
	}
	return fd;
}
