/* SPDX-License-Identifier: MIT */
/* Requests that are held, dropped and reordered, and what an INTERRUPT does to them. */
#include "daemon_rig.h"

#include <sys/xattr.h>

static void nothing(int sig)
{
	(void)sig;
}

/* A signal in the middle of a request: the kernel sends INTERRUPT. */
static int do_interrupted_stat(struct rig *rig, const char *name)
{
	const struct sigaction action = {.sa_handler = nothing};

	sigaction(SIGALRM, &action, NULL);
	return do_stat(rig, name);
}

static void test_hold_and_release(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold, 0);
	struct rig rig;
	pid_t first, second;

	(void)state;
	rig_start(&rig, &scn);
	first = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	second = client_as(&rig, 1, do_stat, "f1");
	await(&rig, &rig.arena->ledger.n_held, 2);
	assert_true(is_blocked(first));
	assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->state, LEDGER_HELD);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->pid, first);
	atomic_store(&rig.arena->daemon.release, 1);
	kick(&rig);
	assert_int_equal(result(&rig, first), 0);
	assert_true(is_blocked(second));
	atomic_store(&rig.arena->daemon.release, UINT32_MAX);
	kick(&rig);
	assert_int_equal(result(&rig, second), 0);
	assert_int_equal(record(&rig, FUSE_LOOKUP, 1)->state, LEDGER_ANSWERED);
	assert_int_equal(rig.arena->ledger.n_held, 0);
	rig_stop(&rig);
}

static void test_hold_init(void **state)
{
	struct scenario scn = one_fault(FUSE_INIT, FAULT_hold, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	scn.config.daemon = DAEMON_SELF_FILE;
	rig_start(&rig, &scn);
	await(&rig, &rig.arena->ledger.n_held, 1);
	pid = client(&rig, do_stat, "f0");
	assert_true(is_blocked(pid));
	assert_int_equal(rig.arena->daemon.inited, 0);
	atomic_store(&rig.arena->daemon.release, 1);
	kick(&rig);
	assert_int_equal(result(&rig, pid), 0);
	assert_int_equal(rig.arena->daemon.inited, 1);
	await(&rig, &rig.arena->daemon.self_file, 1);
	rig_stop(&rig);
}

static void test_healing(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold, 0);
	struct rig rig;
	pid_t first, second;

	(void)state;
	scn.config.threads = 3;
	rig_start(&rig, &scn);
	first = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	atomic_store(&rig.arena->daemon.gate_closed, 1);
	kick(&rig);
	second = client(&rig, do_stat, "f1");
	assert_true(is_blocked(second));
	assert_null(find_record(&rig, FUSE_LOOKUP, 1));
	atomic_store(&rig.arena->daemon.healing, 1);
	kick(&rig);
	assert_int_equal(result(&rig, first), 0);
	assert_int_equal(result(&rig, second), 0);
	assert_int_equal(run(&rig, do_stat, "f2"), 0);
	rig_stop(&rig);
}

static void test_hold_until_step(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold_step, 5);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	atomic_store(&rig.arena->daemon.step, 4);
	kick(&rig);
	assert_true(is_blocked(pid));
	atomic_store(&rig.arena->daemon.step, 5);
	kick(&rig);
	assert_int_equal(result(&rig, pid), 0);
	assert_int_equal(run(&rig, do_stat, "f1"),
			 0); /* the step has come: not held any more */
	rig_stop(&rig);
}

static void test_hold_until_more(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold_more, 2);
	struct rig rig;
	pid_t pid;

	(void)state;
	scn.faults[0].nth = 1;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	assert_int_equal(run(&rig, do_stat, "gone"), ENOENT);
	assert_true(is_blocked(pid));
	assert_int_equal(run(&rig, do_stat, "n0"), ENOENT);
	assert_int_equal(result(&rig, pid), 0);
	rig_stop(&rig);
}

static void test_hold_ms(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold_ms, 80);
	struct rig rig;
	int64_t start;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	start = now_us();
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_timed, 1);
	assert_int_equal(result(&rig, pid), 0);
	assert_true(now_us() - start >= 80000);
	assert_int_equal(rig.arena->ledger.n_timed, 0);
	rig_stop(&rig);
}

