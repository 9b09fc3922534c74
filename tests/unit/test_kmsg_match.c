/* SPDX-License-Identifier: MIT */
/* Replays sample kernel logs through the matcher and compares title and verdict with
 * their heads. */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "harness/kmsg/kmsg_match.h"

#define SAMPLES "tests/golden/kmsg"

static const char *verdict_of(const struct kmsg_scan *scan)
{
	if (!scan->found)
		return "clean";
	return scan->hit.severity == KMSG_INFRA ? "infra" : "kernel";
}

static void replay(const char *path)
{
	char line[400], title[200] = "", verdict[40] = "";
	struct kmsg_scan scan = {};
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_int_equal(sscanf(line, "TITLE: %199[^\n]", title), 1);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_int_equal(sscanf(line, "VERDICT: %39[^\n]", verdict), 1);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		kmsg_scan_line(&scan, line);
	}
	fclose(file);
	if (strcmp(verdict, verdict_of(&scan)) ||
	    strcmp(title, scan.found ? scan.hit.title : "-"))
		fail_msg("%s: got '%s', '%s'", path, verdict_of(&scan),
			 scan.found ? scan.hit.title : "-");
}

static void test_samples(void **state)
{
	DIR *dir = opendir(SAMPLES);
	struct dirent *entry;
	unsigned int seen = 0;
	char path[400];

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".log"))
			continue;
		snprintf(path, sizeof(path), SAMPLES "/%s", entry->d_name);
		replay(path);
		seen++;
	}
	closedir(dir);
	assert_true(seen >= 45);
}

static void test_prefixes(void **state)
{
	(void)state;
	assert_string_equal(kmsg_text("<4>[   12.5] x"), "x");
	assert_string_equal(kmsg_text("[   12.5][ T118] x"), "x");
	assert_string_equal(kmsg_text("[   12.5][   C1] x"), "x");
	assert_string_equal(kmsg_text("6,801,14000000,-;x"), "x");
	assert_string_equal(kmsg_text("6,801,14000000,c;x"), "x");
	assert_string_equal(kmsg_text("3,803,14771040,-,caller=T97;x"), "x");
	assert_string_equal(kmsg_text("[fuse] x"), "[fuse] x");
	assert_string_equal(kmsg_text("12 bottles; x"), "12 bottles; x");
	assert_string_equal(kmsg_text(""), "");
}

static void test_times(void **state)
{
	(void)state;
	assert_int_equal(kmsg_time_us("[   12.000345] x"), 12000345);
	assert_int_equal(kmsg_time_us("<4>[    0.500000] x"), 500000);
	assert_int_equal(kmsg_time_us("6,801,14000000,-;x"), 14000000);
	assert_int_equal(kmsg_time_us("[ T12] x"), -1);
	assert_int_equal(kmsg_time_us("x"), -1);
	assert_int_equal(kmsg_time_us("<4"), -1);
	assert_int_equal(kmsg_time_us(""), -1);
}

static void test_same_bug_same_title(void **state)
{
	struct kmsg_hit a, b;

	(void)state;
	assert_true(kmsg_match("WARNING: CPU: 0 PID: 1 at fs/a.c:1 f+0x1/0x2", &a));
	assert_true(
		kmsg_match("WARNING: CPU: 3 PID: 99 at fs/a.c:7 f.cold+0x9/0x20", &b));
	assert_string_equal(a.title, b.title);
	assert_true(kmsg_match("BUG: Bad thing at 0xffff888006a3c0d8 [x]", &a));
	assert_string_equal(a.title, "BUG: Bad thing at");
	assert_false(kmsg_match("a task printed BUG in the middle", &a));
	assert_true(kmsg_match("BUG: Bad thing in process a b  pfn:1", &a));
	assert_true(kmsg_match("BUG: Bad thing in process kworker/0:1  pfn:22", &b));
	assert_string_equal(a.title, b.title);
	assert_true(kmsg_match("BUG: rcu of x/77 at 12 and page 3", &a));
	assert_true(kmsg_match("BUG: rcu of kworker/0:1/9 at 1 and page 44", &b));
	assert_string_equal(a.title, "BUG: rcu of N at N and page N");
	assert_string_equal(a.title, b.title);
}

/* The worst of a log wins; a panic behind an oops does not hide what it was. */
static void test_order(void **state)
{
	struct kmsg_scan scan = {};

	(void)state;
	assert_true(kmsg_scan_line(&scan, "Out of memory: Killed process 9 (x)"));
	assert_false(scan.panicked);
	assert_true(kmsg_scan_line(&scan, "list_del corruption. prev->next should be"));
	assert_true(kmsg_scan_line(&scan, "Kernel panic - not syncing: Fatal exception"));
	assert_true(scan.panicked);
	assert_string_equal(scan.hit.title, "list_del corruption");
}

/* Every byte string is a line: none may crash the matcher or overrun its title. */
static void test_any_bytes(void **state)
{
	static const char alphabet[] =
		"<[]0123;,-. TCabcdefx+BUG: WARNING: at RIP:\t\xff";
	uint64_t rng = 1;
	char line[300];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct kmsg_scan scan = {};
		size_t len;

		rng = rng * 6364136223846793005u + 1442695040888963407u;
		len = (rng >> 33) % (sizeof(line) - 1);
		for (size_t k = 0; k < len; k++) {
			rng = rng * 6364136223846793005u + 1442695040888963407u;
			line[k] = alphabet[(rng >> 33) % (sizeof(alphabet) - 1)];
		}
		line[len] = '\0';
		if (i % 2)
			memcpy(line, "WARNING: CPU: ", len < 14 ? len : 14);
		kmsg_scan_line(&scan, line);
		kmsg_scan_line(&scan, "RIP: 0010:f");
		assert_true(strlen(scan.hit.title) < KMSG_TITLE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_same_bug_same_title),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
