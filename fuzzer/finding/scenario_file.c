/* SPDX-License-Identifier: MIT */
/* Loads scenarios from files and says in one line why it could not. */

#include "scenario_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/scenario/codec.h"
#include "harness/scenario/text.h"

#define MAX_FILE (1u << 20)

__attribute__((format(printf, 3, 4))) static int fail(int error, char *err,
						      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(err, SCENARIO_FILE_ERROR, format, ap);
	va_end(ap);
	return error;
}

/* Bytes read, at most size, or -errno. */
static ssize_t read_whole(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += n;
	}
	return len;
}

static int interpret(const char *path, const char *buf, size_t len,
		     struct scenario *ret_scn, char *err)
{
	struct text_error wrong;

	if (!len)
		return fail(-EINVAL, err, "%s: the file is empty", path);
	if (scenario_is_text(buf, len)) {
		if (len > MAX_FILE)
			return fail(-EFBIG, err,
				    "%s: not a scenario: more than %u bytes of text",
				    path, MAX_FILE);
		if (scenario_parse(buf, len, ret_scn, &wrong) < 0)
			return fail(-EINVAL, err, "%s:%u:%u: %s", path, wrong.line,
				    wrong.column, wrong.message);
		return 0;
	}
	if (len > MAX_FILE)
		return fail(-EFBIG, err,
			    "%s: not a scenario: more than %u bytes, at most %d", path,
			    MAX_FILE, SCN_MAX_BYTES);
	if (len > SCN_MAX_BYTES)
		return fail(-EINVAL, err, "%s: not a scenario: %zu bytes, at most %d",
			    path, len, SCN_MAX_BYTES);
	scenario_decode(buf, len, ret_scn);
	return 0;
}

static int load_fd(const char *path, int fd, struct scenario *ret_scn, char *err)
{
	char *buf = malloc(MAX_FILE + 1); /* one more shows that there is more */
	ssize_t len;
	int ret;

	if (!buf)
		return fail(-ENOMEM, err, "%s: out of memory", path);
	len = read_whole(fd, buf, MAX_FILE + 1);
	if (len < 0)
		ret = fail(len, err, "%s: %s", path, strerror(-len));
	else
		ret = interpret(path, buf, len, ret_scn, err);
	free(buf);
	return ret;
}

int scenario_file_load(const char *path, struct scenario *ret_scn, char *err)
{
	char inner[4096];
	struct stat st;
	int fd, ret;

	if (!strcmp(path, "-"))
		return load_fd("standard input", STDIN_FILENO, ret_scn, err);
	/* O_NONBLOCK: a FIFO that nobody writes is empty, and does not keep us waiting. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		fcntl(fd, F_SETFL, 0);
	if (fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		close(fd);
		snprintf(inner, sizeof(inner), "%s/scenario.bin", path);
		fd = open(inner, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			return fail(-EISDIR, err,
				    "%s: a directory without a scenario.bin", path);
		path = inner;
	}
	if (fd < 0)
		return fail(-errno, err, "%s: %s", path, strerror(errno));
	ret = load_fd(path, fd, ret_scn, err);
	close(fd);
	return ret;
}
