/* SPDX-License-Identifier: MIT */
/* Scenario text: round trips, golden files, messages with their places. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <glob.h>

#include "scenario_text.h"

static void test_random_round_trip(void **state)
{
	struct scenario scn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (unsigned int i = 0; i < ROUNDS(5000); i++) {
		random_scenario(&rng, &scn);
		check_round_trip("random", &scn);
	}
}

/* Every value of every class has one text, and it means that value. */
static void test_every_argument(void **state)
{
	char text[100], message[200];

	(void)state;
	for (unsigned int class = 1; class < ARG_CLASS_COUNT; class ++) {
		for (unsigned int v = 0; v < 0x10000; v++) {
			struct word word = {text, 0};
			unsigned int got;

			if (arg_canonical(class, v) != v)
				continue;
			word.len = arg_format(class, v, text, sizeof(text));
			assert_in_range(word.len, 1, sizeof(text) - 1);
			assert_int_equal(
				arg_parse(class, word, &got, message, sizeof(message)),
				0);
			assert_int_equal(got, v);
		}
	}
}

static void test_golden(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob("tests/golden/scenario/*.txt", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char path[200], got[TEXT_SIZE];
		char *text = slurp(files.gl_pathv[i]), *want;
		struct scenario scn;

		snprintf(path, sizeof(path), "%.*s.canonical",
			 (int)strlen(files.gl_pathv[i]) - 4, files.gl_pathv[i]);
		want = slurp(path);
		must_parse(files.gl_pathv[i], text, &scn);
		scenario_format(&scn, got, sizeof(got));
		assert_string_equal(got, want);
		check_round_trip(path, &scn);
		free(text);
		free(want);
	}
	globfree(&files);
}

static void test_corpus(void **state)
{
	glob_t files;

	(void)state;
	if (glob("corpus/*/*.txt", 0, NULL, &files)) {
		print_message("skipped: no corpus/*/*.txt below the working directory\n");
		skip();
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *text = slurp(files.gl_pathv[i]);
		struct scenario scn;

		assert_true(scenario_is_text(text, strlen(text)));
		must_parse(files.gl_pathv[i], text, &scn);
		check_round_trip(files.gl_pathv[i], &scn);
		free(text);
	}
	print_message("%zu files\n", files.gl_pathc);
	globfree(&files);
}

