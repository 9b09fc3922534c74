/* SPDX-License-Identifier: MIT */
/* Runs apt with lists of our own. */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apt.h"
#include "targets/plumbing/executable.h"
#include "targets/plumbing/spawn.h"

#define QUERY_MS    60000
#define UPDATE_MS   300000
#define DOWNLOAD_MS 600000
#define FRESH_S	    86400
#define WORDS_MAX   600

/* Those that have kernels of their own, oldest first. */
static const char *const suites[] = {
	"bullseye", "bookworm", "trixie", "trixie-backports", "sid", "experimental",
};

int apt_run(const char *const *argv, int timeout_ms, char **ret_out)
{
	struct spawn sp = {.argv = argv, .cpu = -1};
	struct process proc;
	size_t size = 65536, used = 0;
	char *out = malloc(size), *more;
	int pipefd[2], ret;
	ssize_t n = 0;

	if (!out || pipe(pipefd) < 0) {
		free(out);
		return out ? -errno : -ENOMEM;
	}
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
		if (used < size - 1)
			continue;
		more = realloc(out, size * 2);
		if (!more)
			break;
		out = more;
		size *= 2;
	}
	out[used] = '\0';
	if (!ret && !process_ended(&proc, 1000))
		ret = -ETIMEDOUT;
	if (!ret)
		ret = WIFEXITED(proc.status) ? WEXITSTATUS(proc.status) : -EINTR;
	process_kill(&proc, 1000);
	close(pipefd[0]);
	*ret_out = out;
	return ret;
}

/* The URI of this machine's own Debian mirror: what apt would read main from, security and updates apart. */
static int find_mirror(char *buf, size_t size, char *err)
{
	const char *const argv[] = {"/usr/bin/apt-get",
				    "indextargets",
				    "--format",
				    "$(REPO_URI) $(RELEASE) $(COMPONENT)",
				    "Created-By: Packages",
				    NULL};
	char *out = NULL, *save = NULL, uri[1000], release[100], component[100];
	int ret = apt_run(argv, QUERY_MS, &out) ? -EIO : -ENOENT;

	for (char *line = ret == -ENOENT ? strtok_r(out, "\n", &save) : NULL;
	     line && ret < 0; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%999s %99s %99s", uri, release, component) != 3 ||
		    strcmp(component, "main") != 0 || strchr(release, '-') ||
		    !strstr(uri, "debian"))
			continue;
		snprintf(buf, size, "%s", uri);
		ret = 0;
	}
	free(out);
	if (ret < 0)
		snprintf(err, 300,
			 "this machine's apt has no Debian mirror in its sources");
	return ret;
}

static int lists_dir(char *dir, size_t size)
{
	int ret = cache_dir("apt", dir, size);
	char path[PATH_MAX + 40];
	static const char *const below[] = {"lists", "lists/partial", "archives",
					    "archives/partial"};

	for (size_t i = 0; !ret && i < sizeof(below) / sizeof(below[0]); i++) {
		snprintf(path, sizeof(path), "%.4000s/%s", dir, below[i]);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			ret = -errno;
	}
	return ret;
}

static int write_sources(const char *dir, const char *mirror)
{
	static const char *const keyrings[] = {
		"/usr/share/keyrings/debian-archive-keyring.gpg",
		"/etc/apt/trusted.gpg.d/debian-archive-keyring.gpg"};
	char path[PATH_MAX + 40], by[200] = "";
	FILE *file;

	for (size_t i = 2; i-- > 0;)
		if (!access(keyrings[i], R_OK))
			snprintf(by, sizeof(by), "[signed-by=%s] ", keyrings[i]);
	snprintf(path, sizeof(path), "%.4000s/sources.list", dir);
	file = fopen(path, "we");
	if (!file)
		return -errno;
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		fprintf(file, "deb %s%s %s main\n", by, mirror, suites[i]);
	return fclose(file) ? -EIO : 0;
}

/* argv of a program of apt over our lists. The texts belong to the caller's buffers. */
struct command {
	char lists[PATH_MAX + 80], cache[PATH_MAX + 80], sources[PATH_MAX + 80];
	const char *argv[WORDS_MAX + 32];
	size_t n;
};

