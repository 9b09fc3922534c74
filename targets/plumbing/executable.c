/* SPDX-License-Identifier: MIT */
/* Finds the executor's binary and the cache folder. */

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executable.h"

int executor_path(char *buf, size_t size, char *err)
{
	const char *env = getenv("SHORTFUSE_EXECUTOR");
	char self[PATH_MAX] = "";
	char *slash;

	if (env) {
		snprintf(buf, size, "%s", env);
	} else {
		if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
			return -errno;
		slash = strrchr(self, '/');
		*slash = '\0';
		/* A unit test lives one folder below. */
		snprintf(buf, size, "%s/shortfuse-executor", self);
		if (access(buf, X_OK) < 0)
			snprintf(buf, size, "%s/../shortfuse-executor", self);
	}
	if (!access(buf, X_OK))
		return 0;
	snprintf(err, 300, "%.200s: %s; build it, or set SHORTFUSE_EXECUTOR", buf,
		 strerror(errno));
	return -ENOENT;
}

static int make_dirs(char *path)
{
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = c;
		if (!c)
			return 0;
	}
}

int cache_dir(const char *sub, char *buf, size_t size)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	const char *slash = sub ? "/" : "";
	struct passwd *pw = home ? NULL : getpwuid(geteuid());
	int n;

	if (!home)
		home = pw ? pw->pw_dir : "/tmp";
	if (base && base[0] == '/')
		n = snprintf(buf, size, "%s/shortfuse%s%s", base, slash, sub ? sub : "");
	else
		n = snprintf(buf, size, "%s/.cache/shortfuse%s%s", home, slash,
			     sub ? sub : "");
	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	return make_dirs(buf);
}

void remove_tree(const char *path)
{
	char *const paths[] = {(char *)path, NULL};
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *ent;

	while (fts && (ent = fts_read(fts))) {
		if (ent->fts_info == FTS_DP)
			rmdir(ent->fts_path);
		else if (ent->fts_info != FTS_D)
			unlink(ent->fts_path);
	}
	if (fts)
		fts_close(fts);
}
