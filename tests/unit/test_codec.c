/* SPDX-License-Identifier: MIT */
/* The byte codec is total and stable, the canonical form is one, and no wire id ever moves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <errno.h>

#include "harness/scenario/text.h"
#include "scenario_random.h"

#define RECORD SCN_RECORD_SIZE

static void check(const struct scenario *scn)
{
	const char *wrong = not_canonical(scn);
	uint8_t bytes[SCN_MAX_BYTES];
	struct scenario again = *scn;
	char text[16384];
	int len;

	if (wrong) {
		scenario_format(scn, text, sizeof(text));
		fail_msg("not canonical: %s\n%s", wrong, text);
	}
	scenario_canonicalise(&again);
	assert_true(scenario_equal(scn, &again));
	len = scenario_encode(scn, bytes, sizeof(bytes));
	assert_true(len > 0);
	scenario_decode(bytes, len, &again);
	assert_true(scenario_equal(scn, &again));
}

static bool same_step(const struct scn_step *a, const struct scn_step *b)
{
	return a->actor == b->actor && a->op == b->op && a->a == b->a && a->b == b->b &&
	       a->c == b->c && a->v == b->v;
}

/* Records: config, init, tasks, faults, steps. */
static unsigned int first_fault(const struct scenario *scn)
{
	return 2 + scn->n_tasks;
}

static unsigned int first_step(const struct scenario *scn)
{
	return first_fault(scn) + scn->n_faults;
}

static void test_tables(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < OP_COUNT; i++) {
		assert_non_null(op_table[i].name);
		assert_true(op_table[i].who != 0);
		/* canonicalise_step() and text_check() rely on it */
		for (unsigned int a = 1; a < 4; a++) {
			assert_int_not_equal(op_table[i].arg[a], ARG_TASK);
			assert_int_not_equal(op_table[i].arg[a], ARG_ACTOR);
		}
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(op_table[i].name, op_table[j].name);
	}
	for (unsigned int i = 0; i < FAULT_COUNT; i++)
		assert_non_null(fault_table[i].name);
	for (unsigned int i = 0; i < VERDICT_COUNT; i++)
		assert_int_equal(verdict_by_name(verdict_table[i].name), i);
	for (unsigned int i = 1; i < ARG_CLASS_COUNT; i++)
		assert_non_null(arg_table[i].name);
	assert_true(verdict_by_name("dirty") < 0);
	assert_int_equal(severity_by_name("bug"), SEVERITY_BUG);
	assert_string_equal(opcode_name(FUSE_FLUSH), "FLUSH");
	assert_string_equal(opcode_name(99), "OPCODE_99");
}

static void test_args_are_stable(void **state)
{
	(void)state;
	for (unsigned int class = 0; class < ARG_CLASS_COUNT; class ++) {
		for (unsigned int v = 0; v < 0x10000; v++) {
			unsigned int c = arg_canonical(class, v);

			assert_int_equal(arg_canonical(class, c), c);
		}
	}
}

static void test_empty(void **state)
{
	struct scenario a, b;

	(void)state;
	scenario_init(&a);
	scenario_decode(NULL, 0, &b);
	assert_true(scenario_equal(&a, &b));
	check(&a);
	assert_non_null(scenario_task(&a, 0));
	assert_null(scenario_task(&a, 1));
}

static void test_total(void **state)
{
	uint8_t bytes[SCN_MAX_BYTES];
	struct scenario scn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (unsigned int i = 0; i < ROUNDS(1000000); i++) {
		size_t len =
			rng_below(&rng, rng_chance(&rng, 1, 20) ? SCN_MAX_BYTES + 1 : 65);

		random_bytes(&rng, bytes, len);
		scenario_decode(bytes, len, &scn);
		if (i % 8 == 0)
			check(&scn);
		else
			assert_null(not_canonical(&scn));
	}
}

static void test_random_fields(void **state)
{
	struct scenario scn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 2);
	for (unsigned int i = 0; i < ROUNDS(30000); i++) {
		random_scenario(&rng, &scn);
		check(&scn);
	}
}

