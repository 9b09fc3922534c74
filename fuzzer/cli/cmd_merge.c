/* SPDX-License-Identifier: MIT */
/* shortfuse merge: many campaigns, from one machine or many, as one. */

#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "commands.h"
#include "fuzzer/merge/merge.h"

struct arguments {
	const char *out;
	char **dirs;
	unsigned int n;
};

static const struct argp_option options[] = {
	{NULL, 'o', "DIR", 0, "the folder to merge into; what it holds stays", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'o':
		a->out = arg;
		return 0;
	case ARGP_KEY_ARGS:
		a->dirs = state->argv + state->next;
		a->n = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!a->n)
			argp_error(state, "which campaigns? DIR is missing");
		if (!a->out)
			argp_error(state, "where to? -o DIR is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void complain(const char *what)
{
	fprintf(stderr, "shortfuse merge: %s\n", what);
}

int cmd_merge(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"DIR...",
		"Merge campaigns: each signature once with its smallest input, counts "
		"summed, AFL++ queues side by side. Merging a campaign again, or a "
		"merged "
		"folder, counts nothing twice.\v"
		"Exit status: 0 merged, 2 bad input (the rest is merged all the same), "
		"3 it could not be written.",
		NULL,
		NULL,
		NULL};
	struct arguments a = {0};
	struct merge_counts counts;
	char err[MERGE_ERROR];
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	ret = merge_run((const char *const *)a.dirs, a.n, a.out, complain, &counts, err);
	if (ret < 0) {
		complain(err);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	}
	printf("%s: %u campaign%s, %u finding%s, %u of them new\n", a.out,
	       counts.campaigns, counts.campaigns == 1 ? "" : "s", counts.findings,
	       counts.findings == 1 ? "" : "s", counts.fresh);
	return counts.skipped ? EXIT_USAGE : EXIT_CLEAN;
}
