/* SPDX-License-Identifier: MIT */
/* Which connection a task is on, and whether it is stuck: the rules of harness/live, without FUSE. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "harness/live/parts.h"
#include "harness/live/syscall_args.h"

static struct live live;
static struct live_task tasks[8];
static const struct live_options opt = {.age_s = 10, .killed_s = 1, .look_ms = 60};

static void connection(uint32_t number, int min, int max)
{
	live.numbers[live.n_numbers] = number;
	live.waiting_min[live.n_numbers] = min;
	live.waiting_max[live.n_numbers++] = max;
}

/* No such thread: nothing can be told from proc. */
static struct live_task *task(enum wait_kind wait)
{
	struct live_task *lt = &tasks[live.n_tasks++];

	memset(lt, 0, sizeof(*lt));
	lt->task.tid = lt->task.pid = 0x7ffffff0 + (int)live.n_tasks;
	lt->task.syscall = -2;
	lt->wait = wait;
	lt->age_s = -1;
	return lt;
}

static int begin(void **state)
{
	(void)state;
	memset(&live, 0, sizeof(live));
	live.tasks = tasks;
	live.pf.fd = live.ctl.fd = -1;
	live.whole_machine = true;
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < live.n_conns; i++) {
		snapshot_release(&live.conns[i].snap);
		explanation_release(&live.conns[i].ex);
	}
	free(live.conns);
	free(live.servers);
	return 0;
}

static void attributed(const struct live_task *lt, uint32_t number, enum live_sure sure)
{
	assert_int_equal(lt->conn, number);
	assert_int_equal(lt->sure, sure);
}

static void test_the_only_one_is_certain(void **state)
{
	struct live_task *lt = task(WAIT_REPLY);

	(void)state;
	connection(40, 0, 3); /* busy, but not all the time */
	connection(41, 1, 1);
	connection(42, 0, 0);
	assert_int_equal(live_attribute(&live), 0);
	attributed(lt, 41, SURE_YES);
}

static void test_two_are_a_guess_at_best(void **state)
{
	struct live_task *lt = task(WAIT_REPLY);

	(void)state;
	connection(40, 1, 1);
	connection(41, 1, 1);
	assert_int_equal(live_attribute(&live), 0);
	attributed(lt, 0, SURE_NO);
}

static void test_execve_is_never_certain(void **state)
{
	struct live_task *lt = task(WAIT_REPLY);

	(void)state;
	lt->in_exec = true;
	connection(41, 1, 1);
	assert_int_equal(live_attribute(&live), 0);
	attributed(lt, 41, SURE_MAYBE);
}

/* Locks of other file systems look the same. */
static void test_a_lock_alone_is_nobodys(void **state)
{
	struct live_task *lt = task(WAIT_INODE_LOCK);

	(void)state;
	connection(41, 1, 1);
	assert_int_equal(live_attribute(&live), 0);
	attributed(lt, 0, SURE_NO);
}

static void test_leaders_and_inits_join(void **state)
{
	struct live_task *init = task(WAIT_MEMBERS), *leader = task(WAIT_THREADS);
	struct live_task *thread = task(WAIT_REPLY), *stranger = task(WAIT_MEMBERS);

	(void)state;
	leader->task.ppid = init->task.pid;
	thread->task.pid = leader->task.pid;
	thread->task.ppid = init->task.pid;
	connection(41, 1, 1);
	assert_int_equal(live_attribute(&live), 0);
	attributed(thread, 41, SURE_YES);
	attributed(leader, 41, SURE_YES);
	attributed(init, 41, SURE_YES);
	attributed(stranger, 0, SURE_NO);
}

static const struct live_conn *decided(void)
{
	for (size_t i = 0; i < live.n_tasks; i++) {
		strcpy(tasks[i].task.frames[0].name, "request_wait_answer");
		tasks[i].task.n_frames = 1;
		tasks[i].task.state = 'D';
	}
	assert_int_equal(live_group(&live), 0);
	live_decide(&live, &opt);
	assert_true(live.n_conns > 0);
	return &live.conns[0];
}

static struct live_server *server(uint32_t conn, enum live_sure sure)
{
	live.servers = calloc(1, sizeof(*live.servers));
	live.n_servers = 1;
	live.servers[0].pid = 0x7fffffff;
	live.servers[0].conn = conn;
	live.servers[0].sure = sure;
	return &live.servers[0];
}

static struct live_task *waiter(double age_s, bool dying)
{
	struct live_task *lt = task(WAIT_REPLY);

	if (!live.n_numbers)
		connection(41, 1, 1);
	lt->conn = 41;
	lt->sure = SURE_YES;
	lt->age_s = age_s;
	lt->dying = dying;
	return lt;
}

static void test_a_living_server_gets_its_time(void **state)
{
	const struct live_conn *conn;

	(void)state;
	server(0, SURE_NO);
	waiter(9.9, false);
	conn = decided();
	assert_int_equal(conn->state, LIVE_WAITING);
	tasks[0].age_s = 10;
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_STUCK);
	assert_true(conn->sure);
	assert_non_null(strstr(conn->why, "10.0 s"));
}

