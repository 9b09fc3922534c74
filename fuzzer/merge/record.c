/* SPDX-License-Identifier: MIT */
/* What a campaign brought, as JSON, and the union of such records. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "harness/scenario/verdict.h"
#include "merge.h"

#define JSON_MAX (64 << 20)

static const char *const sections[] = {"findings/bug", "findings/contract"};

static json_t *read_json(int dir_fd, const char *name, int *ret_err)
{
	json_t *json;
	struct stat st;
	char *text;
	size_t len;

	*ret_err = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) ? -errno
		   : S_ISREG(st.st_mode)			   ? 0
								   : -EINVAL;
	if (!*ret_err)
		*ret_err = file_read(dir_fd, name, JSON_MAX, &text, &len);
	if (*ret_err < 0)
		return NULL;
	json = json_loadb(text, len, 0, NULL);
	free(text);
	if (!json_is_object(json)) {
		json_decref(json);
		*ret_err = -EINVAL;
		return NULL;
	}
	return json;
}

static json_int_t number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

/* "lost-0123456789abcdef", as finding folders are called. */
static bool is_finding(const char *name, int section)
{
	const char *dash = strrchr(name, '-');
	char verdict[24];
	int v;

	if (!dash || strlen(dash + 1) != 16 ||
	    strspn(dash + 1, "0123456789abcdef") != 16 ||
	    dash - name >= (long)sizeof(verdict))
		return false;
	snprintf(verdict, sizeof(verdict), "%.*s", (int)(dash - name), name);
	v = verdict_by_name(verdict);
	return v >= 0 && (verdict_table[v].severity < SEVERITY_BUG) == section;
}

