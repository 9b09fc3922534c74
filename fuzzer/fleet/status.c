/* SPDX-License-Identifier: MIT */
/* How far a fleet is: from its folders, which all engines write alike. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fleet.h"
#include "fuzzer/campaign/file.h"

#define JSON_MAX (1 << 20)
/* campaign.json is written every few seconds while a campaign runs; nothing for so long means that it was lost. */
#define LOST_SECONDS 120

struct task {
	bool done, failed, running;
	unsigned int incarnations;
	json_int_t runs;
};

json_t *fleet_load(const char *dir, char *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;
	json_t *json = NULL;
	char *text;
	size_t len;

	ret = fd < 0 ? -errno : file_read(fd, "fleet.json", JSON_MAX, &text, &len);
	if (fd >= 0)
		close(fd);
	if (!ret) {
		json = json_loadb(text, len, 0, NULL);
		free(text);
	}
	if (json_is_array(json_object_get(json, "kernels")) &&
	    json_array_size(json_object_get(json, "kernels")) &&
	    json_integer_value(json_object_get(json, "workers")) > 0 &&
	    json_integer_value(json_object_get(json, "workers")) <= FLEET_TASKS_MAX)
		return json;
	json_decref(json);
	snprintf(err, FLEET_ERROR, "%.3000s: %s", dir,
		 ret == -ENOENT ? "no fleet: fleet.json is missing"
		 : ret		? strerror(-ret)
				: "fleet.json is damaged");
	return NULL;
}

static void look(int runs_fd, const char *name, struct task *task)
{
	char path[300], *text;
	json_t *campaign = NULL;
	struct stat st;
	size_t len;
	bool fresh;

	task->incarnations++;
	snprintf(path, sizeof(path), "%.200s/campaign", name);
	fresh = !fstatat(runs_fd, path, &st, 0) || !fstatat(runs_fd, name, &st, 0);
	snprintf(path, sizeof(path), "%.200s/campaign/campaign.json", name);
	if (!fstatat(runs_fd, path, &st, AT_SYMLINK_NOFOLLOW))
		fresh = true;
	if (!file_read(runs_fd, path, JSON_MAX, &text, &len)) {
		campaign = json_loadb(text, len, 0, NULL);
		free(text);
	}
	task->runs += json_integer_value(json_object_get(campaign, "runs"));
	json_decref(campaign);
	snprintf(path, sizeof(path), "%.200s/status", name);
	if (!file_read(runs_fd, path, 16, &text, &len)) {
		task->done |= text[0] == '0' || text[0] == '1';
		task->failed |= text[0] != '0' && text[0] != '1';
		free(text);
	} else if (fresh && time(NULL) - st.st_mtime < LOST_SECONDS) {
		task->running = true;
	}
}

static const char *state_of(const struct task *task)
{
	return task->done	    ? "done"
	       : task->running	    ? "running"
	       : task->failed	    ? "failed"
	       : task->incarnations ? "lost"
				    : "waiting";
}

static void look_at_all(const char *dir, struct task *tasks, unsigned int n)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *runs;

	snprintf(path, sizeof(path), "%.4000s/runs", dir);
	runs = opendir(path);
	while (runs && (entry = readdir(runs))) {
		char *end;
		unsigned long task = strtoul(entry->d_name, &end, 10);

		if (*end == '-' && end != entry->d_name && task < n)
			look(dirfd(runs), entry->d_name, &tasks[task]);
	}
	if (runs)
		closedir(runs);
}

json_t *fleet_status(const char *dir, char *err)
{
	json_t *fleet = fleet_load(dir, err), *list = json_array(), *result, *counts;
	json_t *kernels = json_object_get(fleet, "kernels");
	unsigned int n_kernels = json_array_size(kernels), n;
	struct task *tasks;

	if (!fleet) {
		json_decref(list);
		return NULL;
	}
	n = n_kernels * json_integer_value(json_object_get(fleet, "workers"));
	tasks = calloc(n, sizeof(*tasks));
	if (!tasks) {
		json_decref(list);
		json_decref(fleet);
		snprintf(err, FLEET_ERROR, "out of memory");
		return NULL;
	}
	look_at_all(dir, tasks, n);
	counts = json_object();
	for (unsigned int i = 0; i < n; i++) {
		const char *state = state_of(&tasks[i]);

		json_object_set_new(counts, state,
				    json_integer(1 + json_integer_value(json_object_get(
							     counts, state))));
		json_array_append_new(
			list,
			json_pack("{s:i, s:O, s:s, s:i, s:I}", "task", (int)i, "kernel",
				  json_array_get(kernels, i % n_kernels), "state", state,
				  "incarnations", (int)tasks[i].incarnations, "runs",
				  tasks[i].runs));
	}
	result = json_pack(
		"{s:O, s:O, s:o, s:o}", "engine", json_object_get(fleet, "engine"), "job",
		json_object_get(fleet, "job"), "counts", counts, "tasks", list);
	free(tasks);
	json_decref(fleet);
	return result;
}
