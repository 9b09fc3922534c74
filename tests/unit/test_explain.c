/* SPDX-License-Identifier: MIT */
/* Explanations of hand-written snapshots: one for each class of hang that is known. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/fuse.h>

#include "harness/explain/explain.h"

#define EXITING 0x4
#define KILLED	0x100
#define DAEMON	95

/* tid, pid, ppid, role, state, flags, stack: innermost first, blanks between. */
static struct snap_task *add(struct snapshot *snap, pid_t tid, pid_t pid,
			     enum snap_role role, char state, uint32_t flags,
			     const char *stack)
{
	struct snap_task *task = snapshot_add_task(snap);
	char copy[1024], *save = NULL;

	assert_non_null(task);
	task->tid = tid;
	task->pid = pid;
	task->ppid = 50;
	task->role = role;
	task->state = state;
	task->flags = flags;
	task->dev_fd = -1;
	task->n_threads = 1;
	snprintf(task->comm, sizeof(task->comm), "worker");
	if (flags & EXITING)
		task->shdpnd = KILLED;
	snprintf(copy, sizeof(copy), "%s", stack);
	for (char *f = strtok_r(copy, " ", &save); f; f = strtok_r(NULL, " ", &save))
		snprintf(task->frames[task->n_frames++].name, SNAP_NAME, "%s+0x12c/0x1d0",
			 f);
	return task;
}

static void request(struct snapshot *snap, uint64_t unique, uint32_t opcode, pid_t pid,
		    enum ledger_state state)
{
	struct snap_request *req = snapshot_add_request(snap);

	assert_non_null(req);
	req->unique = unique;
	req->opcode = opcode;
	req->pid = pid;
	req->state = state;
	req->server = DAEMON;
	req->nodeid = 1;
	req->done_us = -1;
}

static void begin(struct snapshot *snap, bool alive)
{
	snapshot_init(snap);
	snap->conn.number = 45;
	snap->conn.exists = true;
	snap->conn.waiting = 1;
	snap->conn.daemon_pid = DAEMON;
	snap->conn.daemon_alive = alive;
	snap->conn.ledger = true;
	if (alive)
		add(snap, DAEMON, DAEMON, ROLE_DAEMON, 'S', 0,
		    "do_sys_poll __x64_sys_poll")
			->dev_fd = 5;
}

#define EXIT " do_exit do_group_exit __x64_sys_exit_group do_syscall_64"
#define FLUSH                                                                            \
	"request_wait_answer __fuse_simple_request fuse_flush filp_close "               \
	"put_files_struct" EXIT
#define READING                                                                          \
	"request_wait_answer __fuse_simple_request fuse_readahead read_pages "           \
	"page_cache_ra_unbounded filemap_get_pages filemap_read vfs_read ksys_read"
#define LOOKUP                                                                           \
	"request_wait_answer __fuse_simple_request fuse_lookup_name fuse_lookup "        \
	"__lookup_slow "                                                                 \
	"walk_component path_lookupat filename_lookup vfs_statx"
#define ZAP "zap_pid_ns_processes forget_original_parent exit_notify" EXIT

/* The classes of KERNEL-NOTES section 5. */

static void pidns_flush(struct snapshot *snap)
{
	begin(snap, false);
	add(snap, 90, 90, ROLE_INIT, 'S', EXITING, ZAP)->actor[0] = 0;
	add(snap, DAEMON, DAEMON, ROLE_DAEMON, 'Z', EXITING, "")->n_threads = 2;
	add(snap, 96, DAEMON, ROLE_SERVER, 'D', EXITING, FLUSH)->n_threads = 2;
	request(snap, 3, FUSE_OPEN, 96, LEDGER_ANSWERED);
}

static void exit_flush(struct snapshot *snap)
{
	struct snap_task *task;

	begin(snap, true);
	task = add(snap, 97, 97, ROLE_WORKER, 'S', EXITING, FLUSH);
	strcpy(task->actor, "t1");
	request(snap, 20, FUSE_READ, 97, LEDGER_ANSWERED);
	request(snap, 22, FUSE_FLUSH, 97, LEDGER_DROPPED);
}

static void close_flush(struct snapshot *snap)
{
	begin(snap, true);
	strcpy(add(snap, 97, 97, ROLE_WORKER, 'D', 0,
		   "request_wait_answer __fuse_simple_request fuse_flush filp_flush "
		   "__x64_sys_close")
		       ->actor,
	       "t1");
	snap->tasks[1].shdpnd = KILLED;
}

