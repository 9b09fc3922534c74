/* SPDX-License-Identifier: MIT */
/* shortfuse min: a smaller scenario with the same signature. */

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "finding_file.h"
#include "harness/explain/explain.h"
#include "harness/protocol/proto.h"
#include "minimise/minimise.h"
#include "probe.h"
#include "scenario_file.h"

#define MAX_OTHERS 16

struct other {
	uint64_t signature;
	unsigned int cost;
};

struct job {
	const char *finding, *output, *target;
	unsigned int need, runs; /* the same signature in need of runs */
	bool quiet, keep_namespaces;

	struct finding_file file;
	struct probe probe;
	char out[4096], id[40];
	enum verdict verdict;
	uint64_t signature;
	struct other others[MAX_OTHERS]; /* signatures that showed up on the way */
	unsigned int n_others;
	struct minimise min;
	time_t begin;
};

static const struct argp_option options[] = {
	{"target", 't', "TARGET", 0, "host (default), uml[:IMAGE] or qemu:KERNEL", 0},
	{"output", 'o', "FILE", 0,
	 "the smaller scenario (default: scenario.min.txt in the finding's folder, "
	 "NAME.min.txt here "
	 "for a file)",
	 0},
	{"need", 'm', "M", 0, "the same signature in M (default 2) ...", 0},
	{"runs", 'n', "N", 0, "... of N runs (default 3)", 0},
	{"keep-namespaces", 'k', NULL, 0,
	 "the daemon and the pid namespaces stay where they are", 0},
	{"quiet", 'q', NULL, 0, "no progress", 0},
	{0},
};

static unsigned int number(struct argp_state *state, const char *arg)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (*end || end == arg || n < 1 || n > 1000)
		argp_error(state, "'%s' is not a number from 1 to 1000", arg);
	return (unsigned int)n;
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct job *job = state->input;

	switch (key) {
	case 't':
		job->target = arg;
		return 0;
	case 'o':
		job->output = arg;
		return 0;
	case 'm':
		job->need = number(state, arg);
		return 0;
	case 'n':
		job->runs = number(state, arg);
		return 0;
	case 'k':
		job->keep_namespaces = true;
		return 0;
	case 'q':
		job->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		if (job->finding)
			argp_error(state, "one FINDING only, '%s' is too many", arg);
		job->finding = arg;
		return 0;
	case ARGP_KEY_END:
		if (job->need > job->runs)
			argp_error(state, "%u of %u runs cannot be", job->need,
				   job->runs);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FINDING?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_opt,
	.args_doc = "FINDING",
	.doc = "Make a finding smaller: delta debugging of its scenario, while the "
	       "signature "
	       "stays.\v"
	       "FINDING is a scenario or the folder of a finding. After each improvement "
	       "the smallest so "
	       "far is on disk: interrupt or kill it at any time. Exit status: 1 it is "
	       "flagged and now as "
	       "small as it gets, 0 it is not flagged, 2 bad input, 3 infrastructure, "
	       "130 interrupted.",
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* A flagged run with another signature is worth a file of its own: the smallest of each. */
static void keep_other(struct job *job, const struct scenario *scn,
		       const struct result *res)
{
	unsigned int cost = scenario_cost(scn), i;
	char path[4200], id[40];
	const char *base = strrchr(job->out, '/');

	for (i = 0; i < job->n_others; i++)
		if (job->others[i].signature == res->signature)
			break;
	if (i == MAX_OTHERS || (i < job->n_others && job->others[i].cost <= cost))
		return;
	if (i == job->n_others)
		job->n_others++;
	job->others[i] = (struct other){res->signature, cost};
	signature_format(res->verdict, res->signature, id);
	snprintf(path, sizeof(path), "%.*sother-%s.txt",
		 base ? (int)(base - job->out + 1) : 0, job->out, id);
	finding_file_save(path, scn, res->verdict, id, res->reason);
}

static unsigned int namespaces(const struct scenario *scn)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < scn->n_tasks; i++)
		n += scn->tasks[i].kind == TASK_PIDNS;
	return n;
}

/* 1: the signature in need of runs; 0: not; -errno. As few runs as decide it. */
static int same_signature(void *ctx, const struct scenario *scn)
{
	struct job *job = ctx;
	unsigned int same = 0, other = 0;

	if (job->keep_namespaces &&
	    (scn->config.placement != job->file.scn.config.placement ||
	     namespaces(scn) != namespaces(&job->file.scn)))
		return 0;
	while (same < job->need && other <= job->runs - job->need) {
		struct result res;
		int ret;

		if (interrupted)
			return -EINTR;
		ret = probe_run(&job->probe, scn, 0, &res);
		if (ret < 0)
			return ret;
		if (res.signature == job->signature && res.verdict == job->verdict) {
			same++;
		} else {
			other++;
			if (verdict_table[res.verdict].severity >= SEVERITY_CONTRACT)
				keep_other(job, scn, &res);
		}
		result_release(&res);
	}
	return same >= job->need;
}

static int save(struct job *job)
{
	char comment[400];

	snprintf(comment, sizeof(comment), "%u elements, minimised from %u",
		 scenario_elements(&job->min.best), scenario_elements(&job->file.scn));
	return finding_file_save(job->out, &job->min.best, job->verdict, job->id,
				 comment);
}

