/* SPDX-License-Identifier: MIT */
/* Faults that change replies, and faults that befall the daemon itself. */
#include "daemon_rig.h"

static void test_errno(void **state)
{
	struct scenario scn = plan(1);
	struct rig rig;

	(void)state;
	/* The first rule that matches decides; the second counts from the first match on.
	 */
	add_fault(&scn, FUSE_LOOKUP, FAULT_error, EXDEV);
	scn.faults[0].nth = 2;
	add_fault(&scn, FUSE_LOOKUP, FAULT_error, EMLINK);
	scn.faults[1].nth = 3;
	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, do_stat, "f0"), 0);
	assert_int_equal(run(&rig, do_stat, "f1"), EXDEV);
	assert_int_equal(run(&rig, do_stat, "f1"), EMLINK);
	assert_int_equal(run(&rig, do_stat, "f1"), 0);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 1)->error, -EXDEV);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 1)->rule, 1);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 2)->rule, 2);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 3)->rule, 0);
	rig_stop(&rig);
}

static void test_requester(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_error, EXDEV);
	struct rig rig;

	(void)state;
	scn.faults[0].requester = 3;
	add_fault(&scn, FUSE_INIT, FAULT_none, 0);
	scn.faults[1].requester = ACTOR_KERNEL;
	rig_start(&rig, &scn);
	assert_int_equal(result(&rig, client_as(&rig, 2, do_stat, "f0")), 0);
	assert_int_equal(result(&rig, client_as(&rig, 3, do_stat, "f1")), EXDEV);
	assert_int_equal(record(&rig, FUSE_INIT, 0)->rule, 2);
	rig_stop(&rig);
}

static void test_duplicate(void **state)
{
	struct scenario scn = one_fault(0, FAULT_duplicate, 0);
	struct rig rig;

	(void)state;
	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, do_read, "f0"), 0);
	assert_int_equal(record(&rig, FUSE_READ, 0)->state, LEDGER_ANSWERED);
	assert_int_equal(record(&rig, FUSE_READ, 0)->action, FAULT_duplicate);
	rig_stop(&rig);
}

static void test_unknown_unique(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_bogus, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_dropped, 1);
	assert_true(is_blocked(pid));
	assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->state, LEDGER_DROPPED);
	rig_abort(&rig);
	assert_int_not_equal(result(&rig, pid), 0);
	rig_stop(&rig);
}

static void test_wrong_size(uint8_t action, uint16_t value, uint8_t opcode, client_fn *fn,
			    int expected)
{
	struct scenario scn = one_fault(opcode, action, value);
	struct rig rig;

	rig_start(&rig, &scn);
	assert_int_equal(run(&rig, fn, "f0"), expected);
	assert_int_equal(record(&rig, opcode, 0)->state, LEDGER_ANSWERED);
	assert_int_equal(record(&rig, opcode, 0)->error, -expected);
	rig_stop(&rig);
}

static void test_short_and_long(void **state)
{
	(void)state;
	test_wrong_size(FAULT_truncated, 0, FUSE_LOOKUP, do_stat, EIO);
	test_wrong_size(FAULT_truncated, 100, FUSE_LOOKUP, do_stat, EIO);
	test_wrong_size(FAULT_oversized, 0, FUSE_LOOKUP, do_stat, EIO);
	test_wrong_size(FAULT_oversized, 65535, FUSE_OPEN, do_open, EIO);
	/* READ may be short: no error. */
	test_wrong_size(FAULT_truncated, 96, FUSE_READ, do_read, 0);
}

static void test_shorter_than_a_header(void **state)
{
	struct scenario scn = one_fault(FUSE_FLUSH, FAULT_truncated, 1);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_close, "f0");
	await(&rig, &rig.arena->ledger.n_dropped, 1);
	assert_true(is_blocked(pid));
	rig_abort(&rig);
	assert_int_not_equal(result(&rig, pid), -1);
	rig_stop(&rig);
}

static void test_noread_and_gate(void **state)
{
	struct scenario scn = one_fault(FUSE_OPEN, FAULT_noread, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_close, "f0");
	assert_true(is_blocked(pid));
	assert_int_equal(record(&rig, FUSE_OPEN, 0)->state, LEDGER_ANSWERED);
	assert_null(find_record(&rig, FUSE_FLUSH, 0));
	assert_int_equal(rig.arena->daemon.gate_closed, 1);
	atomic_store(&rig.arena->daemon.gate_closed, 0);
	kick(&rig);
	assert_int_equal(result(&rig, pid), 0);
	rig_stop(&rig);
}