static void dup_flush(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "request_wait_answer __fuse_simple_request fuse_flush filp_flush filp_close "
	    "do_dup2 "
	    "__x64_sys_dup2");
	request(snap, 22, FUSE_FLUSH, 97, LEDGER_HELD);
}

static void exit_writeback(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', EXITING,
	    "folio_wait_bit_common folio_wait_writeback __filemap_fdatawait_range "
	    "filemap_fdatawait_range "
	    "writeback_single_inode write_inode_now fuse_flush filp_flush filp_close "
	    "put_files_struct" EXIT);
	request(snap, 30, FUSE_WRITE, 0, LEDGER_DROPPED);
}

static void exit_mmap(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', EXITING,
	    "folio_wait_bit_common folio_wait_writeback __filemap_fdatawait_range "
	    "writeback_single_inode write_inode_now fuse_vma_close remove_vma exit_mmap "
	    "__mmput "
	    "exit_mm" EXIT);
	request(snap, 30, FUSE_WRITE, 0, LEDGER_DROPPED);
}

static void zombie_leader(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'Z', EXITING, "")->n_threads = 2;
	add(snap, 98, 97, ROLE_WORKER, 'D', 0, READING)->n_threads = 2;
	request(snap, 31, FUSE_READ, 98, LEDGER_DROPPED);
}

static void exec_from_fuse(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "request_wait_answer __fuse_simple_request fuse_readahead read_pages "
	    "page_cache_ra_unbounded "
	    "filemap_get_pages filemap_read __kernel_read bprm_execve do_execveat_common "
	    "__x64_sys_execve");
	request(snap, 31, FUSE_READ, 97, LEDGER_DROPPED);
}

static void never_answered(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0, LOOKUP);
	request(snap, 31, FUSE_LOOKUP, 97, LEDGER_DROPPED);
}

static void dir_convoy(struct snapshot *snap)
{
	static const char *const victims[] = {
		"fuse_lock_inode fuse_lookup __lookup_slow walk_component path_lookupat",
		"rwsem_down_write_slowpath down_write do_unlinkat __x64_sys_unlink",
		"filename_create do_mkdirat __x64_sys_mkdir",
	};

	never_answered(snap);
	for (int i = 0; i < 30; i++)
		add(snap, 200 + i, 200 + i, ROLE_WORKER, 'D', 0, victims[i % 3]);
}

static void in_lookup(struct snapshot *snap)
{
	never_answered(snap);
	add(snap, 99, 99, ROLE_WORKER, 'D', 0,
	    "d_alloc_parallel __lookup_slow walk_component path_lookupat");
}

static void folio_lock(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0, READING);
	add(snap, 99, 99, ROLE_WORKER, 'D', 0,
	    "folio_wait_bit_common __folio_lock invalidate_inode_pages2_range "
	    "invalidate_inode_pages2 "
	    "fuse_finish_open fuse_open do_dentry_open");
	request(snap, 31, FUSE_READ, 97, LEDGER_DROPPED);
}

static void self_access(struct snapshot *snap)
{
	begin(snap, false);
	add(snap, DAEMON, DAEMON, ROLE_DAEMON, 'Z', EXITING, "")->n_threads = 2;
	add(snap, 96, DAEMON, ROLE_SERVER, 'D', 0, READING)->n_threads = 2;
	request(snap, 31, FUSE_READ, 96, LEDGER_DROPPED);
}

static void lock_wait(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "request_wait_answer __fuse_simple_request fuse_setlk fcntl_setlk do_fcntl "
	    "__x64_sys_fcntl");
	request(snap, 31, FUSE_SETLKW, 97, LEDGER_DROPPED);
}

static void poll_epoll(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "request_wait_answer __fuse_simple_request fuse_file_poll ep_item_poll "
	    "ep_insert do_epoll_ctl");
	add(snap, 99, 99, ROLE_WORKER, 'D', 0, "do_epoll_ctl __x64_sys_epoll_ctl");
	request(snap, 31, FUSE_POLL, 97, LEDGER_DROPPED);
}

static void mmap_fault(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "request_wait_answer __fuse_simple_request fuse_readahead read_pages "
	    "page_cache_ra_order "
	    "filemap_fault __do_fault do_fault handle_mm_fault do_user_addr_fault "
	    "exc_page_fault");
	add(snap, 98, 97, ROLE_WORKER, 'D', 0, "vm_mmap_pgoff ksys_mmap_pgoff");
	request(snap, 31, FUSE_READ, 97, LEDGER_DROPPED);
}

