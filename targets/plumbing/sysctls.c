/* SPDX-License-Identifier: MIT */
/* Sets and restores the sysctls that a run on this machine needs. */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysctls.h"

#define STATE_FILE "/run/shortfuse.sysctls"

static const struct {
	const char *path, *value;
} settings[] = {
	{"/proc/sys/fs/fuse/default_request_timeout", "0"},
	{"/proc/sys/fs/fuse/max_request_timeout", "0"},
	{"/proc/sys/kernel/hung_task_warnings", "-1"},
};

#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

static int read_value(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static void write_value(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		errno = 0; /* read-only sysctl: as it is */
	close(fd);
}

/* "PATH VALUE" a line. */
static void save_originals(int fd)
{
	char text[600] = "", value[64];
	size_t len = 0;

	for (size_t i = 0; i < N_SETTINGS; i++)
		if (!read_value(settings[i].path, value, sizeof(value)))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s\n",
						settings[i].path, value);
	if (pwrite(fd, text, len, 0) != (ssize_t)len)
		errno = 0; /* /run is full: nothing to restore later */
}

static void restore_originals(int fd)
{
	char text[601] = "", path[128], value[64], *line = text;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	for (; n > 0 && *line; line++) {
		if (sscanf(line, "%127s %63s", path, value) == 2)
			for (size_t i = 0; i < N_SETTINGS; i++)
				if (!strcmp(path, settings[i].path))
					write_value(path, value);
		line = strchr(line, '\n');
		if (!line)
			break;
	}
}

/* A lock tells nothing once the last user before us has unlinked the file. */
static bool is_state_file(int fd)
{
	struct stat mine, named;

	return !fstat(fd, &mine) && !stat(STATE_FILE, &named) &&
	       mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

void sysctls_set(struct sysctls *ctl)
{
	bool locked;

	for (;;) {
		ctl->fd = open(STATE_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (ctl->fd < 0)
			return;
		/* Alone: either nothing was saved, or a killed run left its originals, which stay true. */
		if (!flock(ctl->fd, LOCK_EX | LOCK_NB) && is_state_file(ctl->fd) &&
		    lseek(ctl->fd, 0, SEEK_END) == 0)
			save_originals(ctl->fd);
		/* Not atomic: flock(2) lets go of the one lock before it takes the other. */
		locked = !flock(ctl->fd, LOCK_SH);
		if (locked ? is_state_file(ctl->fd) : errno != EINTR)
			break; /* ours; or a /run without locks, where nothing is saved */
		close(ctl->fd);
	}
	for (size_t i = 0; i < N_SETTINGS; i++)
		write_value(settings[i].path, settings[i].value);
}

void sysctls_restore(struct sysctls *ctl)
{
	if (ctl->fd < 0)
		return;
	if (!flock(ctl->fd, LOCK_EX | LOCK_NB) && is_state_file(ctl->fd)) {
		restore_originals(ctl->fd);
		unlink(STATE_FILE);
	}
	close(ctl->fd);
	ctl->fd = -1;
}