static void test_exit(void **state)
{
	static const uint8_t actions[] = {FAULT_exit_before, FAULT_exit_after};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct scenario scn = one_fault(FUSE_LOOKUP, actions[i], 0);
		struct rig rig;
		pid_t pid;

		scn.config.threads = 1 + i;
		rig_start(&rig, &scn);
		pid = client(&rig, do_stat, "f0");
		assert_int_equal(daemon_exit(&rig), 0);
		assert_int_equal(result(&rig, pid), i ? 0 : ECONNABORTED);
		assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->state,
				 i ? LEDGER_ANSWERED : LEDGER_DROPPED);
		rig_stop(&rig);
	}
}

static void test_kill(void **state)
{
	static const uint8_t actions[] = {FAULT_kill_before, FAULT_kill_after};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct scenario scn = one_fault(FUSE_LOOKUP, actions[i], 0);
		struct rig rig;
		pid_t pid;

		rig_start(&rig, &scn);
		pid = client(&rig, do_stat, "f0");
		await(&rig, &rig.arena->daemon.wants, DAEMON_WANTS_KILL);
		assert_true(i ? ends(pid) : is_blocked(pid));
		kill(rig.daemon, SIGKILL);
		assert_int_equal(daemon_exit(&rig), SIGKILL);
		assert_int_equal(result(&rig, pid), i ? 0 : ECONNABORTED);
		rig_stop(&rig);
	}
}

static void test_stop(void **state)
{
	static const uint8_t actions[] = {FAULT_stop_before, FAULT_stop_after};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct scenario scn = one_fault(FUSE_LOOKUP, actions[i], 0);
		struct rig rig;
		pid_t pid;

		rig_start(&rig, &scn);
		pid = client(&rig, do_stat, "f0");
		await(&rig, &rig.arena->daemon.wants, DAEMON_WANTS_STOP);
		assert_true(i ? ends(pid) : is_blocked(pid));
		kill(rig.daemon, SIGSTOP);
		atomic_store(&rig.arena->daemon.wants, DAEMON_WANTS_NOTHING);
		syscall(SYS_futex, &rig.arena->daemon.wants, 1 /* FUTEX_WAKE */, 1, NULL,
			NULL, 0);
		if (!i)
			assert_true(is_blocked(pid));
		kill(rig.daemon, SIGCONT);
		assert_int_equal(result(&rig, pid), 0);
		rig_stop(&rig);
	}
}

static void test_self_actions(void **state)
{
	static const uint8_t actions[] = {FAULT_self_open, FAULT_self_read,
					  FAULT_self_stat};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct scenario scn = one_fault(FUSE_LOOKUP, actions[i], PATH_F1);
		struct rig rig;

		scn.faults[0].nth = 1;
		scn.config.threads = 2;
		rig_start(&rig, &scn);
		assert_int_equal(run(&rig, do_stat, "f0"), 0);
		/* The lookup of f1 came in between and from the server that handled the
		 * first. */
		assert_int_equal(record(&rig, FUSE_LOOKUP, 1)->pid,
				 record(&rig, FUSE_LOOKUP, 0)->server);
		assert_true(record(&rig, FUSE_LOOKUP, 1)->read_ns <
			    record(&rig, FUSE_LOOKUP, 0)->done_ns);
		if (i == 1)
			assert_int_equal(record(&rig, FUSE_READ, 0)->error, 0);
		rig_stop(&rig);
	}
}

static void test_self_deadlock(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_self_stat, PATH_F1);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	assert_true(is_blocked(pid));
	/* Its own request was never read: it is killable. */
	kill(rig.daemon, SIGKILL);
	assert_int_equal(daemon_exit(&rig), SIGKILL);
	assert_int_not_equal(result(&rig, pid), -1);
	rig_stop(&rig);
}

static void test_thread_exit(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_thread_exit, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	scn.faults[0].nth = 1;
	scn.config.threads = 2;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_dropped, 1);
	assert_int_equal(run(&rig, do_open, "d0/f3"), 0);
	assert_true(is_blocked(pid));
	rig_abort(&rig);
	assert_int_not_equal(result(&rig, pid), -1);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_errno),
		TEST(test_requester),
		TEST(test_duplicate),
		TEST(test_unknown_unique),
		TEST(test_short_and_long),
		TEST(test_shorter_than_a_header),
		TEST(test_noread_and_gate),
		TEST(test_exit),
		TEST(test_kill),
		TEST(test_stop),
		TEST(test_self_actions),
		TEST(test_self_deadlock),
		TEST(test_thread_exit),
	};

	return rig_run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
