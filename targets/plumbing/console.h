/* SPDX-License-Identifier: MIT */
/* The console of a guest: kept since the last mark, appended to a file, searched for
 * kernel trouble. */
#ifndef SF_CONSOLE_H
#define SF_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/kmsg/kmsg_match.h"

#define CONSOLE_KEEP                                                                     \
	(128u << 10) /* bytes kept since the mark: what came first tells most */

struct console {
	int fd;	  /* non-blocking, read here; -1: none or ended */
	int file; /* appended to, -1: none */
	bool verbose;
	char line[512];
	size_t line_len;
	char *text; /* since the mark, with a NUL */
	size_t len;
	struct kmsg_scan scan; /* since the mark */
	char complaint[256];   /* last line of the guest's init, see
				  harness/executor/guest.h; "" if none */
};

/* Takes over fd. path: NULL, or the file to append to. 0 or -errno; fd is closed by
 * release in any case. */
int console_init(struct console *con, int fd, const char *path, bool verbose);
void console_release(struct console *con);

/* Takes what is there without waiting. False: nothing new. Closes fd at its end. */
bool console_pump(struct console *con);
/* Takes n bytes as if read. */
void console_feed(struct console *con, const char *buf, size_t n);
/* Forgets what was said so far. */
void console_mark(struct console *con);

#endif
