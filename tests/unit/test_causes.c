/* SPDX-License-Identifier: MIT */
/* One cause, one finding: runs with several are counted for each, and cut down to the new one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fuzzer/campaign/file.h"
#include "fuzzer/campaign/findings.h"
#include "fuzzer/campaign/isolate.h"
#include "fuzzer/mutate/edit.h"
#include "harness/scenario/tables.h"

static char path[64];
static int dir_fd;
static struct findings store;

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/sf-causes-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 || findings_open(&store, dir_fd, SEVERITY_CONTRACT, "host"))
		return -1;
	store.by_cause = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	findings_close(&store);
	close(dir_fd);
	return file_remove_tree(AT_FDCWD, path);
}

static void make_result(struct result *res, enum verdict verdict, const char *roots)
{
	result_init(res);
	res->verdict = verdict;
	res->signature = 0x1000 + strlen(roots);
	if (asprintf(&res->json, "{\"roots\": \"%s\"}", roots) < 0)
		abort();
	res->json_len = strlen(res->json);
}

static void test_split(void **state)
{
	struct causes causes;
	struct result res;

	(void)state;
	make_result(&res, VERDICT_CLEAN, "a b c");
	causes_of(&res, &causes);
	assert_int_equal(causes.n, 0);
	result_release(&res);
	make_result(&res, VERDICT_PINNED,
		    "init fuse_open running; worker fuse_flush exit");
	causes_of(&res, &causes);
	assert_int_equal(causes.n, 2);
	assert_string_equal(causes.list[1].text, "worker fuse_flush exit");
	assert_int_equal(causes_find(&causes, "worker fuse_flush exit"), 1);
	assert_int_equal(causes_find(&causes, "worker"), -1);
	assert_int_not_equal(causes.list[0].signature, causes.list[1].signature);
	result_release(&res);
	/* One alone, or none that is known, is the run's own. */
	make_result(&res, VERDICT_PINNED, "init fuse_open running");
	causes_of(&res, &causes);
	assert_int_equal(causes.n, 1);
	assert_int_equal(causes.list[0].signature, res.signature);
	result_release(&res);
	res.verdict = VERDICT_KERNEL;
	res.signature = 5;
	causes_of(&res, &causes);
	assert_int_equal(causes.n, 1);
	assert_int_equal(causes.list[0].signature, 5);
}

/* The same root holds up a pid namespace, or not: two findings. */
static void test_namespace(void **state)
{
	static const char *const json =
		"{\"roots\": \"server fuse_flush exit_files\", \"tasks\": [{\"state\": "
		"\"%c\", \"kstack\": [\"schedule+0x1/0x2\", "
		"\"zap_pid_ns_processes+0x1/0x2\"]}]}";
	struct causes dead, alone;
	struct result res;

	(void)state;
	make_result(&res, VERDICT_PINNED, "");
	for (int i = 0; i < 2; i++) {
		free(res.json);
		assert_true(asprintf(&res.json, json, i ? 'Z' : 'D') > 0);
		causes_of(&res, i ? &alone : &dead);
	}
	result_release(&res);
	assert_string_equal(alone.list[0].text, "server fuse_flush exit_files");
	assert_non_null(strstr(dead.list[0].text, "namespace"));
	assert_int_not_equal(alone.list[0].signature, dead.list[0].signature);
	res.signature = 1;
	causes_sign(&res, &dead);
	assert_int_equal(res.signature, dead.list[0].signature);
}

static enum findings_answer add(enum verdict verdict, const char *roots)
{
	static uint64_t run;
	enum findings_answer answer;
	struct scenario scn;
	struct result res;
	uint64_t mark;

	scenario_init(&scn);
	make_result(&res, verdict, roots);
	answer = findings_add(&store, &scn, &res, ++run, &mark);
	result_release(&res);
	return answer;
}

static void test_only_new_causes(void **state)
{
	(void)state;
	assert_int_equal(add(VERDICT_LOST, "one"), FINDINGS_NEW);
	assert_int_equal(add(VERDICT_PINNED, "three"), FINDINGS_NEW);
	assert_int_equal(add(VERDICT_PINNED, "one; three"), FINDINGS_KNOWN);
	assert_int_equal(add(VERDICT_PINNED, "one; seventh"), FINDINGS_TANGLED);
	assert_int_equal(store.n, 2);
	findings_know(&store, "seventh");
	assert_int_equal(add(VERDICT_PINNED, "one; seventh"), FINDINGS_KNOWN);
	assert_int_equal(store.n, 2);
}

static void test_whole(void **state)
{
	struct causes causes;
	struct scenario scn;
	struct result res;

	(void)state;
	scenario_init(&scn);
	make_result(&res, VERDICT_PINNED, "one; two");
	causes_of(&res, &causes);
	assert_string_equal(findings_unknown(&store, &causes), "one");
	assert_true(findings_add_whole(&store, &scn, &res, 1));
	assert_false(findings_add_whole(&store, &scn, &res, 2));
	assert_null(findings_unknown(&store, &causes));
	result_release(&res);
	assert_int_equal(add(VERDICT_PINNED, "one; two"), FINDINGS_KNOWN);
	assert_int_equal(store.list[0]->count, 2);
}

/* A kernel in which each operation is a cause: stat "stat", open "open"; sync comes with stat only. */
static int fake_run(void *ctx, const struct scenario *scn, struct result *ret_res)
{
	bool stat = false, open = false, sync = false;
	char roots[60];

	++*(unsigned int *)ctx;
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		stat |= scn->steps[i].op == OP_stat;
		open |= scn->steps[i].op == OP_open;
		sync |= scn->steps[i].op == OP_fsync;
	}
	snprintf(roots, sizeof(roots), "%s%s%s", stat ? "stat; " : "",
		 open ? "open; " : "", stat && sync ? "sync" : "");
	make_result(ret_res, roots[0] ? VERDICT_LOST : VERDICT_CLEAN, roots);
	return 0;
}

static void make_scenario(struct scenario *scn)
{
	static const uint8_t ops[] = {OP_stat, OP_read, OP_open, OP_write, OP_fsync};

	scenario_init(scn);
	for (unsigned int i = 0; i < sizeof(ops); i++) {
		struct scn_step step = {.op = ops[i]};

		edit_insert_step(scn, i, &step);
	}
	scenario_canonicalise(scn);
}

static void test_isolate(void **state)
{
	struct scenario scn, small;
	unsigned int runs = 0;
	struct isolate isolate = {
		.run = fake_run, .ctx = &runs, .runs_max = 60, .ms_max = 4000};
	struct causes causes;
	struct result res;

	(void)state;
	make_scenario(&scn);
	assert_int_equal(isolate_cause(&isolate, &scn, "open", &small, &res), 1);
	causes_of(&res, &causes);
	assert_int_equal(causes.n, 1);
	assert_string_equal(causes.list[0].text, "open");
	assert_true(small.n_steps < scn.n_steps);
	result_release(&res);
	/* Never without the other one. */
	assert_int_equal(isolate_cause(&isolate, &scn, "sync", &small, &res), 0);
	causes_of(&res, &causes);
	assert_int_equal(causes.n, 2);
	result_release(&res);
	assert_int_equal(isolate_cause(&isolate, &scn, "other", &small, &res), -ENOENT);
	assert_true(runs <= 3 * 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_namespace),
		cmocka_unit_test_setup_teardown(test_only_new_causes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
		cmocka_unit_test(test_isolate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
