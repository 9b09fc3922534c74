/* SPDX-License-Identifier: MIT */
/* The kernel log since a moment: /dev/kmsg, read without blocking (Documentation/ABI/testing/dev-kmsg). */
#ifndef SF_KMSG_H
#define SF_KMSG_H

#include <stddef.h>

struct kmsg {
	int fd; /* -1: this machine has no /dev/kmsg for us */
};

/* Positioned at the end of the log. 0 or -errno. */
int kmsg_open(struct kmsg *kmsg);
void kmsg_close(struct kmsg *kmsg);
/* Forgets what was not read yet. */
void kmsg_skip(struct kmsg *kmsg);
/*
 * The next record as "[sec.usec] text", without newline; cut to size. Length, 0: nothing new, or -errno. Records that
 * the kernel has overwritten meanwhile are passed over.
 */
int kmsg_next(struct kmsg *kmsg, char *buf, size_t size);

#endif
