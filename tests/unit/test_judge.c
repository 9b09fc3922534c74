/* SPDX-License-Identifier: MIT */
/* What a qualification says of given counts: regressions, flakes, improvements, excuses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "fuzzer/qualify/judge.h"

static struct qualification q;
static struct judge judge = {.today = "2026-11-23"};

/* Rows as in a corpus of 50, so that the correction for many tests is there. */
#define ROWS 50

static void make(bool with_baseline, unsigned int expect)
{
	struct column column = {.name = "candidate", .complete = true};
	struct scenario scn;
	char name[30];

	qualification_release(&q);
	q.repeat = 3;
	q.repeat_max = 24;
	q.n_candidates = 1;
	assert_int_equal(qualification_add_column(&q, &column), 0);
	if (with_baseline) {
		column.baseline = true;
		assert_int_equal(qualification_add_column(&q, &column), 0);
	}
	scenario_init(&scn);
	scn.config.expect = expect;
	for (unsigned int i = 0; i < ROWS; i++) {
		snprintf(name, sizeof(name), "row%u", i);
		assert_non_null(qualification_add_row(&q, name, &scn));
	}
}

static void runs(unsigned int row, unsigned int column, unsigned int n,
		 enum verdict verdict, enum rung rung, uint64_t signature)
{
	struct result res = {.verdict = verdict, .rung = rung, .signature = signature};

	snprintf(res.reason, sizeof(res.reason), "because");
	while (n--)
		cell_add(&q.rows[row].cells[column], &res);
}

static void clean(unsigned int row, unsigned int column, unsigned int n)
{
	runs(row, column, n, VERDICT_CLEAN, RUNG_EXIT, 0);
}

static void lost(unsigned int row, unsigned int column, unsigned int n)
{
	runs(row, column, n, VERDICT_LOST, RUNG_DAEMON, 77);
}

static void pinned(unsigned int row, unsigned int column, unsigned int n)
{
	runs(row, column, n, VERDICT_PINNED, RUNG_ABORT, 88);
}

static void rest_clean(unsigned int from)
{
	for (unsigned int i = from; i < ROWS; i++)
		for (unsigned int c = 0; c < q.n_columns; c++)
			clean(i, c, 3);
}

static enum finding_state state(unsigned int row)
{
	return q.rows[row].judged[0].state;
}

static void want(enum qualification_verdict verdict)
{
	assert_int_equal(judge_all(&q, &judge), 0);
	assert_int_equal(q.verdict, verdict);
}

static void test_pass(void **ctx)
{
	(void)ctx;
	make(true, 0);
	lost(0, 0, 3);
	lost(0, 1, 3);
	rest_clean(1);
	want(Q_PASS);
	assert_int_equal(q.states[STATE_SAME], ROWS);
	assert_int_equal(q.n_reasons, 0);
}

/* 3 of 3 against 0 of 3 is no proof among 50 rows: more runs are asked for, 12 are one. */
static void test_regression_needs_proof(void **ctx)
{
	(void)ctx;
	make(true, 0);
	lost(0, 0, 3);
	clean(0, 1, 3);
	rest_clean(1);
	assert_true(judge_row(&q, &q.rows[0], 0, &judge));
	assert_int_equal(state(0), STATE_UNDECIDED);
	want(Q_INCONCLUSIVE);
	lost(0, 0, 9);
	clean(0, 1, 9);
	assert_false(judge_row(&q, &q.rows[0], 0, &judge));
	want(Q_REGRESSION);
	assert_int_equal(state(0), STATE_WORSE);
	assert_non_null(strstr(q.reasons[0], "row0"));
	assert_non_null(strstr(q.reasons[0], "lost"));
}

static void test_worse_rung(void **ctx)
{
	(void)ctx;
	make(true, 0);
	pinned(0, 0, 12);
	lost(0, 1, 12);
	rest_clean(1);
	want(Q_REGRESSION);
}

static void test_improved(void **ctx)
{
	(void)ctx;
	make(true, 0);
	clean(0, 0, 12);
	pinned(0, 1, 12);
	rest_clean(1);
	want(Q_IMPROVED);
	assert_int_equal(state(0), STATE_BETTER);
}

