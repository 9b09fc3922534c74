/* SPDX-License-Identifier: MIT */
/* Puts the findings, queues and sums of many campaigns into one folder. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "harness/scenario/verdict.h"
#include "merge.h"

/* A merge under way. */
struct merge {
	const char *out;
	int out_fd;
	json_t *record;
	merge_complain *complain;
	struct merge_counts *counts;
	char *err;
};

static int fail(struct merge *m, const char *what, int err)
{
	snprintf(m->err, MERGE_ERROR, "%.3000s: %.300s: %s", m->out, what,
		 strerror(-err));
	return err;
}

static int open_out(struct merge *m)
{
	int ret;

	m->out_fd = file_make_dir(AT_FDCWD, m->out);
	if (m->out_fd < 0)
		return fail(m, "cannot be made", m->out_fd);
	/* Two merges into one folder take turns. */
	if (flock(m->out_fd, LOCK_EX))
		return fail(m, "lock", -errno);
	if (faccessat(m->out_fd, MERGE_FILE, F_OK, 0)) {
		if (!faccessat(m->out_fd, "campaign.json", F_OK, 0)) {
			snprintf(
				m->err, MERGE_ERROR,
				"%.3000s: it is a campaign of its own; choose another -o",
				m->out);
			return -EINVAL;
		}
		m->record = json_pack("{s:i, s:{}}", "version", 1, "sources");
		return m->record ? 0 : fail(m, "merge.json", -ENOMEM);
	}
	m->record =
		merge_record(m->out_fd, m->out, m->complain, &m->counts->skipped, m->err);
	ret = m->record ? 0 : -EINVAL;
	return ret;
}

