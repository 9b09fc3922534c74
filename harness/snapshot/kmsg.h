/* SPDX-License-Identifier: MIT */
/* The kernel log since a moment: /dev/kmsg, read without blocking (Documentation/ABI/testing/dev-kmsg). */
#ifndef SF_KMSG_H
#define SF_KMSG_H

#include <stddef.h>
#include <stdint.h>

struct kmsg {
	int fd;		 /* -1: this machine has no /dev/kmsg for us */
	uint64_t us;	 /* time of the record that rest belongs to */
	char rest[2048]; /* further lines of a record of several */
};

/* Positioned at the end of the log. 0 or -errno; then *kmsg may still be used, and stays silent. */
int kmsg_open(struct kmsg *kmsg);
void kmsg_close(struct kmsg *kmsg);
/* Forgets what was not read yet. */
void kmsg_skip(struct kmsg *kmsg);
/*
 * The next line as "[sec.usec] text", without newline; cut to size. Length, 0: nothing new, or -errno. Dictionaries
 * (" KEY=value") are left out, unprintable bytes become '?'. Records that the kernel has overwritten meanwhile are
 * passed over.
 */
int kmsg_next(struct kmsg *kmsg, char *buf, size_t size);

#endif