/* Now and then bad on both: not a regression, whoever had it first. */
static void test_flake(void **ctx)
{
	(void)ctx;
	make(true, 0);
	lost(0, 0, 1);
	clean(0, 0, 2);
	clean(0, 1, 3);
	lost(1, 0, 9);
	clean(1, 0, 15);
	lost(1, 1, 6);
	clean(1, 1, 18);
	/* Twice as often, by chance one time in ten: no alarm, as the baseline has it, too. */
	lost(2, 0, 10);
	clean(2, 0, 14);
	lost(2, 1, 5);
	clean(2, 1, 19);
	rest_clean(3);
	assert_true(judge_row(&q, &q.rows[0], 0, &judge));
	clean(0, 0, 21);
	clean(0, 1, 21);
	assert_false(judge_row(&q, &q.rows[0], 0, &judge));
	want(Q_PASS);
	assert_int_equal(state(0), STATE_FLAKY);
	assert_int_equal(state(1), STATE_FLAKY);
	assert_int_equal(state(2), STATE_FLAKY);
}

static void test_undecided(void **ctx)
{
	(void)ctx;
	make(true, 0);
	lost(0, 0, 4);
	clean(0, 0, 20);
	clean(0, 1, 24);
	rest_clean(1);
	want(Q_INCONCLUSIVE);
	assert_int_equal(state(0), STATE_UNDECIDED);
}

static void test_broken_kernel_is_no_flake(void **ctx)
{
	(void)ctx;
	make(true, 0);
	runs(0, 0, 1, VERDICT_KERNEL, RUNG_EXIT, 5);
	clean(0, 0, 23);
	clean(0, 1, 24);
	rest_clean(1);
	want(Q_INCONCLUSIVE);
}

static void test_changed_root(void **ctx)
{
	(void)ctx;
	make(true, 0);
	pinned(0, 0, 3);
	runs(0, 1, 3, VERDICT_PINNED, RUNG_ABORT, 99);
	rest_clean(1);
	want(Q_PASS);
	assert_int_equal(state(0), STATE_CHANGED);
	q.strict = true;
	want(Q_REGRESSION);
	q.strict = false;
	/* A root in common: the same finding, whatever else was seen. */
	runs(0, 1, 1, VERDICT_PINNED, RUNG_ABORT, 88);
	want(Q_PASS);
	assert_int_equal(state(0), STATE_SAME);
}

static void test_infra(void **ctx)
{
	struct result res = {.verdict = VERDICT_INFRA, .reason = "no /dev/fuse"};

	(void)ctx;
	make(true, 0);
	clean(0, 0, 3);
	for (int i = 0; i < 9; i++)
		cell_add(&q.rows[0].cells[1], &res);
	rest_clean(1);
	want(Q_INCONCLUSIVE);
	assert_int_equal(state(0), STATE_UNTESTED);
	assert_non_null(strstr(q.reasons[0], "no /dev/fuse"));
}

static void test_broken_column(void **ctx)
{
	(void)ctx;
	make(true, 0);
	rest_clean(0);
	snprintf(q.columns[1].error, sizeof(q.columns[1].error), "does not boot");
	want(Q_INCONCLUSIVE);
	assert_non_null(strstr(q.reasons[0], "does not boot"));
}

static void test_expected(void **ctx)
{
	(void)ctx;
	make(false, 1 + VERDICT_LOST);
	for (unsigned int i = 0; i < ROWS; i++)
		lost(i, 0, 3);
	want(Q_PASS);
	memset(q.rows[0].cells, 0, sizeof(struct cell));
	pinned(0, 0, 3);
	assert_true(judge_row(&q, &q.rows[0], 0, &judge));
	pinned(0, 0, 3);
	want(Q_REGRESSION);
	memset(q.rows[0].cells, 0, sizeof(struct cell));
	clean(0, 0, 6);
	want(Q_IMPROVED);
	memset(q.rows[0].cells, 0, sizeof(struct cell));
	clean(0, 0, 1);
	pinned(0, 0, 1);
	lost(0, 0, 22);
	want(Q_PASS);
	assert_int_equal(state(0), STATE_FLAKY);
}

