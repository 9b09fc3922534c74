/* SPDX-License-Identifier: MIT */
/* Sums up what the jobs and afl-fuzz have counted. */

#include <inttypes.h>
#include <stdio.h>

#include "campaign.h"
#include "counters.h"
#include "file.h"
#include "fuzzer/util/clock.h"

#define RECORD_MAX_S 30

static void read_queues(const struct campaign *c, struct counters *ret)
{
	struct afl_stats stats;

	ret->stability = -1;
	for (unsigned int i = 0; i < c->crew.n && c->options.mode != MODE_BLIND; i++) {
		afl_read_stats(&c->afl[i], c->dir_fd, &stats);
		if (stats.paths > ret->paths)
			ret->paths = stats.paths;
		if (i == 0)
			ret->stability = stats.stability;
	}
}

void counters_read(struct campaign *c, struct counters *ret)
{
	long now = clock_seconds(), here = campaign_session_seconds(c);

	*ret = (struct counters){
		.seconds = campaign_seconds(c),
		.runs = c->runs_before + c->runs,
		.runs_here = c->runs,
		.rate = (double)c->runs / (double)(here > 0 ? here : 1),
		.jobs = c->n_jobs,
		.bugs = findings_count(&c->findings, true),
		.contracts = findings_count(&c->findings, false),
		.causes_bug = findings_causes(&c->findings, true),
		.causes_contract = findings_causes(&c->findings, false),
		.known = c->known,
		.isolating = c->isolating,
		.reruns = c->reruns,
		.infra = c->infra,
		.resets = c->resets_before + c->resets,
		.since_new = c->last_new ? now - (long)c->last_new : -1,
	};
	if (c->recorded_s && now > c->recorded_s)
		ret->rate_now = (double)(c->runs - c->recorded_runs) /
				(double)(now - c->recorded_s);
	read_queues(c, ret);
}

int counters_record(struct campaign *c)
{
	long now = clock_seconds(), every = (now - c->began_s) / 100;
	struct counters n;
	char line[200];

	if (c->recorded_s &&
	    now - c->recorded_s <= (every < RECORD_MAX_S ? every : RECORD_MAX_S))
		return 0;
	counters_read(c, &n);
	c->recorded_s = now;
	c->recorded_runs = n.runs_here;
	snprintf(line, sizeof(line),
		 "%ld\t%" PRIu64 "\t%u\t%u\t%u\t%u\t%u\t%" PRIu64 "\t%" PRIu64 "\n",
		 n.seconds, n.runs, n.jobs, n.paths, n.bugs, n.contracts,
		 n.causes_bug + n.causes_contract, n.known, n.infra);
	return file_append(c->dir_fd, "stats.tsv", line);
}
