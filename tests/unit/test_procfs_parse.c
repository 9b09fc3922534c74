/* SPDX-License-Identifier: MIT */
/* The parsers of the texts under /proc/PID/task/TID. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "harness/snapshot/procfs_parse.h"

static void test_parse_stat(void **state)
{
	struct stat_fields f;

	(void)state;
	assert_int_equal(
		parse_stat("7 (a) b () S 1 7 7 0 -1 4194564 9 9 9 9 1 1 1 1 20 0 3 0 77 "
			   "4096 1 18446744073709551615 0 0 0",
			   &f),
		0);
	assert_string_equal(f.comm, "a) b (");
	assert_int_equal(f.state, 'S');
	assert_int_equal(f.ppid, 1);
	assert_int_equal(f.flags, 4194564);
	assert_int_equal(f.n_threads, 3);
	assert_true(parse_in_exec("1 1 0 0 0 1 0"));
	assert_false(parse_in_exec("802 487 441 5 0 167 0"));
	assert_false(parse_in_exec("0 0 0 0 0 0 0")); /* no mm at all */
	assert_false(parse_in_exec(""));
	assert_int_equal(parse_stat("", &f), -EINVAL);
	assert_int_equal(parse_stat("7 (x", &f), -EINVAL);
	assert_int_equal(parse_stat("7 )x(", &f), -EINVAL);
	assert_int_equal(parse_stat("7 (x) S 1 7 7", &f), -EINVAL);
}

static void test_parse_stack(void **state)
{
	struct snap_task task = {0};
	char big[64 * 50], *p = big;

	(void)state;
	parse_stack("[<0>] a+0x1/0x2\n[<ffffffff81000000>] b+0x3/0x4 [fuse]\nc\n", &task);
	assert_int_equal(task.n_frames, 3);
	assert_string_equal(task.frames[0].name, "a+0x1/0x2");
	assert_string_equal(task.frames[1].name, "b+0x3/0x4 [fuse]");
	assert_string_equal(task.frames[2].name, "c");
	for (int i = 0; i < 50; i++)
		p += sprintf(p, "[<0>] frame_number_%d+0x1/0x2\n", i);
	parse_stack(big, &task);
	assert_int_equal(task.n_frames, SNAP_FRAMES);
	parse_stack("", &task);
	assert_int_equal(task.n_frames, 0);
}

static void test_parse_syscall(void **state)
{
	struct snap_task task = {0};

	(void)state;
	parse_syscall("262 0xffffff9c 0x2 0x3 0x4 0x5 0x6 0x7ffe 0x40\n", &task);
	assert_int_equal(task.syscall, 262);
	assert_int_equal(task.args[0], 0xffffff9c);
	assert_int_equal(task.args[5], 6);
	assert_int_equal(task.sp, 0x7ffe);
	assert_int_equal(task.pc, 0x40);
	parse_syscall("-1 0x7ff0 0x41\n", &task);
	assert_int_equal(task.syscall, -1);
	assert_int_equal(task.sp, 0x7ff0);
	parse_syscall("running\n", &task);
	assert_int_equal(task.syscall, -2);
}

static void test_parse_status(void **state)
{
	const char *text =
		"Name:\tx\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000100\n"
		"State:\tD (disk "
		"sleep)\nPPid:\t4\nThreads:\t3\nNSpid:\t70\t5\t1\nTracerPid:"
		"\t9\nvoluntary_ctxt_switches:\t5\n"
		"nonvoluntary_ctxt_switches:\t6\n";
	struct snap_task task = {0};

	(void)state;
	parse_status(text, &task);
	assert_int_equal(task.shdpnd, 1ull << (SIGKILL - 1));
	assert_int_equal(task.sigpnd, 0);
	assert_int_equal(task.inner_tid, 1);
	assert_int_equal(task.tracer, 9);
	assert_int_equal(task.switches, 11);
	assert_int_equal(task.state, 'D');
	assert_int_equal(task.ppid, 4);
	assert_int_equal(task.n_threads, 3);
	assert_string_equal(task.comm, "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_stat),
		cmocka_unit_test(test_parse_stack),
		cmocka_unit_test(test_parse_syscall),
		cmocka_unit_test(test_parse_status),
	};

	return cmocka_run_group_tests_name("procfs_parse", tests, NULL, NULL);
}
