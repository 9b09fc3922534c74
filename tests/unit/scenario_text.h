/* SPDX-License-Identifier: MIT */
/* For tests of scenario text, after cmocka.h: files, parsing that must succeed, the round trip. */
#ifndef SF_TEST_SCENARIO_TEXT_H
#define SF_TEST_SCENARIO_TEXT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/scenario/text.h"
#include "scenario_random.h"

#define TEXT_SIZE 16384

/* A file as a string; the test fails if there is none. */
static inline char *slurp(const char *path)
{
	char *text = calloc(1, TEXT_SIZE);
	FILE *in = fopen(path, "re");

	if (!in || !text) {
		print_error("%s: %s\n", path, strerror(errno));
		abort();
	}
	assert_true(fread(text, 1, TEXT_SIZE, in) < TEXT_SIZE);
	fclose(in);
	return text;
}

static inline void must_parse(const char *name, const char *text,
			      struct scenario *ret_scn)
{
	struct text_error error;

	if (scenario_parse(text, strlen(text), ret_scn, &error) < 0)
		fail_msg("%s:%u:%u: %s\n%s", name, error.line, error.column,
			 error.message, text);
}

static inline struct scenario parsed(const char *text)
{
	struct scenario scn;

	must_parse("scenario", text, &scn);
	return scn;
}

static inline void check_round_trip(const char *name, const struct scenario *scn)
{
	uint8_t bytes[SCN_MAX_BYTES];
	struct scenario again;
	char text[TEXT_SIZE];
	int len = scenario_format(scn, text, sizeof(text));

	assert_int_equal(len, strlen(text));
	assert_true(scenario_is_text(text, len));
	must_parse(name, text, &again);
	assert_true(scenario_equal(scn, &again));
	len = scenario_encode(scn, bytes, sizeof(bytes));
	assert_false(scenario_is_text((char *)bytes, len));
	scenario_decode(bytes, len, &again);
	assert_true(scenario_equal(scn, &again));
}

#endif
