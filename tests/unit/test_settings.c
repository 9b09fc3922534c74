/* SPDX-License-Identifier: MIT */
/* Sweeps, and the columns and rows that a qualification is made of. */

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
#include "fuzzer/qualify/setup.h"

static char err[600];

static void test_sweep(void **state)
{
	static const char *const bad[] = {
		"",	   "cpus",	"=1",
		"cpus=",   "cpus=1,",	"cpus=,1",
		"speed=1", "cpus=1,,2", "cpus=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};
	struct sweep sweep;

	(void)state;
	assert_int_equal(sweep_parse("memory=128,256,1024", &sweep, err), 0);
	assert_string_equal(sweep.key, "memory");
	assert_int_equal(sweep.n, 3);
	assert_string_equal(sweep.values[2], "1024");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		assert_int_equal(sweep_parse(bad[i], &sweep, err), -EINVAL);
		assert_true(strlen(err) > 10);
	}
}

static void test_columns(void **state)
{
	struct setup setup = {.kernels = {"uml", "uml:/x/../y z"},
			      .n_kernels = 2,
			      .baseline = "qemu:6.1",
			      .n_sweeps = 2};
	struct target_options options = {.cpus = 0};
	struct qualification q;

	(void)state;
	assert_int_equal(sweep_parse("cpus=1,2", &setup.sweeps[0], err), 0);
	assert_int_equal(sweep_parse("memory=128,256,512", &setup.sweeps[1], err), 0);
	qualification_init(&q);
	assert_int_equal(setup_columns(&q, &setup, err), 0);
	assert_int_equal(q.n_candidates, 12);
	assert_int_equal(q.n_columns, 18);
	assert_string_equal(q.columns[0].name, "uml cpus=1 memory=128");
	assert_string_equal(q.columns[11].name, "uml:/x/../y z cpus=2 memory=512");
	/* The baseline of a candidate has its settings. */
	for (unsigned int c = 0; c < q.n_candidates; c++) {
		const struct column *baseline = qualification_baseline(&q, c);

		assert_true(baseline->baseline);
		assert_memory_equal(baseline->settings, q.columns[c].settings,
				    sizeof(baseline->settings));
	}
	/* Names of folders, one each. */
	for (unsigned int c = 0; c < q.n_columns; c++) {
		assert_null(strpbrk(q.columns[c].slug, "/ :"));
		for (unsigned int d = 0; d < c; d++)
			assert_string_not_equal(q.columns[c].slug, q.columns[d].slug);
	}
	settings_options(&q.columns[11], &options);
	assert_int_equal(options.cpus, 2);
	assert_int_equal(options.memory_mb, 512);
	qualification_release(&q);
}

static void refuse(const char *kernel, const char *sweep, const char *why)
{
	struct setup setup = {.kernels = {kernel}, .n_kernels = 1, .n_sweeps = 1};
	struct qualification q;

	qualification_init(&q);
	assert_int_equal(sweep_parse(sweep, &setup.sweeps[0], err), 0);
	assert_int_equal(setup_columns(&q, &setup, err), -EINVAL);
	assert_non_null(strstr(err, why));
	qualification_release(&q);
}

static void test_refused(void **state)
{
	(void)state;
	refuse("host", "cpus=2", "only guests");
	refuse("uml", "fs.fuse.max_request_timeout=15", "only the target host");
	refuse("uml", "cpus=0", "from 1 to 64");
	refuse("uml", "memory=lots", "a number from 64");
}

static void test_rows(void **state)
{
	char dir[] = "/tmp/sf-setup-XXXXXX", one[64], two[64];
	const char *corpus[] = {dir, NULL, NULL};
	struct setup setup = {.kernels = {"uml"}, .n_kernels = 1, .corpus = corpus};
	struct qualification q;
	int root;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(one, sizeof(one), "%s/hangs", dir);
	snprintf(two, sizeof(two), "%s/hangs/b.txt", dir);
	root = file_make_dir(AT_FDCWD, one);
	assert_true(root >= 0);
	qualification_init(&q);
	assert_int_equal(setup_columns(&q, &setup, err), 0);
	assert_int_equal(setup_rows(&q, &setup, err), -EINVAL);
	assert_non_null(strstr(err, "no scenario"));
	file_printf(root, "b.txt", "expect: lost\ntask t0: fork\n");
	file_printf(root, "a.txt", "task t0: fork\n");
	assert_int_equal(setup_rows(&q, &setup, err), 0);
	assert_int_equal(q.n_rows, 2);
	assert_string_equal(q.rows[0].name, "hangs/a");
	assert_int_equal(q.rows[1].scn.config.expect, 1 + VERDICT_LOST);
	/* The same one twice would be two rows of one name. */
	corpus[1] = two;
	qualification_release(&q);
	assert_int_equal(setup_columns(&q, &setup, err), 0);
	assert_int_equal(setup_rows(&q, &setup, err), -EINVAL);
	assert_non_null(strstr(err, "two scenarios named hangs/b"));
	file_printf(root, "c.txt", "task t0: nonsense\n");
	qualification_release(&q);
	assert_int_equal(setup_columns(&q, &setup, err), 0);
	corpus[1] = NULL;
	assert_true(setup_rows(&q, &setup, err) < 0);
	assert_non_null(strstr(err, "c.txt:1:"));
	qualification_release(&q);
	close(root);
	file_remove_tree(AT_FDCWD, dir);
}

static unsigned int wait_with(const char *standard, const char *most)
{
	struct column column = {.spec = "host"};

	for (int i = 0; i < 2; i++) {
		struct setting *setting = &column.settings[column.n_settings];

		if (!(i ? most : standard))
			continue;
		snprintf(setting->key, sizeof(setting->key), "fs.fuse.%s_request_timeout",
			 i ? "max" : "default");
		snprintf(setting->value, sizeof(setting->value), "%s",
			 i ? most : standard);
		column.n_settings++;
	}
	return settings_wait_ms(&column);
}

/* The time-out, the 15 s between two looks of the kernel, and a little. */
static void test_wait(void **state)
{
	(void)state;
	assert_int_equal(wait_with(NULL, NULL), 0);
	assert_int_equal(wait_with("0", NULL), 0);
	assert_int_equal(wait_with("0", "0"), 0);
	assert_in_range(wait_with("15", NULL), 30001, 40000);
	assert_int_equal(wait_with(NULL, "15"), wait_with("15", NULL));
	assert_int_equal(wait_with("60", "15"), wait_with("15", NULL));
	assert_int_equal(wait_with("15", "60"), wait_with("15", NULL));
	/* Nobody waits for that. */
	assert_int_equal(wait_with("600", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sweep),	cmocka_unit_test(test_columns),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_rows),
		cmocka_unit_test(test_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
