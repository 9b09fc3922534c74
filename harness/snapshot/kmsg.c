/* SPDX-License-Identifier: MIT */
/* Reads /dev/kmsg. */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"

int kmsg_open(struct kmsg *kmsg)
{
	kmsg->rest[0] = '\0';
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
	kmsg->rest[0] = '\0';
}

void kmsg_skip(struct kmsg *kmsg)
{
	kmsg->rest[0] = '\0';
	if (kmsg->fd >= 0)
		lseek(kmsg->fd, 0, SEEK_END);
}

/* "\x0a" and the like, as msg_add_ext_text() writes what is not printable; in place. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++) {
		char hex[3] = "";

		if (p[0] != '\\' || p[1] != 'x' || !isxdigit((unsigned char)p[2]) ||
		    !isxdigit((unsigned char)p[3])) {
			*out++ = *p;
			continue;
		}
		memcpy(hex, p + 2, 2);
		*out = (char)strtoul(hex, NULL, 16);
		/* an escape sequence must not reach a terminal */
		if (*out >= 0 && *out < ' ' && *out != '\n' && *out != '\t')
			*out = '?';
		out++;
		p += 3;
	}
	*out = '\0';
}

/* "priority,sequence,microseconds,flags[,...];text\n KEY=value\n" into us and rest. */
static int take_record(struct kmsg *kmsg, char *record)
{
	unsigned long long us = 0;
	char *text = strchr(record, ';');

	if (!text)
		return -EPROTO;
	sscanf(record, "%*u,%*u,%llu", &us);
	text++;
	text[strcspn(text, "\n")] = '\0';
	unescape(text);
	kmsg->us = us;
	snprintf(kmsg->rest, sizeof(kmsg->rest), "%s", text);
	return 0;
}

static int take_line(struct kmsg *kmsg, char *buf, size_t size)
{
	size_t len = strcspn(kmsg->rest, "\n");
	int n = snprintf(buf, size, "[%5llu.%06llu] %.*s",
			 (unsigned long long)kmsg->us / 1000000,
			 (unsigned long long)kmsg->us % 1000000, (int)len, kmsg->rest);

	if (kmsg->rest[len])
		len++;
	memmove(kmsg->rest, kmsg->rest + len, strlen(kmsg->rest + len) + 1);
	return n >= (int)size ? (int)size - 1 : n;
}

int kmsg_next(struct kmsg *kmsg, char *buf, size_t size)
{
	char record[8192]; /* CONSOLE_EXT_LOG_MAX */
	ssize_t n;
	int ret;

	if (kmsg->fd < 0)
		return 0;
	if (kmsg->rest[0])
		return take_line(kmsg, buf, size);
	do {
		n = read(kmsg->fd, record, sizeof(record) - 1);
	} while (n < 0 &&
		 (errno == EPIPE || errno == EINTR)); /* EPIPE: overwritten, go on */
	if (n <= 0)
		return n < 0 && errno != EAGAIN ? -errno : 0;
	record[n] = '\0';
	ret = take_record(kmsg, record);
	return ret < 0 ? ret : take_line(kmsg, buf, size);
}
