/* SPDX-License-Identifier: MIT */
/* Results: round trip, every truncation refused, hostile bytes harmless. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/protocol/result.h"
#include "harness/util/rng.h"

/* Small enough to flip every bit of, yet nothing is 0. */
static void fill(struct result *res)
{
	result_init(res);
	res->verdict = VERDICT_PINNED;
	res->rung = RUNG_ABORT;
	res->poisoned = 1;
	res->n_steps = 2;
	res->signature = 0x1122334455667788;
	res->root_hash = 0xfedcba9876543210;
	res->setup_us = 1;
	res->steps_us = 2;
	res->verdict_us = 3;
	res->snapshot_us = 4;
	res->total_us = 0xffffffff;
	res->steps[0] = (struct step_result){STEP_DONE, 0, -5, 70000};
	res->steps[1] = (struct step_result){STEP_BLOCKED, 1, INT32_MIN, 1};
	res->n_cells = 2;
	res->cells[0] = 0xdeadbeef;
	res->cells[1] = 0xdeadbef0;
	strcpy(res->reason, "nobody answers");
	res->json = strdup("{\"a\":1}");
	res->json_len = strlen(res->json);
}

static void expect_equal(const struct result *a, const struct result *b)
{
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->rung, b->rung);
	assert_int_equal(a->poisoned, b->poisoned);
	assert_int_equal(a->signature, b->signature);
	assert_int_equal(a->root_hash, b->root_hash);
	assert_int_equal(a->setup_us, b->setup_us);
	assert_int_equal(a->steps_us, b->steps_us);
	assert_int_equal(a->verdict_us, b->verdict_us);
	assert_int_equal(a->snapshot_us, b->snapshot_us);
	assert_int_equal(a->total_us, b->total_us);
	assert_int_equal(a->n_steps, b->n_steps);
	for (unsigned int i = 0; i < a->n_steps; i++) {
		assert_int_equal(a->steps[i].status, b->steps[i].status);
		assert_int_equal(a->steps[i].late, b->steps[i].late);
		assert_int_equal(a->steps[i].ret, b->steps[i].ret);
		assert_int_equal(a->steps[i].us, b->steps[i].us);
	}
	assert_int_equal(a->n_cells, b->n_cells);
	for (unsigned int i = 0; i < a->n_cells; i++)
		assert_int_equal(a->cells[i], b->cells[i]);
	assert_string_equal(a->reason, b->reason);
	assert_int_equal(a->json_len, b->json_len);
	assert_int_equal(!a->json, !b->json);
	if (a->json)
		assert_string_equal(a->json, b->json);
}

static void check_round_trip(const struct result *res)
{
	struct result got;
	uint8_t *buf;
	uint32_t len;

	assert_int_equal(result_encode(res, &buf, &len), 0);
	assert_int_equal(result_decode(buf, len, &got), 0);
	expect_equal(res, &got);
	result_release(&got);
	assert_null(got.json);
	free(buf);
}

static void test_round_trip(void **state)
{
	struct result res;

	(void)state;
	result_init(&res);
	check_round_trip(&res);
	fill(&res);
	check_round_trip(&res);
	result_release(&res);
}

static void test_full(void **state)
{
	struct result res;

	(void)state;
	result_init(&res);
	res.verdict = VERDICT_COUNT - 1;
	res.rung = RUNG_COUNT - 1;
	res.n_steps = SCN_MAX_STEPS;
	for (unsigned int i = 0; i < SCN_MAX_STEPS; i++)
		res.steps[i] = (struct step_result){i % (STEP_ENDED + 1), i % 2, -(int)i,
						    i << 20};
	res.n_cells = RESULT_MAX_CELLS;
	for (unsigned int i = 0; i < RESULT_MAX_CELLS; i++)
		res.cells[i] = i << 22;
	memset(res.reason, 'r', sizeof(res.reason) - 1);
	res.json_len = 1 << 20;
	res.json = calloc(1, res.json_len + 1);
	memset(res.json, 'j', res.json_len);
	check_round_trip(&res);
	result_release(&res);
}

static void refuse(const uint8_t *buf, uint32_t len)
{
	struct result got, before;
	uint8_t *exact =
		malloc(len ? len : 1); /* the sanitiser sees a read beyond the end */

	memcpy(exact, buf, len);
	memset(&before, 0x5a, sizeof(before));
	got = before;
	assert_int_equal(result_decode(exact, len, &got), -EBADMSG);
	assert_memory_equal(&got, &before, sizeof(got));
	free(exact);
}

static void test_truncated(void **state)
{
	struct result res;
	uint8_t *buf, *longer;
	uint32_t len;

	(void)state;
	fill(&res);
	assert_int_equal(result_encode(&res, &buf, &len), 0);
	for (uint32_t cut = 0; cut < len; cut++)
		refuse(buf, cut);
	longer = calloc(1, len + 1);
	memcpy(longer, buf, len);
	refuse(longer, len + 1);
	free(longer);
	free(buf);
	result_release(&res);
}

/* Offsets of fields whose range the decoder must check, and a value beyond it. */
static void test_hostile_fields(void **state)
{
	static const struct {
		unsigned int offset;
		uint8_t value;
	} rows[] = {
		{0, VERDICT_COUNT},
		{1, RUNG_COUNT},
		{2, 2},
		{3, SCN_MAX_STEPS + 1},
		{3, 255},
		{40, STEP_ENDED + 1},
		{41, 2},
		{61, 3}, /* 512 cells and more */
		{61, 255},
		{70, 200},
		{71, 2},
		{71, 255},
	};
	struct result res;
	uint8_t *buf;
	uint32_t len;

	(void)state;
	fill(&res);
	assert_int_equal(result_encode(&res, &buf, &len), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t good = buf[rows[i].offset];

		buf[rows[i].offset] = rows[i].value;
		refuse(buf, len);
		buf[rows[i].offset] = good;
	}
	/* a JSON length that claims 4 GiB */
	memset(buf + len - 7 - 4, 0xff, 4);
	refuse(buf, len);
	free(buf);
	result_release(&res);
}

static void decode_anything(const uint8_t *buf, uint32_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct result res;

	memcpy(exact, buf, len);
	if (!result_decode(exact, len, &res)) {
		assert_true(res.verdict < VERDICT_COUNT);
		assert_true(res.n_steps <= SCN_MAX_STEPS);
		assert_true(res.n_cells <= RESULT_MAX_CELLS);
		assert_true(strlen(res.reason) < sizeof(res.reason));
		result_release(&res);
	}
	free(exact);
}

static void test_hostile_bytes(void **state)
{
	struct result res;
	struct rng rng;
	uint8_t *buf;
	uint32_t len;

	(void)state;
	fill(&res);
	assert_int_equal(result_encode(&res, &buf, &len), 0);
	for (uint32_t bit = 0; bit < len * 8; bit++) {
		buf[bit / 8] ^= 1 << bit % 8;
		decode_anything(buf, len);
		buf[bit / 8] ^= 1 << bit % 8;
	}
	rng_init(&rng, 1);
	for (unsigned int i = 0; i < 50000; i++) {
		uint8_t bytes[256];
		uint32_t n = rng_below(&rng, sizeof(bytes) + 1);

		for (uint32_t b = 0; b < n; b++)
			bytes[b] = rng_chance(&rng, 1, 2) ? 0 : rng_next(&rng);
		decode_anything(bytes, n);
	}
	free(buf);
	result_release(&res);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_hostile_fields),
		cmocka_unit_test(test_hostile_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
