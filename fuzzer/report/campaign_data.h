/* SPDX-License-Identifier: MIT */
/* What a campaign's folder tells: campaign.json, findings.tsv, stats.tsv, the findings' folders. */
#ifndef SF_CAMPAIGN_DATA_H
#define SF_CAMPAIGN_DATA_H

#include <jansson.h>
#include <stdbool.h>

#include "harness/scenario/verdict.h"
#include "plot.h"

struct campaign_finding {
	char id[80], folder[128], reason[500], roots[500];
	enum verdict verdict;
	double seconds; /* of the campaign when it came, -1: not known */
	long long count, first_run, replayed, reruns, bytes;
};

struct campaign_data {
	json_t *campaign;
	double seconds;
	struct series findings[2]; /* bugs, contract: distinct so far */
	struct series rate;	   /* runs a second, all jobs together */
	struct series known; /* percent of the runs that showed known causes alone */
	struct series paths, jobs;
	double last_seconds, last_runs, last_known; /* of stats.tsv */
	struct campaign_finding *list; /* the worst first, those of one cause together */
	unsigned int n_list, n_causes;
};

/* Two findings of one cause, with two verdicts. */
bool campaign_data_same_cause(const struct campaign_finding *x,
			      const struct campaign_finding *y);

/* 0; -ENOENT: no campaign.json; -EINVAL: damaged; -errno. */
int campaign_data_read(int dir_fd, struct campaign_data *ret);
void campaign_data_release(struct campaign_data *data);

/* One line of findings.tsv, one of stats.tsv; what is no such line is passed over. Exported for the tests. */
void campaign_data_finding_line(struct campaign_data *data, const char *line);
void campaign_data_stats_line(struct campaign_data *data, const char *line);

#endif
