/* SPDX-License-Identifier: MIT */
/* How many jobs a campaign has, and what they share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fuzzer/campaign/campaign.h"
#include "fuzzer/mutate/archive.h"
#include "fuzzer/mutate/edit.h"

/* As if the CPUs had idled for this part of a long time. */
static unsigned int look(struct crew *crew, unsigned int percent, uint64_t runs,
			 uint64_t trouble)
{
	struct cpu_times *times = &crew->times;

	assert_int_equal(cpus_read_times(times), 0);
	assert_true(times->idle > 1000 && times->all > 1000);
	times->all -= 1000;
	times->idle -= 10 * percent;
	return crew_look(crew, crew->looked + 10, runs, trouble);
}

static void test_grows_while_idle(void **state)
{
	struct crew crew;
	unsigned int n;

	(void)state;
	crew_init(&crew, JOBS_AUTO, "host");
	n = crew.n;
	assert_true(n >= 4 * cpus_allowed() || n == JOBS_MAX);
	assert_int_equal(look(&crew, 0, 100, 0), n);
	assert_true(look(&crew, 60, 200, 0) > n);
	for (unsigned int i = 0; i < 20; i++)
		n = look(&crew, 60, 300 + i, 0);
	assert_int_equal(n, crew.max);
	assert_true(n <= JOBS_MAX);
	/* Too early to look again. */
	assert_int_equal(crew_look(&crew, crew.looked + 1, 1000, 900), n);
}

static void test_shrinks_for_good(void **state)
{
	struct crew crew;
	unsigned int n, less;

	(void)state;
	crew_init(&crew, JOBS_AUTO, "host");
	n = crew.n;
	/* A retry now and then is none of the crew's. */
	assert_int_equal(look(&crew, 0, 1000, 3), n);
	less = look(&crew, 60, 1100, 13);
	assert_true(less < n);
	assert_int_equal(look(&crew, 60, 1200, 13), less);
}

static void test_fixed(void **state)
{
	struct crew crew;

	(void)state;
	crew_init(&crew, 3, "uml");
	assert_int_equal(look(&crew, 90, 100, 50), 3);
	crew_init(&crew, JOBS_AUTO, "qemu:6.12,memory=256");
	assert_true(crew.n <= 4 * cpus_allowed());
	assert_true(crew.n >= 1);
}

static void test_memory(void **state)
{
	struct memory *memory = memory_new();
	struct scn_step step = {.op = OP_stat};
	struct result res, back;
	struct scenario scn;

	(void)state;
	scenario_init(&scn);
	edit_insert_step(&scn, 0, &step);
	scenario_canonicalise(&scn);
	result_init(&res);
	res.verdict = VERDICT_LOST;
	res.signature = 7;
	res.json = (char *)"not ours";
	assert_false(memory_recall(memory, &scn, 1, &back));
	memory_keep(memory, &scn, 0, &res);
	/* Its own job runs it again: to see whether it is stable. */
	assert_false(memory_recall(memory, &scn, 0, &back));
	assert_true(memory_recall(memory, &scn, 1, &back));
	assert_int_equal(back.signature, 7);
	assert_null(back.json);
	edit_insert_step(&scn, 0, &step);
	assert_false(memory_recall(memory, &scn, 1, &back));
	res.verdict = VERDICT_INFRA;
	memory_keep(memory, &scn, 0, &res);
	assert_false(memory_recall(memory, &scn, 1, &back));
	memory_free(memory);
	assert_false(memory_recall(NULL, &scn, 1, &back));
}

static void test_shared_archive(void **state)
{
	struct archive *one = archive_new(), *two = archive_new();
	struct traits traits = {.n = 1, .trait = {{.hash = 99, .kind = KIND_WAIT}}};
	int fd = archive_new_shared();

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(archive_share(one, fd), 0);
	assert_int_equal(archive_share(two, fd), 0);
	assert_true(archive_share(two, STDIN_FILENO) < 0);
	archive_add(one, &traits);
	assert_int_equal(archive_count(two, 99), 1);
	close(fd);
	archive_free(one);
	archive_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_while_idle),
		cmocka_unit_test(test_shrinks_for_good),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_shared_archive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
