/* SPDX-License-Identifier: MIT */
/*
 * Measures a target: target_bench SPEC SCENARIO RUNS RESETS [DEATH]
 *
 * Prints a line each: boot to first result, runs per second, reset (median and worst, until the next
 * result is there). With RUNS 0: the reason of one run, which is what bare_guest has to say. DEATH: a scenario that is
 * run before each reset, and that the guest need not survive.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/scenario/text.h"
#include "targets/target.h"

#define MAX_RESETS 100

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int read_scenario(const char *path, struct scenario *scn)
{
	static char text[65536];
	struct text_error error;
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return -1;
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	return scenario_parse(text, len, scn, &error);
}

/* One run; exits if it is not clean: then there is nothing to measure. */
static void run(struct target *target, const struct scenario *scn, bool tell)
{
	struct result res;

	result_init(&res);
	if (target_run(target, scn, 0, &res) < 0 || res.verdict != VERDICT_CLEAN) {
		fprintf(stderr, "target_bench: %s: %s\n", verdict_table[res.verdict].name,
			res.reason);
		exit(3);
	}
	if (tell)
		printf("%s\n", res.reason);
	result_release(&res);
}

/* What kills or poisons the guest; how it is called is no matter here. */
static void spoil(struct target *target, const struct scenario *scn)
{
	struct result res;

	result_init(&res);
	target_run(target, scn, 0, &res);
	result_release(&res);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure_resets(struct target *target, const struct scenario *scn,
			   const struct scenario *death, int n)
{
	double took[MAX_RESETS];
	char err[300];

	for (int i = 0; i < n; i++) {
		double begin;

		if (death)
			spoil(target, death);
		begin = now_ms();
		if (target_reset(target, err) < 0) {
			fprintf(stderr, "target_bench: reset: %s\n", err);
			exit(3);
		}
		run(target, scn, false);
		took[i] = now_ms() - begin;
	}
	qsort(took, (size_t)n, sizeof(took[0]), compare);
	printf("%s     %8.0f ms median, %.0f worst of %d\n",
	       death ? "reset after death" : "reset to result  ", took[n / 2],
	       took[n - 1], n);
}

int main(int argc, char **argv)
{
	struct target_options opt = {.cpu = -1};
	int runs = argc > 3 ? atoi(argv[3]) : 0, resets = argc > 4 ? atoi(argv[4]) : 0;
	struct target *target;
	struct scenario scn, death;
	char err[300] = "";
	double begin = now_ms();

	signal(SIGPIPE, SIG_IGN);
	opt.spec = argc > 2 ? argv[1] : "";
	if (argc < 4 || resets > MAX_RESETS || read_scenario(argv[2], &scn) < 0 ||
	    (argc > 5 && read_scenario(argv[5], &death) < 0)) {
		fprintf(stderr,
			"usage: target_bench SPEC SCENARIO RUNS RESETS [DEATH]\n");
		return 2;
	}
	if (target_open(&opt, &target, err) < 0) {
		fprintf(stderr, "target_bench: %s\n", err);
		return 3;
	}
	run(target, &scn, !runs);
	if (runs) {
		printf("boot to result      %8.0f ms\n", now_ms() - begin);
		begin = now_ms();
		for (int i = 0; i < runs; i++)
			run(target, &scn, false);
		printf("runs per second     %8.1f\n", runs * 1e3 / (now_ms() - begin));
	}
	if (resets)
		measure_resets(target, &scn, argc > 5 ? &death : NULL, resets);
	target_close(target);
	return 0;
}