static const struct expected {
	const char *name;
	void (*make)(struct snapshot *snap);
	pid_t root;
	enum wait_kind wait; /* of the root */
	const char *roots;   /* text */
	const char *reason[3];
	const char *chain;
	char fate; /* u: unread, d: dropped, h: held */
} classes[] = {
	{"pidns-flush",
	 pidns_flush,
	 96,
	 WAIT_REPLY,
	 "server fuse_flush exit_files",
	 {"server thread 96 is exiting and waits for the reply to its own FLUSH",
	  "only process 95 could answer, and it is dying"},
	 "pid namespace",
	 'u'},
	{"exit-flush",
	 exit_flush,
	 97,
	 WAIT_REPLY,
	 "worker fuse_flush exit_files",
	 {"t1 (pid 97) is exiting", "FLUSH #22", "read and dropped"},
	 "not by SIGKILL",
	 'd'},
	{"close-flush",
	 close_flush,
	 97,
	 WAIT_REPLY,
	 "worker fuse_flush running",
	 {"t1 (pid 97) waits", "FLUSH", "never read"},
	 "SIGKILL pending",
	 'u'},
	{"dup-flush",
	 dup_flush,
	 97,
	 WAIT_REPLY,
	 "worker fuse_flush running",
	 {"FLUSH #22", "withholds"},
	 "do_dup2",
	 'h'},
	{"exit-writeback",
	 exit_writeback,
	 97,
	 WAIT_WRITEBACK,
	 "worker folio_wait_writeback exit_files",
	 {"writeback", "WRITE #30", "dropped"},
	 "write_inode_now",
	 'd'},
	{"exit-mmap",
	 exit_mmap,
	 97,
	 WAIT_WRITEBACK,
	 "worker folio_wait_writeback exit_mm",
	 {"writeback", "WRITE #30", "dropped"},
	 "fuse_vma_close",
	 'd'},
	{"zombie-leader",
	 zombie_leader,
	 98,
	 WAIT_REPLY,
	 "worker fuse_readahead running",
	 {"(tid 98)", "READ #31", "dropped"},
	 "other threads",
	 'd'},
	{"exec-from-fuse",
	 exec_from_fuse,
	 97,
	 WAIT_REPLY,
	 "worker fuse_readahead exec",
	 {"is in execve", "READ #31"},
	 "fuse_readahead",
	 'd'},
	{"never-answered",
	 never_answered,
	 97,
	 WAIT_REPLY,
	 "worker fuse_lookup_name running",
	 {"LOOKUP #31", "read and dropped"},
	 "freed by a reply",
	 'd'},
	{"dir-convoy",
	 dir_convoy,
	 97,
	 WAIT_REPLY,
	 "worker fuse_lookup_name running",
	 {"LOOKUP #31", "read and dropped"},
	 "30 more tasks wait for the same lock",
	 'd'},
	{"in-lookup",
	 in_lookup,
	 97,
	 WAIT_REPLY,
	 "worker fuse_lookup_name running",
	 {"LOOKUP #31"},
	 "lookup of the same name (d_alloc_parallel): behind worker (pid 97)",
	 'd'},
	{"folio-lock",
	 folio_lock,
	 97,
	 WAIT_REPLY,
	 "worker fuse_readahead running",
	 {"READ #31"},
	 "a locked page (__folio_lock): behind worker (pid 97)",
	 'd'},
	{"self-access",
	 self_access,
	 96,
	 WAIT_REPLY,
	 "server fuse_readahead running",
	 {"server thread 96 waits", "its own READ #31", "dying"},
	 "1 of its threads is a zombie",
	 'd'},
	{"lock-wait",
	 lock_wait,
	 97,
	 WAIT_REPLY,
	 "worker fuse_setlk running",
	 {"SETLKW #31"},
	 "fcntl_setlk",
	 'd'},
	{"poll-epoll",
	 poll_epoll,
	 97,
	 WAIT_REPLY,
	 "worker fuse_file_poll running",
	 {"POLL #31"},
	 "epoll set (do_epoll_ctl): behind",
	 'd'},
	{"mmap-fault",
	 mmap_fault,
	 97,
	 WAIT_REPLY,
	 "worker fuse_readahead running",
	 {"READ #31"},
	 "address space (vm_mmap_pgoff): behind",
	 'd'},
};