static void test_the_killed_wait_less(void **state)
{
	const struct live_conn *conn;

	(void)state;
	server(0, SURE_NO);
	waiter(0.5, true);
	conn = decided();
	assert_int_equal(conn->state, LIVE_WAITING);
	tasks[0].age_s = 1.5;
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_STUCK);
	assert_non_null(strstr(conn->why, "SIGKILL"));
}

static void test_nobody_can_answer(void **state)
{
	const struct live_conn *conn;

	(void)state;
	waiter(2, false);
	conn = decided();
	assert_int_equal(conn->state, LIVE_STUCK);
	assert_non_null(strstr(conn->why, "no living process"));
	/* From inside a container the server may be invisible. */
	live.whole_machine = false;
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_WAITING);
}

static void test_servers_of_others_do_not_count(void **state)
{
	const struct live_conn *conn;
	struct live_server *sv = server(99, SURE_YES);

	(void)state;
	waiter(2, false);
	conn = decided();
	assert_int_equal(conn->state, LIVE_STUCK);
	sv->sure = SURE_MAYBE;
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_WAITING);
}

static void test_a_blocked_server(void **state)
{
	const struct live_conn *conn;
	struct live_server *sv = server(41, SURE_MAYBE);

	(void)state;
	sv->blocked = true;
	waiter(2, false);
	conn = decided();
	assert_int_equal(conn->state, LIVE_STUCK);
	assert_non_null(strstr(conn->why, "every thread of its server"));
}

/* A presumed task must not get a healthy connection aborted. */
static void test_certainty_is_that_of_the_culprit(void **state)
{
	const struct live_conn *conn;

	(void)state;
	server(0, SURE_NO);
	waiter(0.2, false);
	waiter(60, true)->sure = SURE_MAYBE;
	conn = decided();
	assert_int_equal(conn->state, LIVE_STUCK);
	assert_false(conn->sure);
}

static void ask(int32_t number, uint64_t arg0, uint64_t arg1, uint32_t conn,
		struct evidence *ev)
{
	struct evidence_query query = {
		.pid = getpid(),
		.tid = getpid(),
		.syscall = number,
		.args = {arg0, arg1},
	};

	assert_int_equal(evidence_collect(&query, 1, &conn, 1, ev), 0);
}

/* Any device may stand for a connection. */
static void test_evidence_of_a_system_call(void **state)
{
	int fd = open("/proc/version", O_RDONLY | O_CLOEXEC);
	struct evidence ev;
	struct stat st;
	uint32_t dev;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	dev = major(st.st_dev) << 20 | minor(st.st_dev);

	ask(SYS_read, (uint64_t)fd, 0, dev, &ev);
	assert_int_equal(ev.kind, EVIDENCE_FD);
	assert_false(ev.other);
	assert_int_equal(ev.conns[0], dev);

	ask(SYS_read, (uint64_t)fd, 0, dev + 1, &ev);
	assert_int_equal(ev.kind, EVIDENCE_FD);
	assert_true(ev.other);

	assert_int_equal(access("/proc/version", F_OK), 0); /* it is in the cache now */
	ask(SYS_unlink, (uint64_t)(uintptr_t) "/proc/version", 0, dev, &ev);
	assert_int_equal(ev.kind, EVIDENCE_PATH);
	assert_int_equal(ev.conns[0], dev);
	assert_string_equal(ev.where, "/proc/version");

	/* No such entry: the walk ends in its directory, which is where a LOOKUP would be sent. */
	ask(SYS_openat, (uint64_t)(int64_t)AT_FDCWD,
	    (uint64_t)(uintptr_t) "/proc/no such file", dev, &ev);
	assert_int_equal(ev.kind, EVIDENCE_PATH);
	assert_int_equal(ev.conns[0], dev);

	ask(SYS_nanosleep, 0, 0, dev, &ev);
	assert_int_equal(ev.kind, EVIDENCE_HELD); /* the open descriptor */
	close(fd);
}

static void test_syscall_table(void **state)
{
	(void)state;
	assert_null(syscall_args_find(SYS_nanosleep));
	assert_null(syscall_args_find(-1));
	assert_int_equal(syscall_args_find(SYS_read)->fd, 0);
	assert_int_equal(syscall_args_find(SYS_openat)->path, 1);
	assert_int_equal(syscall_args_find(SYS_openat)->dirfd, 0);
	assert_int_equal(syscall_args_find(SYS_symlinkat)->path, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_only_one_is_certain, begin, end),
		cmocka_unit_test_setup_teardown(test_two_are_a_guess_at_best, begin, end),
		cmocka_unit_test_setup_teardown(test_execve_is_never_certain, begin, end),
		cmocka_unit_test_setup_teardown(test_a_lock_alone_is_nobodys, begin, end),
		cmocka_unit_test_setup_teardown(test_leaders_and_inits_join, begin, end),
		cmocka_unit_test_setup_teardown(test_a_living_server_gets_its_time, begin,
						end),
		cmocka_unit_test_setup_teardown(test_the_killed_wait_less, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_can_answer, begin, end),
		cmocka_unit_test_setup_teardown(test_servers_of_others_do_not_count,
						begin, end),
		cmocka_unit_test_setup_teardown(test_a_blocked_server, begin, end),
		cmocka_unit_test_setup_teardown(test_certainty_is_that_of_the_culprit,
						begin, end),
		cmocka_unit_test(test_evidence_of_a_system_call),
		cmocka_unit_test(test_syscall_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
