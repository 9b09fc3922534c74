/* SPDX-License-Identifier: MIT */
/* What a night says of a finding: every state, and the bounds between them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fuzzer/nightly/compare.h"

#define ID "pinned-0123456789abcdef"

static const struct known known = {
	.n = 2,
	.issues = {{"pinned-0123*", "2027-01-31", "ticket 1"},
		   {"lost-*", "2026-01-31", "ticket 2"}},
};

static const struct row {
	const char *name;
	struct night_facts facts;
	const char *id;
	const struct known *known;
	enum night_state want;
	const char *words;
} rows[] = {
	{"first", {.tonight = true}, ID, NULL, NIGHT_NEW, "first time"},
	{"first, known", {.tonight = true}, ID, &known, NIGHT_KNOWN, "ticket 1"},
	{"first, expired",
	 {.tonight = true},
	 "lost-1",
	 &known,
	 NIGHT_EXPIRED,
	 "2026-01-31"},
	{"back",
	 {.before = true, .was_gone = true, .tonight = true},
	 ID,
	 NULL,
	 NIGHT_NEW,
	 "is back"},
	{"still",
	 {.before = true, .before_same = 3, .before_runs = 3, .same = 10, .runs = 10},
	 ID,
	 NULL,
	 NIGHT_STILL,
	 "10 of 10"},
	{"still, expired",
	 {.before = true, .before_same = 3, .before_runs = 3, .same = 10, .runs = 10},
	 "lost-1",
	 &known,
	 NIGHT_EXPIRED,
	 "ticket 2"},
	{"still, known",
	 {.before = true, .before_same = 3, .before_runs = 3, .same = 10, .runs = 10},
	 ID,
	 &known,
	 NIGHT_STILL,
	 "10 of 10"},
	{"gone",
	 {.before = true, .before_same = 3, .before_runs = 3, .runs = 10},
	 ID,
	 NULL,
	 NIGHT_GONE,
	 "none of 10"},
	{"gone, stays gone",
	 {.before = true,
	  .was_gone = true,
	  .before_same = 3,
	  .before_runs = 3,
	  .runs = 10},
	 ID,
	 NULL,
	 NIGHT_GONE,
	 "none of 10"},
	{"a flake that does not show",
	 {.before = true, .before_same = 1, .before_runs = 10, .runs = 10},
	 ID,
	 NULL,
	 NIGHT_UNDECIDED,
	 "may be chance"},
	{"never replayed before",
	 {.before = true, .runs = 10},
	 ID,
	 NULL,
	 NIGHT_UNDECIDED,
	 "chance"},
	{"silent, but found again",
	 {.before = true,
	  .before_same = 3,
	  .before_runs = 3,
	  .runs = 10,
	  .tonight = true},
	 ID,
	 NULL,
	 NIGHT_STILL,
	 "Found again"},
	{"more often",
	 {.before = true, .before_same = 1, .before_runs = 10, .same = 10, .runs = 10},
	 ID,
	 NULL,
	 NIGHT_WORSE,
	 "more often"},
	{"more often, by chance",
	 {.before = true, .before_same = 8, .before_runs = 10, .same = 10, .runs = 10},
	 ID,
	 NULL,
	 NIGHT_STILL,
	 ""},
	{"more severe",
	 {.before = true,
	  .before_same = 10,
	  .before_runs = 10,
	  .runs = 10,
	  .severer = 10,
	  .severest = VERDICT_PINNED},
	 "lost-9",
	 NULL,
	 NIGHT_WORSE,
	 "pinned (bug)"},
	{"more severe, as before",
	 {.before = true,
	  .before_same = 10,
	  .before_runs = 10,
	  .runs = 10,
	  .severer = 10,
	  .before_severer = 10,
	  .before_severer_runs = 10,
	  .severest = VERDICT_PINNED},
	 "lost-9",
	 NULL,
	 NIGHT_STILL,
	 "as before"},
	{"more severe once",
	 {.before = true,
	  .before_same = 10,
	  .before_runs = 10,
	  .same = 9,
	  .runs = 10,
	  .severer = 1,
	  .severest = VERDICT_PINNED},
	 ID,
	 NULL,
	 NIGHT_STILL,
	 ""},
	{"no replay",
	 {.before = true, .before_same = 3, .before_runs = 3, .infra = 4},
	 ID,
	 NULL,
	 NIGHT_UNTESTED,
	 "4 failed"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct night_answer answer;

		night_compare(&rows[i].facts, rows[i].id, rows[i].known, "2026-11-27",
			      &answer);
		if (answer.state != rows[i].want ||
		    !strstr(answer.sentence, rows[i].words))
			fail_msg("%s: '%s', %s", rows[i].name,
				 night_state_names[answer.state], answer.sentence);
	}
}

/* The last day of a known issue counts, the day after does not. */
static void test_expiry(void **state)
{
	struct night_facts facts = {.tonight = true};
	struct night_answer answer;

	(void)state;
	night_compare(&facts, ID, &known, "2027-01-31", &answer);
	assert_int_equal(answer.state, NIGHT_KNOWN);
	night_compare(&facts, ID, &known, "2027-02-01", &answer);
	assert_int_equal(answer.state, NIGHT_EXPIRED);
}

static void test_news(void **state)
{
	(void)state;
	for (int i = 0; i < NIGHT_STATE_COUNT; i++)
		assert_int_equal(night_is_news(i), i == NIGHT_NEW || i == NIGHT_WORSE ||
							   i == NIGHT_EXPIRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