#define N_CLASSES (sizeof(classes) / sizeof(classes[0]))

static void explain(const struct snapshot *snap, struct explanation *ex)
{
	assert_int_equal(explain_snapshot(snap, ex), 0);
}

static void test_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CLASSES; i++) {
		const struct expected *want = &classes[i];
		struct explanation ex;
		struct snapshot snap;

		want->make(&snap);
		explain(&snap, &ex);
		print_message("%-15s %s\n", want->name, ex.reason);
		assert_int_equal(ex.n_roots, 1);
		assert_int_equal(ex.roots[0], want->root);
		assert_int_equal(wait_of_task(snapshot_task(&snap, want->root)),
				 want->wait);
		assert_string_equal(ex.roots_text, want->roots);
		for (int j = 0; j < 3 && want->reason[j]; j++)
			if (!strstr(ex.reason, want->reason[j]))
				fail_msg("%s: '%s' is not in '%s'", want->name,
					 want->reason[j], ex.reason);
		if (!strstr(ex.chain, want->chain))
			fail_msg("%s: '%s' is not in '%s'", want->name, want->chain,
				 ex.chain);
		assert_int_equal(ex.root_unread, want->fate == 'u');
		assert_int_equal(ex.root_dropped, want->fate == 'd');
		assert_int_equal(ex.root_held, want->fate == 'h');
		assert_true(ex.n_nodes >= 2 && ex.n_edges >= 2);
		explanation_release(&ex);
		snapshot_release(&snap);
	}
}

static uint64_t hash_of(const struct snapshot *snap)
{
	struct explanation ex;
	uint64_t hash;

	explain(snap, &ex);
	hash = ex.root_hash;
	explanation_release(&ex);
	return hash;
}

/* Other pids, uniques, times and order. */
static void renumber(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->n_tasks; i++) {
		snap->tasks[i].tid += 1000;
		snap->tasks[i].pid += 1000;
		snap->tasks[i].ppid += 1000;
		snap->tasks[i].switches = 77 + i;
	}
	for (size_t i = 0; i < snap->n_requests; i++) {
		snap->requests[i].unique += 500;
		snap->requests[i].pid += snap->requests[i].pid ? 1000 : 0;
		snap->requests[i].server += 1000;
		snap->requests[i].read_us = 12345;
	}
	snap->conn.daemon_pid += 1000;
	snap->conn.number = 99;
	for (size_t i = 0; i < snap->n_tasks / 2; i++) {
		struct snap_task swap = snap->tasks[i];

		snap->tasks[i] = snap->tasks[snap->n_tasks - 1 - i];
		snap->tasks[snap->n_tasks - 1 - i] = swap;
	}
}

/* As another kernel, or another compiler, prints the same frames. */
static void redecorate(struct snapshot *snap)
{
	static const char *const suffix[] = {
		".part.0+0x1/0x2", ".constprop.0+0x5c/0x90 [fuse]", ".isra.0+0x33/0x40",
		"+0x9/0x10 [fuse]", ".cold"};
	char bare[SNAP_NAME];

	for (size_t i = 0; i < snap->n_tasks; i++)
		for (unsigned int j = 0; j < snap->tasks[i].n_frames; j++) {
			char *name = snap->tasks[i].frames[j].name;

			frame_normalise(name, bare, sizeof(bare));
			snprintf(name, SNAP_NAME, "%.30s%s", bare, suffix[(i + j) % 5]);
		}
}

static void add_victims(struct snapshot *snap)
{
	add(snap, 301, 301, ROLE_WORKER, 'D', 0, "do_unlinkat __x64_sys_unlink");
	add(snap, 302, 302, ROLE_WORKER, 'D', 0,
	    "d_alloc_parallel __lookup_slow walk_component");
	add(snap, 303, 303, ROLE_OTHER, 'D', 0, "some_function_that_nobody_knows");
	add(snap, 304, 304, ROLE_INIT, 'S', EXITING, ZAP);
	add(snap, 305, 305, ROLE_OTHER, 'S', 0, "futex_do_wait __futex_wait futex_wait");
}

