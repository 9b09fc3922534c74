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
static const struct live_options opt = {
	.age_s = 10, .settle_s = 1, .patience_s = 120, .look_ms = 60};

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
	lt->fuse_frame = wait == WAIT_REPLY;
	return lt;
}

static int begin(void **state)
{
	(void)state;
	memset(&live, 0, sizeof(live));
	live.tasks = tasks;
	live.pf.fd = live.ctl.fd = -1;
	live.whole_machine = live.holders_known = true;
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
	free(live.threads);
	return 0;
}

static void attributed(const struct live_task *lt, uint32_t number, enum live_sure sure)
{
	assert_int_equal(lt->conn, number);
	assert_int_equal(lt->sure, sure);
}

static void test_the_only_one_is_presumed(void **state)
{
	struct live_task *lt = task(WAIT_REPLY);

	(void)state;
	connection(40, 0, 3); /* busy, but not all the time */
	connection(41, 1, 1);
	connection(42, 0, 0);
	assert_int_equal(live_attribute(&live), 0);
	attributed(lt, 41, SURE_MAYBE); /* never a proof */
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
	attributed(thread, 41, SURE_MAYBE);
	attributed(leader, 41, SURE_MAYBE);
	attributed(init, 41, SURE_MAYBE);
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
	live_say(&live, &opt);
	assert_true(live.n_conns > 0);
	return &live.conns[0];
}

static const struct live_conn *conn_of(uint32_t number)
{
	const struct live_conn *conn = live_conn_find(&live, number);

	assert_non_null(conn);
	return conn;
}

/* A server with one thread, which does this; blocked: in the wait of tasks[task]. */
static struct live_server *server(uint32_t conn, enum thread_does does, int task)
{
	struct live_server *sv;
	struct live_thread *th;

	live.servers = realloc(live.servers, (live.n_servers + 1) * sizeof(*sv));
	live.threads = realloc(live.threads, (live.n_threads + 8) * sizeof(*th));
	assert_non_null(live.servers);
	assert_non_null(live.threads);
	sv = &live.servers[live.n_servers++];
	th = &live.threads[live.n_threads];
	memset(sv, 0, sizeof(*sv));
	memset(th, 0, sizeof(*th));
	sv->pid = 0x7fff0000 + (int)live.n_servers;
	sv->conn = conn;
	sv->sure = conn ? SURE_YES : SURE_NO;
	sv->first_thread = live.n_threads++;
	sv->n_threads = 1;
	sv->does[does] = 1;
	sv->dying = does == THREAD_DYING;
	sv->stopped = does == THREAD_STOPPED;
	th->does = (uint8_t)does;
	th->task = task;
	th->age_s = 60;
	return sv;
}

/* One more thread of the last server. */
static struct live_thread *and_thread(enum thread_does does)
{
	struct live_server *sv = &live.servers[live.n_servers - 1];
	struct live_thread *th = &live.threads[live.n_threads++];

	memset(th, 0, sizeof(*th));
	th->does = (uint8_t)does;
	th->task = -1;
	th->age_s = 60;
	sv->n_threads++;
	sv->does[does]++;
	return th;
}

static struct live_task *waiter_on(uint32_t number, double age_s)
{
	struct live_task *lt = task(WAIT_REPLY);

	if (live_index(&live, number) < 0)
		connection(number, 1, 1);
	lt->conn = number;
	lt->sure = SURE_YES;
	lt->age_s = age_s;
	return lt;
}

static void test_a_living_server_is_never_wedged(void **state)
{
	const struct live_conn *conn;

	(void)state;
	server(41, THREAD_READS, -1);
	waiter_on(41, 9.9);
	conn = decided();
	assert_int_equal(conn->state, LIVE_SLOW);
	tasks[0].age_s = 3600;
	live.conns[0].oldest_s = 3600;
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_STALLED);
}

/* A client that was sent SIGKILL says nothing of the server: others may have files there. */
static void test_the_killed_wait_like_others(void **state)
{
	(void)state;
	server(41, THREAD_OUTSIDE, -1);
	waiter_on(41, 2)->dying = true;
	assert_int_equal(decided()->state, LIVE_SLOW);
}

static void test_nobody_can_answer(void **state)
{
	const struct live_conn *conn;

	(void)state;
	waiter_on(41, 2);
	conn = decided();
	assert_int_equal(conn->state, LIVE_WEDGED);
	assert_non_null(strstr(conn->why, "no living process"));
	/* From inside a container the server may be invisible. */
	live.whole_machine = false;
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_SLOW);
	live.whole_machine = true;
	/* As may be who holds it, where the kernel does not tell. */
	live.holders_known = false;
	server(0, THREAD_READS, -1);
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_SLOW);
}

static void test_the_dying_cannot_answer(void **state)
{
	(void)state;
	server(41, THREAD_DYING, -1);
	waiter_on(41, 2);
	assert_int_equal(decided()->state, LIVE_WEDGED);
}

static void test_servers_of_others_do_not_count(void **state)
{
	(void)state;
	server(99, THREAD_READS, -1);
	waiter_on(41, 2);
	assert_int_equal(decided()->state, LIVE_WEDGED);
}

static void test_requests_that_come_and_go(void **state)
{
	(void)state;
	connection(41, 1, 2);
	waiter_on(41, 60);
	server(41, THREAD_READS, -1);
	assert_int_equal(decided()->state, LIVE_SLOW);
}