/* Without one fault or step, all else stays as it was. */
static void test_delete_record(void **state)
{
	uint8_t bytes[SCN_MAX_BYTES];
	struct scenario scn, want, got;
	struct rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (unsigned int round = 0; round < ROUNDS(20000); round++) {
		unsigned int n, at, len;

		random_scenario(&rng, &scn);
		want = scn;
		n = scn.n_faults + scn.n_steps;
		if (!n)
			continue;
		at = rng_below(&rng, n);
		len = scenario_encode(&scn, bytes, sizeof(bytes));
		if (at < scn.n_faults) {
			want.n_faults--;
			memmove(&want.faults[at], &want.faults[at + 1],
				(want.n_faults - at) * sizeof(want.faults[0]));
		} else {
			unsigned int s = at - scn.n_faults;

			want.n_steps--;
			memmove(&want.steps[s], &want.steps[s + 1],
				(want.n_steps - s) * sizeof(want.steps[0]));
		}
		at += first_fault(&scn);
		memmove(bytes + at * RECORD, bytes + (at + 1) * RECORD,
			len - (at + 1) * RECORD);
		scenario_decode(bytes, len - RECORD, &got);
		assert_true(scenario_equal(&want, &got));
	}
}

/* Without a task, every step that does not speak of it stays, in order; others may go. */
static void test_delete_task(void **state)
{
	uint8_t bytes[SCN_MAX_BYTES];
	struct scenario scn, got;
	struct rng rng;

	(void)state;
	rng_init(&rng, 4);
	for (unsigned int round = 0; round < ROUNDS(20000); round++) {
		unsigned int at, id, len, left = 0;

		random_scenario(&rng, &scn);
		at = rng_below(&rng, scn.n_tasks);
		id = scn.tasks[at].id;
		len = scenario_encode(&scn, bytes, sizeof(bytes));
		memmove(bytes + (2 + at) * RECORD, bytes + (3 + at) * RECORD,
			len - (3 + at) * RECORD);
		scenario_decode(bytes, len - RECORD, &got);
		for (unsigned int i = 0; i < scn.n_steps; i++) {
			if (left < got.n_steps &&
			    same_step(&got.steps[left], &scn.steps[i]))
				left++;
			else
				assert_true(step_names(&scn.steps[i], id));
		}
		assert_int_equal(left, got.n_steps);
	}
}

/* The head of one and the steps of another: the steps are the one's and then the other's. */
static void test_splice(void **state)
{
	uint8_t a_bytes[2 * SCN_MAX_BYTES], b_bytes[SCN_MAX_BYTES];
	struct scenario a, b, got;
	struct rng rng;

	(void)state;
	rng_init(&rng, 5);
	for (unsigned int round = 0; round < ROUNDS(20000); round++) {
		unsigned int cut_a, cut_b, b_len, at;

		random_scenario(&rng, &a);
		random_scenario(&rng, &b);
		scenario_encode(&a, a_bytes, sizeof(a_bytes));
		b_len = scenario_encode(&b, b_bytes, sizeof(b_bytes));
		cut_a = rng_below(&rng, a.n_steps + 1);
		cut_b = rng_below(&rng, b.n_steps + 1);
		at = (first_step(&a) + cut_a) * RECORD;
		b_len -= (first_step(&b) + cut_b) * RECORD;
		memcpy(a_bytes + at, b_bytes + (first_step(&b) + cut_b) * RECORD, b_len);
		scenario_decode(a_bytes, at + b_len, &got);
		assert_null(not_canonical(&got));
		assert_int_equal(got.n_tasks, a.n_tasks);
		assert_int_equal(got.n_faults, a.n_faults);
		for (unsigned int i = 0; i < cut_a; i++)
			assert_true(same_step(&got.steps[i], &a.steps[i]));
		at = cut_b;
		for (unsigned int i = cut_a; i < got.n_steps; i++, at++) {
			while (at < b.n_steps && !same_step(&got.steps[i], &b.steps[at]))
				at++;
			assert_true(at < b.n_steps);
		}
	}
}

