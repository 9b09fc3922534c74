/* SPDX-License-Identifier: MIT */
/* shortfuse replay: how often a finding shows, what differs when it does not, and a timing that shows it more often. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "finding_options.h"
#include "harness/explain/explain.h"
#include "harness/scenario/text.h"
#include "fuzzer/finding/outcome.h"
#include "fuzzer/replay/schedule.h"

#define TIMES_APART 4 /* a step that takes so much longer or shorter is worth a line */

struct job {
	struct finding_options opt;
	unsigned int runs, goal; /* goal: per cent */
	bool search;
	struct finding_file file;
	struct probe probe;
	enum verdict verdict;
	uint64_t signature; /* 0: the most frequent flagged one */
};

struct tally {
	struct outcome_rates rates;
	unsigned int same;
	struct result shows, other; /* the first run of either kind */
	bool has_shows, has_other;
};

static const struct argp_option options[] = {
	{"repeat", 'n', "N", 0, "runs (default 20)", 0},
	{"search", 's', NULL, 0, "try other timings until it shows more often", 0},
	{"goal", 'g', "PERCENT", 0, "a rate that ends the search (default 95)", 0},
	{0},
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct job *job = state->input;

	switch (key) {
	case 'n':
		job->runs = option_number(state, arg, 1000000);
		return 0;
	case 'g':
		job->goal = option_number(state, arg, 100);
		return 0;
	case 's':
		job->search = true;
		return 0;
	case ARGP_KEY_END:
		if (job->search && job->opt.json)
			argp_error(state,
				   "--json tells of one schedule, --search tries many");
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &job->opt;
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
	.doc = "Run a finding again and tell how often it shows.\v"
	       "With --search barriers, pauses, other moments of release and the other "
	       "number of CPUs are "
	       "tried one after the other; what raises the rate stays. Exit status: 1 it "
	       "shows, 0 it does "
	       "not, 2 bad input, 3 infrastructure. The winning schedule goes to "
	       "scenario.schedule.txt in the finding's folder, NAME.schedule.txt here "
	       "for "
	       "a file.",
};

static void tally_release(struct tally *tally)
{
	result_release(&tally->shows);
	result_release(&tally->other);
}

/* The first flagged run says what is looked for, unless the finding does. */
static bool is_same(struct job *job, const struct result *res)
{
	if (!job->signature &&
	    verdict_table[res->verdict].severity >= SEVERITY_CONTRACT) {
		job->signature = res->signature;
		job->verdict = res->verdict;
	}
	return job->signature && res->signature == job->signature &&
	       res->verdict == job->verdict;
}

static void take(struct result *to, struct result *from, bool *has)
{
	if (*has) {
		result_release(from);
		return;
	}
	*to = *from;
	*has = true;
}

/* 0, or -errno when the target is lost. */
static int measure(struct job *job, const struct scenario *scn, struct tally *tally)
{
	*tally = (struct tally){0};
	result_init(&tally->shows);
	result_init(&tally->other);
	for (unsigned int i = 0; i < job->runs && !interrupted; i++) {
		struct result res;
		int ret = probe_run(&job->probe, scn, 0, &res);

		if (ret < 0)
			return ret;
		outcome_rates_add(&tally->rates, &res);
		if (is_same(job, &res)) {
			tally->same++;
			take(&tally->shows, &res, &tally->has_shows);
		} else {
			take(&tally->other, &res, &tally->has_other);
		}
	}
	return interrupted ? -EINTR : 0;
}

static const char *status_name(const struct step_result *step)
{
	static const char *const names[] = {"not run", "returned", "blocked", "skipped",
					    "ended"};

	return step->late ? "blocked, returned later" : names[step->status];
}

static bool apart(uint32_t a, uint32_t b)
{
	return a > 1000 + b * TIMES_APART || b > 1000 + a * TIMES_APART;
}

/* Where a run that shows it and one that does not part. */
static void tell_difference(const struct job *job, const struct tally *tally)
{
	const struct scenario *scn = &job->file.scn;

	if (!tally->has_shows || !tally->has_other)
		return;
	printf("a run that shows it against one that is %s:\n",
	       verdict_table[tally->other.verdict].name);
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct step_result *a = &tally->shows.steps[i];
		const struct step_result *b = &tally->other.steps[i];
		char line[200] = "";

		scenario_format_step(&scn->steps[i], line, sizeof(line));
		if (a->status != b->status || a->late != b->late || a->ret != b->ret)
			printf("  step %u, %s: %s (%d) against %s (%d)\n", i + 1, line,
			       status_name(a), a->ret, status_name(b), b->ret);
		else if (apart(a->us, b->us))
			printf("  step %u, %s: %u us against %u us\n", i + 1, line, a->us,
			       b->us);
	}
	if (tally->shows.rung != tally->other.rung)
		printf("  freed by: %s against %s\n", rung_names[tally->shows.rung],
		       rung_names[tally->other.rung]);
}

