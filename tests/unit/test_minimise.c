/* SPDX-License-Identifier: MIT */
/* The minimiser against oracles that know what matters; no kernel. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuzzer/minimise/minimise.h"
#include "fuzzer/replay/schedule.h"
#include "harness/scenario/tables.h"
#include "scenario_random.h"
#include "scenario_text.h"

struct oracle {
	bool (*shows)(const struct scenario *scn);
	unsigned int tests, saved;
	unsigned int stop_after; /* 0: never */
	struct scenario last;
};

static int ask(void *ctx, const struct scenario *scn)
{
	struct oracle *oracle = ctx;
	struct scenario copy = *scn;

	scenario_canonicalise(&copy);
	assert_true(scenario_equal(&copy, scn));
	if (oracle->stop_after && oracle->tests >= oracle->stop_after)
		return -EINTR;
	oracle->tests++;
	return oracle->shows(scn);
}

static int keep(void *ctx, const struct scenario *best)
{
	struct oracle *oracle = ctx;

	assert_true(oracle->shows(best));
	if (oracle->saved)
		assert_true(scenario_cost(best) < scenario_cost(&oracle->last));
	oracle->last = *best;
	oracle->saved++;
	return 0;
}

static int run(struct oracle *oracle, struct minimise *min, const struct scenario *from)
{
	*min = (struct minimise){
		.best = *from, .test = ask, .improved = keep, .ctx = oracle};
	return minimise_run(min);
}

static void is_text(const struct scenario *scn, const char *want)
{
	struct scenario expected = parsed(want);

	if (!scenario_equal(scn, &expected)) {
		char text[16384] = "";

		scenario_format(scn, text, sizeof(text));
		fail_msg("wanted:\n%sgot:\n%s", want, text);
	}
}

static bool has_op(const struct scenario *scn, unsigned int op)
{
	for (unsigned int i = 0; i < scn->n_steps; i++)
		if (scn->steps[i].op == op)
			return true;
	return false;
}

/* A rule for FLUSH, and an open before a close. */
static bool open_close_flush(const struct scenario *scn)
{
	bool opened = false, flush = false;

	for (unsigned int i = 0; i < scn->n_faults; i++)
		flush |= scn->faults[i].opcode == FUSE_FLUSH;
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		opened |= scn->steps[i].op == OP_open;
		if (scn->steps[i].op == OP_close && opened)
			return flush;
	}
	return false;
}

static const char big[] = "config: daemon=inside threads=3 cpus=2 clone_fd leak_fd\n"
			  "mount: noatime\n"
			  "init: async_read writeback_cache max_background=7\n"
			  "open: direct_io\n"
			  "cache: hour\n"
			  "task t0: pidns\n"
			  "task t1: fork of t0\n"
			  "task t2: thread of t1 late\n"
			  "fault: READ: hold_ms 30\n"
			  "fault: FLUSH #3 from t1: hold_until_step 9\n"
			  "fault: LOOKUP: errno EIO\n"
			  "t0: stat f0\n"
			  "t1: open fd3 f2 rdwr|append\n"
			  "t1: write fd3 40000\n"
			  "t2: readdir d0\n"
			  "t1: fsync fd3\n"
			  "t0: mkdir n0\n"
			  "t1: close fd3\n"
			  "t2: kill t1 SIGUSR1\n"
			  "t0: exit_group 7\n"
			  "ctl: barrier\n";

static void everything_needless_goes(void **state)
{
	struct oracle oracle = {.shows = open_close_flush};
	struct scenario from = parsed(big);
	struct minimise min;

	(void)state;
	assert_int_equal(run(&oracle, &min, &from), 0);
	assert_true(min.minimal);
	assert_true(oracle.saved > 0);
	is_text(&min.best, "task t0: fork\n"
			   "fault: FLUSH: drop\n"
			   "t0: open fd0 . rdonly\n"
			   "t0: close fd0\n");
}

/* Two steps that only show together, far apart, and in the presence of a flag. */
static bool pair(const struct scenario *scn)
{
	return has_op(scn, OP_mkdir) && has_op(scn, OP_fsync) &&
	       (scn->config.init & INITF_WRITEBACK_CACHE) && scn->n_tasks >= 2;
}

static void what_matters_together_stays(void **state)
{
	struct oracle oracle = {.shows = pair};
	struct scenario from = parsed(big);
	struct minimise min;

	(void)state;
	assert_int_equal(run(&oracle, &min, &from), 0);
	assert_true(min.minimal);
	assert_int_equal(min.best.n_steps, 2);
	assert_int_equal(min.best.n_faults, 0);
	assert_int_equal(min.best.n_tasks, 2);
	assert_int_equal(min.best.tasks[1].late, 0);
	assert_int_equal(min.best.tasks[1].kind, TASK_FORK);
	assert_int_equal(min.best.config.init, INITF_WRITEBACK_CACHE);
	assert_int_equal(scenario_elements(&min.best), 4);
}

static bool needs_namespace(const struct scenario *scn)
{
	return scn->config.placement == PLACE_INSIDE && scn->n_tasks >= 1;
}

static void a_daemon_inside_keeps_its_home(void **state)
{
	struct oracle oracle = {.shows = needs_namespace};
	struct scenario from = parsed(big);
	struct minimise min;

	(void)state;
	assert_int_equal(run(&oracle, &min, &from), 0);
	is_text(&min.best, "config: daemon=inside\ntask t0: pidns\n");
}

