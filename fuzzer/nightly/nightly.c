/* SPDX-License-Identifier: MIT */
/* A night: begun or gone on with, kernel by kernel, then told and remembered. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "compare.h"
#include "fuzzer/campaign/file.h"
#include "nightly.h"

static int fail(struct nightly *n, const char *what, int err)
{
	snprintf(n->err, sizeof(n->err), "%.3000s/%.300s: %s", n->options->dir, what,
		 strerror(-err));
	return err;
}

/* "20261127-030000" and the like: in the order of time. */
static bool is_stamp(const char *name)
{
	return strlen(name) == 15 && strspn(name, "0123456789-") == 15 && name[8] == '-';
}

/* The newest night, if it was not finished. */
static bool find_unfinished(struct nightly *n, int nights_fd)
{
	int fd = openat(nights_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char newest[32] = "", path[64];

	while (dir && (entry = readdir(dir)))
		if (is_stamp(entry->d_name) && strcmp(entry->d_name, newest) > 0)
			snprintf(newest, sizeof(newest), "%.15s", entry->d_name);
	if (dir)
		closedir(dir);
	snprintf(path, sizeof(path), "%s/night.json", newest);
	if (!newest[0] || !faccessat(nights_fd, path, F_OK, 0))
		return false;
	snprintf(n->stamp, sizeof(n->stamp), "%s", newest);
	return true;
}

static int open_night(struct nightly *n)
{
	int nights = file_make_dir(n->dir_fd, "nights");
	time_t now = time(NULL);
	struct tm tm;
	char path[64];

	if (nights < 0)
		return fail(n, "nights", nights);
	n->began = now;
	if (find_unfinished(n, nights)) {
		printf("Going on with the night of %s, which was cut short.\n", n->stamp);
	} else {
		/* Two nights in one second: the second one waits for its own. */
		do {
			strftime(n->stamp, sizeof(n->stamp), "%Y%m%d-%H%M%S",
				 gmtime_r(&now, &tm));
			now++;
		} while (!faccessat(nights, n->stamp, F_OK, 0));
	}
	close(nights);
	snprintf(path, sizeof(path), "nights/%s", n->stamp);
	n->night_fd = file_make_dir(n->dir_fd, path);
	return n->night_fd < 0 ? fail(n, path, n->night_fd) : 0;
}

int nightly_open(struct nightly *n, const struct nightly_options *options)
{
	memset(n, 0, sizeof(*n));
	n->options = options;
	n->night_fd = -1;
	n->dir_fd = file_make_dir(AT_FDCWD, options->dir);
	if (n->dir_fd < 0)
		return fail(n, ".", n->dir_fd);
	if (flock(n->dir_fd, LOCK_EX | LOCK_NB)) {
		snprintf(n->err, sizeof(n->err),
			 "%.3000s: another nightly is at work in it", options->dir);
		return -EBUSY;
	}
	n->night = json_pack("{s:i, s:[]}", "version", 1, "kernels");
	return n->night ? open_night(n) : fail(n, ".", -ENOMEM);
}

void nightly_close(struct nightly *n)
{
	json_decref(n->night);
	if (n->night_fd >= 0)
		close(n->night_fd);
	if (n->dir_fd >= 0)
		close(n->dir_fd);
}

static void count_rows(struct nightly *n, const json_t *part)
{
	json_t *rows = json_object_get(part, "rows");
	unsigned int counts[NIGHT_STATE_COUNT] = {0};
	const char *error = json_string_value(json_object_get(part, "error"));
	const char *at = "";

	for (void *it = json_object_iter(rows); it;
	     it = json_object_iter_next(rows, it)) {
		json_t *row = json_object_iter_value(it);
		const char *state = json_string_value(json_object_get(row, "state"));

		n->news += json_is_true(json_object_get(row, "news"));
		for (int i = 0; state && i < NIGHT_STATE_COUNT; i++)
			counts[i] += !strcmp(state, night_state_names[i]);
	}
	n->infra += error && error[0];
	printf("%s: %lld runs", json_string_value(json_object_get(part, "kernel")),
	       json_integer_value(json_object_get(part, "runs")));
	for (int i = 0; i < NIGHT_STATE_COUNT; i++) {
		if (counts[i])
			printf("%s %u %s", at[0] ? at : ":", counts[i],
			       night_state_names[i]);
		if (counts[i])
			at = ",";
	}
	printf("%s%s\n", error && error[0] ? "; infrastructure: " : "",
	       error ? error : "");
	fflush(stdout);
}

/* SLUG.json first: a night that is killed here writes rows.json again when it goes on. */
static int keep_part(struct nightly *n, const json_t *part)
{
	const char *slug = json_string_value(json_object_get(part, "slug"));
	const json_t *next = json_object_get(part, "next");
	char path[200];
	int ret;

	snprintf(path, sizeof(path), "%.80s.json", slug);
	ret = nightly_write(n->night_fd, path, part);
	if (ret < 0)
		return fail(n, path, ret);
	snprintf(path, sizeof(path), "kernels/%.80s/rows.json", slug);
	ret = next ? nightly_write(n->dir_fd, path, next) : 0;
	return ret < 0 ? fail(n, path, ret) : 0;
}

static int run_kernel(struct nightly *n, const char *kernel)
{
	char slug[80], path[120];
	json_t *part;
	int ret = 0;

	nightly_slug(kernel, slug, sizeof(slug));
	snprintf(path, sizeof(path), "%s.json", slug);
	part = nightly_read(n->night_fd, path);
	if (!part) {
		printf("%s: replaying what is known, then fuzzing; log: "
		       "%s/nights/%s/%s.log\n",
		       kernel, n->options->dir, n->stamp, slug);
		fflush(stdout);
		part = nightly_kernel(n, kernel, &ret);
	}
	if (!part)
		return ret;
	ret = keep_part(n, part);
	json_object_del(part, "next");
	count_rows(n, part);
	json_array_append_new(json_object_get(n->night, "kernels"), part);
	return ret;
}

/* One entry a night, for the plots: the whole is in night.json. */
static int remember(struct nightly *n)
{
	json_t *history = nightly_read(n->dir_fd, "history.json"), *kernels, *entry;
	json_t *parts = json_object_get(n->night, "kernels"), *nights;
	int ret;

	if (!history)
		history = json_pack("{s:i, s:{}}", "version", 1, "nights");
	kernels = json_object();
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);
		const json_t *rows = json_object_get(part, "rows");
		json_t *states = json_object();

		for (void *at = json_object_iter((json_t *)rows); at;
		     at = json_object_iter_next((json_t *)rows, at)) {
			const char *state = json_string_value(
				json_object_get(json_object_iter_value(at), "state"));
			json_int_t have =
				json_integer_value(json_object_get(states, state));

			json_object_set_new(states, state, json_integer(have + 1));
		}
		json_object_set_new(
			kernels, json_string_value(json_object_get(part, "kernel")),
			json_pack("{s:O, s:O, s:o}", "runs",
				  json_object_get(part, "runs"), "seconds",
				  json_object_get(part, "seconds"), "states", states));
	}
	entry = json_pack("{s:I, s:i, s:i, s:o}", "began", (json_int_t)n->began, "news",
			  (int)n->news, "infra", (int)n->infra, "kernels", kernels);
	nights = json_object_get(history, "nights");
	json_object_set_new(nights, n->stamp, entry);
	ret = nightly_write(n->dir_fd, "history.json", history);
	json_decref(history);
	return ret < 0 ? fail(n, "history.json", ret) : 0;
}

int nightly_run(struct nightly *n)
{
	int ret = 0;

	for (unsigned int i = 0; i < n->options->n_kernels && !ret; i++)
		ret = run_kernel(n, n->options->kernels[i]);
	if (!ret && nightly_interrupted())
		ret = -EINTR;
	if (ret < 0)
		return ret;
	json_object_set_new(n->night, "night", json_string(n->stamp));
	json_object_set_new(n->night, "began", json_integer(n->began));
	json_object_set_new(n->night, "news", json_integer(n->news));
	json_object_set_new(n->night, "infra", json_integer(n->infra));
	ret = remember(n);
	/* Last: from here on the night is over. */
	if (!ret)
		ret = nightly_write(n->night_fd, "night.json", n->night);
	return ret < 0 && !n->err[0] ? fail(n, "night.json", ret) : ret;
}
