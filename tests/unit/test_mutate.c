/* SPDX-License-Identifier: MIT */
/* The mutator: canonical results, one result a seed, every row reachable, parts that can go. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fuzzer/mutate/edit.h"
#include "fuzzer/mutate/generate.h"
#include "fuzzer/mutate/mutate.h"
#include "harness/scenario/codec.h"

#define ROUNDS 3000

static void assert_canonical(const struct scenario *scn)
{
	struct scenario copy = *scn, back;
	uint8_t bytes[SCN_MAX_BYTES];
	int len;

	scenario_canonicalise(&copy);
	assert_true(scenario_equal(&copy, scn));
	len = scenario_encode(scn, bytes, sizeof(bytes));
	assert_true(len >= 0);
	scenario_decode(bytes, len, &back);
	assert_true(scenario_equal(&back, scn));
}

static void test_generated_is_canonical(void **state)
{
	struct scenario scn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (int i = 0; i < ROUNDS; i++) {
		generate_scenario(&rng, &scn);
		assert_canonical(&scn);
		assert_in_range(scn.n_steps, 3, 12);
	}
}

static void test_every_row_works(void **state)
{
	struct scenario scn, before, donor;
	struct rng rng;
	struct mutate_env env = {.rng = &rng, .donor = &donor};

	(void)state;
	rng_init(&rng, 2);
	for (const struct mutation *row = mutation_table; row->name; row++) {
		unsigned int changed = 0;

		for (int i = 0; i < 300; i++) {
			generate_scenario(&rng, &scn);
			generate_scenario(&rng, &donor);
			before = scn;
			if (mutate_one(&scn, row, &env)) {
				changed++;
				assert_false(scenario_equal(&scn, &before));
			} else {
				assert_true(scenario_equal(&scn, &before));
			}
			assert_canonical(&scn);
		}
		if (changed < 30)
			fail_msg("%s changed %u of 300 scenarios", row->name, changed);
	}
}

static void test_every_row_is_picked(void **state)
{
	unsigned int seen[64] = {0};
	struct scenario scn, donor;
	struct rng rng;
	struct mutate_env env = {.rng = &rng, .donor = &donor};
	const struct mutation *row;

	(void)state;
	rng_init(&rng, 3);
	for (int i = 0; i < 10000; i++) {
		generate_scenario(&rng, &scn);
		generate_scenario(&rng, &donor);
		row = mutate_scenario(&scn, &env);
		if (row)
			seen[row - mutation_table]++;
	}
	for (row = mutation_table; row->name; row++)
		if (!seen[row - mutation_table])
			fail_msg("%s was never the last one in 10000", row->name);
}

/* A long walk: limits are reached, and nothing breaks there. */
static void test_walk(void **state)
{
	struct scenario scn, donor;
	unsigned int most_steps = 0;
	struct rng rng;
	struct mutate_env env = {.rng = &rng, .donor = &donor};

	(void)state;
	rng_init(&rng, 4);
	scenario_init(&scn);
	for (int i = 0; i < 10 * ROUNDS; i++) {
		if (i % 64 == 0)
			generate_scenario(&rng, &donor);
		mutate_scenario(&scn, &env);
		assert_canonical(&scn);
		if (scn.n_steps > most_steps)
			most_steps = scn.n_steps;
	}
	assert_true(most_steps > 20);
}

static void test_deterministic(void **state)
{
	struct scenario a, b, start;
	struct rng rng_a, rng_b;
	struct mutate_env env_a = {.rng = &rng_a}, env_b = {.rng = &rng_b};
	unsigned int same = 0;

	(void)state;
	rng_init(&rng_a, 5);
	generate_scenario(&rng_a, &start);
	for (uint64_t seed = 0; seed < 500; seed++) {
		a = b = start;
		rng_init(&rng_a, seed);
		rng_init(&rng_b, seed);
		assert_ptr_equal(mutate_scenario(&a, &env_a),
				 mutate_scenario(&b, &env_b));
		assert_true(scenario_equal(&a, &b));
		b = start;
		rng_init(&rng_b, seed + 1000);
		mutate_scenario(&b, &env_b);
		same += scenario_equal(&a, &b);
	}
	assert_true(same < 100);
}

/* Trimming as afl-fuzz does it: each part is tried, the last one too, and it ends. */
static void test_trim_converges(void **state)
{
	struct scenario scn, candidate;
	struct rng rng;

	(void)state;
	rng_init(&rng, 6);
	for (int i = 0; i < 300; i++) {
		unsigned int part = 0, tries = 0, before;

		generate_scenario(&rng, &scn);
		while (part < mutate_parts(&scn)) {
			candidate = scn;
			before = mutate_parts(&scn);
			mutate_without(&candidate, part);
			assert_canonical(&candidate);
			assert_true(mutate_parts(&candidate) <= before);
			/* Keep what has the last step: everything else must go. */
			if (candidate.n_steps && mutate_parts(&candidate) < before)
				scn = candidate;
			else
				part++;
			assert_true(++tries < 200);
		}
		assert_int_equal(scn.n_steps, 1);
		assert_int_equal(scn.n_faults, 0);
	}
}

static void test_step_numbers_move_along(void **state)
{
	struct scn_step step = {.actor = ACTOR_CTL, .op = OP_barrier};
	struct scenario scn;

	(void)state;
	scenario_init(&scn);
	for (int i = 0; i < 4; i++)
		edit_insert_step(&scn, i, &step);
	scn.faults[scn.n_faults++] = (struct scn_fault){.opcode = 14,
							.action = FAULT_hold_step,
							.value = 3,
							.requester = ACTOR_ANY};
	edit_insert_step(&scn, 0, &step);
	assert_int_equal(scn.faults[0].value, 4);
	edit_insert_step(&scn, 4, &step);
	assert_int_equal(scn.faults[0].value, 4);
	edit_remove_step(&scn, 0);
	assert_int_equal(scn.faults[0].value, 3);
	edit_remove_step(&scn, 3);
	assert_int_equal(scn.faults[0].value, 3);
}

static void test_most_steps_are_executable(void **state)
{
	unsigned int steps = 0, executable = 0;
	struct scenario scn;
	struct rng rng;
	struct mutate_env env = {.rng = &rng};

	(void)state;
	rng_init(&rng, 7);
	for (int i = 0; i < ROUNDS; i++) {
		generate_scenario(&rng, &scn);
		for (int n = rng_below(&rng, 8); n > 0; n--)
			mutate_scenario(&scn, &env);
		steps += scn.n_steps;
		executable += model_executable(&scn);
	}
	print_message("model: %u of %u steps executable\n", executable, steps);
	assert_true(executable * 10 > steps * 7);
}

static void test_describe(void **state)
{
	struct scenario scn;
	char text[60], tiny[8];

	(void)state;
	scenario_init(&scn);
	mutate_describe(&scn, text, sizeof(text));
	assert_string_equal(text, "no_fault");
	scn.faults[0] = (struct scn_fault){.opcode = 25, .action = FAULT_drop};
	scn.faults[1] = (struct scn_fault){.opcode = 0, .action = FAULT_hold};
	scn.n_faults = 2;
	mutate_describe(&scn, text, sizeof(text));
	assert_string_equal(text, "FLUSH.drop+ANY.hold");
	mutate_describe(&scn, tiny, sizeof(tiny));
	assert_string_equal(tiny, "FLUSH.d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generated_is_canonical),
		cmocka_unit_test(test_every_row_works),
		cmocka_unit_test(test_every_row_is_picked),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_trim_converges),
		cmocka_unit_test(test_step_numbers_move_along),
		cmocka_unit_test(test_most_steps_are_executable),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