static int improved(void *ctx, const struct scenario *best)
{
	struct job *job = ctx;
	int ret = save(job);

	if (!job->quiet)
		fprintf(stderr,
			"%5lds %5u runs: %u elements (%u tasks, %u rules, %u steps)\n",
			(long)(time(NULL) - job->begin), job->probe.runs,
			scenario_elements(best), best->n_tasks, best->n_faults,
			best->n_steps);
	return ret;
}

/* What it shows now, in most of the first runs. 0, or an exit status with *ret_done. */
static int find_signature(struct job *job, bool *ret_done)
{
	struct result res;
	unsigned int tries = 0;
	int ret;

	*ret_done = true;
	do {
		ret = probe_run(&job->probe, &job->file.scn, 0, &res);
		if (ret < 0 || res.verdict == VERDICT_INFRA) {
			fprintf(stderr, "shortfuse: %s: no verdict on %s\n",
				job->file.path, job->target);
			result_release(&res);
			return EXIT_INFRA;
		}
		job->verdict = res.verdict;
		job->signature = res.signature;
		result_release(&res);
		tries++;
	} while (tries < job->runs && !interrupted &&
		 verdict_table[job->verdict].severity < SEVERITY_CONTRACT);
	if (verdict_table[job->verdict].severity < SEVERITY_CONTRACT) {
		printf("%s: not flagged in %u runs on %s: nothing to minimise\n",
		       job->file.path, tries, job->target);
		return EXIT_CLEAN;
	}
	signature_format(job->verdict, job->signature, job->id);
	if (job->file.known && job->file.signature &&
	    job->file.signature != job->signature) {
		char was[40];

		signature_format(job->file.verdict, job->file.signature, was);
		fprintf(stderr, "%s: was %s, shows %s on %s: that one is minimised\n",
			job->file.path, was, job->id, job->target);
	}
	*ret_done = false;
	return 0;
}

static void name_output(struct job *job)
{
	if (job->output)
		snprintf(job->out, sizeof(job->out), "%s", job->output);
	else if (job->file.folder)
		finding_file_beside(&job->file, "scenario.min.txt", job->out,
				    sizeof(job->out));
	else
		snprintf(job->out, sizeof(job->out), "%s.min.txt", job->file.title);
}

static void tell(const struct job *job, int ret)
{
	const struct scenario *best = &job->min.best;

	printf("%s: %s, %u -> %u elements (%u tasks, %u rules, %u steps), %u runs, %ld "
	       "s, %s\n",
	       job->out, job->id, scenario_elements(&job->file.scn),
	       scenario_elements(best), best->n_tasks, best->n_faults, best->n_steps,
	       job->probe.runs, (long)(time(NULL) - job->begin),
	       job->min.minimal ? "1-minimal"
	       : ret == -EINTR	? "interrupted"
				: "not finished");
	for (unsigned int i = 0; i < job->n_others; i++)
		printf("on the way: another signature, %016llx: see other-*.txt beside "
		       "it\n",
		       (unsigned long long)job->others[i].signature);
	if (job->probe.infra || job->probe.resets)
		printf("%u runs repeated for infra, %u resets of the target\n",
		       job->probe.infra, job->probe.resets);
}

static int minimise(struct job *job)
{
	bool done;
	int ret = find_signature(job, &done);

	if (done)
		return ret;
	job->min = (struct minimise){.best = job->file.scn,
				     .test = same_signature,
				     .improved = improved,
				     .ctx = job};
	job->min.best.config.expect = 0;
	ret = same_signature(job, &job->min.best);
	if (!ret) {
		printf("%s: %s not in %u of %u runs: 'shortfuse replay --search' looks "
		       "for "
		       "a timing "
		       "that shows it more often\n",
		       job->file.path, job->id, job->need, job->runs);
		return EXIT_FLAGGED;
	}
	if (ret > 0)
		ret = save(job);
	if (!ret)
		ret = minimise_run(&job->min);
	tell(job, ret);
	if (ret == -EINTR)
		return 128 + SIGINT;
	if (ret < 0)
		fprintf(stderr, "shortfuse: %s: %s\n", job->out, strerror(-ret));
	return ret < 0 ? EXIT_INFRA : EXIT_FLAGGED;
}

int cmd_min(int argc, char **argv)
{
	static struct job job = {.target = "host", .need = 2, .runs = 3};
	struct sigaction interrupt = {.sa_handler = on_interrupt,
				      .sa_flags = (int)SA_RESETHAND};
	char err[SCENARIO_FILE_ERROR];
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &job);
	if (finding_file_load(job.finding, &job.file, err) < 0) {
		fprintf(stderr, "%s\n", err);
		return EXIT_USAGE;
	}
	name_output(&job);
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	ret = probe_open(&job.probe, job.target, err);
	if (ret < 0) {
		fprintf(stderr, "shortfuse: %s: %s\n", job.target, err);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	}
	job.begin = time(NULL);
	ret = minimise(&job);
	probe_close(&job.probe);
	return ret;
}