/* Each prefix is a scenario; whole records in it mean what they meant, half a record is padded. */
static void test_truncate(void **state)
{
	uint8_t bytes[SCN_MAX_BYTES], padded[SCN_MAX_BYTES];
	struct scenario scn, got, with_zeros;
	struct rng rng;

	(void)state;
	rng_init(&rng, 6);
	for (unsigned int round = 0; round < ROUNDS(100); round++) {
		int len;

		random_scenario(&rng, &scn);
		len = scenario_encode(&scn, bytes, sizeof(bytes));
		for (int cut = 0; cut < len; cut++) {
			unsigned int whole = cut / RECORD;

			scenario_decode(bytes, cut, &got);
			check(&got);
			memset(padded, 0, sizeof(padded));
			memcpy(padded, bytes, cut);
			scenario_decode(padded, (cut + RECORD - 1) / RECORD * RECORD,
					&with_zeros);
			assert_true(scenario_equal(&got, &with_zeros));
			for (unsigned int i = 0; first_step(&scn) + i < whole; i++)
				assert_true(same_step(&got.steps[i], &scn.steps[i]));
		}
	}
}

static void test_bit_flips(void **state)
{
	uint8_t bytes[SCN_MAX_BYTES];
	struct scenario scn, got;
	struct rng rng;

	(void)state;
	rng_init(&rng, 7);
	for (unsigned int round = 0; round < ROUNDS(30); round++) {
		int len;

		random_scenario(&rng, &scn);
		len = scenario_encode(&scn, bytes, sizeof(bytes));
		for (int bit = 0; bit < len * 8; bit++) {
			bytes[bit / 8] ^= 1 << bit % 8;
			scenario_decode(bytes, len, &got);
			check(&got);
			bytes[bit / 8] ^= 1 << bit % 8;
		}
	}
}

static void test_limits(void **state)
{
	uint8_t bytes[100 * RECORD] = {0};
	struct scenario scn;

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		bytes[i * RECORD + 2] = i; /* not looked at: nop has no argument */
	scenario_decode(bytes, sizeof(bytes), &scn);
	assert_int_equal(scn.n_steps, SCN_MAX_STEPS);
	assert_int_equal(scenario_encode(&scn, bytes, (3 + SCN_MAX_STEPS) * RECORD - 1),
			 -ENOSPC);
	assert_int_equal(scenario_encode(&scn, bytes, (3 + SCN_MAX_STEPS) * RECORD),
			 (3 + SCN_MAX_STEPS) * RECORD);
	for (unsigned int i = 0; i < 100; i++)
		bytes[i * RECORD] = 0xa8; /* a rule for any requester */
	scenario_decode(bytes, sizeof(bytes), &scn);
	assert_int_equal(scn.n_faults, SCN_MAX_FAULTS);
}

static void test_later_config_wins(void **state)
{
	static const uint8_t bytes[] = {14, 2, 3, 1, 0, 0, 1, 0, 14, 0, 4, 2, 1, 0, 0, 5};
	struct scenario scn;

	(void)state;
	scenario_decode(bytes, sizeof(bytes), &scn);
	assert_int_equal(scn.config.placement, PLACE_OUTSIDE);
	assert_int_equal(scn.config.threads, 4);
	assert_int_equal(scn.config.cpus, 2);
	assert_int_equal(scn.config.daemon, DAEMON_CLONE_FD);
	assert_int_equal(scn.config.timeout, 0);
	assert_int_equal(scn.config.expect, 1 + VERDICT_PINNED);
}

