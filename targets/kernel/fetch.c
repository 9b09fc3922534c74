/* SPDX-License-Identifier: MIT */
/* Gets Debian kernels with apt, without installing them. */

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "targets/plumbing/executable.h"
#include "fetch.h"
#include "targets/plumbing/spawn.h"

#define QUERY_MS    30000
#define DOWNLOAD_MS 600000

const struct kernel_name kernel_names[] = {
	{"6.1", "linux-image-cloud-amd64"},
	{"6.12", "linux-image-6.12-cloud-amd64"},
	{NULL, NULL},
};

/*
 * Runs a program, collects at most size - 1 bytes of what it prints. Its exit status, or -errno; a last
 * line of its standard error stays in the buffer if nothing else was printed.
 */
static int run_program(const char *const *argv, int timeout_ms, char *out, size_t size)
{
	struct spawn sp = {.argv = argv, .cpu = -1};
	struct process proc;
	int pipefd[2], ret;
	size_t used = 0;
	ssize_t n;

	if (pipe(pipefd) < 0)
		return -errno;
	sp.out = sp.err = pipefd[1];
	ret = spawn_process(&sp, &proc);
	close(pipefd[1]);
	while (!ret) {
		struct pollfd pfd = {.fd = pipefd[0], .events = POLLIN};

		n = poll(&pfd, 1, timeout_ms) > 0
			    ? read(pfd.fd, out + used, size - 1 - used)
			    : 0;
		if (n <= 0)
			break;
		used += (size_t)n;
		if (used == size - 1)
			used = 0; /* its last words are what counts */
	}
	out[used] = '\0';
	if (!ret && !process_ended(&proc, 1000))
		ret = -ETIMEDOUT;
	if (!ret)
		ret = WIFEXITED(proc.status) ? WEXITSTATUS(proc.status) : -EINTR;
	process_kill(&proc, 1000);
	close(pipefd[0]);
	return ret;
}

/* "linux-image-cloud-amd64" depends on the package of the newest kernel of its series. */
static int newest_of(const char *meta, char *package, size_t size, char *err)
{
	const char *const argv[] = {"/usr/bin/apt-cache", "depends", meta, NULL};
	char out[4096], *p;
	int ret = run_program(argv, QUERY_MS, out, sizeof(out));

	p = strstr(out, "Depends: linux-image-");
	if (ret || !p) {
		snprintf(err, 300,
			 "apt-cache knows no package %.80s; is 'apt-get update' needed?",
			 meta);
		return -ENOENT;
	}
	p += strlen("Depends: ");
	p[strcspn(p, " \n")] = '\0';
	snprintf(package, size, "%s", p);
	return 0;
}

static bool is_series(const char *name)
{
	for (const struct kernel_name *k = kernel_names; k->name; k++)
		if (!strcmp(k->name, name))
			return true;
	return false;
}

static int package_of(const char *name, char *package, size_t size, char *err)
{
	for (const struct kernel_name *k = kernel_names; k->name; k++)
		if (!strcmp(k->name, name))
			return newest_of(k->meta, package, size, err);
	if (strncmp(name, "linux-image-", 12) != 0 || strpbrk(name, "/ *?[=")) {
		snprintf(err, 300,
			 "unknown kernel '%.80s': not a file, not a package "
			 "linux-image-*, not in "
			 "'shortfuse kernel list'",
			 name);
		return -ENOENT;
	}
	snprintf(package, size, "%s", name);
	return 0;
}

/* The newest file of this package in the cache. */
static int find_package(const char *package, char *buf, size_t size)
{
	char dir[PATH_MAX], pattern[PATH_MAX + 300];
	int ret = cache_dir("kernels", dir, sizeof(dir));
	glob_t found;

	if (ret < 0)
		return ret;
	snprintf(pattern, sizeof(pattern), "%s/%s_*.deb", dir, package);
	ret = glob(pattern, 0, NULL, &found) ? -ENOENT : 0;
	if (!ret)
		snprintf(buf, size, "%s", found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return ret;
}

int fetch_cached(const char *name, char *buf, size_t size, char *err)
{
	char package[200] = "linux-image-?";
	int ret = package_of(name, package, sizeof(package), err);

	if (!ret)
		ret = find_package(package, buf, size);
	/* Not the newest any more, or no package lists: an older one of the series will do. */
	if (ret < 0 && is_series(name)) {
		snprintf(package, sizeof(package), "linux-image-%.60s.*", name);
		ret = find_package(package, buf, size);
	}
	if (ret < 0 && (is_series(name) || !strncmp(name, "linux-image-", 12)))
		snprintf(err, 300,
			 "kernel %.60s is not here; 'shortfuse kernel fetch %.60s' gets "
			 "it",
			 name, name);
	return ret;
}

/* sha256sum's own format, so that "sha256sum -c" works on it. */
static int record_sha256(const char *dir, const char *path, char *err)
{
	const char *const argv[] = {"/usr/bin/sha256sum", path, NULL};
	char out[PATH_MAX + 100], file[PATH_MAX + 20];
	int ret = run_program(argv, QUERY_MS, out, sizeof(out));
	FILE *record;

	snprintf(file, sizeof(file), "%.4000s/SHA256SUMS", dir);
	record = ret ? NULL : fopen(file, "ae");
	if (!record || fprintf(record, "%.64s  %s\n", out, strrchr(path, '/') + 1) < 0)
		ret = -EIO;
	if (record && fclose(record))
		ret = -EIO;
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

static int download(const char *package, const char *temp, char *err)
{
	/* Without the sandbox user: the folder is ours alone. */
	const char *const argv[] = {
		"/bin/sh",
		"-c",
		"cd \"$1\" && exec apt-get -q -o APT::Sandbox::User=root download \"$2\"",
		"sh",
		temp,
		package,
		NULL};
	char out[4096], *last;
	int ret = run_program(argv, DOWNLOAD_MS, out, sizeof(out));

	if (!ret)
		return 0;
	while ((last = strrchr(out, '\n')) && !last[1])
		*last = '\0';
	snprintf(err, 300, "apt-get download %.80s failed: %.180s", package,
		 last ? last + 1 : out);
	return -EIO;
}

int fetch_kernel(const char *name, char *buf, size_t size,
		 void (*progress)(const char *line), char *err)
{
	char package[200], dir[PATH_MAX], temp[PATH_MAX + 20], pattern[PATH_MAX + 300],
		line[300];
	int ret = package_of(name, package, sizeof(package), err);
	glob_t found;

	if (ret < 0 || !find_package(package, buf, size))
		return ret;
	ret = cache_dir("kernels", dir, sizeof(dir));
	snprintf(temp, sizeof(temp), "%s/.new-XXXXXX", dir);
	if (ret < 0 || !mkdtemp(temp))
		return ret < 0 ? ret : -errno;
	snprintf(line, sizeof(line), "downloading %s", package);
	if (progress)
		progress(line);
	ret = download(package, temp, err);
	snprintf(pattern, sizeof(pattern), "%s/*.deb", temp);
	if (!ret && glob(pattern, 0, NULL, &found) == 0) {
		snprintf(buf, size, "%s/%s", dir, strrchr(found.gl_pathv[0], '/') + 1);
		ret = rename(found.gl_pathv[0], buf) < 0 ? -errno
							 : record_sha256(dir, buf, err);
		globfree(&found);
	} else if (!ret) {
		snprintf(err, 300, "apt-get download %.80s left no package", package);
		ret = -EIO;
	}
	remove_tree(temp);
	return ret;
}
