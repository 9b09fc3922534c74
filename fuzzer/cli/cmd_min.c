/* SPDX-License-Identifier: MIT */
/* shortfuse min: a smaller scenario with the same signature. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "finding_options.h"
#include "harness/explain/explain.h"
#include "harness/protocol/proto.h"
#include "fuzzer/minimise/minimise.h"

#define MAX_OTHERS 16

struct other {
	uint64_t signature;
	unsigned int cost;
};

struct job {
	struct finding_options opt;
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
	struct timespec begin;
};

static const struct argp_option options[] = {
	{"need", 'm', "M", 0, "the same signature in M (default 2) ...", 0},
	{"runs", 'n', "N", 0, "... of N runs (default 3)", 0},
	{"keep-namespaces", 'k', NULL, 0,
	 "the daemon and the pid namespaces stay where they are", 0},
	{"quiet", 'q', NULL, 0, "no progress", 0},
	{0},
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct job *job = state->input;

	switch (key) {
	case 'm':
		job->need = option_number(state, arg, 1000);
		return 0;
	case 'n':
		job->runs = option_number(state, arg, 1000);
		return 0;
	case 'k':
		job->keep_namespaces = true;
		return 0;
	case 'q':
		job->quiet = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &job->opt;
		return 0;
	case ARGP_KEY_END:
		if (job->need > job->runs)
			argp_error(state, "%u of %u runs cannot be", job->need,
				   job->runs);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_opt,
	.children = finding_children,
	.args_doc = "FINDING",
	.doc = "Make a finding smaller: delta debugging of its scenario, while the "
	       "signature "
	       "stays.\v"
	       "FINDING is a scenario or the folder of a finding. After each improvement "
	       "the smallest so far is on disk (scenario.min.txt in the folder, "
	       "NAME.min.txt here for a file): interrupt or kill it at any time. Exit "
	       "status: 1 it is flagged and now as small as it gets, 0 it is not "
	       "flagged, "
	       "2 bad input, 3 infrastructure, 130 interrupted.",
};

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

static double seconds(const struct job *job)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - job->begin.tv_sec) +
	       (double)(now.tv_nsec - job->begin.tv_nsec) / 1e9;
}

static int improved(void *ctx, const struct scenario *best)
{
	struct job *job = ctx;
	int ret = save(job);

	if (!job->quiet)
		fprintf(stderr,
			"%5.0fs %5u runs: %u elements (%u tasks, %u rules, %u steps)\n",
			seconds(job), job->probe.runs, scenario_elements(best),
			best->n_tasks, best->n_faults, best->n_steps);
	return ret;
}

static json_t *size_json(const struct scenario *scn)
{
	return json_pack("{s:i, s:i, s:i, s:i}", "elements", (int)scenario_elements(scn),
			 "tasks", (int)scn->n_tasks, "faults", (int)scn->n_faults,
			 "steps", (int)scn->n_steps);
}

/* best NULL: it is not flagged, or not often enough. */
static void tell_json(const struct job *job, const struct scenario *best)
{
	json_t *others = json_array();

	for (unsigned int i = 0; i < job->n_others; i++) {
		char id[20];

		snprintf(id, sizeof(id), "%016" PRIx64, job->others[i].signature);
		json_array_append_new(others, json_string(id));
	}
	finding_options_print(json_pack(
		"{s:s, s:s, s:s, s:s, s:b, s:o, s:o?, s:i, s:f, s:b, s:o}", "finding",
		job->file.path, "target", job->opt.target, "file", best ? job->out : "",
		"signature", job->id, "shows", best != NULL, "before",
		size_json(&job->file.scn), "after", best ? size_json(best) : NULL, "runs",
		(int)job->probe.runs, "seconds", seconds(job), "minimal",
		job->min.minimal, "others", others));
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
				job->file.path, job->opt.target);
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
		if (job->opt.json)
			tell_json(job, NULL);
		else
			printf("%s: not flagged in %u runs on %s: nothing to minimise\n",
			       job->file.path, tries, job->opt.target);
		return EXIT_CLEAN;
	}
	signature_format(job->verdict, job->signature, job->id);
	if (job->file.known && job->file.signature &&
	    job->file.signature != job->signature) {
		char was[40];

		signature_format(job->file.verdict, job->file.signature, was);
		fprintf(stderr, "%s: was %s, shows %s on %s: that one is minimised\n",
			job->file.path, was, job->id, job->opt.target);
	}
	*ret_done = false;
	return 0;
}

static void name_output(struct job *job)
{
	if (job->opt.output)
		snprintf(job->out, sizeof(job->out), "%s", job->opt.output);
	else if (job->file.folder)
		finding_file_beside(&job->file, "scenario.min.txt", job->out,
				    sizeof(job->out));
	else
		snprintf(job->out, sizeof(job->out), "%s.min.txt", job->file.title);
}

static void tell(const struct job *job, int ret)
{
	const struct scenario *best = &job->min.best;

	if (job->opt.json) {
		tell_json(job, best);
		return;
	}
	printf("%s: %s, %u -> %u elements (%u tasks, %u rules, %u steps), %u runs, %.0f "
	       "s, %s\n",
	       job->out, job->id, scenario_elements(&job->file.scn),
	       scenario_elements(best), best->n_tasks, best->n_faults, best->n_steps,
	       job->probe.runs, seconds(job),
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
	if (!ret && job->opt.json) {
		tell_json(job, NULL);
		return EXIT_FLAGGED;
	}
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
	static struct job job = {.opt.target = "host", .need = 2, .runs = 3};
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &job);
	ret = finding_options_load(&job.opt, &job.file);
	if (ret)
		return ret;
	name_output(&job);
	interrupt_catch();
	ret = finding_options_open(job.opt.target, &job.probe);
	if (ret)
		return ret;
	clock_gettime(CLOCK_MONOTONIC, &job.begin);
	ret = minimise(&job);
	probe_close(&job.probe);
	return ret;
}
