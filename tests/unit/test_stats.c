/* SPDX-License-Identifier: MIT */
/* The exact tests against values worked out by hand or published. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fuzzer/qualify/stats.h"

static void near(double got, double want)
{
	assert_float_equal(got, want, want * 1e-6 + 1e-12);
}

/* Fisher's lady and her eight cups: 4 of 4 against 0 of 4 is 1 of C(8,4); 3 of 4 is 17 of 70. */
static void test_fisher_tea(void **state)
{
	(void)state;
	near(stats_fisher(4, 4, 0, 4), 1.0 / 70);
	near(stats_fisher(3, 4, 1, 4), 17.0 / 70);
	near(stats_fisher(2, 4, 2, 4), 53.0 / 70);
}

/* 1 of 10 against 11 of 14, other direction: scipy.stats.fisher_exact gives 0.001379728 for its one side. */
static void test_fisher_published(void **state)
{
	(void)state;
	near(stats_fisher(11, 14, 1, 10), 0.0013797280926);
	assert_true(stats_fisher(1, 10, 11, 14) > 0.999);
}

static void test_fisher_sizes(void **state)
{
	(void)state;
	near(stats_fisher(3, 3, 0, 3), 1.0 / 20);
	near(stats_fisher(9, 9, 0, 9), 1.0 / 48620);
	near(stats_fisher(1, 24, 0, 24), 0.5);
	near(stats_fisher(3, 10, 0, 3), 120.0 / 286);
}

static void test_fisher_borders(void **state)
{
	(void)state;
	near(stats_fisher(0, 0, 0, 5), 1);
	near(stats_fisher(5, 5, 0, 0), 1);
	near(stats_fisher(0, 5, 5, 5), 1);
	near(stats_fisher(5, 5, 5, 5), 1);
	near(stats_fisher(0, 5, 0, 5), 1);
	assert_true(stats_fisher(1000, 1000, 0, 1000) < 1e-300);
	near(stats_fisher(500, 1000, 500, 1000), 0.517834551951791);
}

static void test_binomial(void **state)
{
	(void)state;
	near(stats_binomial(3, 3, 0.05), 0.000125);
	near(stats_binomial(1, 24, 0.05), 0.7080109756612);
	near(stats_binomial(5, 10, 0.5), 638.0 / 1024);
	near(stats_binomial(0, 10, 0.5), 1);
	near(stats_binomial(1, 10, 0), 0);
	near(stats_binomial(10, 10, 1), 1);
	near(stats_binomial(11, 10, 0.5), 0);
}

static void test_missed(void **state)
{
	(void)state;
	near(stats_missed(0), 1);
	near(stats_missed(1), 0.95);
	near(stats_missed(3), 0.6315968501359);
	near(stats_missed(59), 0.049507609888227);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fisher_tea),
		cmocka_unit_test(test_fisher_published),
		cmocka_unit_test(test_fisher_sizes),
		cmocka_unit_test(test_fisher_borders),
		cmocka_unit_test(test_binomial),
		cmocka_unit_test(test_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
