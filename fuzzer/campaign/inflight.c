/* SPDX-License-Identifier: MIT */
/* Keeps the running scenario on disk until its result is filed. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/scenario/codec.h"
#include "inflight.h"

struct inflight_record {
	uint32_t len; /* 0: nothing runs */
	uint8_t bytes[SCN_MAX_BYTES];
};

int inflight_open(int dir_fd, unsigned int job)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "inflight-%u", job);
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fd;
}

int inflight_set(int fd, const struct scenario *scn)
{
	struct inflight_record record;
	int len = scenario_encode(scn, record.bytes, sizeof(record.bytes));
	ssize_t n;

	if (len < 0)
		return len;
	record.len = len;
	n = pwrite(fd, &record, sizeof(record.len) + len, 0);
	return n < 0 ? -errno : n == (ssize_t)sizeof(record.len) + len ? 0 : -ENOSPC;
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
