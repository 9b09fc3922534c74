/* SPDX-License-Identifier: MIT */
/* docs/scenario.md says what the tables say: a row for each operation, fault, verdict and argument. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/scenario/args.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/text.h"
#include "harness/scenario/verdict.h"

#define PAGE "docs/scenario.md"

/* A newline first, so that a line is found by "\n" before and after it. */
static char page[65536];
static unsigned int missing;

static int read_page(void **state)
{
	FILE *in = fopen(PAGE, "re");

	(void)state;
	if (!in) {
		print_error("%s: %s; run this from the root of the repository\n", PAGE,
			    strerror(errno));
		return -1;
	}
	page[fread(page, 1, sizeof(page) - 1, in)] = 0;
	fclose(in);
	return 0;
}

__attribute__((format(printf, 1, 2))) static void expect_line(const char *format, ...)
{
	char line[400];
	const char *at;
	va_list ap;

	line[0] = '\n';
	va_start(ap, format);
	vsnprintf(line + 1, sizeof(line) - 1, format, ap);
	va_end(ap);
	at = strstr(page, line);
	if (at && at[strlen(line)] == '\n')
		return;
	print_error("%s lacks this line:%s\n", PAGE, line);
	missing++;
}

static void test_operations(void **state)
{
	(void)state;
	missing = 0;
	for (unsigned int i = 0; i < OP_COUNT; i++) {
		const struct op_info *op = &op_table[i];
		char args[100] = "";

		for (unsigned int a = 0; a < 4; a++) {
			if (op->arg[a] == ARG_NONE)
				continue;
			strcat(args, " ");
			strcat(args, arg_table[op->arg[a]].name);
		}
		expect_line("| `%s%s` | %s%s%s | %s |", op->name, args,
			    op->who & WHO_TASK ? "T" : "",
			    op->who & WHO_DAEMON ? "D" : "", op->who & WHO_CTL ? "C" : "",
			    op->help);
	}
	assert_int_equal(missing, 0);
}

static void test_faults(void **state)
{
	(void)state;
	missing = 0;
	for (unsigned int i = 0; i < FAULT_COUNT; i++) {
		const struct fault_info *f = &fault_table[i];

		expect_line("| `%s%s%s` | %s |", f->name, f->arg == ARG_NONE ? "" : " ",
			    f->arg == ARG_NONE ? "" : arg_table[f->arg].name, f->help);
	}
	assert_int_equal(missing, 0);
}

static void test_verdicts(void **state)
{
	(void)state;
	missing = 0;
	for (unsigned int i = 0; i < VERDICT_COUNT; i++)
		expect_line("| `%s` | %s | %s |", verdict_table[i].name,
			    severity_names[verdict_table[i].severity],
			    verdict_table[i].meaning);
	assert_int_equal(missing, 0);
}

static void test_arguments(void **state)
{
	(void)state;
	missing = 0;
	for (unsigned int i = 1; i < ARG_CLASS_COUNT; i++)
		expect_line("| %s | %s |", arg_table[i].name, arg_table[i].values);
	assert_int_equal(missing, 0);
}

static void expect_words(const struct name_value *table)
{
	char word[60];

	for (; table->name; table++) {
		snprintf(word, sizeof(word), "`%s`", table->name);
		if (strstr(page, word))
			continue;
		print_error("%s does not mention %s\n", PAGE, word);
		missing++;
	}
}

static void test_words(void **state)
{
	char word[60];

	(void)state;
	missing = 0;
	expect_words(oflag_table);
	expect_words(mflag_table);
	expect_words(init_table);
	expect_words(open_table);
	expect_words(mount_table);
	expect_words(daemon_table);
	expect_words(signal_table);
	for (unsigned int i = 0; i < TASK_KIND_COUNT; i++) {
		snprintf(word, sizeof(word), "`%s`", task_kind_names[i]);
		missing += !strstr(page, word);
	}
	for (unsigned int i = 0; i < PATH_COUNT; i++) {
		snprintf(word, sizeof(word), "`%s`", path_table[i]);
		missing += !strstr(page, word);
	}
	assert_int_equal(missing, 0);
}

/* The example of the page is a scenario. */
static void test_example(void **state)
{
	static const char fence[] = "\n```scenario\n";
	const char *begin = strstr(page, fence), *end;
	struct text_error error;
	struct scenario scn;

	(void)state;
	assert_non_null(begin);
	begin += strlen(fence);
	end = strstr(begin, "\n```");
	assert_non_null(end);
	if (scenario_parse(begin, end - begin, &scn, &error) < 0)
		fail_msg("line %u, column %u: %s", error.line, error.column,
			 error.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations), cmocka_unit_test(test_faults),
		cmocka_unit_test(test_verdicts),   cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_words),	   cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, read_page, NULL);
}