/* What a person gets wrong: the place, and a part of the message. */
static const struct {
	const char *text;
	unsigned int line, column;
	const char *message;
} bad[] = {
	{"hello world\n", 1, 1, "unknown statement \"hello\""},
	{"\n# x\n  tsk t0: fork\n", 3, 3, "did you mean \"task\"?"},
	{"demon: nop\n", 1, 1, "did you mean \"daemon\"?"},
	{"config daemon=inside\n", 1, 8, "expected \":\" after the keyword"},
	{"t0 nop\n", 1, 4, "expected \":\" after the actor"},
	{"t0", 1, 3, "found the end of the line"},
	{"t8: nop\n", 1, 1, "expected TASK (t0 .. t7), found \"t8\""},
	{"t00: nop\n", 1, 1, "found \"t00\""},
	{"t0:\n", 1, 4, "expected operation, found the end of the line"},
	{"t0: opne fd0 f0 rdwr\n", 1, 5,
	 "unknown operation \"opne\"; did you mean \"open\"?"},
	{"t0: OPEN fd0 f0 rdwr\n", 1, 5, "did you mean \"open\"?"},
	{"t0: frobnicate\n", 1, 5, "unknown operation \"frobnicate\""},
	{"t0: open fd0 f0\n", 1, 16, "expected OFLAGS (rdonly, wronly or rdwr"},
	{"t0: open fd0 # f0\n", 1, 14, "expected PATH"},
	{"t0: open f0 fd0 rdwr\n", 1, 10, "expected FD (fd0 .. fd7), found \"f0\""},
	{"t0: open fd8 f0 rdwr\n", 1, 10, "found \"fd8\""},
	{"t0: open fd0 f9 rdwr\n", 1, 14, "did you mean"},
	{"t0: open fd0 f0 rdwr|apend\n", 1, 17,
	 "found \"apend\"; did you mean \"append\"?"},
	{"t0: open fd0 f0 rdwr|rdonly\n", 1, 17, "\"rdonly\" repeats or contradicts"},
	{"t0: open fd0 f0 rdwr|sync|sync\n", 1, 17, "\"sync\" repeats"},
	{"t0: mmap map0 fd0 ro|shared|private 1\n", 1, 19,
	 "\"private\" repeats or contradicts"},
	{"t0: open fd0 f0 rdwr f1\n", 1, 22,
	 "expected the end of the line, found \"f1\""},
	{"t0: nop: nop\n", 1, 8, "expected the end of the line, found \":\""},
	{"t0: read fd0 65536\n", 1, 14,
	 "expected SIZE (bytes, 0 .. 65535), found \"65536\""},
	{"t0: read fd0 -1\n", 1, 14, "found \"-1\""},
	{"t0: read fd0 99999999999999999999\n", 1, 14, "expected SIZE"},
	{"t0: sleep 5001\n", 1, 11, "expected MS (milliseconds, 0 .. 5000)"},
	{"t0: exit 256\n", 1, 10, "expected CODE (0 .. 255)"},
	{"t0: touch map0 load p16\n", 1, 21, "expected PAGE (p0 .. p15), found \"p16\""},
	{"t0: touch map0 lod p1\n", 1, 16, "did you mean \"load\"?"},
	{"t0: flock fd0 exclusive\n", 1, 15, "expected one of read, write, unlock"},
	{"t0: unshare users\n", 1, 13, "expected one of files, fs, mount"},
	{"ctl: kill t0 SIGKIL\n", 1, 14, "did you mean \"SIGKILL\"?"},
	{"ctl: kill ctl SIGKILL\n", 1, 11,
	 "expected ACTOR (t0 .. t7 or daemon), found \"ctl\""},
	{"ctl: kill t1 SIGKILL\n", 1, 11, "task t1 is not declared"},
	{"t0: release 1\n", 1, 5, "a task cannot \"release\"; only ctl can"},
	{"daemon: barrier\n", 1, 9, "the daemon cannot \"barrier\"; only ctl can"},
	{"ctl: open fd0 f0 rdwr\n", 1, 6,
	 "ctl cannot \"open\"; only a task or the daemon can"},
	{"t0: inval_inode f0\n", 1, 5,
	 "a task cannot \"inval_inode\"; only the daemon can"},
	{"task t0: fork\n\n\tt1: nop\n", 3, 2, "task t1 is not declared"},
	{"t0: spawn t0\n", 1, 11, "t0 exists from the start"},
	{"task t0: fork\ntask t0: fork\n", 2, 6, "task t0 is declared twice"},
	{"task t1: fork\n", 1, 10, "t0 is not declared; every scenario has a task t0"},
	{"task t0: fork of t1\ntask t1: fork\n", 1, 18,
	 "task t1 is not declared before this line"},
	{"task t0: fork of t0\n", 1, 18, "task t0 is not declared before this line"},
	{"task t0: fork of any\n", 1, 18, "expected a parent: ctl, daemon or a task"},
	{"task t0: fork of\n", 1, 17, "expected a parent"},
	{"task t0: spoon\n", 1, 10,
	 "expected one of fork, pidns, thread, files, vfork, vm"},
	{"task t0: thread\n", 1, 10, "needs a task or the daemon as its parent"},
	{"task t0: fork late late\n", 1, 20,
	 "expected \"of PARENT\", \"late\" or the end"},
	{"task t0: fork later\n", 1, 15, "expected \"of PARENT\""},
	{"task: fork\n", 1, 5, "expected TASK"},
	{"task\n", 1, 5, "expected a task, t0 .. t7, found the end of the line"},
	{"task t0: fork\ntask t1: vfork of t0\n", 2, 10, "a vfork task must be late"},
	{"task t0: fork late\ntask t1: fork of t0\n", 2, 18, "t1 must be late too"},
	{"config: daemon=inside\n", 1, 9, "daemon=inside needs a task of kind pidns"},
	{"config: threads=2 daemon=inside\ntask t0: pidns late\n", 1, 19,
	 "daemon=inside needs"},
	{"config: daemon=inside\ntask t1: fork of daemon\ntask t0: pidns\n", 2, 18,
	 "must be declared before the daemon's children"},
	{"config: daemon=within\n", 1, 16, "expected one of outside, inside, init"},
	{"config: daemon=\n", 1, 16, "expected daemon, found the end of the line"},
	{"config: threads=0\n", 1, 17, "expected threads=1 .. 4, found \"0\""},
	{"config: threads\n", 1, 16, "expected threads=1 .. 4"},
	{"config: threads=2 threads=2\n", 1, 19, "\"threads\" is given twice"},
	{"config: leak_fd leak_fd\n", 1, 17, "\"leak_fd\" is given twice"},
	{"config: leak\n", 1, 9, "unknown setting \"leak\""},
	{"config: cpu=1\n", 1, 9, "unknown setting \"cpu=1\""},
	{"config: threads=1\nconfig: threads=1\n", 2, 1,
	 "second \"config\"; the first is in line 1"},
	{"mount: rw\n", 1, 8, "unknown setting \"rw\""},
	{"init: write_cache\n", 1, 7, "unknown setting \"write_cache\""},
	{"init: max_background=256\n", 1, 22, "expected max_background=0 .. 255"},
	{"open: direct\n", 1, 7, "did you mean \"direct_io\"?"},
	{"cache: day\n", 1, 8, "unknown cache time \"day\""},
	{"expect: pined\n", 1, 9, "did you mean \"pinned\"?"},
	{"expect: held lost\n", 1, 14, "expected the end of the line, found \"lost\""},
	{"fault:\n", 1, 7, "expected opcode, found the end of the line"},
	{"fault: flush: drop\n", 1, 8, "did you mean \"FLUSH\"?"},
	{"fault: FLUSH drop\n", 1, 14, "expected \":\" after what the fault matches"},
	{"fault: FLUSH #0: drop\n", 1, 14,
	 "expected #1 .. #15 (which match), found \"#0\""},
	{"fault: FLUSH #16: drop\n", 1, 14, "found \"#16\""},
	{"fault: FLUSH # 1: drop\n", 1, 14, "expected #1 .. #15"},
	{"fault: FLUSH from ctl: drop\n", 1, 19,
	 "expected a requester: t0 .. t7, daemon"},
	{"fault: FLUSH from t9: drop\n", 1, 19, "expected TASK (t0 .. t7)"},
	{"fault: FLUSH from t1: drop\n", 1, 19, "task t1 is not declared"},
	{"fault: FLUSH: dorp\n", 1, 15, "did you mean \"drop\"?"},
	{"fault: FLUSH: errno\n", 1, 20,
	 "expected ERRNO (an error such as ENOENT) after \"errno\""},
	{"fault: FLUSH: errno ENOTHING\n", 1, 21, "expected ERRNO"},
	{"fault: FLUSH: hold_until_step 0\n", 1, 31,
	 "expected STEP (number of a step, 1 .. 48)"},
	{"fault: FLUSH: intr_again\n", 1, 8, "\"intr_again\" is for INTERRUPT only"},
	{"t0: nop\x01\n", 1, 8, "this is not text: byte 0x01"},
};