static void test_hash_is_stable(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CLASSES; i++) {
		struct snapshot snap;
		uint64_t hash;

		classes[i].make(&snap);
		hash = hash_of(&snap);
		redecorate(&snap);
		assert_int_equal(hash_of(&snap), hash);
		if (classes[i].wait == WAIT_REPLY) {
			add_victims(&snap);
			assert_int_equal(hash_of(&snap), hash);
		}
		renumber(&snap);
		assert_int_equal(hash_of(&snap), hash);
		snapshot_release(&snap);
	}
}

static void test_hash_tells_classes_apart(void **state)
{
	uint64_t hash[N_CLASSES];

	(void)state;
	for (size_t i = 0; i < N_CLASSES; i++) {
		struct snapshot snap;

		classes[i].make(&snap);
		hash[i] = hash_of(&snap);
		snapshot_release(&snap);
		for (size_t j = 0; j < i; j++)
			if (strcmp(classes[i].roots, classes[j].roots))
				assert_int_not_equal(hash[i], hash[j]);
			else
				assert_int_equal(hash[i], hash[j]);
	}
}

static void test_count_of_roots_is_no_matter(void **state)
{
	struct snapshot snap;
	struct explanation ex;
	uint64_t hash;

	(void)state;
	never_answered(&snap);
	hash = hash_of(&snap);
	add(&snap, 120, 120, ROLE_WORKER, 'D', 0, LOOKUP);
	add(&snap, 121, 121, ROLE_WORKER, 'S', 0, LOOKUP);
	assert_int_equal(hash_of(&snap), hash);
	add(&snap, 122, 122, ROLE_WORKER, 'S', EXITING, FLUSH);
	assert_int_not_equal(hash_of(&snap), hash);
	explain(&snap, &ex);
	assert_int_equal(ex.n_roots, 4);
	assert_true(ex.root_unread && ex.root_dropped && !ex.root_held);
	explanation_release(&ex);
	snapshot_release(&snap);
}

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

static void test_waits(void **state)
{
	static const struct {
		const char *stack;
		char st;
		enum wait_kind kind;
		const char *frame, *phase;
	} rows[] = {
		{"request_wait_answer fuse_simple_request fuse_flush filp_close "
		 "put_files_struct do_exit",
		 'S', WAIT_REPLY, "fuse_flush", "exit_files"},
		{"__fuse_request_send fuse_simple_request fuse_readpages read_pages", 'D',
		 WAIT_REPLY, "fuse_readahead", ""},
		{"wait_on_page_bit_common wait_on_page_writeback "
		 "__filemap_fdatawait_range exit_files do_exit",
		 'D', WAIT_WRITEBACK, "folio_wait_writeback", "exit_files"},
		{"__lock_page invalidate_inode_pages2_range fuse_open_common", 'D',
		 WAIT_FOLIO_LOCK, "__folio_lock", ""},
		{"fuse_get_req __fuse_simple_request fuse_lookup_name", 'D',
		 WAIT_INIT_REPLY, "fuse_lookup_name", ""},
		{"__start_dirop start_dirop filename_create", 'D', WAIT_INODE_LOCK,
		 "start_dirop", ""},
		{"filename_unlinkat __x64_sys_unlink", 'D', WAIT_INODE_LOCK,
		 "do_unlinkat", ""},
		{"path_openat do_filp_open", 'D', WAIT_INODE_LOCK, "open_last_lookups",
		 ""},
		{"open_last_lookups path_openat", 'D', WAIT_INODE_LOCK,
		 "open_last_lookups", ""},
		{"kernel_wait4 zap_pid_ns_processes exit_notify do_exit", 'S',
		 WAIT_MEMBERS, "zap_pid_ns_processes", "exit_notify"},
		{"do_wait kernel_wait4", 'S', WAIT_CHILD, "do_wait", ""},
		{"wait_for_completion kernel_clone __do_sys_vfork", 'D', WAIT_VFORK,
		 "wait_for_vfork_done", ""},
		{"begin_new_exec load_elf_binary bprm_execve", 'D', WAIT_THREADS,
		 "de_thread", "exec"},
		{"do_signal_stop get_signal", 'T', WAIT_STOPPED, "do_signal_stop", ""},
		{"fuse_dev_do_read fuse_dev_read vfs_read", 'S', WAIT_DEV_READ,
		 "fuse_dev_do_read", ""},
		{"wait_for_completion exit_aio mmput exit_mm do_exit", 'D', WAIT_REPLY,
		 "exit_aio", "exit_mm"},
		{"request_wait_answer fuse_flush filp_close put_files_struct "
		 "begin_new_exec",
		 'D', WAIT_REPLY, "fuse_flush", "exec"},
		{"request_wait_answer fuse_flush filp_close put_files_struct "
		 "copy_process kernel_clone",
		 'D', WAIT_REPLY, "fuse_flush", "fork"},
		{"request_wait_answer fuse_flush __fput task_work_run do_exit", 'D',
		 WAIT_REPLY, "fuse_flush", "exit_task_work"},
		{"request_wait_answer fuse_lookup_name", 'R', WAIT_NONE,
		 "fuse_lookup_name", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char frame[SNAP_NAME];
		struct snapshot snap;
		struct snap_task *task;

		snapshot_init(&snap);
		task = add(&snap, 7, 7, ROLE_WORKER, rows[i].st, 0, rows[i].stack);
		if (wait_of_task(task) != rows[i].kind)
			fail_msg("%s: kind %d", rows[i].stack, wait_of_task(task));
		wait_frame(task, frame, sizeof(frame));
		assert_string_equal(frame, rows[i].frame);
		assert_string_equal(exit_phase(task), rows[i].phase);
		snapshot_release(&snap);
	}
}

static void test_normalise(void **state)
{
	static const char *const pairs[][2] = {
		{"fuse_flush+0x12c/0x1d0 [fuse]", "fuse_flush"},
		{"[<0>] request_wait_answer+0x1/0x2", "request_wait_answer"},
		{"[<ffffffff81234567>] do_exit+0x1/0x2", "do_exit"},
		{"fuse_lookup_name.part.0+0x1/0x2 [fuse]", "fuse_lookup_name"},
		{"foo.constprop.0.isra.0.cold", "foo"},
		{"do_exit", "do_exit"},
		{"", ""},
	};
	char out[SNAP_NAME], small[4];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		frame_normalise(pairs[i][0], out, sizeof(out));
		assert_string_equal(out, pairs[i][1]);
	}
	frame_normalise("abcdefgh+0x1", small, sizeof(small));
	assert_string_equal(small, "abc");
	assert_true(frame_is_generic("schedule"));
	assert_true(frame_is_generic("down_write"));
	assert_true(frame_is_generic(""));
	assert_false(frame_is_generic("fuse_flush"));
}

