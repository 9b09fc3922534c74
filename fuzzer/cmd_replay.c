/* SPDX-License-Identifier: MIT */
/* shortfuse replay: how often a finding shows, what differs when it does not, and a timing that shows it more often. */

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "finding_file.h"
#include "harness/explain/explain.h"
#include "harness/scenario/text.h"
#include "outcome.h"
#include "probe.h"
#include "replay/schedule.h"
#include "scenario_file.h"

#define TIMES_APART 4 /* a step that takes so much longer or shorter is worth a line */

struct job {
	const char *finding, *output, *target;
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
	{"target", 't', "TARGET", 0, "host (default), uml[:IMAGE] or qemu:KERNEL", 0},
	{"repeat", 'n', "N", 0, "runs (default 20)", 0},
	{"search", 's', NULL, 0, "try other timings until it shows more often", 0},
	{"goal", 'g', "PERCENT", 0, "a rate that ends the search (default 95)", 0},
	{"output", 'o', "FILE", 0,
	 "where the winning schedule goes (default: the finding's folder, "
	 "NAME.schedule.txt here for "
	 "a file)",
	 0},
	{0},
};

static unsigned int number(struct argp_state *state, const char *arg, long max)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (*end || end == arg || n < 1 || n > max)
		argp_error(state, "'%s' is not a number from 1 to %ld", arg, max);
	return (unsigned int)n;
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct job *job = state->input;

	switch (key) {
	case 't':
		job->target = arg;
		return 0;
	case 'n':
		job->runs = number(state, arg, 1000000);
		return 0;
	case 'g':
		job->goal = number(state, arg, 100);
		return 0;
	case 's':
		job->search = true;
		return 0;
	case 'o':
		job->output = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (job->finding)
			argp_error(state, "one FINDING only, '%s' is too many", arg);
		job->finding = arg;
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
	.doc = "Run a finding again and tell how often it shows.\v"
	       "With --search barriers, pauses, other moments of release and the other "
	       "number of CPUs are "
	       "tried one after the other; what raises the rate stays. Exit status: 1 it "
	       "shows, 0 it does "
	       "not, 2 bad input, 3 infrastructure.",
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

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

	if (job->output)
		snprintf(path, sizeof(path), "%s", job->output);
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

static int replay(struct job *job)
{
	struct tally tally;
	int ret = measure(job, &job->file.scn, &tally), status;

	if (ret < 0 && ret != -EINTR) {
		fprintf(stderr, "shortfuse: %s: the target is lost\n", job->target);
		tally_release(&tally);
		return EXIT_INFRA;
	}
	outcome_rates_print(stdout, job->file.path, &job->file.scn, &tally.rates);
	tell_difference(job, &tally);
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
	static struct job job = {.target = "host", .runs = 20, .goal = 95};
	struct sigaction interrupt = {.sa_handler = on_interrupt,
				      .sa_flags = (int)SA_RESETHAND};
	char err[SCENARIO_FILE_ERROR];
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &job);
	if (finding_file_load(job.finding, &job.file, err) < 0) {
		fprintf(stderr, "%s\n", err);
		return EXIT_USAGE;
	}
	if (job.file.known) {
		job.signature = job.file.signature;
		job.verdict = job.file.verdict;
	}
	sigaction(SIGINT, &interrupt, NULL);
	ret = probe_open(&job.probe, job.target, err);
	if (ret < 0) {
		fprintf(stderr, "shortfuse: %s: %s\n", job.target, err);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	}
	ret = replay(&job);
	probe_close(&job.probe);
	return ret;
}
