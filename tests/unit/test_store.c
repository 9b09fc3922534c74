/* SPDX-License-Identifier: MIT */
/* A qualification as JSON: round trip, and damage that must be noticed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzzer/qualify/store.h"

static void make(struct qualification *q)
{
	struct column column = {.spec = "uml:/a b",
				.name = "uml:/a b cpus=2",
				.slug = "uml-a-b",
				.n_settings = 1,
				.settings = {{"cpus", "2"}},
				.complete = true,
				.release = "6.1.0",
				.fuzz_runs = 7,
				.seconds = 1.5};
	struct result res = {.verdict = VERDICT_PINNED,
			     .rung = RUNG_ABORT,
			     .signature = 0xfedcba9876543210u,
			     .total_us = 1234};
	struct scenario scn;
	struct row *row;

	qualification_init(q);
	q->repeat = 3;
	q->repeat_max = 24;
	q->seed = 5;
	q->strict = true;
	q->n_candidates = 1;
	q->began = 1000000000;
	column.hello = strdup("{\"release\":\"6.1.0\",\"cpus\":2}");
	assert_int_equal(qualification_add_column(q, &column), 0);
	column.hello = NULL;
	column.baseline = true;
	snprintf(column.error, sizeof(column.error), "does not boot");
	assert_int_equal(qualification_add_column(q, &column), 0);
	scenario_init(&scn);
	row = qualification_add_row(q, "a \"quoted\" <name>", &scn);
	row->source = ROW_FOUND;
	row->found_by = 1;
	snprintf(res.reason, sizeof(res.reason), "caf\xc3\xa9 and \xff");
	cell_add(&row->cells[0], &res);
	cell_add(&row->cells[0], &res);
	res.verdict = VERDICT_CLEAN;
	res.rung = RUNG_SIGKILL;
	res.signature = 0;
	cell_add(&row->cells[0], &res);
	res.verdict = VERDICT_INFRA;
	cell_add(&row->cells[1], &res);
}

static void test_round_trip(void **state)
{
	struct qualification q, back;
	char err[300] = "";
	json_t *json, *again;

	(void)state;
	make(&q);
	json = store_json(&q);
	assert_non_null(json);
	qualification_init(&back);
	assert_int_equal(store_from_json(json, &back, err), 0);
	assert_int_equal(back.n_rows, 1);
	assert_int_equal(back.rows[0].cells[0].runs, 3);
	assert_int_equal(back.rows[0].cells[0].kinds[0].signature, 0xfedcba9876543210u);
	assert_int_equal(back.rows[0].cells[0].kinds[1].rung, RUNG_SIGKILL);
	assert_string_equal(back.rows[0].name, q.rows[0].name);
	assert_string_equal(back.columns[0].settings[0].key, "cpus");
	assert_true(scenario_equal(&back.rows[0].scn, &q.rows[0].scn));
	/* Once bytes that are no UTF-8 are gone, nothing changes any more. */
	again = store_json(&back);
	json_array_clear(json_object_get(json, "reasons"));
	assert_true(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	qualification_release(&q);
	qualification_release(&back);
}

static void refuse(json_t *json, const char *why)
{
	struct qualification q;
	char err[300] = "";

	qualification_init(&q);
	assert_int_equal(store_from_json(json, &q, err), -EINVAL);
	assert_non_null(strstr(err, why));
	qualification_release(&q);
	json_decref(json);
}

static json_t *fresh(void)
{
	struct qualification q;
	json_t *json;

	make(&q);
	json = store_json(&q);
	qualification_release(&q);
	return json;
}

static void test_damage(void **state)
{
	json_t *json = fresh(), *row, *cell;

	(void)state;
	json_object_set_new(json, "version", json_integer(2));
	refuse(json, "version 2");
	json = fresh();
	json_object_del(json, "format");
	refuse(json, "no qualification");
	json = fresh();
	json_object_set_new(json, "candidates", json_integer(7));
	refuse(json, "7 candidates");
	json = fresh();
	row = json_array_get(json_object_get(json, "rows"), 0);
	json_array_remove(json_object_get(row, "cells"), 0);
	refuse(json, "1 cells, not 2");
	json = fresh();
	row = json_array_get(json_object_get(json, "rows"), 0);
	cell = json_array_get(json_object_get(row, "cells"), 0);
	json_object_set_new(cell, "runs", json_integer(9));
	refuse(json, "sum");
	json = fresh();
	row = json_array_get(json_object_get(json, "columns"), 1);
	json_object_set_new(row, "slug", json_string("../etc"));
	refuse(json, "../etc");
	json = fresh();
	row = json_array_get(json_object_get(json, "rows"), 0);
	json_object_set_new(row, "scenario", json_string("task t0: fork\nt0: opne\n"));
	refuse(json, "line 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