/* What canonicalising makes of records that cannot be: placement and tasks; "<" parent, "!" late. */
static const struct {
	uint8_t placement;
	struct scn_task tasks[4]; /* ends with an id of 255 */
	const char *want;
} mended[] = {
#define END                                                                              \
	{                                                                                \
		.id = 255                                                                \
	}
	{0, {END}, "outside t0:fork"},
	{0, {{1, TASK_FORK, ACTOR_CTL, 0}, END}, "outside t0:fork t1:fork"},
	{0, {{0, TASK_THREAD, ACTOR_CTL, 0}, END}, "outside t0:fork"},
	{0, {{0, TASK_VFORK, ACTOR_CTL, 0}, END}, "outside t0:fork"},
	{0, {{0, TASK_FORK, 5, 0}, END}, "outside t0:fork"},
	{0, {{0, TASK_FORK, 0, 0}, END}, "outside t0:fork"},
	{0, {{0, TASK_PIDNS, 200, 0}, {0, TASK_FORK, 8, 0}, END}, "outside t0:pidns"},
	{0,
	 {{1, TASK_FILES, 0, 0}, {0, TASK_PIDNS, 8, 0}, END},
	 "outside t0:pidns t1:files<0"},
	{0,
	 {{0, TASK_VM, 1, 0}, {1, TASK_PIDNS, 0, 0}, {2, TASK_THREAD, 1, 0}, END},
	 "outside t0:fork t1:pidns<0 t2:thread<1"},
	{0,
	 {{2, TASK_THREAD, 0, 0}, {0, TASK_VM, 1, 0}, {1, TASK_PIDNS, 0, 0}, END},
	 "outside t0:fork t2:thread<0 t1:pidns<0"},
	{0, {{0, 0, 8, 0}, {1, TASK_VFORK, 0, 0}, END}, "outside t0:fork t1:vfork<0!"},
	{0,
	 {{0, 0, 8, 0}, {1, TASK_FORK, 0, 1}, {2, TASK_THREAD, 1, 0}, END},
	 "outside t0:fork t1:fork<0! t2:thread<1!"},
	{1, {{0, 0, 8, 0}, END}, "outside t0:fork"},
	{1, {{0, TASK_PIDNS, 8, 0}, END}, "inside t0:pidns"},
	{1, {{0, TASK_PIDNS, 8, 1}, END}, "outside t0:pidns!"},
	{1, {{0, TASK_PIDNS, 9, 0}, END}, "outside t0:pidns<9"},
	{1,
	 {{0, TASK_THREAD, 9, 0}, {1, TASK_FORK, 8, 0}, {2, TASK_PIDNS, 1, 0}, END},
	 "inside t1:fork t2:pidns<1 t0:thread<9"},
	{2, {{0, TASK_THREAD, 9, 0}, END}, "init t0:thread<9"},
	{4, {{0, TASK_PIDNS, 8, 0}, END}, "inside t0:pidns"},
#undef END
};

static void test_mended(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mended) / sizeof(mended[0]); i++) {
		struct scenario scn;
		char got[200];
		int len;

		scenario_init(&scn);
		scn.config.placement = mended[i].placement;
		scn.n_tasks = 0;
		while (mended[i].tasks[scn.n_tasks].id != 255) {
			scn.tasks[scn.n_tasks] = mended[i].tasks[scn.n_tasks];
			scn.n_tasks++;
		}
		scenario_canonicalise(&scn);
		check(&scn);
		len = snprintf(got, sizeof(got), "%s",
			       placement_names[scn.config.placement]);
		for (unsigned int t = 0; t < scn.n_tasks; t++) {
			len += snprintf(got + len, sizeof(got) - len, " t%u:%s",
					scn.tasks[t].id,
					task_kind_names[scn.tasks[t].kind]);
			if (scn.tasks[t].parent != ACTOR_CTL)
				len += snprintf(got + len, sizeof(got) - len, "<%u",
						scn.tasks[t].parent);
			if (scn.tasks[t].late)
				len += snprintf(got + len, sizeof(got) - len, "!");
		}
		assert_string_equal(got, mended[i].want);
	}
}