static bool always(const struct scenario *scn)
{
	(void)scn;
	return true;
}

static void the_empty_scenario_is_the_end(void **state)
{
	struct oracle oracle = {.shows = always};
	struct scenario from = parsed(big);
	struct minimise min;

	(void)state;
	assert_int_equal(run(&oracle, &min, &from), 0);
	assert_int_equal(scenario_elements(&min.best), 0);
}

static bool whole(const struct scenario *scn)
{
	struct scenario from = parsed(big);

	return scenario_equal(scn, &from);
}

static void what_cannot_shrink_is_left_alone(void **state)
{
	struct oracle oracle = {.shows = whole};
	struct scenario from = parsed(big);
	struct minimise min;

	(void)state;
	assert_int_equal(run(&oracle, &min, &from), 0);
	assert_true(min.minimal);
	assert_true(scenario_equal(&min.best, &from));
	assert_int_equal(min.accepted, 0);
	/* Each removal was asked about at least once. */
	assert_true(oracle.tests >= scenario_removals(&from));
}

/* A user who interrupts has the best so far, and it still shows. */
static void interruption_keeps_the_best(void **state)
{
	struct scenario from = parsed(big);

	(void)state;
	for (unsigned int stop = 1; stop < 60; stop++) {
		struct oracle oracle = {.shows = open_close_flush, .stop_after = stop};
		struct minimise min;
		int ret = run(&oracle, &min, &from);

		assert_true(open_close_flush(&min.best));
		if (oracle.saved)
			assert_true(scenario_equal(&oracle.last, &min.best));
		if (ret == 0)
			return;
		assert_int_equal(ret, -EINTR);
		assert_false(min.minimal);
	}
}

static unsigned int oracle_seed;

/* An arbitrary but fixed opinion that depends on a few features. */
static bool arbitrary(const struct scenario *scn)
{
	unsigned int op = OP_open + oracle_seed % 30;

	return (has_op(scn, op) || scn->n_faults >= 2) &&
	       (!(oracle_seed & 64) || scn->config.threads > 1);
}

/* Whatever the oracle: what comes out shows it, and without any one element it does not. */
static void results_are_one_minimal(void **state)
{
	struct rng rng;
	unsigned int done = 0;

	(void)state;
	rng_init(&rng, 6);
	for (unsigned int i = 0; i < ROUNDS(400); i++) {
		struct oracle oracle = {.shows = arbitrary};
		struct scenario from, scn;
		struct minimise min;

		random_scenario(&rng, &from);
		scenario_canonicalise(&from);
		oracle_seed = (unsigned int)rng_next(&rng);
		if (!arbitrary(&from))
			continue;
		done++;
		assert_int_equal(run(&oracle, &min, &from), 0);
		assert_true(arbitrary(&min.best));
		for (unsigned int k = 0; k < scenario_removals(&min.best); k++) {
			assert_true(scenario_candidate(&min.best, k, &scn));
			if (scenario_cost(&scn) < scenario_cost(&min.best))
				assert_false(arbitrary(&scn));
		}
	}
	assert_true(done > 20);
}

/* Removing a step moves the numbers that rules hold. */
static void step_numbers_follow(void **state)
{
	struct scenario from = parsed("task t0: fork\n"
				      "fault: FLUSH: hold_until_step 3\n"
				      "t0: nop\n"
				      "t0: stat f0\n"
				      "t0: stat f1\n");
	struct scenario scn;

	(void)state;
	assert_true(scenario_candidate(&from, 2, &scn)); /* steps, last first: number 1 */
	assert_int_equal(scn.n_steps, 2);
	assert_int_equal(scn.faults[0].value, 2);
}

static void schedules_differ_and_end(void **state)
{
	struct scenario from = parsed("task t0: fork\n"
				      "fault: FLUSH: hold\n"
				      "t0: open fd0 f0 rdwr\n"
				      "t0: close fd0\n");
	char what[SCHEDULE_WHAT];
	bool never = false, pause = false, barrier = false;
	struct scenario scn;
	unsigned int n = 0;

	(void)state;
	for (; schedule_variant(&from, n, &scn, what); n++) {
		assert_false(scenario_equal(&scn, &from));
		assert_true(what[0]);
		barrier |= has_op(&scn, OP_barrier);
		pause |= has_op(&scn, OP_sleep);
		never |= scn.faults[0].action == FAULT_hold_step &&
			 scn.faults[0].value > from.n_steps;
		assert_true(n < 1000);
	}
	assert_true(barrier && pause && never);
	assert_int_equal(n, 1 + 2 + (3 + 4) + 2 * 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_needless_goes),
		cmocka_unit_test(what_matters_together_stays),
		cmocka_unit_test(a_daemon_inside_keeps_its_home),
		cmocka_unit_test(the_empty_scenario_is_the_end),
		cmocka_unit_test(what_cannot_shrink_is_left_alone),
		cmocka_unit_test(interruption_keeps_the_best),
		cmocka_unit_test(results_are_one_minimal),
		cmocka_unit_test(step_numbers_follow),
		cmocka_unit_test(schedules_differ_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
