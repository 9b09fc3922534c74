/* SPDX-License-Identifier: MIT */
/* Makes room in the cache folder of kernels. */

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch.h"
#include "offers.h"
#include "targets/plumbing/executable.h"

struct prune {
	const char *name;
	void (*progress)(const char *line);
	long kb;
	char release[100], files[KERNEL_FILES_MAX]; /* the one before, if no name */
};

static void drop_file(struct prune *prune, const char *path)
{
	struct stat st;

	if (!stat(path, &st) && !unlink(path))
		prune->kb += st.st_size / 1024;
}

static void drop(struct prune *prune, const char *release, const char *files)
{
	char copy[KERNEL_FILES_MAX], line[200], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", files);
	for (char *one = strtok_r(copy, ",", &save); one;
	     one = strtok_r(NULL, ",", &save))
		drop_file(prune, one);
	snprintf(line, sizeof(line), "removed %.100s", release);
	if (prune->progress)
		prune->progress(line);
}

/* "6.12.117+deb13-cloud-amd64" and "6.12.107+..." are of one series. */
static bool same_series(const char *a, const char *b)
{
	size_t n = strcspn(a, ".");

	n += a[n] ? 1 + strspn(a + n + 1, "0123456789") : 0;
	return !strncmp(a, b, n) && !isdigit((unsigned char)b[n]);
}

static void see(void *ctx, const char *release, const char *files)
{
	struct prune *prune = ctx;

	if (prune->name) {
		if (release_is_of(release, prune->name) || !strcmp(release, prune->name))
			drop(prune, release, files);
		return;
	}
	/* Oldest first: the one before is not the newest of its series. */
	if (prune->release[0] && same_series(prune->release, release))
		drop(prune, prune->release, prune->files);
	snprintf(prune->release, sizeof(prune->release), "%s", release);
	snprintf(prune->files, sizeof(prune->files), "%s", files);
}

static void drop_leftovers(void)
{
	char dir[3000], path[PATH_MAX];
	glob_t found;

	if (cache_dir("kernels", dir, sizeof(dir)) < 0)
		return;
	snprintf(path, sizeof(path), "%s/.part-*", dir);
	if (!glob(path, 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			remove_tree(found.gl_pathv[i]);
	globfree(&found);
	if (!cache_dir("apt", dir, sizeof(dir)))
		remove_tree(dir);
}

long fetch_prune(const char *name, void (*progress)(const char *line), char *err)
{
	struct prune prune = {.progress = progress};
	int ret;

	prune.name = name && package_release(name) ? package_release(name) : name;
	ret = fetch_each(see, &prune);
	if (ret < 0) {
		snprintf(err, 300, "the cache folder: %s", strerror(-ret));
		return ret;
	}
	if (!name)
		drop_leftovers();
	if (name && !prune.kb) {
		snprintf(err, 300, "no kernel '%.80s' is here", name);
		return -ENOENT;
	}
	return prune.kb;
}
