/* SPDX-License-Identifier: MIT */
/* Gets kernels, and finds them again in the cache folder. */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apt.h"
#include "fetch.h"
#include "offers.h"
#include "targets/plumbing/executable.h"

#define QUERY_MS 60000

const char *const kernel_names[] = {"5.10", "6.1", "6.12", "6.18", "newest", NULL};

/* A name that this machine's own package lists answer, without 40 MB of others. */
static const struct {
	const char *name, *meta;
} own_names[] = {
	{"6.1", "linux-image-cloud-amd64"},
	{"6.12", "linux-image-6.12-cloud-amd64"},
};

static int kernels_dir(char *dir, size_t size)
{
	return cache_dir("kernels", dir, size);
}

static bool file_of(const char *dir, const char *package, char *buf, size_t size)
{
	char pattern[PATH_MAX + 300];
	glob_t found;
	bool ok;

	snprintf(pattern, sizeof(pattern), "%.3000s/%.200s_*.deb", dir, package);
	ok = !glob(pattern, 0, NULL, &found);
	if (ok)
		snprintf(buf, size, "%s", found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return ok;
}

/* All files of a release, with commas; false where one is missing. */
static bool files_of(const char *dir, const char *release, char *buf, size_t size)
{
	static const char *const parts[] = {"binary", "modules", "base"};
	char package[200], path[PATH_MAX];
	size_t used = 0;

	snprintf(package, sizeof(package), "linux-binary-%.100s", release);
	if (!file_of(dir, package, path, sizeof(path))) {
		struct stat st;

		snprintf(package, sizeof(package), "linux-image-%.100s", release);
		/* That of a split kernel is empty. */
		return file_of(dir, package, buf, size) && !stat(buf, &st) &&
		       st.st_size > 100000;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(package, sizeof(package), "linux-%s-%.100s", parts[i], release);
		if (!file_of(dir, package, path, sizeof(path)))
			return false;
		used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? "," : "",
					 path);
		if (used >= size)
			return false;
	}
	return true;
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

int fetch_each(void (*fn)(void *ctx, const char *release, const char *files), void *ctx)
{
	char dir[3000], pattern[3100], files[KERNEL_FILES_MAX], *release[256];
	int ret = kernels_dir(dir, sizeof(dir));
	size_t n = 0;
	glob_t found;

	if (ret < 0)
		return ret;
	snprintf(pattern, sizeof(pattern), "%s/linux-{image,binary}-*_*.deb", dir);
	if (glob(pattern, GLOB_BRACE, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && n < 256; i++) {
		char *name = strrchr(found.gl_pathv[i], '/') + 1;

		name[strcspn(name, "_")] = '\0';
		release[n++] = (char *)package_release(name);
	}
	qsort(release, n, sizeof(release[0]), by_version);
	for (size_t i = 0; i < n; i++)
		if ((!i || strcmp(release[i], release[i - 1]) != 0) &&
		    files_of(dir, release[i], files, sizeof(files)))
			fn(ctx, release[i], files);
	globfree(&found);
	return 0;
}

/* "NAME RELEASE" a line, the last one counts: what "sid" or "newest" was when it was fetched. */
static void remember(const char *name, const char *release)
{
	char path[PATH_MAX], dir[3000];
	FILE *file;

	if (isdigit((unsigned char)name[0]) || package_release(name) ||
	    kernels_dir(dir, sizeof(dir)) < 0)
		return;
	snprintf(path, sizeof(path), "%s/names", dir);
	file = fopen(path, "ae");
	if (file) {
		fprintf(file, "%s %s\n", name, release);
		fclose(file);
	}
}

static bool remembered(const char *name, char release[100])
{
	char path[PATH_MAX], dir[3000], line[300], one[100], what[100];
	bool found = false;
	FILE *file;

	if (kernels_dir(dir, sizeof(dir)) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/names", dir);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%99s %99s", one, what) == 2 && !strcmp(one, name)) {
			strcpy(release, what);
			found = true;
		}
	if (file)
		fclose(file);
	return found;
}

struct search {
	const char *name;
	char *buf;
	size_t size;
	bool found;
};

static void match(void *ctx, const char *release, const char *files)
{
	struct search *search = ctx;

	if (!release_is_of(release, search->name) && strcmp(release, search->name) != 0)
		return;
	snprintf(search->buf, search->size, "%s", files);
	search->found = true;
}

static bool in_cache(const char *name, char *buf, size_t size)
{
	const char *of_package = package_release(name);
	char release[100];
	struct search search = {
		.name = of_package ? of_package : name, .buf = buf, .size = size};

	if (!of_package && remembered(name, release))
		search.name = release;
	fetch_each(match, &search);
	return search.found;
}

static bool is_name(const char *name)
{
	return isdigit((unsigned char)name[0]) || !strncmp(name, "linux-image-", 12) ||
	       !strcmp(name, "newest") || !strcmp(name, "sid") ||
	       !strcmp(name, "bullseye") || !strcmp(name, "bookworm") ||
	       !strcmp(name, "experimental") || !strncmp(name, "trixie", 6);
}

static int unknown(const char *name, char *err)
{
	snprintf(err, 300,
		 "unknown kernel '%.80s': not a file, not a package linux-image-*, not a "
		 "series or suite of 'shortfuse kernel list'",
		 name);
	return -ENOENT;
}

int fetch_cached(const char *name, char *buf, size_t size, char *err)
{
	if (!is_name(name) || strpbrk(name, "/ *?[=_"))
		return unknown(name, err);
	if (in_cache(name, buf, size))
		return 0;
	snprintf(err, 300,
		 "kernel %.60s is not here; 'shortfuse kernel fetch %.60s' gets it", name,
		 name);
	return -ENOENT;
}

/* sha256sum's own format, so that "sha256sum -c" works on it. */
static int record_sha256(const char *dir, const char *path, char *err)
{
	const char *const argv[] = {"/usr/bin/sha256sum", path, NULL};
	char *out = NULL, file[PATH_MAX + 20];
	int ret = apt_run(argv, QUERY_MS, &out);
	FILE *record;

	snprintf(file, sizeof(file), "%.4000s/SHA256SUMS", dir);
	record = ret ? NULL : fopen(file, "ae");
	if (!record || fprintf(record, "%.64s  %s\n", out, strrchr(path, '/') + 1) < 0)
		ret = -EIO;
	if (record && fclose(record))
		ret = -EIO;
	free(out);
	if (ret)
		snprintf(err, 300, "%.200s: its sha256 could not be recorded", path);
	return ret ? -EIO : 0;
}

int fetch_recorded_sha256(const char *path, char *sha)
{
	const char *slash = strrchr(path, '/');
	char file[PATH_MAX + 20], line[600], one[65], name[500];
	int ret = -ENOENT;
	FILE *record;

	sha[0] = '\0';
	if (!slash)
		return ret;
	snprintf(file, sizeof(file), "%.*s/SHA256SUMS", (int)(slash - path), path);
	record = fopen(file, "re");
	while (record && fgets(line, sizeof(line), record))
		if (sscanf(line, "%64s %499s", one, name) == 2 &&
		    !strcmp(name, slash + 1)) {
			strcpy(sha, one);
			ret = 0;
		}
	if (record)
		fclose(record);
	return ret;
}

/* Each package has its folder until it is whole: a broken download is gone on with, and two that want it take turns. */
static int download(const char *dir, const char *package, bool own,
		    void (*progress)(const char *line), char *err)
{
	char temp[PATH_MAX], pattern[PATH_MAX + 20], path[PATH_MAX], line[300];
	glob_t found;
	int lock, ret;

	snprintf(temp, sizeof(temp), "%.3000s/.part-%.200s", dir, package);
	if (mkdir(temp, 0755) < 0 && errno != EEXIST)
		return -errno;
	lock = open(temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0 ||
	    file_of(dir, package, path, sizeof(path))) {
		if (lock >= 0)
			close(lock);
		return 0;
	}
	snprintf(line, sizeof(line), "downloading %.200s", package);
	if (progress)
		progress(line);
	ret = apt_download(package, temp, own, err);
	snprintf(pattern, sizeof(pattern), "%.3300s/*.deb", temp);
	if (!ret && glob(pattern, 0, NULL, &found) == 0) {
		snprintf(path, sizeof(path), "%.3000s/%.300s", dir,
			 strrchr(found.gl_pathv[0], '/') + 1);
		ret = rename(found.gl_pathv[0], path) < 0 ? -errno
							  : record_sha256(dir, path, err);
		globfree(&found);
		remove_tree(temp);
	} else if (!ret) {
		snprintf(err, 300, "apt-get download %.80s left no package", package);
		ret = -EIO;
	}
	close(lock);
	return ret;
}

/* By the machine's own lists: "linux-image-cloud-amd64" depends on the package of the newest kernel of its series. */
static bool by_own_lists(const char *name, char *package, size_t size)
{
	char *out = NULL, *p;
	bool found = false;

	for (size_t i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++) {
		const char *const argv[] = {"/usr/bin/apt-cache", "depends",
					    own_names[i].meta, NULL};

		if (strcmp(own_names[i].name, name) != 0)
			continue;
		p = apt_run(argv, QUERY_MS, &out) ? NULL
						  : strstr(out, "Depends: linux-image-");
		if (p) {
			p += strlen("Depends: ");
			p[strcspn(p, " \n")] = '\0';
			snprintf(package, size, "%s", p);
			found = release_is_of(package_release(p), name);
		}
		free(out);
	}
	return found;
}

static int by_archive(const char *name, struct offer *ret, char *err)
{
	struct offers offers = {0};
	const struct offer *one;
	int bad = apt_has_lists(true) ? 0 : apt_update(err);

	/* Old lists are better than none. */
	if (bad && !apt_has_lists(false))
		return bad;
	bad = offers_load(&offers, err);
	if (bad)
		return bad;
	one = offers_choose(&offers, name);
	if (!one) {
		snprintf(err, 300, "the archive has no kernel '%.80s'", name);
		bad = -ENOENT;
	} else if (!one->whole) {
		snprintf(err, 300,
			 "the archive has linux-image-%.80s, but not all of its packages",
			 one->release);
		bad = -ENOENT;
	} else {
		*ret = *one;
	}
	offers_release(&offers);
	return bad;
}

static int fetch_release(const char *dir, const char *release, bool split, bool own,
			 void (*progress)(const char *line), char *err)
{
	static const char *const parts[] = {"binary", "modules", "base"};
	char package[200];
	int ret = 0;

	snprintf(package, sizeof(package), "linux-image-%.100s", release);
	if (!split)
		return download(dir, package, own, progress, err);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !ret; i++) {
		snprintf(package, sizeof(package), "linux-%s-%.100s", parts[i], release);
		ret = download(dir, package, own, progress, err);
	}
	return ret;
}

