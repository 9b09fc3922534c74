/* SPDX-License-Identifier: MIT */
/*
 * tests/golden/waits.txt: stacks of kernels from 4.14 to 7.3, each beside a server without work, and the one sentence
 * that it must give. Three lines a sample: "# KERNEL: what", "STATE innermost < next < ...", "  SENTENCE".
 */

#include "explain_classes.h"
#include "harness/explain/waits.h"

#define SAMPLES "tests/golden/waits.txt"

static unsigned int check(const char *title, const char *stack, const char *want)
{
	char frames[1024] = "";
	struct explanation ex;
	struct snapshot snap;
	struct snap_task *task;
	size_t n = 0;
	bool same;

	for (const char *p = stack + 2; *p && n + 1 < sizeof(frames); p++)
		if (*p != '<' && (*p != ' ' || p[1] != '<'))
			frames[n++] = *p;
	frames[n] = '\0';
	snapshot_init(&snap);
	snap.conn.number = 47;
	snap.conn.exists = snap.conn.daemon_alive = true;
	snap.conn.daemon_pid = 100;
	add(&snap, 100, 100, ROLE_DAEMON, 'S', 0, "fuse_dev_do_read fuse_dev_read");
	task = add(&snap, 200, 200, ROLE_WORKER, stack[0], 0, frames);
	strcpy(task->comm, "x");
	assert_int_equal(explain_snapshot(&snap, &ex), 0);
	same = !strcmp(ex.reason, want);
	if (!same)
		print_error("%s\n%s\n  want %s\n  got  %s\n", title, stack, want,
			    ex.reason);
	explanation_release(&ex);
	snapshot_release(&snap);
	return !same;
}

static void test_samples(void **state)
{
	char title[200] = "", stack[1024] = "", line[1024];
	unsigned int n = 0, wrong = 0;
	FILE *file = fopen(SAMPLES, "re");

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#') {
			snprintf(title, sizeof(title), "%.199s", line);
		} else if (line[0] == ' ') {
			wrong += check(title, stack, line + 2);
			n++;
		} else {
			snprintf(stack, sizeof(stack), "%s", line);
		}
	}
	fclose(file);
	assert_int_equal(wrong, 0);
	assert_true(n >= 60);
}

/* The first row that fits wins, so a name that stands twice under the same condition is dead text. */
static void no_name_twice(const struct wait_names *table, const struct wait_names *other)
{
	char copy[4096], *save = NULL;

	for (const struct wait_names *row = table; row->frames; row++) {
		assert_true(strlen(row->frames) < sizeof(copy));
		strcpy(copy, row->frames);
		for (char *w = strtok_r(copy, " ", &save); w;
		     w = strtok_r(NULL, " ", &save)) {
			char pattern[100], text[4200];

			snprintf(pattern, sizeof(pattern), " %.90s ", w);
			for (const struct wait_names *b = row + 1;; b++) {
				if (!b->frames) {
					b = other;
					other = NULL;
					if (!b)
						break;
				}
				snprintf(text, sizeof(text), " %s ", b->frames);
				if (strstr(text, pattern) && !row->under && !b->under)
					fail_msg("%s is in two rows", w);
			}
		}
	}
}

static void test_no_name_twice(void **state)
{
	(void)state;
	no_name_twice(wait_names_fs, wait_names_core);
	no_name_twice(wait_names_core, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_no_name_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
