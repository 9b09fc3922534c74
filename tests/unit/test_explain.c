/* SPDX-License-Identifier: MIT */
/* Explanations of hand-written snapshots: one for each class of hang that is known. */

#include "explain_classes.h"

static const struct expected {
	const char *name;
	void (*make)(struct snapshot *snap);
	pid_t root;
	enum wait_kind wait; /* of the root */
	const char *roots;   /* text */
	const char *reason[3];
	const char *chain;
	char fate; /* u: unread by a server that could, s: a server's own, unread; d: dropped, h: held */
} classes[] = {
	{"pidns-flush",
	 pidns_flush,
	 96,
	 WAIT_REPLY,
	 "server fuse_flush exit_files",
	 {"server thread 96 is exiting and waits for the reply to its own FLUSH",
	  "only process 95 could answer, and it is dying"},
	 "pid namespace",
	 's'},
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
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_hash_is_stable),
		cmocka_unit_test(test_hash_tells_classes_apart),
		cmocka_unit_test(test_count_of_roots_is_no_matter),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_dot_folds_and_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
