/* SPDX-License-Identifier: MIT */
/* What a campaign tells the person who started it: a line now and then, a summary at the
 * end. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "fuzzer/util/clock.h"
#include "fuzzer/util/duration.h"
#include "harness/scenario/text.h"

const char *const mode_names[MODE_COUNT] = {"guided", "havoc", "blind"};

#define LISTED_MAX 20

long campaign_session_seconds(const struct campaign *c)
{
	return (c->ended_s ? c->ended_s : clock_seconds()) - c->began_s;
}

long campaign_seconds(const struct campaign *c)
{
	return c->seconds_before + campaign_session_seconds(c);
}

static void sum_stats(const struct campaign *c, struct afl_stats *ret_sum)
{
	struct afl_stats stats;

	*ret_sum = (struct afl_stats){.stability = -1};
	for (unsigned int i = 0; i < c->crew.n && c->options.mode != MODE_BLIND; i++) {
		afl_read_stats(&c->afl[i], c->dir_fd, &stats);
		if (stats.paths > ret_sum->paths)
			ret_sum->paths = stats.paths;
		if (i == 0)
			ret_sum->stability = stats.stability;
	}
}

static double rate(const struct campaign *c)
{
	long seconds = campaign_session_seconds(c);

	return (double)c->runs / (seconds ? seconds : 1);
}

void report_status(struct campaign *c)
{
	struct afl_stats stats;
	char line[400], span[32], since[40] = "";
	int n;

	sum_stats(c, &stats);
	duration_format(campaign_seconds(c), span);
	if (c->last_new)
		snprintf(since, sizeof(since), ", last new %ld s ago",
			 (long)(clock_seconds() - c->last_new));
	n = snprintf(line, sizeof(line),
		     "%s  %llu runs (%.0f/s), %u paths, findings: %u bug, %u contract%s, "
		     "infra %llu\n",
		     span, (unsigned long long)(c->runs_before + c->runs), rate(c),
		     stats.paths, findings_count(&c->findings, true),
		     findings_count(&c->findings, false), since,
		     (unsigned long long)c->infra);
	/* One write: a pipe's reader sees whole lines. */
	if (write(STDOUT_FILENO, line, n) < 0)
		return;
	if (c->findings.error)
		fprintf(stderr,
			"shortfuse fuzz: findings cannot be written: %s; kept in memory, "
			"tried again\n",
			strerror(-c->findings.error));
}

static int by_interest(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a,
			     *y = *(struct finding *const *)b;
	int order = (int)verdict_table[y->verdict].severity -
		    (int)verdict_table[x->verdict].severity;

	if (order)
		return order;
	/* What shows a cause that no earlier one has shown comes first. */
	if (!x->new_roots != !y->new_roots)
		return x->new_roots ? -1 : 1;
	return x->count < y->count ? 1 : x->count > y->count ? -1 : strcmp(x->id, y->id);
}

static void list_section(const struct campaign *c, bool bugs)
{
	unsigned int listed = 0, more = 0;

	for (unsigned int i = 0; i < c->findings.n; i++) {
		const struct finding *f = c->findings.list[i];

		if ((verdict_table[f->verdict].severity >= SEVERITY_BUG) != bugs)
			continue;
		if (listed++ == LISTED_MAX) {
			more++;
			listed--;
			continue;
		}
		printf("  %s  seen %llu times, replays %u/%u\n      %s\n", f->id,
		       (unsigned long long)f->count, f->replayed, f->reruns, f->reason);
	}
	if (more)
		printf("  ... and %u more\n", more);
}

/* The disk stayed full to the end: what was found goes where it can still be seen. */
static void print_unsaved(const struct campaign *c)
{
	static char text[16384];

	for (unsigned int i = 0; i < c->findings.n; i++) {
		const struct finding *f = c->findings.list[i];

		if (f->saved || scenario_format(&f->scn, text, sizeof(text)) < 0)
			continue;
		fprintf(stderr, "# not saved (%s): %s: %s\n%s\n",
			strerror(-c->findings.error), f->id, f->reason, text);
	}
}

/* Signatures combine causes; a few causes may make hundreds. */
static const char *causes_text(struct campaign *c, bool bugs, char *buf, size_t size)
{
	unsigned int n = findings_causes(&c->findings, bugs);

	snprintf(buf, size, " of %u root cause%s, those with a new one first", n,
		 n == 1 ? "" : "s");
	return n ? buf : "";
}

void report_summary(struct campaign *c)
{
	unsigned int bugs = findings_count(&c->findings, true);
	unsigned int contracts = findings_count(&c->findings, false);
	struct afl_stats stats;
	char span[32], text[80];

	sum_stats(c, &stats);
	duration_format(campaign_session_seconds(c), span);
	qsort(c->findings.list, c->findings.n, sizeof(c->findings.list[0]), by_interest);
	printf("\n%s of fuzzing on target %s: %llu runs, %.0f a second", span,
	       c->options.target, (unsigned long long)c->runs, rate(c));
	if (c->options.mode != MODE_BLIND)
		printf(", %u paths in the queue", stats.paths);
	if (stats.stability >= 0)
		printf(", stability %.2f %%", stats.stability / 100.0);
	printf(".\n");
	if (c->seconds_before)
		printf("With the earlier sessions: %ld s, %llu runs.\n",
		       campaign_seconds(c),
		       (unsigned long long)(c->runs_before + c->runs));
	if (c->steps)
		printf("%.1f %% of the steps reached the kernel.\n",
		       100.0 * c->steps_reached / c->steps);
	if (c->resets)
		printf("The target was reset %llu times.\n",
		       (unsigned long long)c->resets);
	if (c->known)
		printf("%.0f %% of the runs showed known causes alone.\n",
		       100.0 * (double)c->known / (double)c->runs);
	if (c->infra)
		printf("%llu runs gave no answer (infra); they count for nothing.\n",
		       (unsigned long long)c->infra);
	printf("\n%u distinct bug%s%s (nobody promised that a task becomes unkillable "
	       "here)%s\n",
	       bugs, bugs == 1 ? "" : "s", causes_text(c, true, text, sizeof(text)),
	       bugs ? ":" : ".");
	list_section(c, true);
	if (c->findings.flag_at <= SEVERITY_CONTRACT) {
		printf("\n%u distinct contract hang%s%s (a server that read a request "
		       "and never answers)%s\n",
		       contracts, contracts == 1 ? "" : "s",
		       causes_text(c, false, text, sizeof(text)), contracts ? ":" : ".");
		list_section(c, false);
	}
	if (c->findings.n_lost)
		printf("\n%u more signatures than a campaign can keep were dropped.\n",
		       c->findings.n_lost);
	printf("\nResults: %s", c->options.dir);
	if (bugs)
		printf("; start with %s/findings/bug/*/snapshot.txt", c->options.dir);
	printf("\n");
	fflush(stdout);
	print_unsaved(c);
}