/* A server on its own mount: helpers that only it could wake are no hope, a timer is for a while. */
static void test_self_deadlock(void **state)
{
	const struct live_conn *conn;

	(void)state;
	waiter_on(41, 60);
	server(41, THREAD_BLOCKED, 0);
	and_thread(THREAD_SLEEPS);
	conn = decided();
	assert_int_equal(conn->state, LIVE_WEDGED);
	assert_true(live_is_culprit(&live, conn));
	and_thread(THREAD_TIMER)->age_s = 0.5;
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_STALLED);
	live.conns[0].oldest_s = 121;
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_WEDGED);
	and_thread(THREAD_OUTSIDE);
	live_decide(&live, &opt);
	assert_int_equal(conn->state, LIVE_STALLED);
}

/* The upper server waits for the lower one, which is only slow. */
static void test_stacked_on_a_slow_one(void **state)
{
	(void)state;
	waiter_on(42, 5); /* the client */
	waiter_on(41, 5); /* the upper server itself */
	server(42, THREAD_BLOCKED, 1);
	server(41, THREAD_READS, -1);
	decided();
	assert_int_equal(conn_of(42)->state, LIVE_SLOW);
	assert_int_equal(conn_of(42)->behind, 41);
	assert_int_equal(conn_of(41)->depth, 0);
	assert_int_equal(conn_of(42)->depth, 1);
}

static void test_stacked_on_a_dead_one(void **state)
{
	(void)state;
	waiter_on(42, 5);
	waiter_on(41, 5);
	server(42, THREAD_BLOCKED, 1);
	decided();
	assert_int_equal(conn_of(41)->state, LIVE_WEDGED);
	assert_int_equal(conn_of(42)->state, LIVE_WEDGED);
	assert_true(live_is_culprit(&live, conn_of(41)));
	assert_false(live_is_culprit(&live, conn_of(42)));
	assert_int_equal(live.conns[0].number, 41); /* the cause comes first */
}

static void test_a_cycle_of_two(void **state)
{
	(void)state;
	waiter_on(42, 5);
	waiter_on(41, 5);
	server(42, THREAD_BLOCKED, 1);
	server(41, THREAD_BLOCKED, 0);
	decided();
	assert_int_equal(conn_of(41)->state, LIVE_WEDGED);
	assert_true(conn_of(41)->in_cycle && conn_of(42)->in_cycle);
	assert_true(live_is_culprit(&live, conn_of(41)));
	assert_false(live_is_culprit(&live, conn_of(42)));
	assert_non_null(strstr(conn_of(42)->reason, "a cycle over several connections"));
	/* A thread that could serve takes both out. */
	and_thread(THREAD_READS);
	live_decide(&live, &opt);
	assert_int_not_equal(conn_of(41)->state, LIVE_WEDGED);
	assert_int_not_equal(conn_of(42)->state, LIVE_WEDGED);
}

/* What is only presumed of a server's thread is no proof. */
static void test_a_presumed_wait_proves_nothing(void **state)
{
	(void)state;
	waiter_on(41, 60)->sure = SURE_MAYBE;
	server(41, THREAD_BLOCKED, 0);
	assert_int_equal(decided()->state, LIVE_STALLED);
}

static void test_owners_are_not_merged(void **state)
{
	(void)state;
	connection(41, 1, 1);
	connection(42, 1, 1);
	task(WAIT_REPLY);
	task(WAIT_REPLY);
	decided();
	assert_int_equal(live.n_conns, 4);
	for (size_t i = 0; i < live.n_conns; i++)
		assert_true(live.conns[i].number || live.conns[i].n_tasks == 1);
}

static void test_mount_points(void **state)
{
	char text[] = "/mnt/a\\040b\\134c\\9";

	(void)state;
	mount_unescape(text);
	assert_string_equal(text, "/mnt/a b\\c\\9");
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
	static const struct stacked none;

	assert_int_equal(evidence_collect(&query, 1, &conn, 1, &none, ev), 0);
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
		cmocka_unit_test_setup_teardown(test_the_only_one_is_presumed, begin,
						end),
		cmocka_unit_test_setup_teardown(test_two_are_a_guess_at_best, begin, end),
		cmocka_unit_test_setup_teardown(test_execve_is_never_certain, begin, end),
		cmocka_unit_test_setup_teardown(test_a_lock_alone_is_nobodys, begin, end),
		cmocka_unit_test_setup_teardown(test_leaders_and_inits_join, begin, end),
		cmocka_unit_test_setup_teardown(test_a_living_server_is_never_wedged,
						begin, end),
		cmocka_unit_test_setup_teardown(test_the_killed_wait_like_others, begin,
						end),
		cmocka_unit_test_setup_teardown(test_nobody_can_answer, begin, end),
		cmocka_unit_test_setup_teardown(test_the_dying_cannot_answer, begin, end),
		cmocka_unit_test_setup_teardown(test_servers_of_others_do_not_count,
						begin, end),
		cmocka_unit_test_setup_teardown(test_requests_that_come_and_go, begin,
						end),
		cmocka_unit_test_setup_teardown(test_self_deadlock, begin, end),
		cmocka_unit_test_setup_teardown(test_stacked_on_a_slow_one, begin, end),
		cmocka_unit_test_setup_teardown(test_stacked_on_a_dead_one, begin, end),
		cmocka_unit_test_setup_teardown(test_a_cycle_of_two, begin, end),
		cmocka_unit_test_setup_teardown(test_a_presumed_wait_proves_nothing,
						begin, end),
		cmocka_unit_test_setup_teardown(test_owners_are_not_merged, begin, end),
		cmocka_unit_test(test_mount_points),
		cmocka_unit_test(test_evidence_of_a_system_call),
		cmocka_unit_test(test_syscall_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