static void test_namespaces(void **state)
{
	static const struct scn_task tasks[] = {
		{0, TASK_FORK, ACTOR_CTL, 0}, {1, TASK_PIDNS, 0, 0},
		{2, TASK_THREAD, 1, 0},	      {3, TASK_PIDNS, 2, 0},
		{4, TASK_FORK, 3, 0},	      {5, TASK_FORK, ACTOR_DAEMON, 0},
	};
	struct scenario scn;

	(void)state;
	scenario_init(&scn);
	memcpy(scn.tasks, tasks, sizeof(tasks));
	scn.n_tasks = 6;
	check(&scn);
	assert_int_equal(scenario_namespace(&scn, 0), ACTOR_CTL);
	assert_int_equal(scenario_namespace(&scn, 1), 1);
	assert_int_equal(scenario_namespace(&scn, 2), 1);
	assert_int_equal(scenario_namespace(&scn, 3), 3);
	assert_int_equal(scenario_namespace(&scn, 4), 3);
	assert_int_equal(scenario_namespace(&scn, 5), ACTOR_CTL);
	assert_int_equal(scenario_namespace(&scn, ACTOR_CTL), ACTOR_CTL);
	assert_int_equal(scenario_namespace(&scn, ACTOR_DAEMON), ACTOR_CTL);
	scn.config.placement = PLACE_INSIDE;
	assert_int_equal(scenario_namespace(&scn, ACTOR_DAEMON), 1);
	assert_int_equal(scenario_namespace(&scn, 5), 1);
	scn.config.placement = PLACE_INIT;
	assert_int_equal(scenario_namespace(&scn, ACTOR_DAEMON), ACTOR_DAEMON);
	assert_int_equal(scenario_namespace(&scn, 5), ACTOR_DAEMON);
}

/* Frozen: a queue of last year must decode to the same scenarios. Change the code, not these bytes. */
static void test_golden_bytes(void **state)
{
	static const char text[] = "expect: pinned\n"
				   "config: daemon=inside threads=2 cpus=1 self_file\n"
				   "mount: max_read_4k\n"
				   "init: writeback_cache no_flush max_background=1\n"
				   "open: keep_cache\n"
				   "cache: hour\n"
				   "task t0: pidns\n"
				   "task t3: thread of daemon late\n"
				   "fault: FLUSH #2 from t3: drop\n"
				   "fault: any: errno EIO\n"
				   "t0: open fd1 f2 rdwr|append\n"
				   "daemon: spawn t3\n"
				   "t0: mmap map1 fd1 rw|shared 4096\n"
				   "ctl: kill t0 SIGUSR1\n"
				   "t0: fork_exit\n";
	static const uint8_t want[] = {
		14,   1,   2,  1, 4, 2, 1,  5, /* config */
		15,   128, 16, 2, 1, 0, 0,  0, /* init */
		12,   1,   8,  0, 0, 0, 0,  0, /* tasks */
		60,   2,   9,  1, 0, 0, 0,  0, /* */
		56,   25,  2,  6, 0, 0, 0,  0, /* faults */
		0xa8, 0,   0,  8, 5, 0, 0,  0, /* */
		0,    1,   1,  3, 6, 0, 0,  0, /* steps */
		0x90, 36,  3,  0, 0, 0, 0,  0, /* */
		0,    26,  1,  1, 3, 0, 16, 0, /* */
		0x80, 39,  0,  5, 0, 0, 0,  0, /* */
		0,    78,  0,  0, 0, 0, 0,  0, /* */
	};
	uint8_t got[SCN_MAX_BYTES];
	struct text_error error;
	struct scenario scn;

	(void)state;
	if (scenario_parse(text, strlen(text), &scn, &error) < 0)
		fail_msg("%u:%u: %s", error.line, error.column, error.message);
	assert_int_equal(scenario_encode(&scn, got, sizeof(got)), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_args_are_stable),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_total),
		cmocka_unit_test(test_random_fields),
		cmocka_unit_test(test_delete_record),
		cmocka_unit_test(test_delete_task),
		cmocka_unit_test(test_splice),
		cmocka_unit_test(test_truncate),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_later_config_wins),
		cmocka_unit_test(test_mended),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_golden_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
