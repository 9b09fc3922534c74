/* SPDX-License-Identifier: MIT */
/* What a campaign's folder tells: campaign.json, findings.tsv, AFL++'s plot_data, the findings' folders. */
#ifndef SF_CAMPAIGN_DATA_H
#define SF_CAMPAIGN_DATA_H

#include <jansson.h>
#include <stdbool.h>

#include "plot.h"

struct campaign_finding {
	char id[80], folder[128], reason[500];
	bool bug;
	long long count, first_run, replayed, reruns, bytes;
};

struct campaign_data {
	json_t *campaign;
	double seconds;
	struct series findings[2]; /* bugs, contract: distinct so far */
	struct series
		afl[3]; /* paths, coverage cells, runs a second: of the main instance */
	struct campaign_finding *list; /* the most frequent first */
	unsigned int n_list;
};

/* 0; -ENOENT: no campaign.json; -EINVAL: damaged; -errno. */
int campaign_data_read(int dir_fd, struct campaign_data *ret);
void campaign_data_release(struct campaign_data *data);

/* One line of findings.tsv, one of plot_data; what is no such line is passed over. Exported for the tests. */
void campaign_data_finding_line(struct campaign_data *data, const char *line);
void campaign_data_plot_line(struct campaign_data *data, const char *line);

#endif