static json_t *one_finding(int section_fd, const char *name)
{
	int fd =
		openat(section_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	json_t *json = NULL;
	struct stat st;
	int err;

	if (fd < 0)
		return NULL;
	/* Both are there in a folder that was written to its end. */
	if (!fstatat(fd, "scenario.bin", &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISREG(st.st_mode) && st.st_size > 0)
		json = read_json(fd, "finding.json", &err);
	close(fd);
	return json;
}

static void read_section(int dir_fd, int section, const char *name, json_t *findings,
			 merge_complain *complain, unsigned int *skipped)
{
	int fd = openat(dir_fd, sections[section],
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char line[MERGE_ERROR];
		json_t *finding;

		if (entry->d_name[0] == '.')
			continue;
		finding = is_finding(entry->d_name, section)
				  ? one_finding(fd, entry->d_name)
				  : NULL;
		if (finding) {
			json_object_set_new(findings, entry->d_name, finding);
			continue;
		}
		++*skipped;
		snprintf(line, sizeof(line),
			 "%.3000s/%s/%.300s: not a whole finding, left out", name,
			 sections[section], entry->d_name);
		complain(line);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

json_t *merge_record(int dir_fd, const char *name, merge_complain *complain,
		     unsigned int *skipped, char *err)
{
	json_t *campaign, *record, *findings;
	const char *id;
	int ret;

	record = read_json(dir_fd, MERGE_FILE, &ret);
	if (record && json_is_object(json_object_get(record, "sources")))
		return record;
	json_decref(record);
	if (ret != -ENOENT) {
		snprintf(err, MERGE_ERROR, "%.3000s/%s: damaged", name, MERGE_FILE);
		return NULL;
	}
	campaign = read_json(dir_fd, "campaign.json", &ret);
	id = json_string_value(json_object_get(campaign, "id"));
	if (!id || strlen(id) != 32 || strspn(id, "0123456789abcdef") != 32) {
		snprintf(err, MERGE_ERROR, "%.3000s: %s", name,
			 ret == -ENOENT ? "no campaign: campaign.json is missing"
			 : campaign	? "its campaign has no id: made by an older "
					  "shortfuse; resume it once"
					: "campaign.json is damaged");
		json_decref(campaign);
		return NULL;
	}
	findings = json_object();
	for (int i = 0; i < 2; i++)
		read_section(dir_fd, i, name, findings, complain, skipped);
	record = json_pack("{s:i, s:{s:o}}", "version", 1, "sources", id,
			   json_pack("{s:s, s:O, s:o}", "folder", name, "campaign",
				     campaign, "findings", findings));
	json_decref(campaign);
	return record;
}

static json_int_t runs_of(const json_t *source)
{
	return number(json_object_get(source, "campaign"), "runs");
}

int merge_union(json_t *into, const json_t *from)
{
	json_t *all = json_object_get(into, "sources");
	const char *id;
	json_t *source;
	void *at;

	for (at = json_object_iter(json_object_get(from, "sources")); at;
	     at = json_object_iter_next(json_object_get(from, "sources"), at)) {
		const json_t *old;

		id = json_object_iter_key(at);
		source = json_object_iter_value(at);
		old = json_object_get(all, id);
		if (old && runs_of(old) >= runs_of(source))
			continue;
		if (json_object_set(all, id, source))
			return -ENOMEM;
	}
	return 0;
}

static void add_number(json_t *to, const char *key, json_int_t n)
{
	json_object_set_new(to, key, json_integer(number(to, key) + n));
}

static void keep_bound(json_t *to, const char *key, json_int_t n, bool smallest)
{
	json_int_t have = number(to, key);

	if (!json_object_get(to, key) || (smallest ? n < have : n > have))
		json_object_set_new(to, key, json_integer(n));
}

/* The description comes from the source with the smallest input; of equals from the lowest id, in any order. */
static void add_finding(json_t *all, const char *name, const json_t *finding,
			const char *source)
{
	json_t *sum = json_object_get(all, name);
	json_int_t bytes = number(finding, "bytes");
	const char *from = json_string_value(json_object_get(sum, "source"));
	json_t *fresh;

	if (!sum || bytes < number(sum, "bytes") ||
	    (bytes == number(sum, "bytes") && strcmp(source, from) < 0)) {
		fresh = json_copy((json_t *)finding);
		json_object_set_new(fresh, "source", json_string(source));
		json_object_set_new(fresh, "count",
				    json_integer(sum ? number(sum, "count") : 0));
		json_object_set_new(fresh, "campaigns",
				    json_integer(sum ? number(sum, "campaigns") : 0));
		for (int i = 0; sum && i < 2; i++)
			json_object_set(fresh, i ? "first" : "last",
					json_object_get(sum, i ? "first" : "last"));
		json_object_set_new(all, name, fresh);
		sum = fresh;
	}
	add_number(sum, "count", number(finding, "count"));
	add_number(sum, "campaigns", 1);
	keep_bound(sum, "first", number(finding, "first"), true);
	keep_bound(sum, "last", number(finding, "last"), false);
}

json_t *merge_findings(const json_t *record)
{
	json_t *all = json_object(), *sources = json_object_get(record, "sources");

	for (void *at = json_object_iter(sources); all && at;
	     at = json_object_iter_next(sources, at)) {
		json_t *findings =
			json_object_get(json_object_iter_value(at), "findings");

		for (void *f = json_object_iter(findings); f;
		     f = json_object_iter_next(findings, f))
			add_finding(all, json_object_iter_key(f),
				    json_object_iter_value(f), json_object_iter_key(at));
	}
	return all;
}

static void add_campaign(json_t *sum, const json_t *campaign, json_t *verdicts)
{
	static const char *const added[] = {"runs",   "infra",	"busy_ms",
					    "steps",  "jobs",	"steps_reached",
					    "resets", "seconds"};
	json_t *target = json_object_get(campaign, "target");
	json_t *counts = json_object_get(campaign, "verdicts");

	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
		add_number(sum, added[i], number(campaign, added[i]));
	keep_bound(sum, "began", number(campaign, "began"), true);
	for (void *at = json_object_iter(counts); at;
	     at = json_object_iter_next(counts, at))
		add_number(verdicts, json_object_iter_key(at),
			   json_integer_value(json_object_iter_value(at)));
	if (!json_object_get(sum, "target")) {
		json_object_set(sum, "target", target);
		json_object_set(sum, "kernel", json_object_get(campaign, "kernel"));
	} else if (!json_equal(json_object_get(sum, "target"), target)) {
		json_object_set_new(sum, "target", json_string("several"));
		json_object_del(sum, "kernel");
	}
}

json_t *merge_campaign(const json_t *record)
{
	json_t *sources = json_object_get(record, "sources"), *verdicts = json_object();
	json_t *sum = json_pack("{s:i, s:s, s:s, s:o}", "version", 1, "state", "merged",
				"mode", "merged", "verdicts", verdicts);

	for (void *at = json_object_iter(sources); sum && at;
	     at = json_object_iter_next(sources, at))
		add_campaign(sum, json_object_get(json_object_iter_value(at), "campaign"),
			     verdicts);
	if (sum)
		json_object_set_new(sum, "campaigns",
				    json_integer(json_object_size(sources)));
	return sum;
}
