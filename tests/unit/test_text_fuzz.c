/* SPDX-License-Identifier: MIT */
/* The parser against damaged texts and against well written nonsense. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "scenario_text.h"

/* One small damage: a byte, a line or the tail. */
static size_t damage(struct rng *rng, char *text, size_t len)
{
	static const char likely[] = "#:|= \n\t0179tfdpmx\r\x80";
	size_t at = rng_below(rng, len), n = rng_below(rng, 12);

	switch (rng_below(rng, 6)) {
	case 0:
		text[at] = likely[rng_below(rng, sizeof(likely))];
		return len;
	case 1:
		text[at] ^= 1 << rng_below(rng, 8);
		return len;
	case 2: /* delete */
		if (at + n > len)
			n = len - at;
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	case 3: /* copy a piece to another place */
		if (at + n > len || len + n > TEXT_SIZE)
			return len;
		{
			char piece[16];
			size_t to = rng_below(rng, len);

			memcpy(piece, text + at, n);
			memmove(text + to + n, text + to, len - to);
			memcpy(text + to, piece, n);
		}
		return len + n;
	case 4: /* the piece moves over another */
		if (at + n > len)
			return len;
		memmove(text + rng_below(rng, len - n + 1), text + at, n);
		return len;
	default:
		return rng_chance(rng, 1, 20) ? at + 1 : len;
	}
}

/* The parser's fuzz entry: any bytes give a canonical scenario, or an error whose place exists. */
static bool fuzz_one(const char *text, size_t len)
{
	struct scenario scn, before;
	struct text_error error = {0};
	unsigned int lines = 1;
	int ret;

	memset(&before, 0x5a, sizeof(before));
	scn = before;
	ret = scenario_parse(text, len, &scn, &error);
	if (ret == 0) {
		assert_null(not_canonical(&scn));
		check_round_trip("mutated", &scn);
		return true;
	}
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	assert_int_equal(ret, -EINVAL);
	assert_memory_equal(&scn, &before, sizeof(scn));
	assert_in_range(error.line, 1, lines);
	assert_in_range(error.column, 1, len + 1);
	assert_in_range(strlen(error.message), 10, sizeof(error.message) - 1);
	/* text_check.c knows the reason for everything that is not canonical */
	assert_null(strstr(error.message, "this scenario is not canonical"));
	return false;
}

static void test_mutated(void **state)
{
	char *golden = slurp("tests/golden/scenario/everything.txt");
	unsigned int good = 0, wrong = 0;
	struct scenario scn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 11);
	for (unsigned int i = 0; i < ROUNDS(20000); i++) {
		char text[TEXT_SIZE + 16];
		size_t len = strlen(golden);
		char *exact; /* so that the sanitiser sees a read beyond the end */

		if (rng_chance(&rng, 1, 2)) {
			random_scenario(&rng, &scn);
			len = scenario_format(&scn, text, TEXT_SIZE);
		} else {
			memcpy(text, golden, len);
		}
		for (unsigned int n = 1 + rng_below(&rng, 3); n; n--)
			len = damage(&rng, text, len);
		exact = malloc(len ? len : 1);
		memcpy(exact, text, len);
		if (fuzz_one(exact, len))
			good++;
		else
			wrong++;
		free(exact);
	}
	/* both ways are really gone */
	assert_in_range(good, ROUNDS(1000), ROUNDS(19000));
	assert_in_range(wrong, ROUNDS(1000), ROUNDS(19000));
	free(golden);
}

/* Statements in random order with random small numbers: most are well written, few make sense. */
static void test_shuffled(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 12);
	for (unsigned int i = 0; i < ROUNDS(20000); i++) {
		char text[1024] = "";
		size_t len = 0;

		for (unsigned int n = rng_below(&rng, 6) + 1; n; n--) {
			unsigned int a = rng_below(&rng, 4), b = rng_below(&rng, 4);
			char parent[10] = "daemon";

			if (b < 3)
				snprintf(parent, sizeof(parent), "t%u", b);
			switch (rng_below(&rng, 4)) {
			case 0:
				len += snprintf(text + len, sizeof(text) - len,
						"config: daemon=%s\n",
						placement_names[a % PLACE_COUNT]);
				break;
			case 1:
				len += snprintf(text + len, sizeof(text) - len,
						"t%u: spawn t%u\n", a, b);
				break;
			default:
				len += snprintf(
					text + len, sizeof(text) - len,
					"task t%u: %s of %s%s\n", a,
					task_kind_names[rng_below(&rng, TASK_KIND_COUNT)],
					rng_chance(&rng, 1, 3) ? "ctl" : parent,
					rng_chance(&rng, 1, 2) ? " late" : "");
			}
		}
		fuzz_one(text, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_shuffled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