static void test_hold_until_kill(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold_kill, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client_as(&rig, 2, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	kill(pid, SIGKILL);
	assert_true(is_blocked(pid)); /* it was read: SIGKILL alone does not end it */
	atomic_store(&rig.arena->daemon.killed, 1 << 1);
	kick(&rig);
	assert_true(is_blocked(pid));
	atomic_store(&rig.arena->daemon.killed, 1 << 2);
	kick(&rig);
	assert_int_equal(result(&rig, pid), 128 + SIGKILL);
	rig_stop(&rig);
}

static void test_drop(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_drop, 0);
	struct rig rig;
	pid_t pid;

	(void)state;
	rig_start(&rig, &scn);
	pid = client(&rig, do_stat, "f0");
	await(&rig, &rig.arena->ledger.n_dropped, 1);
	atomic_store(&rig.arena->daemon.healing, 1);
	kick(&rig);
	assert_true(is_blocked(pid)); /* healing does not bring it back */
	assert_int_equal(record(&rig, FUSE_LOOKUP, 0)->state, LEDGER_DROPPED);
	kill(rig.daemon, SIGKILL);
	assert_int_equal(daemon_exit(&rig), SIGKILL);
	assert_int_not_equal(result(&rig, pid), 0);
	rig_stop(&rig);
}

static void test_reorder(void **state)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_reorder, 3);
	static const char *const names[] = {"f0", "f1", "f2"};
	struct rig rig;
	pid_t pid[3];

	(void)state;
	rig_start(&rig, &scn);
	for (unsigned int i = 0; i < 3; i++) {
		pid[i] = client_as(&rig, i, do_stat, names[i]);
		if (i < 2)
			await(&rig, &rig.arena->ledger.n_held, i + 1);
	}
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(result(&rig, pid[i]), 0);
	/* The daemon notes the time after its client was woken. */
	await(&rig, &record(&rig, FUSE_LOOKUP, 0)->state, LEDGER_ANSWERED);
	assert_true(record(&rig, FUSE_LOOKUP, 2)->done_ns <
		    record(&rig, FUSE_LOOKUP, 1)->done_ns);
	assert_true(record(&rig, FUSE_LOOKUP, 1)->done_ns <
		    record(&rig, FUSE_LOOKUP, 0)->done_ns);
	rig_stop(&rig);
}

/* One request, whatever is cached. */
static int do_listxattr(struct rig *rig, const char *name)
{
	char buf[64];

	return listxattr(at(rig, name), buf, sizeof(buf)) < 0 ? errno : 0;
}

/* Requests until another thread than this one has read one: it may lead for long. */
static void move_lead(struct rig *rig, int32_t from)
{
	for (unsigned int i = 0; i < 200; i++) {
		assert_int_equal(result(rig, client_as(rig, 5, do_listxattr, ".")), 0);
		if (record(rig, FUSE_LISTXATTR, i)->server != from)
			return;
	}
}

/*
 * A held LOOKUP whose client gets a signal: n INTERRUPTs come, and the client's result is
 * this. *ret_elsewhere: the INTERRUPT was read by another thread than the LOOKUP.
 */
static void interrupt(uint8_t action, bool clones, unsigned int n, int wanted,
		      bool *ret_elsewhere)
{
	struct scenario scn = one_fault(FUSE_LOOKUP, FAULT_hold, 0);
	struct rig rig;
	pid_t pid;

	add_fault(&scn, FUSE_INTERRUPT, action, 0);
	scn.faults[1].requester = 0;
	if (clones) {
		scn.config.threads = 3;
		scn.config.daemon = DAEMON_CLONE_FD;
	}
	rig_start(&rig, &scn);
	pid = client(&rig, do_interrupted_stat, "f0");
	await(&rig, &rig.arena->ledger.n_held, 1);
	if (clones)
		move_lead(&rig, record(&rig, FUSE_LOOKUP, 0)->server);
	kill(pid, SIGALRM);
	assert_true(await_record(&rig, FUSE_INTERRUPT, n - 1));
	is_blocked(pid);
	assert_null(find_record(&rig, FUSE_INTERRUPT, n));
	assert_int_equal(record(&rig, FUSE_INTERRUPT, 0)->pid, pid);
	assert_int_equal(record(&rig, FUSE_INTERRUPT, 0)->rule, 2);
	*ret_elsewhere = record(&rig, FUSE_INTERRUPT, 0)->server !=
			 record(&rig, FUSE_LOOKUP, 0)->server;
	atomic_store(&rig.arena->daemon.release, 1);
	kick(&rig);
	assert_int_equal(result(&rig, pid), wanted);
	/* Another one, to see whether the kernel still sends them. */
	pid = client(&rig, do_interrupted_stat, "f1");
	await(&rig, &rig.arena->ledger.n_held, 1);
	kill(pid, SIGALRM);
	if (action == FAULT_intr_enosys) {
		usleep(200000);
	} else {
		assert_true(await_record(&rig, FUSE_INTERRUPT, 2 * n - 1));
	}
	atomic_store(&rig.arena->daemon.release, 1);
	kick(&rig);
	assert_int_equal(result(&rig, pid), wanted);
	if (action == FAULT_intr_enosys)
		assert_null(find_record(&rig, FUSE_INTERRUPT, n));
	rig_stop(&rig);
}

