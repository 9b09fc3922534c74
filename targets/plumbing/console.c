/* SPDX-License-Identifier: MIT */
/* Collects a guest's console output and looks for kernel trouble in it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

#define INIT_MARK "shortfuse-init: "

int console_init(struct console *con, int fd, const char *path, bool verbose)
{
	memset(con, 0, sizeof(*con));
	con->fd = fd;
	con->file = -1;
	con->verbose = verbose;
	con->text = calloc(1, CONSOLE_KEEP + 1);
	if (!con->text)
		return -ENOMEM;
	if (fd >= 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	if (path)
		con->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return path && con->file < 0 ? -errno : 0;
}

void console_release(struct console *con)
{
	if (con->fd >= 0)
		close(con->fd);
	if (con->file >= 0)
		close(con->file);
	free(con->text);
	con->fd = con->file = -1;
	con->text = NULL;
}

static void end_of_line(struct console *con)
{
	const char *mark;

	con->line[con->line_len] = '\0';
	con->line_len = 0;
	mark = strstr(con->line, INIT_MARK);
	if (mark)
		snprintf(con->complaint, sizeof(con->complaint), "%.250s",
			 mark + strlen(INIT_MARK));
	kmsg_scan_line(&con->scan, con->line);
	if (con->verbose)
		fprintf(stderr, "guest: %s\n", con->line);
}

void console_feed(struct console *con, const char *buf, size_t n)
{
	if (con->file >= 0 && write(con->file, buf, n) < 0) {
		close(con->file); /* a full disk: memory has the essential part */
		con->file = -1;
	}
	for (size_t i = 0; i < n; i++) {
		char c = buf[i];

		if (c == '\r' || c == '\0')
			continue;
		if ((c < ' ' || c > '~') && c != '\n' && c != '\t')
			c = '?'; /* a serial line may say anything; JSON takes only text */
		if (con->len < CONSOLE_KEEP)
			con->text[con->len++] = c;
		if (c == '\n' || con->line_len == sizeof(con->line) - 1)
			end_of_line(con);
		if (c != '\n')
			con->line[con->line_len++] = c;
	}
	con->text[con->len] = '\0';
}

bool console_pump(struct console *con)
{
	char buf[4096];
	bool some = false;
	ssize_t n;

	while (con->fd >= 0) {
		n = read(con->fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			close(con->fd);
			con->fd = -1;
			if (con->line_len)
				end_of_line(con);
			break;
		}
		console_feed(con, buf, (size_t)n);
		some = true;
	}
	return some;
}

void console_mark(struct console *con)
{
	con->len = 0;
	if (con->text)
		con->text[0] = '\0';
	con->complaint[0] = '\0';
	memset(&con->scan, 0, sizeof(con->scan));
}
