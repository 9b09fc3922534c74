/* SPDX-License-Identifier: MIT */
/* Reads the folder of a campaign, which may be under way or broken off. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign_data.h"
#include "fuzzer/campaign/file.h"

#define FILE_MAX (64u << 20)

/* "SECONDS RUNS ID ROOT SEVERITY REASON", by tabs; the line "incident" is no finding. */
void campaign_data_finding_line(struct campaign_data *data, const char *line)
{
	char id[80], severity[20];
	struct series *series;
	double seconds;

	if (sscanf(line, "%lf\t%*s\t%79[^\t]\t%*[^\t]\t%19[^\t\n]", &seconds, id,
		   severity) != 3)
		return;
	if (!strcmp(id, "incident") || seconds < 0)
		return;
	series = &data->findings[!strcmp(severity, "contract")];
	if (!series->n)
		series_add(series, 0, 0);
	series_add(series, seconds, series->points[series->n - 1].y + 1);
}

/* relative_time, cycles_done, cur_item, corpus_count, ..., execs_per_sec, total_execs, edges_found */
void campaign_data_plot_line(struct campaign_data *data, const char *line)
{
	double seconds, paths, rate, edges;

	if (sscanf(line,
		   "%lf, %*f, %*f, %lf, %*f, %*f, %*f%%, %*f, %*f, %*f, %lf, %*f, %lf",
		   &seconds, &paths, &rate, &edges) != 4)
		return;
	series_add(&data->afl[0], seconds, paths);
	series_add(&data->afl[1], seconds, edges);
	series_add(&data->afl[2], seconds, rate);
}

static void each_line(int dir_fd, const char *name, struct campaign_data *data,
		      void (*take)(struct campaign_data *, const char *))
{
	char *text, *rest, *line;
	size_t len;

	if (file_read(dir_fd, name, FILE_MAX, &text, &len) < 0)
		return;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		take(data, line);
	free(text);
}

static long long number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

static void take_finding(int section_fd, const char *section, const char *name,
			 struct campaign_data *data)
{
	struct campaign_finding *more, *finding;
	char path[300], *text;
	json_t *json;
	size_t len;
	const char *reason;

	snprintf(path, sizeof(path), "%.255s/finding.json", name);
	if (strlen(name) >= sizeof(finding->id) ||
	    file_read(section_fd, path, 1 << 20, &text, &len) < 0)
		return;
	json = json_loadb(text, len, 0, NULL);
	free(text);
	more = json ? realloc(data->list, (data->n_list + 1) * sizeof(*more)) : NULL;
	if (more) {
		data->list = more;
		finding = &data->list[data->n_list++];
		memset(finding, 0, sizeof(*finding));
		snprintf(finding->id, sizeof(finding->id), "%.79s", name);
		snprintf(finding->folder, sizeof(finding->folder), "%s/%.79s", section,
			 name);
		reason = json_string_value(json_object_get(json, "reason"));
		snprintf(finding->reason, sizeof(finding->reason), "%s",
			 reason ? reason : "");
		finding->bug = !strcmp(section, "findings/bug");
		finding->count = number(json, "count");
		finding->first_run = number(json, "first_run");
		finding->replayed = number(json, "replayed");
		finding->reruns = number(json, "reruns");
		finding->bytes = number(json, "bytes");
	}
	json_decref(json);
}

static void take_section(int dir_fd, const char *section, struct campaign_data *data)
{
	int fd = openat(dir_fd, section, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			take_finding(fd, section, entry->d_name, data);
	closedir(dir);
}

static int by_count(const void *a, const void *b)
{
	const struct campaign_finding *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : strcmp(x->id, y->id);
}

int campaign_data_read(int dir_fd, struct campaign_data *data)
{
	char *text;
	size_t len;
	int ret;

	memset(data, 0, sizeof(*data));
	ret = file_read(dir_fd, "campaign.json", 1 << 20, &text, &len);
	if (ret < 0)
		return ret;
	data->campaign = json_loadb(text, len, 0, NULL);
	free(text);
	if (!json_is_object(data->campaign)) {
		json_decref(data->campaign);
		return -EINVAL;
	}
	data->seconds = (double)number(data->campaign, "seconds");
	data->findings[0] = (struct series){.name = "bugs", .steps = true, .colour = 2};
	data->findings[1] =
		(struct series){.name = "contract", .steps = true, .colour = 1};
	data->afl[0].name = "paths";
	data->afl[1].name = "cells";
	data->afl[2].name = "runs/s";
	each_line(dir_fd, "findings.tsv", data, campaign_data_finding_line);
	each_line(dir_fd, "afl/main/plot_data", data, campaign_data_plot_line);
	take_section(dir_fd, "findings/bug", data);
	take_section(dir_fd, "findings/contract", data);
	if (data->n_list)
		qsort(data->list, data->n_list, sizeof(*data->list), by_count);
	return 0;
}

void campaign_data_release(struct campaign_data *data)
{
	for (int i = 0; i < 2; i++)
		series_release(&data->findings[i]);
	for (int i = 0; i < 3; i++)
		series_release(&data->afl[i]);
	free(data->list);
	json_decref(data->campaign);
}
