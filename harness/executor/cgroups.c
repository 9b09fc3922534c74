/* SPDX-License-Identifier: MIT */
/* Where the cgroup of an executor is, and the removal of those that nobody needs any
 * more. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leftovers.h"

#define PREFIX "shortfuse-"

/* The first mount of cgroup2, or of the v1 controller "pids". */
static bool cgroup_root(char *buf, size_t size)
{
	char line[1024], point[256], type[64], options[256];
	FILE *file = fopen("/proc/self/mounts", "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %255s %63s %255s", point, type, options) != 3)
			continue;
		found = !strcmp(type, "cgroup2") ||
			(!strcmp(type, "cgroup") && strstr(options, "pids"));
		if (found)
			snprintf(buf, size, "%s", point);
	}
	if (file)
		fclose(file);
	return found;
}

bool cgroup_path(uint32_t pid, char *buf, size_t size)
{
	char root[256];

	if (!cgroup_root(root, sizeof(root)))
		return false;
	snprintf(buf, size, "%s/" PREFIX "%u", root, pid);
	return true;
}

void cgroups_clean(const char *proc_root)
{
	char root[256], path[600];
	struct dirent *entry;
	DIR *dir;

	if (!cgroup_root(root, sizeof(root)))
		return;
	dir = opendir(root);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", proc_root,
			 entry->d_name + strlen(PREFIX));
		if (!access(path, F_OK))
			continue; /* it lives */
		snprintf(path, sizeof(path), "%s/%s", root, entry->d_name);
		rmdir(path); /* EBUSY: a task that cannot die is in it; a later start
				removes it */
	}
	if (dir)
		closedir(dir);
}