/* A package of one's own: copied, so that it stays what it is. */
static int take_file(const char *dir, const char *path, char *buf, size_t size, char *err)
{
	const char *const argv[] = {"/bin/cp", "--", path, buf, NULL};
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	char *out = NULL;
	int ret;

	if (!dot || (strcmp(dot, ".deb") != 0 && strcmp(dot, ".rpm") != 0)) {
		snprintf(err, 300,
			 "%.150s: only packages (.deb, .rpm) are kept here; give a "
			 "kernel as a "
			 "file to --target qemu:",
			 path);
		return -EINVAL;
	}
	snprintf(buf, size, "%s/%.300s", dir, slash ? slash + 1 : path);
	if (access(path, R_OK) < 0) {
		ret = -errno;
		snprintf(err, 300, "%.200s: %s", path, strerror(-ret));
		return ret;
	}
	ret = apt_run(argv, QUERY_MS, &out);
	if (ret)
		snprintf(err, 300, "%.100s: %.150s", path, out ? out : "?");
	free(out);
	return ret ? -EIO : record_sha256(dir, buf, err);
}

int fetch_kernel(const char *name, char *buf, size_t size,
		 void (*progress)(const char *line), char *err)
{
	char package[200], dir[3000];
	struct offer offer = {0};
	bool own;
	int ret = kernels_dir(dir, sizeof(dir));

	if (ret < 0)
		return ret;
	if (strchr(name, '/') || strstr(name, ".deb") || strstr(name, ".rpm"))
		return take_file(dir, name, buf, size, err);
	if (!is_name(name) || strpbrk(name, " *?[=_"))
		return unknown(name, err);
	/* An exact package does not change. */
	if (package_release(name) && in_cache(name, buf, size))
		return 0;
	own = by_own_lists(name, package, sizeof(package));
	if (own)
		snprintf(offer.release, sizeof(offer.release), "%s",
			 package_release(package));
	else
		ret = by_archive(name, &offer, err);
	/* An older one of the series will do where the archive cannot be asked. */
	if (ret < 0)
		return in_cache(name, buf, size) ? 0 : ret;
	ret = fetch_release(dir, offer.release, offer.split, own, progress, err);
	if (!ret)
		remember(name, offer.release);
	if (!ret && !files_of(dir, offer.release, buf, size)) {
		snprintf(err, 300, "the packages of %.80s are not whole", offer.release);
		ret = -EIO;
	}
	return ret;
}
