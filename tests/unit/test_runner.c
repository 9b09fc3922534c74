/* SPDX-License-Identifier: MIT */
/* The runner over a target made of counters: what it resets, what it opens again, and that no answer is lost. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fuzzer/campaign/runner.h"

static struct {
	unsigned int opens, runs, resets, closes;
	unsigned int since; /* runs of this life */
	unsigned int poison_at, lose_at, fail_resets;
	bool spoiled; /* until a reset */
} world;

static struct target machine;

int target_open(const struct target_options *opt, struct target **ret_target, char *err)
{
	(void)opt, (void)err;
	world.opens++;
	world.since = 0;
	*ret_target = &machine;
	return 0;
}

int target_run(struct target *target, const struct scenario *scn, uint32_t flags,
	       struct result *ret_res)
{
	(void)target, (void)scn, (void)flags;
	world.runs++;
	world.since++;
	if (world.runs == world.lose_at)
		return -ECONNRESET;
	result_init(ret_res);
	ret_res->verdict = world.spoiled ? VERDICT_INFRA : VERDICT_CLEAN;
	if (world.runs == world.poison_at) {
		ret_res->verdict = VERDICT_UNREAPABLE;
		ret_res->poisoned = 1;
	}
	return 0;
}

int target_reset(struct target *target, char *err)
{
	(void)target, (void)err;
	world.resets++;
	if (world.fail_resets && world.fail_resets--)
		return -EIO;
	world.since = 0;
	world.spoiled = false;
	return 0;
}

void target_close(struct target *target)
{
	(void)target;
	world.closes++;
}

static void run(struct runner *runner, unsigned int n, unsigned int longest)
{
	struct scenario scn;
	struct result res;

	scenario_init(&scn);
	for (unsigned int i = 0; i < n; i++) {
		result_init(&res);
		assert_int_equal(runner_run(runner, &scn, 0, &res), 0);
		if (world.runs == world.poison_at)
			assert_int_equal(res.verdict, VERDICT_UNREAPABLE);
		else if (world.runs != world.lose_at)
			assert_int_equal(res.verdict, VERDICT_CLEAN);
		else
			assert_int_equal(res.verdict, VERDICT_INFRA);
		assert_true(world.since <= longest);
		result_release(&res);
	}
	assert_int_equal(runner->runs, n);
	runner_release(runner);
	assert_int_equal(world.closes, world.opens);
}

static void start(struct runner *runner, unsigned int reset_every)
{
	const struct target_options options = {.spec = "counters", .cpu = -1};

	memset(&world, 0, sizeof(world));
	runner_init(runner, &options);
	runner->reset_every = reset_every;
}

static void never_without_need(void **state)
{
	struct runner runner;

	(void)state;
	start(&runner, 0);
	run(&runner, 100, 100);
	assert_int_equal(world.opens, 1);
	assert_int_equal(runner.resets, 0);
}

static void every_so_many_runs(void **state)
{
	struct runner runner;

	(void)state;
	start(&runner, 7);
	run(&runner, 100, 7);
	assert_int_equal(world.opens, 1);
	assert_int_equal(runner.resets, 14); /* the 15th would be before run 106 */
	assert_int_equal(world.resets, 14);
}

static void counts_from_a_poison(void **state)
{
	struct runner runner;

	(void)state;
	start(&runner, 10);
	world.poison_at = 5;
	run(&runner, 16, 10);
	/* After run 5, and before run 16. */
	assert_int_equal(runner.resets, 2);
	assert_int_equal(world.since, 1);
}

static void opens_what_does_not_reset(void **state)
{
	struct runner runner;

	(void)state;
	start(&runner, 10);
	world.fail_resets = 1;
	run(&runner, 25, 10);
	assert_int_equal(world.opens, 2);
	assert_int_equal(runner.resets, 2);
}

static void opens_what_was_lost(void **state)
{
	struct runner runner;

	(void)state;
	start(&runner, 10);
	world.lose_at = 4;
	run(&runner, 14, 10);
	assert_int_equal(world.opens, 2);
	assert_int_equal(world.since, 10);
	assert_int_equal(runner.infra, 1);
}

static void resets_what_answers_nothing(void **state)
{
	struct runner runner;
	struct scenario scn;
	struct result res;

	(void)state;
	start(&runner, 0);
	assert_int_equal(runner_open(&runner), 0);
	scenario_init(&scn);
	world.spoiled = true;
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(runner_run(&runner, &scn, 0, &res), 0);
		assert_int_equal(res.verdict, i < 3 ? VERDICT_INFRA : VERDICT_CLEAN);
		result_release(&res);
	}
	assert_int_equal(runner.resets, 1);
	assert_int_equal(runner.infra, 3);
	runner_release(&runner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_without_need),
		cmocka_unit_test(every_so_many_runs),
		cmocka_unit_test(counts_from_a_poison),
		cmocka_unit_test(opens_what_does_not_reset),
		cmocka_unit_test(opens_what_was_lost),
		cmocka_unit_test(resets_what_answers_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
