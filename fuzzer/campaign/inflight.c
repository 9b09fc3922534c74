/* SPDX-License-Identifier: MIT */
/* Keeps the running scenario on disk until its result is filed. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "harness/scenario/codec.h"
#include "inflight.h"

struct inflight_record {
	uint32_t len; /* 0: nothing runs */
	uint8_t bytes[SCN_MAX_BYTES];
};

/* All the room it ever needs: what is rewritten in place is one block of data to sync, and no disk is too full for it. */
static int make_room(int dir_fd, int fd)
{
	static const struct inflight_record empty;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size >= (off_t)sizeof(empty))
		return 0;
	if (pwrite(fd, (const char *)&empty + st.st_size, sizeof(empty) - st.st_size,
		   st.st_size) < 0 ||
	    fsync(fd))
		return -errno;
	return file_sync_dir(dir_fd);
}

int inflight_open(int dir_fd, unsigned int job)
{
	char name[32];
	int fd, ret;

	snprintf(name, sizeof(name), "inflight-%u", job);
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ret = make_room(dir_fd, fd);
	if (ret < 0)
		close(fd);
	return ret < 0 ? ret : fd;
}

int inflight_set(int fd, const struct scenario *scn, bool durable)
{
	struct inflight_record record;
	int len = scenario_encode(scn, record.bytes, sizeof(record.bytes));
	ssize_t n;

	if (len < 0)
		return len;
	record.len = len;
	n = pwrite(fd, &record, sizeof(record.len) + len, 0);
	if (n != (ssize_t)sizeof(record.len) + len)
		return n < 0 ? -errno : -ENOSPC;
	return durable && fdatasync(fd) ? -errno : 0;
}

void inflight_clear(int fd)
{
	uint32_t none = 0;

	/* Cannot need space: the bytes are there. If it fails, the run is repeated, that
	 * is all. */
	if (pwrite(fd, &none, sizeof(none), 0) < 0)
		return;
}

int inflight_get(int fd, struct scenario *ret_scn)
{
	struct inflight_record record;
	ssize_t n = pread(fd, &record, sizeof(record), 0);

	if (n < (ssize_t)sizeof(record.len) || !record.len ||
	    record.len > SCN_MAX_BYTES || n < (ssize_t)(sizeof(record.len) + record.len))
		return 0;
	scenario_decode(record.bytes, record.len, ret_scn);
	return 1;
}
