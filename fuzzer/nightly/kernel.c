/* SPDX-License-Identifier: MIT */
/* One kernel of a night: what is known is replayed, then it is fuzzed, then the two are compared. */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "compare.h"
#include "fuzzer/campaign/file.h"
#include "fuzzer/finding/probe.h"
#include "fuzzer/finding/scenario_file.h"
#include "fuzzer/merge/merge.h"
#include "harness/explain/explain.h"
#include "nightly.h"

/* A kernel's part of a night under way. */
struct part {
	struct nightly *n;
	const char *kernel, *target;
	char slug[80], state[120]; /* state: kernels/SLUG */
	char target_buf[300], campaign[PATH_MAX], merged[PATH_MAX];
	json_t *before, *rows; /* rows.json of the last night; tonight's, by finding */
	json_t *next;	       /* rows.json for the next night */
	char error[400];
};

void nightly_slug(const char *kernel, char *buf, size_t size)
{
	size_t len = 0;
	const char *slash = strrchr(kernel, '/');

	/* Of a path its last part; two kernels of one file name are one to the history. */
	for (kernel = slash ? slash + 1 : kernel; *kernel && len + 1 < size; kernel++)
		buf[len++] = isalnum((unsigned char)*kernel) || strchr(".-_", *kernel)
				     ? *kernel
				     : '_';
	buf[len] = '\0';
	if (buf[0] == '.')
		buf[0] = '_';
}

static json_int_t number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

static const char *text(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value ? value : "";
}

/* Replays one finding "replays" times into row. 0, or -errno when the target is lost. */
static int replay_one(struct part *part, struct probe *probe, const struct scenario *scn,
		      enum verdict verdict, const char *id, json_t *row)
{
	unsigned int same = 0, runs = 0, infra = 0, severer = 0;
	enum verdict severest = VERDICT_CLEAN;
	int ret = 0;

	while (runs + infra < part->n->options->replays && !ret) {
		struct result res;
		char shown[40] = "";

		if (nightly_interrupted())
			return -EINTR;
		ret = probe_run(probe, scn, 0, &res);
		if (ret < 0)
			break;
		if (res.signature)
			signature_format(res.verdict, res.signature, shown);
		if (res.verdict == VERDICT_INFRA)
			infra++;
		else
			runs++;
		same += !strcmp(shown, id);
		if (res.verdict != VERDICT_INFRA &&
		    verdict_table[res.verdict].severity >
			    verdict_table[verdict].severity) {
			severer++;
			severest = res.verdict;
		}
		result_release(&res);
	}
	json_object_set_new(row, "same", json_integer(same));
	json_object_set_new(row, "runs", json_integer(runs));
	json_object_set_new(row, "infra", json_integer(infra));
	json_object_set_new(row, "severer", json_integer(severer));
	json_object_set_new(row, "severest", json_string(verdict_table[severest].name));
	return ret;
}

static int load_scenario(struct part *part, const char *id, enum verdict verdict,
			 struct scenario *ret_scn)
{
	char path[PATH_MAX], err[SCENARIO_FILE_ERROR];
	bool bug = verdict_table[verdict].severity >= SEVERITY_BUG;

	snprintf(path, sizeof(path), "%.3900s/findings/%s/%.60s/scenario.bin",
		 part->merged, bug ? "bug" : "contract", id);
	return scenario_file_load(path, ret_scn, err);
}

/* Those of earlier nights, first of all: news of them must not wait for the fuzzing. */
static int replay_known(struct part *part)
{
	struct probe probe;
	char err[300];
	int ret = 0;

	if (!json_object_size(part->before))
		return 0;
	ret = probe_open(&probe, part->target, err);
	if (ret < 0) {
		snprintf(part->error, sizeof(part->error), "%s", err);
		return ret;
	}
	for (void *at = json_object_iter(part->before); at && !ret;
	     at = json_object_iter_next(part->before, at)) {
		const char *id = json_object_iter_key(at);
		int verdict =
			verdict_by_name(text(json_object_iter_value(at), "verdict"));
		json_t *row = json_object();
		struct scenario scn;

		json_object_set_new(part->rows, id, row);
		if (verdict >= 0 && !load_scenario(part, id, verdict, &scn))
			ret = replay_one(part, &probe, &scn, verdict, id, row);
	}
	if (ret < 0 && ret != -EINTR)
		snprintf(part->error, sizeof(part->error),
			 "the target was lost during the replays: %s", strerror(-ret));
	probe_close(&probe);
	return ret;
}

