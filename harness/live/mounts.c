/* SPDX-License-Identifier: MIT */
/* Mounts of FUSE in a process's mount namespace, and what lies on them: loop devices, overlayfs. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "live_evidence.h"

#define LOOP_MAJOR 7 /* Documentation/admin-guide/devices.txt */

void mount_unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' &&
		    p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
			*to++ = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + p[3] - '0');
			p += 4;
		} else {
			*to++ = *p++;
		}
	}
	*to = '\0';
}

static bool is_conn(const uint32_t *conns, size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++)
		if (conns[i] == number)
			return true;
	return false;
}

/* A line of mountinfo(5). options: of the super block. */
static bool parse_line(char *line, struct conn_mount *m, const char **ret_options)
{
	char *tail = strstr(line, " - "), *end;
	unsigned int maj, min;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (!tail || sscanf(line, "%*u %*u %u:%u %*s %n", &maj, &min, &at) != 2 || !at ||
	    sscanf(tail, " - %31s %47s", m->type, m->source) != 2)
		return false;
	end = strchr(line + at, ' ');
	snprintf(m->point, sizeof(m->point), "%.*s", end ? (int)(end - line - at) : 0,
		 line + at);
	mount_unescape(m->point);
	mount_unescape(m->source);
	m->number = maj << 20 | min;
	tail = strrchr(tail, ' ');
	*ret_options = tail ? tail + 1 : "";
	return true;
}

int evidence_mounts(pid_t pid, pid_t tid, const uint32_t *conns, size_t n_conns,
		    int (*fn)(void *ctx, const struct conn_mount *mount), void *ctx)
{
	const char *options;
	struct conn_mount m;
	char path[64], *line = NULL;
	size_t size = 0;
	int ret = 0;
	FILE *in;

	/* Of the thread: a zombie leader has no namespaces any more. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/mountinfo", pid, tid);
	in = fopen(path, "re");
	if (!in)
		return -errno;
	while (!ret && getline(&line, &size, in) > 0)
		if (parse_line(line, &m, &options) && is_conn(conns, n_conns, m.number))
			ret = fn(ctx, &m);
	free(line);
	fclose(in);
	return ret;
}

/* The mount that a path is in: the longest mount point that leads to it, the last of equals. */
struct at_path {
	const char *path;
	size_t best;
	uint32_t dev;
};

static void look_for_path(struct at_path *at, const struct conn_mount *m)
{
	size_t len = strlen(m->point);

	if (len == 1 && m->point[0] == '/')
		len = 0; /* the root leads to all */
	if (strncmp(at->path, m->point, len) || (at->path[len] && at->path[len] != '/') ||
	    len + 1 < at->best)
		return;
	at->best = len + 1;
	at->dev = m->number;
}

static uint32_t dev_of_path(const char *path)
{
	struct at_path at = {.path = path};
	const char *options;
	struct conn_mount m;
	char *line = NULL;
	size_t size = 0;
	FILE *in = fopen("/proc/self/mountinfo", "re");

	while (in && getline(&line, &size, in) > 0)
		if (parse_line(line, &m, &options))
			look_for_path(&at, &m);
	free(line);
	if (in)
		fclose(in);
	return at.dev;
}

static void add(struct stacked *stacked, uint32_t dev, uint32_t conn, const char *name)
{
	if (stacked->n == STACKED_MAX)
		return;
	stacked->on[stacked->n].dev = dev;
	stacked->on[stacked->n].conn = conn;
	snprintf(stacked->on[stacked->n++].name, sizeof(stacked->on[0].name), "%.15s",
		 name);
}

static void find_loops(struct stacked *stacked, const uint32_t *conns, size_t n_conns)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char name[300], path[4096];
		unsigned int minor_;
		uint32_t conn;
		FILE *in;

		if (sscanf(entry->d_name, "loop%u", &minor_) != 1)
			continue;
		snprintf(name, sizeof(name), "/sys/block/%s/loop/backing_file",
			 entry->d_name);
		in = fopen(name, "re");
		if (!in)
			continue;
		if (fgets(path, sizeof(path), in)) {
			path[strcspn(path, "\n")] = '\0';
			conn = dev_of_path(path);
			if (is_conn(conns, n_conns, conn))
				add(stacked, LOOP_MAJOR << 20 | minor_, conn,
				    entry->d_name);
		}
		fclose(in);
	}
	if (dir)
		closedir(dir);
}

/* A layer each: "lowerdir=/a:/b,upperdir=/c". Two connections below one overlay name neither: both are added. */
static void add_layers(struct stacked *stacked, uint32_t dev, char *options,
		       const uint32_t *conns, size_t n_conns)
{
	char *save = NULL, *save_dir = NULL;

	for (char *opt = strtok_r(options, ",", &save); opt;
	     opt = strtok_r(NULL, ",", &save)) {
		char *dirs = strchr(opt, '=');

		if (!dirs || (strncmp(opt, "lowerdir", 8) && strncmp(opt, "upperdir", 8)))
			continue;
		for (char *d = strtok_r(dirs + 1, ":", &save_dir); d;
		     d = strtok_r(NULL, ":", &save_dir)) {
			uint32_t conn;

			mount_unescape(d);
			conn = dev_of_path(d);
			if (is_conn(conns, n_conns, conn))
				add(stacked, dev, conn, "overlay");
		}
	}
}

static void find_overlays(struct stacked *stacked, const uint32_t *conns, size_t n_conns)
{
	FILE *in = fopen("/proc/self/mountinfo", "re");
	const char *options;
	struct conn_mount m;
	char *line = NULL;
	size_t size = 0;

	while (in && getline(&line, &size, in) > 0)
		if (parse_line(line, &m, &options) && !strcmp(m.type, "overlay"))
			add_layers(stacked, m.number, (char *)options, conns, n_conns);
	free(line);
	if (in)
		fclose(in);
}

void stacked_find(struct stacked *stacked, const uint32_t *conns, size_t n_conns)
{
	memset(stacked, 0, sizeof(*stacked));
	if (!n_conns)
		return;
	find_loops(stacked, conns, n_conns);
	find_overlays(stacked, conns, n_conns);
}