static void test_signature(void **state)
{
	struct explanation a = {.root_hash = 1}, b = {.root_hash = 2};
	char text[40];

	(void)state;
	assert_int_equal(explain_signature(VERDICT_CLEAN, &a), 0);
	assert_int_equal(explain_signature(VERDICT_INFRA, &a), 0);
	assert_int_not_equal(explain_signature(VERDICT_HELD, &a),
			     explain_signature(VERDICT_LOST, &a));
	assert_int_not_equal(explain_signature(VERDICT_HELD, &a),
			     explain_signature(VERDICT_HELD, &b));
	signature_format(VERDICT_PINNED, 0x1234, text);
	assert_string_equal(text, "pinned-0000000000001234");
}

static void test_dot_folds_and_parses(void **state)
{
	struct explanation ex;
	struct snapshot snap;
	size_t size, shown = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	dir_convoy(&snap);
	strcpy(snap.tasks[1].comm, "a\"b\\c");
	explain(&snap, &ex);
	assert_int_equal(explain_dot(&snap, &ex, out), 0);
	fclose(out);
	assert_non_null(strstr(text, "more\""));
	assert_non_null(strstr(text, "a\\\"b\\\\c"));
	for (const char *p = text; (p = strstr(p, "shape=box,")); p++)
		shown++;
	assert_in_range(shown, 4,
			14); /* 1 root, 3 kinds of victims, 3 of each and the folded */
	free(text);
	explanation_release(&ex);
	snapshot_release(&snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalise),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_hash_is_stable),
		cmocka_unit_test(test_hash_tells_classes_apart),
		cmocka_unit_test(test_count_of_roots_is_no_matter),
		cmocka_unit_test(test_clients_of_a_stuck_server),
		cmocka_unit_test(test_cycle_through_a_lock),
		cmocka_unit_test(test_unreadable_in_exec),
		cmocka_unit_test(test_frame_chooses_request),
		cmocka_unit_test(test_without_ledger),
		cmocka_unit_test(test_pinned_device),
		cmocka_unit_test(test_nothing_stuck),
		cmocka_unit_test(test_unknown_stays_visible),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_dot_folds_and_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
