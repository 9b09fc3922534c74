/* SPDX-License-Identifier: MIT */
/* shortfuse bisect-kernels: which of a list of kernels show a finding. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "finding_options.h"
#include "harness/explain/explain.h"
#include "fuzzer/finding/scenario_file.h"

enum answer { ANSWER_GOOD, ANSWER_BAD, ANSWER_UNTESTED };
static const char *const answer_names[] = {"good", "bad", "untested"};

struct kernel {
	char spec[300];
	enum answer answer;
	unsigned int same, runs;
	char seen[40]; /* signature, or verdict, of the last run that counts */
	char why[300]; /* untested: why */
};

struct job {
	const char *finding;
	char **kernels;
	int n_kernels;
	unsigned int runs;
	struct finding_file file;
	int verdict; /* what it is to show; -1: anything flagged */
};

static const struct argp_option options[] = {
	{"runs", 'n', "N", 0, "runs on each kernel (default 3)", 0},
	{0},
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct job *job = state->input;

	switch (key) {
	case 'n':
		job->runs = option_number(state, arg, 1000);
		return 0;
	case ARGP_KEY_ARGS:
		job->finding = state->argv[state->next];
		job->kernels = state->argv + state->next + 1;
		job->n_kernels = state->argc - state->next - 1;
		if (job->n_kernels < 1)
			argp_error(state, "which KERNEL?");
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FINDING, which KERNEL?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_opt,
	.args_doc = "FINDING KERNEL...",
	.doc = "Run a finding on kernels, the oldest first, and tell which of them show "
	       "it.\v"
	       "KERNEL is a target (host, uml:IMAGE, qemu:KERNEL) or what qemu: takes. A "
	       "kernel is bad "
	       "when it shows the finding's verdict (any flagged one, if none is known) "
	       "in one run at "
	       "least. Exit status: 0 all are good, 1 some are bad, 2 bad input, 3 none "
	       "could be tested.",
};

static void make_spec(const char *word, struct kernel *kernel)
{
	size_t len = strcspn(word, ":");

	for (size_t i = 0; target_backends[i]; i++)
		if (strlen(target_backends[i]->name) == len &&
		    !strncmp(target_backends[i]->name, word, len)) {
			snprintf(kernel->spec, sizeof(kernel->spec), "%s", word);
			return;
		}
	snprintf(kernel->spec, sizeof(kernel->spec), "qemu:%s", word);
}

static bool shows(const struct job *job, const struct result *res)
{
	if (job->verdict >= 0)
		return res->verdict == job->verdict;
	return verdict_table[res->verdict].severity >= SEVERITY_CONTRACT;
}

static void describe(const struct result *res, char out[40])
{
	if (res->signature)
		signature_format(res->verdict, res->signature, out);
	else
		snprintf(out, 40, "%s", verdict_table[res->verdict].name);
}

static void try_kernel(const struct job *job, struct kernel *kernel)
{
	struct probe probe;
	int ret = probe_open(&probe, kernel->spec, kernel->why);

	kernel->answer = ANSWER_UNTESTED;
	if (ret < 0)
		return;
	for (unsigned int i = 0; i < job->runs && !interrupted; i++) {
		struct result res;

		ret = probe_run(&probe, &job->file.scn, 0, &res);
		if (ret < 0 || res.verdict == VERDICT_INFRA) {
			snprintf(kernel->why, sizeof(kernel->why), "%.299s",
				 ret < 0 ? strerror(-ret) : res.reason);
			result_release(&res);
			break;
		}
		kernel->runs++;
		if (shows(job, &res)) {
			kernel->same++;
			describe(&res, kernel->seen);
		} else if (!kernel->same) {
			describe(&res, kernel->seen);
		}
		result_release(&res);
	}
	if (kernel->runs)
		kernel->answer = kernel->same ? ANSWER_BAD : ANSWER_GOOD;
	probe_close(&probe);
}

static void tell_kernel(const struct kernel *kernel)
{
	if (kernel->answer == ANSWER_UNTESTED)
		printf("%-40s %-9s %s\n", kernel->spec, "untested", kernel->why);
	else
		printf("%-40s %-9s %u/%u %s\n", kernel->spec,
		       answer_names[kernel->answer], kernel->same, kernel->runs,
		       kernel->seen);
	fflush(stdout);
}

/* The list is told as it is: where it changes its mind more than once, that is said. */
static int tell_all(const struct kernel *kernels, int n)
{
	const struct kernel *bad = NULL, *good = NULL;
	bool after = false;
	int tested = 0;

	for (int i = 0; i < n; i++) {
		if (kernels[i].answer == ANSWER_UNTESTED)
			continue;
		tested++;
		if (kernels[i].answer == ANSWER_BAD && !bad)
			bad = &kernels[i];
		else if (kernels[i].answer == ANSWER_GOOD && !bad)
			good = &kernels[i];
		else if (kernels[i].answer == ANSWER_GOOD)
			after = true;
	}
	printf("first bad: %s, last good before it: %s%s\n", bad ? bad->spec : "none",
	       good ? good->spec : "none",
	       after ? "; later ones are good: fixed, or it depends on timing" : "");
	if (!tested)
		return EXIT_INFRA;
	return bad ? EXIT_FLAGGED : EXIT_CLEAN;
}

int cmd_bisect_kernels(int argc, char **argv)
{
	static struct job job = {.runs = 3};
	char err[SCENARIO_FILE_ERROR];
	struct kernel *kernels;
	int n = 0, status;

	argp_parse(&argp, argc, argv, 0, NULL, &job);
	if (finding_file_load(job.finding, &job.file, err) < 0) {
		fprintf(stderr, "%s\n", err);
		return EXIT_USAGE;
	}
	job.verdict =
		job.file.known ? (int)job.file.verdict : job.file.scn.config.expect - 1;
	if (job.verdict >= 0 && verdict_table[job.verdict].severity < SEVERITY_CONTRACT)
		job.verdict = -1;
	kernels = calloc((size_t)job.n_kernels, sizeof(*kernels));
	if (!kernels)
		return EXIT_INFRA;
	interrupt_catch();
	for (; n < job.n_kernels && !interrupted; n++) {
		make_spec(job.kernels[n], &kernels[n]);
		try_kernel(&job, &kernels[n]);
		tell_kernel(&kernels[n]);
	}
	status = tell_all(kernels, n);
	free(kernels);
	return interrupted ? 128 + SIGINT : status;
}