static void check_interrupt(uint8_t action, unsigned int n, int wanted)
{
	bool elsewhere = false;

	interrupt(action, false, n, wanted, &elsewhere);
	assert_false(elsewhere);
	/* The reply must reach the device of the request, also where another read the INTERRUPT. */
	for (int i = 0; i < 10 && !elsewhere; i++)
		interrupt(action, true, n, wanted, &elsewhere);
	/* the scheduler's choice */
	if (!elsewhere)
		print_message("no INTERRUPT was read by another thread: not tried\n");
}

static void test_interrupts(void **state)
{
	(void)state;
	check_interrupt(FAULT_intr_ignore, 1, 0);
	check_interrupt(FAULT_intr_enosys, 1, 0);
	check_interrupt(FAULT_intr_again, 9, 0);
	check_interrupt(FAULT_intr_honour, 1, EINTR);
}

static int do_many(struct rig *rig, const char *name)
{
	for (int i = 0; i < 40; i++) {
		do_stat(rig, name);
		do_read(rig, name);
	}
	return 0;
}

/* Four threads, four clients on all processors, everything held in every way, released at random:
 * nothing is lost, nothing is answered twice, and healing ends it. */
static void storm(uint8_t daemon_flags)
{
	static const char *const names[] = {"f0", "f1", "f2", "d0/f3"};
	struct scenario scn = plan(4);
	const struct ledger *ledger;
	struct rig rig;
	pid_t pid[4];

	scn.config.daemon = daemon_flags;
	scn.config.timeout = 0;
	add_fault(&scn, FUSE_LOOKUP, FAULT_hold_more, 3);
	add_fault(&scn, FUSE_OPEN, FAULT_reorder, 2);
	add_fault(&scn, FUSE_READ, FAULT_hold, 0);
	add_fault(&scn, FUSE_GETATTR, FAULT_hold_ms, 1);
	add_fault(&scn, FUSE_FLUSH, FAULT_self_stat, PATH_ROOT);
	rig_start(&rig, &scn);
	ledger = &rig.arena->ledger;
	for (unsigned int i = 0; i < 4; i++)
		pid[i] = client_as(&rig, i, do_many, names[i]);
	for (uint32_t i = 0; i < 200; i++) {
		atomic_store(&rig.arena->daemon.release, 1 + i % 3);
		kick(&rig);
		usleep(i * 7 % 400);
	}
	atomic_store(&rig.arena->daemon.healing, 1);
	kick(&rig);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(result(&rig, pid[i]), 0);
	assert_int_equal(ledger->n_held, 0);
	assert_int_equal(ledger->n_timed, 0);
	assert_int_equal(ledger->n_dropped, 0);
	assert_true(atomic_load(&ledger->head) > LEDGER_SIZE);
	for (unsigned int i = 0; i < LEDGER_SIZE; i++) {
		for (int ms = 0; ms < 500 && ledger->record[i].state == LEDGER_READ; ms++)
			usleep(1000); /* its server has not run since its write(2) */
		assert_int_equal(ledger->record[i].state, LEDGER_ANSWERED);
	}
	rig_stop(&rig);
}

static void test_storm(void **state)
{
	(void)state;
	storm(0);
	storm(DAEMON_CLONE_FD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hold_and_release),
		TEST(test_hold_init),
		TEST(test_healing),
		TEST(test_hold_until_step),
		TEST(test_hold_until_more),
		TEST(test_hold_ms),
		TEST(test_hold_until_kill),
		TEST(test_drop),
		TEST(test_reorder),
		TEST(test_interrupts),
		TEST(test_storm),
	};

	return rig_run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