static int command_begin(struct command *c, const char *program)
{
	char dir[PATH_MAX];
	int ret = lists_dir(dir, sizeof(dir));

	if (ret < 0)
		return ret;
	snprintf(c->lists, sizeof(c->lists), "Dir::State::Lists=%.4000s/lists", dir);
	snprintf(c->cache, sizeof(c->cache), "Dir::Cache=%.4000s", dir);
	snprintf(c->sources, sizeof(c->sources),
		 "Dir::Etc::SourceList=%.4000s/sources.list", dir);
	c->n = 0;
	c->argv[c->n++] = program;
	c->argv[c->n++] = "-q";
	for (const char *const *option =
		     (const char *const[]){
			     c->lists, c->cache, c->sources,
			     "Dir::Etc::SourceParts=/dev/null", "APT::Sandbox::User=root",
			     "Acquire::Languages=none", "Acquire::Retries=3", NULL};
	     *option; option++) {
		c->argv[c->n++] = "-o";
		c->argv[c->n++] = *option;
	}
	return 0;
}

static int stamp(char *path, size_t size)
{
	char dir[PATH_MAX];
	int ret = lists_dir(dir, sizeof(dir));

	snprintf(path, size, "%.4000s/updated", dir);
	return ret;
}

bool apt_has_lists(bool fresh)
{
	char path[PATH_MAX + 40];
	struct stat st;

	if (stamp(path, sizeof(path)) < 0 || stat(path, &st) < 0)
		return false;
	return !fresh || time(NULL) - st.st_mtim.tv_sec < FRESH_S;
}

/* The last line of what a program said: the one that tells why. */
static const char *last_line(char *out)
{
	size_t len = strlen(out);
	char *line;

	while (len && strchr(" \n", out[len - 1]))
		out[--len] = '\0';
	line = strrchr(out, '\n');
	return line ? line + 1 : out;
}

int apt_update(char *err)
{
	char dir[PATH_MAX], mirror[1000], path[PATH_MAX + 40], *out = NULL;
	struct command c;
	FILE *file;
	int ret = lists_dir(dir, sizeof(dir));

	if (ret < 0) {
		snprintf(err, 300, "the cache folder: %s", strerror(-ret));
		return ret;
	}
	ret = find_mirror(mirror, sizeof(mirror), err);
	if (ret < 0)
		return ret;
	ret = write_sources(dir, mirror);
	if (!ret)
		ret = command_begin(&c, "/usr/bin/apt-get");
	if (ret < 0) {
		snprintf(err, 300, "%.200s: %s", dir, strerror(-ret));
		return ret;
	}
	c.argv[c.n++] = "update";
	c.argv[c.n] = NULL;
	ret = apt_run(c.argv, UPDATE_MS, &out);
	if (ret) {
		snprintf(err, 300, "apt-get update: %.250s",
			 out && *out ? last_line(out) : "it could not be run");
		free(out);
		return -EIO;
	}
	free(out);
	stamp(path, sizeof(path));
	file = fopen(path, "we");
	return file && !fclose(file) ? 0 : -EIO;
}

int apt_cache(const char *command, const char *const *words, char **ret_out)
{
	struct command c;
	int ret = command_begin(&c, "/usr/bin/apt-cache");

	*ret_out = NULL;
	if (ret < 0)
		return ret;
	c.argv[c.n++] = command;
	for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
		c.argv[c.n++] = words[i];
	c.argv[c.n] = NULL;
	return apt_run(c.argv, QUERY_MS, ret_out);
}

int apt_download(const char *package, const char *dir, bool own, char *err)
{
	struct command c;
	const char *argv[80] = {"/bin/sh", "-c", "cd \"$1\" && shift && exec \"$@\"",
				"sh", dir};
	char *out = NULL;
	size_t n = 5;
	int ret = command_begin(&c, "/usr/bin/apt-get");

	if (ret < 0)
		return ret;
	if (own)
		for (const char *const *word =
			     (const char *const[]){"/usr/bin/apt-get", "-q", "-o",
						   "APT::Sandbox::User=root", NULL};
		     *word; word++)
			argv[n++] = *word;
	else
		for (size_t i = 0; i < c.n; i++)
			argv[n++] = c.argv[i];
	argv[n++] = "download";
	argv[n++] = package;
	argv[n] = NULL;
	ret = apt_run(argv, DOWNLOAD_MS, &out);
	if (ret)
		snprintf(err, 300, "apt-get download %.80s failed: %.180s", package,
			 out && *out ? last_line(out) : "it could not be run");
	free(out);
	return ret ? -EIO : 0;
}