static void test_messages(void **state)
{
	struct scenario scn, before;
	struct text_error error;
	unsigned int wrong = 0;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		scn = before;
		if (!scenario_parse(bad[i].text, strlen(bad[i].text), &scn, &error))
			fail_msg("no error for: %s", bad[i].text);
		assert_memory_equal(&scn, &before, sizeof(scn));
		assert_null(strchr(error.message, '\n'));
		if (error.line == bad[i].line && error.column == bad[i].column &&
		    strstr(error.message, bad[i].message))
			continue;
		print_error("%s  gave %u:%u: %s\n  not  %u:%u: %s\n", bad[i].text,
			    error.line, error.column, error.message, bad[i].line,
			    bad[i].column, bad[i].message);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void test_too_many(void **state)
{
	char text[TEXT_SIZE] = "";
	struct text_error error;
	struct scenario scn;

	(void)state;
	for (unsigned int i = 0; i < SCN_MAX_STEPS; i++)
		strcat(text, "t0: nop\n");
	must_parse("48 steps", text, &scn);
	strcat(text, " t0: nop\n");
	assert_int_equal(scenario_parse(text, strlen(text), &scn, &error), -EINVAL);
	assert_int_equal(error.line, 49);
	assert_int_equal(error.column, 2);
	assert_string_equal(error.message, "more than 48 steps");
	text[0] = 0;
	for (unsigned int i = 0; i < SCN_MAX_FAULTS; i++)
		strcat(text, "fault: any: none\n");
	must_parse("16 faults", text, &scn);
	strcat(text, "fault: any: none\n");
	assert_int_equal(scenario_parse(text, strlen(text), &scn, &error), -EINVAL);
	assert_int_equal(error.line, 17);
	assert_string_equal(error.message, "more than 16 faults");
}

static void test_small_buffers(void **state)
{
	char *text = slurp("tests/golden/scenario/everything.canonical");
	char buf[TEXT_SIZE];
	struct scenario scn;
	size_t len = strlen(text);

	(void)state;
	must_parse("everything", text, &scn);
	for (size_t size = 0; size <= len; size++) {
		memset(buf, 0x5a, sizeof(buf));
		assert_int_equal(scenario_format(&scn, buf, size), -ENOSPC);
		for (size_t i = size; i < size + 64; i++)
			assert_int_equal(buf[i], 0x5a);
	}
	assert_int_equal(scenario_format(&scn, buf, len + 1), len);
	assert_true(scenario_format_step(&scn.steps[0], buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "t1: open fd0 f0 rdwr|append");
	assert_true(scenario_format_fault(&scn.faults[0], buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "fault: FLUSH #1 from t1: drop");
	assert_int_equal(scenario_format_step(&scn.steps[0], buf, 27), -ENOSPC);
	free(text);
}

static void test_longest_fits(void **state)
{
	char text[TEXT_SIZE];
	struct scenario scn;
	int longest = 0;
	struct rng rng;

	(void)state;
	rng_init(&rng, 9);
	for (unsigned int i = 0; i < ROUNDS(2000); i++) {
		int len;

		random_scenario(&rng, &scn);
		len = scenario_format(&scn, text, sizeof(text));
		longest = len > longest ? len : longest;
	}
	/* 16 KiB are promised to suffice: every line below 90 bytes, so far from it */
	assert_in_range(longest, 500, (5 + 8 + 16 + 48) * 90);
}

static void test_is_text(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool want;
	} rows[] = {
		{"", 0, false},
		{"hello world\n", 12, true},
		{"t0: nop", 7, true},
		{"\n", 1, true},
		{"00000000", 8, false},
		{"t0: nop\0", 8, false},
		{"\x0e\0\1\1\0\0\0\0", 8, false},
		{"\xc3\xa4: # \xc3\xa4\r\n", 9, true},
		{"t0: nop\x7f", 8, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(scenario_is_text(rows[i].bytes, rows[i].len),
				 rows[i].want);
}

static void test_line_ends(void **state)
{
	struct scenario unix_ends, dos_ends;

	(void)state;
	must_parse("unix", "task t0: pidns\nt0: exit 1", &unix_ends);
	must_parse("dos", "task t0: pidns\r\nt0: exit 1\r\n", &dos_ends);
	assert_true(scenario_equal(&unix_ends, &dos_ends));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_round_trip),
		cmocka_unit_test(test_every_argument),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_corpus),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_small_buffers),
		cmocka_unit_test(test_longest_fits),
		cmocka_unit_test(test_is_text),
		cmocka_unit_test(test_line_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
