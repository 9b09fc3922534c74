/* SPDX-License-Identifier: MIT */
/* Reads /dev/kmsg. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"

int kmsg_open(struct kmsg *kmsg)
{
	kmsg->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg->fd < 0)
		return -errno;
	kmsg_skip(kmsg);
	return 0;
}

void kmsg_close(struct kmsg *kmsg)
{
	if (kmsg->fd >= 0)
		close(kmsg->fd);
	kmsg->fd = -1;
}

void kmsg_skip(struct kmsg *kmsg)
{
	if (kmsg->fd >= 0)
		lseek(kmsg->fd, 0, SEEK_END);
}

/* "priority,sequence,microseconds,flags[,...];text\n KEY=value\n": one record a read(2). */
static int format_record(char *record, char *buf, size_t size)
{
	unsigned long long us = 0;
	char *text = strchr(record, ';');

	if (!text)
		return -EPROTO;
	sscanf(record, "%*u,%*u,%llu", &us);
	text++;
	text[strcspn(text, "\n")] = '\0';
	return snprintf(buf, size, "[%5llu.%06llu] %s", us / 1000000, us % 1000000, text);
}

int kmsg_next(struct kmsg *kmsg, char *buf, size_t size)
{
	char record[8192];
	ssize_t n;
	int len;

	if (kmsg->fd < 0)
		return 0;
	do {
		n = read(kmsg->fd, record, sizeof(record) - 1);
	} while (n < 0 &&
		 (errno == EPIPE || errno == EINTR)); /* EPIPE: overwritten, go on */
	if (n <= 0)
		return n < 0 && errno != EAGAIN ? -errno : 0;
	record[n] = '\0';
	len = format_record(record, buf, size);
	return len >= (int)size ? (int)size - 1 : len;
}
