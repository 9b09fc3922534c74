/* SPDX-License-Identifier: MIT */
/* Old nights make room: their findings, smallest input and evidence, are in the merged folders, which stay. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "nightly.h"

#define DEPTH_MAX 8

static uint64_t disk_bytes(int dir_fd, const char *name, unsigned int depth)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t sum = 0;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		sum += st.st_blocks * 512ull;
		if (S_ISDIR(st.st_mode) && depth)
			sum += disk_bytes(fd, entry->d_name, depth - 1);
	}
	if (dir)
		closedir(dir);
	return sum;
}

/* Finished nights only: an unfinished one is the next start's. */
static int is_finished(const struct nightly *n, int nights, const char *name)
{
	char path[NAME_MAX + 16];

	if (name[0] == '.' || !strcmp(name, n->stamp))
		return 0;
	snprintf(path, sizeof(path), "%s/night.json", name);
	return !faccessat(nights, path, F_OK, 0);
}

int nightly_prune(const struct nightly *n)
{
	int nights = openat(n->dir_fd, "nights", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t total = disk_bytes(n->dir_fd, ".", DEPTH_MAX);
	struct dirent **names = NULL;
	int count, finished = 0, removed = 0, ret = 0;

	if (nights < 0)
		return -errno;
	count = scandirat(nights, ".", &names, NULL, alphasort);
	if (count < 0)
		ret = -errno;
	for (int i = 0; i < count; i++)
		finished += is_finished(n, nights, names[i]->d_name);
	for (int i = 0; i < count && !ret; i++) {
		const char *name = names[i]->d_name;

		if (!is_finished(n, nights, name))
			continue;
		/* Tonight's counts as one of those to keep. */
		if ((unsigned int)finished + 1 <= n->options->keep_nights &&
		    total <= n->options->keep_bytes)
			break;
		total -= disk_bytes(nights, name, DEPTH_MAX);
		ret = file_remove_tree(nights, name);
		finished--;
		removed++;
	}
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	close(nights);
	return ret < 0 ? ret : removed;
}
