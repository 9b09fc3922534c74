/* SPDX-License-Identifier: MIT */
/* The exact shape of the incident: what is it, and what only looks like it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fuzzer/campaign/shape.h"
#include "harness/scenario/text.h"

#define HEAD                                                                             \
	"config: daemon=inside threads=2\n"                                              \
	"task t0: pidns\n"                                                               \
	"task t1: thread of daemon\n"                                                    \
	"fault: FLUSH from t1: drop\n"
#define HOLD "t1: open fd0 f0 rdwr\nt1: unshare files\n"
#define END  "t1: exit 0\nt0: exit_group 0\n"

/* Every step done but the ones of skip. */
static bool judge(const char *text, enum verdict verdict, unsigned int skip)
{
	static struct result res;
	struct text_error error;
	struct scenario scn;

	if (scenario_parse(text, strlen(text), &scn, &error) < 0)
		fail_msg("line %u: %s", error.line, error.message);
	result_init(&res);
	res.verdict = verdict;
	res.n_steps = scn.n_steps;
	for (unsigned int i = 0; i < scn.n_steps; i++)
		res.steps[i].status = skip & 1u << i ? STEP_SKIPPED : STEP_ENDED;
	return shape_is_incident(&scn, &res);
}

static void test_is(void **state)
{
	(void)state;
	assert_true(judge(HEAD HOLD END, VERDICT_PINNED, 0));
	/* The daemon opened it, the thread took it along. */
	assert_true(judge(HEAD "daemon: open fd0 f0 rdwr\nt1: unshare files\n" END,
			  VERDICT_PINNED, 0));
	assert_true(judge("config: daemon=inside threads=2 self_file\n"
			  "task t0: pidns\ntask t1: thread of daemon\n"
			  "t1: unshare files\n" END,
			  VERDICT_PINNED, 0));
}

static void test_is_not(void **state)
{
	(void)state;
	assert_false(judge(HEAD HOLD END, VERDICT_LOST, 0));
	assert_false(judge(HEAD HOLD "t1: exit 0\n", VERDICT_PINNED, 0));
	assert_false(
		judge(HEAD HOLD "t0: exit_group 0\nt1: exit 0\n", VERDICT_PINNED, 0));
	assert_false(
		judge(HEAD HOLD "t1: exit 0\nctl: kill t0 SIGKILL\n", VERDICT_PINNED, 0));
	assert_false(judge(HEAD "t1: open fd0 f0 rdwr\n" END, VERDICT_PINNED, 0));
	assert_false(judge(HEAD "t1: unshare files\n" END, VERDICT_PINNED, 0));
	assert_false(judge(HEAD HOLD "t1: close fd0\n" END, VERDICT_PINNED, 0));
	assert_false(judge(HEAD "t1: open fd0 out rdonly\nt1: unshare files\n" END,
			   VERDICT_PINNED, 0));
	/* A step that was not run counts for nothing. */
	assert_false(judge(HEAD HOLD END, VERDICT_PINNED, 1u << 2));
	assert_false(judge(HEAD HOLD END, VERDICT_PINNED, 1u << 3));
	assert_false(judge("config: daemon=outside threads=2\ntask t0: pidns\n"
			   "task t1: thread of daemon\n" HOLD END,
			   VERDICT_PINNED, 0));
	assert_false(judge("config: daemon=inside threads=2\ntask t0: pidns\n"
			   "task t1: fork of daemon\n" HOLD END,
			   VERDICT_PINNED, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