/* The corpus, and the smallest input of everything found so far. */
static int make_seeds(struct part *part, char *path, size_t size)
{
	int corpus = open(part->n->options->corpus, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int merged = open(part->merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[100];
	int fd, ret = 0;

	snprintf(name, sizeof(name), "%.80s.seeds", part->slug);
	snprintf(path, size, "%.3000s/nights/%s/%s", part->n->options->dir,
		 part->n->stamp, name);
	fd = file_make_dir(part->n->night_fd, name);
	if (fd < 0)
		ret = fd;
	if (!ret && corpus >= 0)
		ret = merge_copy_tree(corpus, ".", fd, "corpus", 2);
	if (!ret && merged >= 0)
		ret = merge_copy_seeds(merged, fd);
	if (fd >= 0)
		close(fd);
	if (corpus >= 0)
		close(corpus);
	if (merged >= 0)
		close(merged);
	return ret;
}

/* What a campaign that was cut short has had already. */
static long seconds_left(struct part *part, bool *ret_resume)
{
	char name[100];
	json_t *campaign;
	long left = part->n->options->seconds;

	snprintf(name, sizeof(name), "%.80s/campaign.json", part->slug);
	campaign = nightly_read(part->n->night_fd, name);
	*ret_resume = campaign != NULL;
	left -= number(campaign, "seconds");
	json_decref(campaign);
	return left;
}

/* A campaign whose nightly was killed ends by itself, and holds its folder while it does. */
static void wait_for_folder(struct part *part)
{
	int fd =
		openat(part->n->night_fd, part->slug, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int tries = 0; fd >= 0 && tries < 300 && !nightly_interrupted(); tries++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			break;
		poll(NULL, 0, 100);
	}
	if (fd >= 0)
		close(fd);
}

static int fuzz(struct part *part)
{
	char seeds[PATH_MAX], time_arg[32], log[100];
	const char *args[20] = {"fuzz",	    "--target",	    part->target, "--quiet",
				"-o",	    part->campaign, "--time",	  time_arg,
				"--corpus", seeds};
	unsigned int n = 10;
	bool resume;
	long left;
	int ret;

	wait_for_folder(part);
	left = seconds_left(part, &resume);
	if (left <= 0)
		return 0;
	ret = make_seeds(part, seeds, sizeof(seeds));
	if (ret < 0) {
		snprintf(part->error, sizeof(part->error), "seeds: %s", strerror(-ret));
		return ret;
	}
	snprintf(time_arg, sizeof(time_arg), "%lds", left);
	snprintf(log, sizeof(log), "%.80s.log", part->slug);
	if (resume)
		args[n++] = "--resume";
	if (part->n->options->jobs) {
		args[n++] = "--jobs";
		args[n++] = part->n->options->jobs;
	}
	ret = nightly_child(part->n, log, args);
	if (ret == 0 || ret == 1 || ret == -EINTR)
		return ret < 0 ? ret : 0;
	snprintf(part->error, sizeof(part->error),
		 "the campaign ended with status %d: %s", ret, log);
	return -EIO;
}

static void complain(const char *what)
{
	fprintf(stderr, "shortfuse nightly: %s\n", what);
}

static int merge(struct part *part)
{
	const char *dirs[] = {part->campaign};
	struct merge_counts counts;
	char err[MERGE_ERROR];
	int ret = merge_run(dirs, 1, part->merged, complain, &counts, err);

	if (ret < 0)
		snprintf(part->error, sizeof(part->error), "%.390s", err);
	return ret;
}

static void fill_row(struct part *part, const char *id, const json_t *found, json_t *row)
{
	const json_t *before = json_object_get(part->before, id);
	const json_t *from = found ? found : before;
	const char *severest = text(row, "severest");
	int verdict = verdict_by_name(text(from, "verdict"));
	int worst = severest[0] ? verdict_by_name(severest) : VERDICT_CLEAN;
	struct night_facts facts = {
		.before = before != NULL,
		.was_gone = !strcmp(text(before, "state"), night_state_names[NIGHT_GONE]),
		.tonight = found != NULL,
		.verdict = verdict < 0 ? VERDICT_INFRA : verdict,
		.before_same = number(before, "same"),
		.before_runs = number(before, "runs"),
		.same = number(row, "same"),
		.runs = number(row, "runs"),
		.severer = number(row, "severer"),
		.before_severer = number(before, "severer"),
		.before_severer_runs = number(before, "severer_runs"),
		.severest = worst < 0 ? VERDICT_CLEAN : worst,
		.infra = number(row, "infra")};
	struct night_answer answer;
	char today[12];
	struct tm tm;

	strftime(today, sizeof(today), "%Y-%m-%d", gmtime_r(&part->n->began, &tm));
	night_compare(&facts, id, part->n->options->known, today, &answer);
	json_object_set_new(row, "state", json_string(night_state_names[answer.state]));
	json_object_set_new(row, "news", json_boolean(night_is_news(answer.state)));
	json_object_set_new(row, "sentence", json_string(answer.sentence));
	json_object_set_new(row, "verdict", json_string(text(from, "verdict")));
	json_object_set_new(row, "severity", json_string(text(from, "severity")));
	json_object_set_new(row, "reason", json_string(text(from, "reason")));
	json_object_set_new(row, "count", json_integer(number(found, "count")));
	json_object_set_new(row, "since",
			    json_string(before ? text(before, "since") : part->n->stamp));
}

/* A finding's rate is what the last replays gave that showed it at all; a new one's, what its campaign tried. */
static json_t *remember(const json_t *row, const json_t *before, const json_t *found)
{
	json_t *next = json_copy((json_t *)row);
	const json_t *rate = number(row, "same") || !before ? row : before;
	const char *same = "same", *runs = "runs";

	if (!before && !number(row, "runs")) {
		rate = found;
		same = "replayed";
		runs = "reruns";
	}
	json_object_set_new(next, "severer_runs", json_integer(number(row, "runs")));
	json_object_set_new(next, "same", json_integer(number(rate, same)));
	json_object_set_new(next, "runs", json_integer(number(rate, runs)));
	return next;
}

/* rows of tonight, and what the next night starts from. */
static void compare_all(struct part *part)
{
	json_t *campaign, *found;
	char err[MERGE_ERROR];
	int fd;
	unsigned int skipped = 0;

	fd = openat(part->n->night_fd, part->slug, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	campaign =
		fd < 0 ? NULL : merge_record(fd, part->campaign, complain, &skipped, err);
	found = campaign ? merge_findings(campaign) : json_object();
	for (void *at = json_object_iter(found); at;
	     at = json_object_iter_next(found, at))
		if (!json_object_get(part->rows, json_object_iter_key(at)))
			json_object_set_new(part->rows, json_object_iter_key(at),
					    json_object());
	for (void *at = json_object_iter(part->rows); at;
	     at = json_object_iter_next(part->rows, at)) {
		const char *id = json_object_iter_key(at);
		json_t *row = json_object_iter_value(at);

		fill_row(part, id, json_object_get(found, id), row);
		json_object_set_new(part->next, id,
				    remember(row, json_object_get(part->before, id),
					     json_object_get(found, id)));
	}
	json_decref(found);
	json_decref(campaign);
	if (fd >= 0)
		close(fd);
}

static int run_part(struct part *part)
{
	char path[200];
	int fd, ret;

	snprintf(part->state, sizeof(part->state), "kernels/%s", part->slug);
	fd = file_make_dir(part->n->dir_fd, part->state);
	if (fd < 0) {
		snprintf(part->error, sizeof(part->error), "%s: %s", part->state,
			 strerror(-fd));
		return fd;
	}
	close(fd);
	snprintf(part->merged, sizeof(part->merged), "%.3000s/%s/merged",
		 part->n->options->dir, part->state);
	snprintf(part->campaign, sizeof(part->campaign), "%.3000s/nights/%s/%s",
		 part->n->options->dir, part->n->stamp, part->slug);
	snprintf(path, sizeof(path), "%s/rows.json", part->state);
	part->before = nightly_read(part->n->dir_fd, path);
	if (!part->before)
		part->before = json_object();
	ret = replay_known(part);
	if (ret == -EINTR)
		return ret;
	if (!ret)
		ret = fuzz(part);
	if (ret == -EINTR)
		return ret;
	if (!ret)
		ret = merge(part);
	if (!ret)
		compare_all(part);
	if (ret < 0 && !part->error[0])
		snprintf(part->error, sizeof(part->error), "%s", strerror(-ret));
	return ret;
}

/* "6.12" is a kernel of "kernel list"; whatever names a target is one. */
static const char *target_of(struct part *part)
{
	if (strchr(part->kernel, ':') || !strcmp(part->kernel, "host") ||
	    !strcmp(part->kernel, "uml") || !strcmp(part->kernel, "auto"))
		return part->kernel;
	snprintf(part->target_buf, sizeof(part->target_buf), "qemu:%.280s", part->kernel);
	return part->target_buf;
}

json_t *nightly_kernel(struct nightly *n, const char *kernel, int *ret_err)
{
	struct part part = {
		.n = n, .kernel = kernel, .rows = json_object(), .next = json_object()};
	json_t *result, *campaign;
	char path[120];

	part.target = target_of(&part);
	nightly_slug(kernel, part.slug, sizeof(part.slug));
	*ret_err = run_part(&part);
	json_decref(part.before);
	if (*ret_err == -EINTR) {
		json_decref(part.rows);
		json_decref(part.next);
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/campaign.json", part.slug);
	campaign = nightly_read(n->night_fd, path);
	result = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "kernel", kernel,
			   "slug", part.slug, "error", part.error, "runs",
			   number(campaign, "runs"), "infra", number(campaign, "infra"),
			   "seconds", number(campaign, "seconds"), "rows", part.rows);
	json_object_set_new(
		result, "release",
		json_string(text(json_object_get(campaign, "kernel"), "release")));
	/* Without it the next night starts from what this one started from. */
	if (*ret_err == 0)
		json_object_set(result, "next", part.next);
	json_decref(part.next);
	json_decref(campaign);
	return result;
}
