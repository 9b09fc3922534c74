/* SPDX-License-Identifier: MIT */
/* Reads what afl-fuzz says about itself. */

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "afl.h"
#include "file.h"

/* fuzzer_stats is a minute old at times; the queue's folder is always right. */
static unsigned int count_queue(int dir_fd, const char *name)
{
	char path[64];
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "afl/%s/queue", name);
	fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((entry = readdir(dir)))
		n += !strncmp(entry->d_name, "id:", 3);
	closedir(dir);
	return n;
}

static const char *stat_value(const char *stats, const char *key)
{
	const char *at = strstr(stats, key);

	at = at ? strchr(at, ':') : NULL;
	return at ? at + 1 : NULL;
}

void afl_read_stats(const struct afl *afl, int dir_fd, struct afl_stats *ret_stats)
{
	char path[64], *text;
	const char *value;
	size_t len;

	*ret_stats = (struct afl_stats){.stability = -1};
	ret_stats->paths = count_queue(dir_fd, afl->name);
	snprintf(path, sizeof(path), "afl/%s/fuzzer_stats", afl->name);
	if (file_read(dir_fd, path, 1 << 16, &text, &len) < 0)
		return;
	value = stat_value(text, "stability");
	if (value)
		ret_stats->stability = (int)(strtod(value, NULL) * 100);
	value = stat_value(text, "execs_done");
	if (value)
		ret_stats->execs = strtoull(value, NULL, 10);
	free(text);
}

/* Without the colours and the box of its messages. */
static void plain(const char *line, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		if (line[i] == '\033') {
			while (i < len && !isalpha((unsigned char)line[i]))
				i++;
			continue;
		}
		if (isprint((unsigned char)line[i]))
			buf[n++] = line[i];
	}
	buf[n] = '\0';
}

void afl_last_words(const struct afl *afl, int dir_fd, char *buf, size_t size)
{
	char path[64], *text, *line, *end;
	size_t len;

	snprintf(buf, size, "no output");
	snprintf(path, sizeof(path), "afl-%s.log", afl->name);
	if (file_read(dir_fd, path, 64u << 20, &text, &len) < 0)
		return;
	/* "[-] PROGRAM ABORT : reason" tells most. */
	line = text;
	for (char *at = text; (at = strstr(at, "PROGRAM ABORT")); at++)
		line = at;
	end = strchrnul(line, '\n');
	if (line != text)
		plain(line, end - line, buf, size);
	free(text);
}