/* finding.json of the whole, then everything else of the folder with the smallest input. */
static int write_finding(int to_fd, const char *name, const json_t *sum)
{
	char *text = json_dumps(sum, JSON_INDENT(2) | JSON_SORT_KEYS);
	int fd = openat(to_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ret;

	/* Pruned since: its counts stay in the record. */
	if (fd < 0 && errno == ENOENT) {
		free(text);
		return 0;
	}
	fd = fd < 0 ? -errno : fd;
	ret = !text    ? -ENOMEM
	      : fd < 0 ? fd
		       : file_printf(fd, "finding.json", "%s\n", text);
	if (fd >= 0)
		close(fd);
	free(text);
	return ret;
}

static bool has_input(int section_fd, const char *name, json_int_t bytes)
{
	char path[80];
	struct stat st;

	snprintf(path, sizeof(path), "%.60s/scenario.bin", name);
	return !fstatat(section_fd, path, &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= bytes;
}

/* Appears whole: copied to a hidden folder, renamed; an older one with a larger input makes way. */
static int take_finding(struct merge *m, int from_fd, const char *section,
			const char *name, const json_t *sum)
{
	char hidden[80];
	int to = file_make_dir(m->out_fd, section), from, ret = 0;
	json_int_t bytes = json_integer_value(json_object_get(sum, "bytes"));

	from = openat(from_fd, section, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0 || from < 0) {
		ret = from < 0 ? 0 : to;
		goto out;
	}
	if (has_input(to, name, bytes) || !has_input(from, name, bytes))
		goto out;
	snprintf(hidden, sizeof(hidden), ".%.60s", name);
	file_remove_tree(to, hidden);
	ret = merge_copy_tree(from, name, to, hidden, 0);
	if (!ret)
		ret = write_finding(to, hidden, sum);
	if (!ret) {
		file_remove_tree(to, name);
		ret = renameat(to, hidden, to, name) ? -errno : 0;
	}
	if (ret)
		file_remove_tree(to, hidden);
out:
	if (to >= 0)
		close(to);
	if (from >= 0)
		close(from);
	return ret;
}

static const char *section_of(const json_t *sum)
{
	const char *name = json_string_value(json_object_get(sum, "verdict"));
	int verdict = name ? verdict_by_name(name) : -EINVAL;

	return verdict >= 0 && verdict_table[verdict].severity >= SEVERITY_BUG
		       ? "findings/bug"
		       : "findings/contract";
}

static int take_findings(struct merge *m, int from_fd, const json_t *findings)
{
	void *at;
	int ret = 0;

	for (at = json_object_iter((json_t *)findings); at && !ret;
	     at = json_object_iter_next((json_t *)findings, at)) {
		const json_t *sum = json_object_iter_value(at);

		ret = take_finding(m, from_fd, section_of(sum), json_object_iter_key(at),
				   sum);
		if (ret < 0)
			fail(m, json_object_iter_key(at), ret);
	}
	return ret;
}

/* Each instance under a name that says which campaign it is of; those of a merged folder have theirs. */
static int take_queues(struct merge *m, int from_fd, const json_t *record)
{
	json_t *sources = json_object_get(record, "sources");
	const char *id = json_object_iter_key(json_object_iter(sources));
	int fd = openat(from_fd, "afl", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int to = fd < 0 ? -1 : file_make_dir(m->out_fd, "afl"), ret = 0;
	bool merged = !faccessat(from_fd, MERGE_FILE, F_OK, 0);
	DIR *dir = to < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && !ret && (entry = readdir(dir))) {
		char name[300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), merged ? "%.0s%s" : "%.8s-%s", id,
			 entry->d_name);
		ret = merge_copy_tree(fd, entry->d_name, to, name, 1);
		if (ret == -ENOTDIR)
			ret = 0;
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	if (to >= 0)
		close(to);
	return ret < 0 ? fail(m, "afl", ret) : 0;
}

/* A source that cannot be read is told of and left out; what cannot be written ends it all. */
static int take_one(struct merge *m, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;
	json_t *record, *findings;
	char line[MERGE_ERROR];

	if (fd < 0) {
		snprintf(line, sizeof(line), "%.3000s: %s", dir, strerror(errno));
		m->complain(line);
		m->counts->skipped++;
		return 0;
	}
	record = merge_record(fd, dir, m->complain, &m->counts->skipped, line);
	if (!record) {
		m->complain(line);
		m->counts->skipped++;
		close(fd);
		return 0;
	}
	findings = merge_findings(record);
	ret = findings ? take_findings(m, fd, findings) : fail(m, dir, -ENOMEM);
	if (!ret)
		ret = take_queues(m, fd, record);
	if (!ret && merge_union(m->record, record))
		ret = fail(m, dir, -ENOMEM);
	json_decref(findings);
	json_decref(record);
	close(fd);
	return ret;
}

static int write_json(struct merge *m, const char *name, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
	int ret = text ? file_printf(m->out_fd, name, "%s\n", text) : -ENOMEM;

	free(text);
	return ret < 0 ? fail(m, name, ret) : 0;
}

/* In the order of their ids: so sums and what is taken from the first source do not depend on who came first. */
static int sort_sources(struct merge *m)
{
	char *text = json_dumps(m->record, JSON_SORT_KEYS | JSON_COMPACT);
	json_t *sorted = text ? json_loads(text, 0, NULL) : NULL;

	free(text);
	if (!sorted)
		return fail(m, MERGE_FILE, -ENOMEM);
	json_decref(m->record);
	m->record = sorted;
	return 0;
}

/* Sums of all sources into the folders, then what the whole is. */
static int finish(struct merge *m, const json_t *before)
{
	json_t *findings = merge_findings(m->record), *campaign;
	unsigned int bugs = 0;
	int ret = 0;

	for (void *at = json_object_iter(findings); at && !ret;
	     at = json_object_iter_next(findings, at)) {
		const char *name = json_object_iter_key(at);
		const char *section = section_of(json_object_iter_value(at));
		int fd = file_make_dir(m->out_fd, section);

		bugs += !strcmp(section, "findings/bug");
		m->counts->fresh += !json_object_get(before, name);
		ret = fd < 0 ? fd : write_finding(fd, name, json_object_iter_value(at));
		if (fd >= 0)
			close(fd);
	}
	m->counts->findings = json_object_size(findings);
	m->counts->campaigns = json_object_size(json_object_get(m->record, "sources"));
	campaign = merge_campaign(m->record);
	if (campaign) {
		json_object_set_new(campaign, "findings_bug", json_integer(bugs));
		json_object_set_new(campaign, "findings_contract",
				    json_integer(m->counts->findings - bugs));
	}
	if (!ret)
		ret = write_json(m, "campaign.json", campaign);
	/* Last: a merge that was cut short before is just done again. */
	if (!ret)
		ret = write_json(m, MERGE_FILE, m->record);
	json_decref(campaign);
	json_decref(findings);
	return ret;
}

int merge_run(const char *const *dirs, unsigned int n, const char *out,
	      merge_complain *complain, struct merge_counts *ret_counts, char *err)
{
	struct merge m = {.out = out,
			  .out_fd = -1,
			  .complain = complain,
			  .counts = ret_counts,
			  .err = err};
	json_t *before = NULL;
	int ret;

	*ret_counts = (struct merge_counts){0};
	ret = open_out(&m);
	if (!ret)
		before = merge_findings(m.record);
	for (unsigned int i = 0; i < n && !ret; i++)
		ret = take_one(&m, dirs[i]);
	if (!ret)
		ret = sort_sources(&m);
	if (!ret)
		ret = finish(&m, before);
	json_decref(before);
	json_decref(m.record);
	if (m.out_fd >= 0)
		close(m.out_fd);
	return ret;
}
