/* SPDX-License-Identifier: MIT */
/* Who is the root, and of what request, where it is not obvious. */

#include "explain_classes.h"

/* Requests that nobody read because the server hangs itself: the server is the only root. */
static void test_clients_of_a_stuck_server(void **state)
{
	struct explanation ex;
	struct snapshot snap;
	uint64_t hash;

	(void)state;
	self_access(&snap);
	hash = hash_of(&snap);
	add(&snap, 130, 130, ROLE_WORKER, 'D', 0, LOOKUP);
	add(&snap, 131, 131, ROLE_WORKER, 'D', 0, FLUSH);
	request(&snap, 40, FUSE_LOOKUP, 130, LEDGER_READ);
	snap.requests[1].server = 96;
	explain(&snap, &ex);
	assert_int_equal(ex.n_roots, 1);
	assert_int_equal(ex.roots[0], 96);
	assert_int_equal(ex.root_hash, hash);
	assert_false(ex.root_unread);
	assert_non_null(strstr(ex.chain, "behind server thread 96"));
	explanation_release(&ex);
	snapshot_release(&snap);
}

/* The server waits for a lock that the client holds while it waits for the server. */
static void test_cycle_through_a_lock(void **state)
{
	struct explanation ex;
	struct snapshot snap;
	uint64_t hash[2];

	(void)state;
	for (int ledger = 0; ledger < 2; ledger++) {
		begin(&snap, false);
		snap.conn.ledger = ledger;
		snap.conn.daemon_alive = true;
		add(&snap, 97, 97, ROLE_WORKER, 'D', 0, LOOKUP);
		add(&snap, DAEMON, DAEMON, ROLE_DAEMON, 'D', 0,
		    "fuse_lock_inode fuse_lookup fuse_atomic_open path_openat");
		if (ledger)
			request(&snap, 31, FUSE_LOOKUP, 97, LEDGER_READ);
		explain(&snap, &ex);
		assert_int_equal(ex.n_roots, 1);
		assert_int_equal(ex.roots[0], DAEMON);
		assert_non_null(strstr(ex.reason, "behind worker (pid 97), which waits "
						  "for the reply to its own LOOKUP"));
		assert_non_null(
			strstr(ex.reason, "a cycle, only process 95 could answer"));
		hash[ledger] = ex.root_hash;
		explanation_release(&ex);
		snapshot_release(&snap);
	}
	assert_int_equal(hash[0], hash[1]);
}

/* A stack that could not be read, as procfs_read_task() leaves it: the ledger tells the request. */
static void test_unreadable_in_exec(void **state)
{
	struct explanation ex;
	struct snapshot snap;

	(void)state;
	begin(&snap, true);
	add(&snap, 97, 97, ROLE_WORKER, 'D', 0, "exec_update_lock_held begin_new_exec");
	request(&snap, 22, FUSE_FLUSH, 97, LEDGER_DROPPED);
	explain(&snap, &ex);
	assert_string_equal(ex.roots_text, "worker fuse_flush exec");
	assert_non_null(strstr(
		ex.reason, "is in execve and waits for the reply to its own FLUSH #22"));
	assert_true(ex.root_dropped);
	explanation_release(&ex);
	snap.n_requests = 0;
	explain(&snap, &ex);
	assert_string_equal(ex.roots_text, "worker begin_new_exec exec");
	assert_true(ex.root_unread);
	explanation_release(&ex);
	snapshot_release(&snap);
}

/* The newest unanswered request is not always the one: the frame decides. */
static void test_frame_chooses_request(void **state)
{
	struct explanation ex;
	struct snapshot snap;

	(void)state;
	exit_flush(&snap);
	request(&snap, 25, FUSE_RELEASE, 97, LEDGER_DROPPED);
	request(&snap, 26, FUSE_READ, 97, LEDGER_DROPPED);
	explain(&snap, &ex);
	assert_non_null(strstr(ex.reason, "FLUSH #22"));
	explanation_release(&ex);
	snapshot_release(&snap);
}

static void test_without_ledger(void **state)
{
	struct explanation ex;
	struct snapshot snap;

	(void)state;
	close_flush(&snap);
	snap.conn.ledger = false;
	explain(&snap, &ex);
	assert_int_equal(ex.n_roots, 1);
	assert_false(ex.root_unread);
	assert_null(strstr(ex.reason, "never read"));
	assert_non_null(strstr(ex.reason, "process 95 serves this connection"));
	explanation_release(&ex);
	snapshot_release(&snap);
}

/* With ASYNC_READ a reader has no request of its own in its stack. */
static void test_asynchronous_read(void **state)
{
	struct explanation ex;
	struct snapshot snap;

	(void)state;
	begin(&snap, true);
	add(&snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "folio_wait_bit_common filemap_update_page filemap_get_pages filemap_read "
	    "fuse_file_read_iter vfs_read");
	request(&snap, 31, FUSE_READ, 97, LEDGER_DROPPED);
	explain(&snap, &ex);
	assert_int_equal(ex.n_roots, 1);
	assert_string_equal(ex.roots_text, "worker folio_wait_locked running");
	assert_non_null(strstr(ex.reason, "it depends on its own READ #31"));
	assert_true(ex.root_dropped);
	explanation_release(&ex);
	snap.n_requests = 0;
	snap.conn.ledger = false;
	explain(&snap, &ex);
	assert_int_equal(ex.n_roots, 1);
	assert_non_null(strstr(ex.reason, "the reply to a READ under way"));
	explanation_release(&ex);
	snapshot_release(&snap);
}

