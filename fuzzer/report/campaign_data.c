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

/* seconds runs jobs paths bugs contracts causes known infra: counters.h. A session that was killed may have lost some. */
void campaign_data_stats_line(struct campaign_data *data, const char *line)
{
	double seconds, runs, jobs, paths, known, span;

	if (sscanf(line, "%lf\t%lf\t%lf\t%lf\t%*f\t%*f\t%*f\t%lf", &seconds, &runs, &jobs,
		   &paths, &known) != 5)
		return;
	span = seconds - data->last_seconds;
	if (span > 0 && runs >= data->last_runs) {
		series_add(&data->rate, seconds, (runs - data->last_runs) / span);
		if (runs > data->last_runs && known >= data->last_known)
			series_add(&data->known, seconds,
				   100 * (known - data->last_known) /
					   (runs - data->last_runs));
		series_add(&data->paths, seconds, paths);
		series_add(&data->jobs, seconds, jobs);
	}
	data->last_seconds = seconds;
	data->last_runs = runs;
	data->last_known = known;
}

/* When a finding came: the same lines once more. */
static void campaign_data_time_line(struct campaign_data *data, const char *line)
{
	double seconds;
	char id[80];

	if (sscanf(line, "%lf\t%*s\t%79[^\t]", &seconds, id) != 2)
		return;
	for (unsigned int i = 0; i < data->n_list; i++)
		if (data->list[i].seconds < 0 && !strcmp(data->list[i].id, id))
			data->list[i].seconds = seconds;
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

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static void take_finding(int section_fd, const char *section, const char *name,
			 struct campaign_data *data)
{
	struct campaign_finding *more, *finding;
	char path[300], *text;
	json_t *json;
	size_t len;
	const char *reason, *roots;
	int verdict;

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
		roots = json_string_value(json_object_get(json, "roots"));
		snprintf(finding->roots, sizeof(finding->roots), "%s",
			 roots ? roots : "");
		verdict = verdict_by_name(text_of(json, "verdict"));
		finding->verdict = verdict < 0 ? VERDICT_INFRA : verdict;
		finding->seconds = -1;
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

/* A cause is as bad as the worst verdict that it had; of equals the one that came first. */
static int by_severity(const struct campaign_finding *x, const struct campaign_finding *y)
{
	int order = (int)verdict_table[y->verdict].severity -
		    (int)verdict_table[x->verdict].severity;

	return order			     ? order
	       : x->first_run < y->first_run ? -1
					     : x->first_run > y->first_run;
}

static int by_cause(const void *a, const void *b)
{
	const struct campaign_finding *x = a, *y = b;
	int order = strcmp(x->roots, y->roots);

	return order ? order : by_severity(x, y);
}

static int by_head(const void *a, const void *b)
{
	const struct campaign_finding *const *x = a, *const *y = b;

	return by_severity(*x, *y);
}

/* The findings of one cause follow each other; causes are in the order of their first finding. */
static int sort_by_cause(struct campaign_data *data)
{
	struct campaign_finding **heads, *sorted;
	unsigned int n = 0, at = 0;

	if (!data->n_list)
		return 0;
	qsort(data->list, data->n_list, sizeof(*data->list), by_cause);
	heads = calloc(data->n_list, sizeof(*heads));
	sorted = calloc(data->n_list, sizeof(*sorted));
	for (unsigned int i = 0; heads && i < data->n_list; i++)
		if (!i || !campaign_data_same_cause(&data->list[i - 1], &data->list[i]))
			heads[n++] = &data->list[i];
	if (heads && sorted) {
		qsort(heads, n, sizeof(*heads), by_head);
		for (unsigned int k = 0; k < n; k++) {
			struct campaign_finding *f = heads[k];

			do
				sorted[at++] = *f++;
			while (f < data->list + data->n_list &&
			       campaign_data_same_cause(f - 1, f));
		}
		free(data->list);
		data->list = sorted;
		data->n_causes = n;
		free(heads);
		return 0;
	}
	free(heads);
	free(sorted);
	return -ENOMEM;
}

bool campaign_data_same_cause(const struct campaign_finding *x,
			      const struct campaign_finding *y)
{
	return x->roots[0] && !strcmp(x->roots, y->roots);
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
	data->rate.name = "runs/s";
	data->known = (struct series){.name = "% known", .colour = 4};
	data->paths = (struct series){.name = "paths", .colour = 3};
	data->jobs = (struct series){.name = "jobs", .steps = true, .colour = 4};
	each_line(dir_fd, "findings.tsv", data, campaign_data_finding_line);
	each_line(dir_fd, "stats.tsv", data, campaign_data_stats_line);
	take_section(dir_fd, "findings/bug", data);
	take_section(dir_fd, "findings/contract", data);
	each_line(dir_fd, "findings.tsv", data, campaign_data_time_line);
	ret = sort_by_cause(data);
	if (ret < 0)
		campaign_data_release(data);
	return ret;
}

void campaign_data_release(struct campaign_data *data)
{
	for (int i = 0; i < 2; i++)
		series_release(&data->findings[i]);
	series_release(&data->rate);
	series_release(&data->known);
	series_release(&data->paths);
	series_release(&data->jobs);
	free(data->list);
	json_decref(data->campaign);
}