static bool enough(const struct job *job, unsigned int same)
{
	return same * 100 >= job->goal * job->runs;
}

static int store(const struct job *job, const struct scenario *best, unsigned int same)
{
	char path[4200], id[40], comment[100];
	const char *base = strrchr(job->file.path, '/');
	bool min = base && !strcmp(base, "/scenario.min.txt");
	int ret;

	if (job->opt.output)
		snprintf(path, sizeof(path), "%s", job->opt.output);
	else if (job->file.folder)
		finding_file_beside(&job->file,
				    min ? "scenario.min.txt" : "scenario.schedule.txt",
				    path, sizeof(path));
	else
		snprintf(path, sizeof(path), "%s.schedule.txt", job->file.title);
	signature_format(job->verdict, job->signature, id);
	snprintf(comment, sizeof(comment), "shows in %u of %u runs with this schedule",
		 same, job->runs);
	ret = finding_file_save(path, best, job->verdict, id, comment);
	if (ret < 0)
		fprintf(stderr, "shortfuse: %s: %s\n", path, strerror(-ret));
	else
		printf("%s: %s\n", path, comment);
	return ret < 0 ? EXIT_INFRA : EXIT_FLAGGED;
}

/* Takes each variant that raises the rate, and goes on from there. */
static int search(struct job *job, unsigned int same)
{
	struct scenario best = job->file.scn, scn;
	unsigned int first = same;
	char what[SCHEDULE_WHAT];
	int ret = 0;

	for (unsigned int i = 0;
	     !enough(job, same) && schedule_variant(&best, i, &scn, what); i++) {
		struct tally tally;

		ret = measure(job, &scn, &tally);
		tally_release(&tally);
		if (ret < 0)
			break;
		if (tally.same <= same)
			continue;
		printf("%u/%u with %s\n", tally.same, job->runs, what);
		same = tally.same;
		best = scn;
		i = ~0u; /* from the first variant again */
	}
	if (same > first)
		return store(job, &best, same);
	if (ret < 0 && ret != -EINTR)
		return EXIT_INFRA;
	printf("no other timing shows it more often than %u/%u\n", first, job->runs);
	return same ? EXIT_FLAGGED : EXIT_CLEAN;
}

static void tell_json(const struct job *job, const struct tally *tally)
{
	json_t *kinds = json_array();
	char id[40] = "";

	for (unsigned int i = 0; i < tally->rates.kinds; i++) {
		enum verdict verdict = tally->rates.kind[i].verdict;
		uint64_t signature = tally->rates.kind[i].signature;
		char kind[40] = "";

		if (signature)
			signature_format(verdict, signature, kind);
		json_array_append_new(kinds, json_pack("{s:s, s:s, s:i}", "verdict",
						       verdict_table[verdict].name,
						       "signature", kind, "count",
						       (int)tally->rates.kind[i].count));
	}
	if (job->signature)
		signature_format(job->verdict, job->signature, id);
	finding_options_print(json_pack(
		"{s:s, s:s, s:s, s:i, s:i, s:o, s:f}", "finding", job->file.path,
		"target", job->opt.target, "signature", id, "runs",
		(int)tally->rates.runs, "same", (int)tally->same, "kinds", kinds, "ms",
		tally->rates.runs ? tally->rates.ms / tally->rates.runs : 0.0));
}

static int replay(struct job *job)
{
	struct tally tally;
	int ret = measure(job, &job->file.scn, &tally), status;

	if (ret < 0 && ret != -EINTR) {
		fprintf(stderr, "shortfuse: %s: the target is lost\n", job->opt.target);
		tally_release(&tally);
		return EXIT_INFRA;
	}
	if (job->opt.json) {
		tell_json(job, &tally);
	} else {
		outcome_rates_print(stdout, job->file.path, &job->file.scn, &tally.rates);
		tell_difference(job, &tally);
	}
	tally_release(&tally);
	status = tally.same ? EXIT_FLAGGED : EXIT_CLEAN;
	if (ret < 0)
		return 128 + SIGINT;
	if (!job->search)
		return status;
	if (enough(job, tally.same)) {
		printf("%u/%u: nothing to search for\n", tally.same, job->runs);
		return status;
	}
	return search(job, tally.same);
}

int cmd_replay(int argc, char **argv)
{
	static struct job job = {.opt.target = "host", .runs = 20, .goal = 95};
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &job);
	ret = finding_options_load(&job.opt, &job.file);
	if (ret)
		return ret;
	if (job.file.known) {
		job.signature = job.file.signature;
		job.verdict = job.file.verdict;
	}
	interrupt_catch();
	ret = finding_options_open(job.opt.target, &job.probe);
	if (ret)
		return ret;
	ret = replay(&job);
	probe_close(&job.probe);
	return ret;
}