static void test_pinned_device(void **state)
{
	struct explanation ex;
	struct snapshot snap;

	(void)state;
	pidns_flush(&snap);
	explain(&snap, &ex);
	assert_non_null(
		strstr(ex.chain, "a dying process with an empty fd table still pins it"));
	assert_non_null(strstr(ex.chain, "aborting connection 45"));
	explanation_release(&ex);
	snap.tasks[2].dev_fd = 4;
	explain(&snap, &ex);
	assert_null(strstr(ex.chain, "empty fd table"));
	explanation_release(&ex);
	snapshot_release(&snap);
}

static void test_nothing_stuck(void **state)
{
	struct explanation ex;
	struct snapshot snap;

	(void)state;
	begin(&snap, true);
	add(&snap, 97, 97, ROLE_WORKER, 'S', 0,
	    "futex_do_wait __futex_wait futex_wait do_futex");
	add(&snap, 98, 98, ROLE_WORKER, 'R', 0, LOOKUP);
	add(&snap, 99, 99, ROLE_INIT, 'S', 0, "do_wait kernel_wait4 do_syscall_64");
	add(&snap, 100, 100, ROLE_WORKER, 'Z', EXITING, "");
	add(&snap, 101, 101, ROLE_WORKER, 'T', 0, "do_signal_stop get_signal");
	add(&snap, 102, 102, ROLE_WORKER, 'D', 0, "kernel_clone __do_sys_vfork");
	explain(&snap, &ex);
	assert_int_equal(ex.n_roots, 0);
	assert_string_equal(ex.roots_text, "");
	assert_non_null(strstr(ex.reason, "no task is stuck"));
	explanation_release(&ex);
	snapshot_release(&snap);
}

static void test_unknown_stays_visible(void **state)
{
	struct explanation ex;
	struct snapshot snap;

	(void)state;
	begin(&snap, true);
	add(&snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "some_function_that_nobody_knows vfs_read");
	explain(&snap, &ex);
	assert_int_equal(ex.n_roots, 1);
	assert_non_null(strstr(ex.reason, "some_function_that_nobody_knows"));
	explanation_release(&ex);
	snapshot_release(&snap);
}

/* The kind of the only root. */
static uint64_t kind_of(const char *stack, unsigned int role, uint32_t opcode,
			enum ledger_state state)
{
	struct explanation ex;
	struct snapshot snap;
	uint64_t kind;

	begin(&snap, true);
	add(&snap, 97, 97, role, 'D', 0, stack);
	if (opcode)
		request(&snap, 22, opcode, 97, state);
	explain(&snap, &ex);
	assert_int_equal(ex.n_roots, 1);
	kind = ex.kinds[0];
	explanation_release(&ex);
	snapshot_release(&snap);
	return kind;
}

/* What can free it decides, not who it is; and what may be in transit is of no kind. */
static void test_kinds(void **state)
{
	uint64_t held = kind_of(LOOKUP, ROLE_WORKER, FUSE_LOOKUP, LEDGER_HELD);

	(void)state;
	assert_true(held);
	assert_int_equal(held, kind_of(LOOKUP, ROLE_INIT, FUSE_LOOKUP, LEDGER_HELD));
	assert_int_not_equal(held,
			     kind_of(LOOKUP, ROLE_WORKER, FUSE_LOOKUP, LEDGER_DROPPED));
	assert_int_not_equal(held, kind_of(LOOKUP, ROLE_WORKER, 0, LEDGER_HELD));
	assert_int_not_equal(held, kind_of(FLUSH, ROLE_WORKER, FUSE_FLUSH, LEDGER_HELD));
	assert_int_equal(kind_of("some_function_that_nobody_knows vfs_read", ROLE_WORKER,
				 0, LEDGER_HELD),
			 0);
	assert_int_equal(kind_of("exec_update_lock_held begin_new_exec", ROLE_WORKER, 0,
				 LEDGER_HELD),
			 0);
	assert_true(kind_of("exec_update_lock_held begin_new_exec", ROLE_WORKER,
			    FUSE_FLUSH, LEDGER_DROPPED));
	assert_int_equal(kind_of("do_wait kernel_wait4 zap_pid_ns_processes do_exit",
				 ROLE_INIT, 0, LEDGER_HELD),
			 0);
}

/* A leader that has exited beside threads that serve on is no root, where somebody else is. */
static void test_leader_beside_servers(void **state)
{
	struct explanation ex;
	struct snapshot snap;

	(void)state;
	begin(&snap, false);
	snap.conn.ledger = snap.conn.daemon_alive = true;
	add(&snap, 97, 97, ROLE_WORKER, 'D', 0, LOOKUP);
	request(&snap, 22, FUSE_LOOKUP, 97, LEDGER_DROPPED);
	add(&snap, DAEMON, DAEMON, ROLE_DAEMON, 'Z', EXITING, "")->n_threads = 2;
	add(&snap, DAEMON + 1, DAEMON, ROLE_SERVER, 'S', 0,
	    "futex_do_wait __futex_wait futex_wait do_futex");
	explain(&snap, &ex);
	assert_int_equal(ex.n_roots, 1);
	assert_string_equal(ex.roots_text, "worker fuse_lookup_name running");
	explanation_release(&ex);
	snapshot_release(&snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_of_a_stuck_server),
		cmocka_unit_test(test_cycle_through_a_lock),
		cmocka_unit_test(test_unreadable_in_exec),
		cmocka_unit_test(test_frame_chooses_request),
		cmocka_unit_test(test_without_ledger),
		cmocka_unit_test(test_asynchronous_read),
		cmocka_unit_test(test_pinned_device),
		cmocka_unit_test(test_nothing_stuck),
		cmocka_unit_test(test_unknown_stays_visible),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_leader_beside_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