static void test_found_without_baseline(void **ctx)
{
	(void)ctx;
	make(false, 1 + VERDICT_CLEAN);
	q.rows[0].scn.config.expect = 0;
	q.rows[1].scn.config.expect = 0;
	pinned(0, 0, 3);
	lost(1, 0, 3);
	rest_clean(2);
	want(Q_INCONCLUSIVE);
	assert_int_equal(state(0), STATE_UNDECIDED);
	assert_int_equal(state(1), STATE_SAME);
}

static void test_known(void **ctx)
{
	struct known known;
	char err[300];
	static const char text[] = "# accepted\n\nrow0 2026-11-23 ticket 1\n"
				   "pinned-0000000000000058 2027-01-01 ticket 2\n"
				   "row2\t2026-11-22  too late \r\n";

	(void)ctx;
	assert_int_equal(known_parse(text, strlen(text), &known, err), 0);
	assert_int_equal(known.n, 3);
	assert_string_equal(known.issues[2].reason, "too late");
	make(true, 0);
	lost(0, 0, 12);
	clean(0, 1, 12);
	pinned(1, 0, 12);
	clean(1, 1, 12);
	rest_clean(2);
	judge.known = &known;
	want(Q_PASS);
	assert_int_equal(state(0), STATE_KNOWN);
	assert_int_equal(state(1), STATE_KNOWN);
	memset(q.rows[2].cells, 0, sizeof(struct cell));
	lost(2, 0, 12);
	clean(2, 1, 9);
	want(Q_REGRESSION);
	assert_non_null(
		strstr(q.rows[2].judged[0].sentence, "accepted until 2026-11-22"));
	judge.known = NULL;
}

static void test_known_bad(void **ctx)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{"row0", "line 1: ''"},
		{"\nrow0 tomorrow because", "line 2: 'tomorrow'"},
		{"row0 2026-13-01 because", "2026-13-01"},
		{"row0 2026-1-01 because", "2026-1-01"},
		{"row0 2026-01-011 because", "2026-01-011"},
		{"row0 2026-01-01   ", "no reason"},
	};
	struct known known;
	char err[300];

	(void)ctx;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(known_parse(bad[i].text, strlen(bad[i].text), &known, err) <
			    0);
		assert_non_null(strstr(err, bad[i].message));
	}
	assert_true(known_parse("a\0b", 3, &known, err) < 0);
	assert_int_equal(known_parse("", 0, &known, err), 0);
}

static void test_looks(void **ctx)
{
	(void)ctx;
	make(true, 0);
	assert_int_equal(judge_looks(&q), 4);
	assert_int_equal(judge_next(&q, 0), 3);
	assert_int_equal(judge_next(&q, 3), 6);
	assert_int_equal(judge_next(&q, 12), 24);
	assert_int_equal(judge_next(&q, 24), 24);
	assert_float_equal(judge_alpha(&q), 0.01 / (ROWS * 4), 1e-12);
}

static int tear_down(void **ctx)
{
	(void)ctx;
	qualification_release(&q);
	return 0;
}

/* Asked to be fuzzed, and no run of it gave an answer: nothing is known, whatever the corpus says. */
static void test_not_fuzzed(void **ctx)
{
	(void)ctx;
	make(true, 0);
	rest_clean(0);
	q.fuzz_seconds = 10;
	snprintf(q.columns[0].spec, sizeof(q.columns[0].spec), "new");
	snprintf(q.columns[1].spec, sizeof(q.columns[1].spec), "old");
	q.columns[0].fuzzed = q.columns[1].fuzzed = true;
	q.columns[1].fuzz_runs = 100;
	want(Q_INCONCLUSIVE);
	assert_non_null(strstr(q.reasons[0], "it was not fuzzed"));
	/* One campaign is for all settings of a kernel. */
	snprintf(q.columns[1].spec, sizeof(q.columns[1].spec), "new");
	want(Q_PASS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pass),
		cmocka_unit_test(test_regression_needs_proof),
		cmocka_unit_test(test_worse_rung),
		cmocka_unit_test(test_improved),
		cmocka_unit_test(test_flake),
		cmocka_unit_test(test_undecided),
		cmocka_unit_test(test_broken_kernel_is_no_flake),
		cmocka_unit_test(test_changed_root),
		cmocka_unit_test(test_infra),
		cmocka_unit_test(test_not_fuzzed),
		cmocka_unit_test(test_broken_column),
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_found_without_baseline),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_known_bad),
		cmocka_unit_test(test_looks),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
