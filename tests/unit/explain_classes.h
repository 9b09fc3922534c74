/* SPDX-License-Identifier: MIT */
/* Hand-written snapshots for the tests of harness/explain: the classes of hang that are known. */
#ifndef SF_TEST_EXPLAIN_CLASSES_H
#define SF_TEST_EXPLAIN_CLASSES_H

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
static inline struct snap_task *add(struct snapshot *snap, pid_t tid, pid_t pid,
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

static inline void request(struct snapshot *snap, uint64_t unique, uint32_t opcode,
			   pid_t pid, enum ledger_state state)
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

static inline void begin(struct snapshot *snap, bool alive)
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

static inline void pidns_flush(struct snapshot *snap)
{
	begin(snap, false);
	add(snap, 90, 90, ROLE_INIT, 'S', EXITING, ZAP)->actor[0] = 0;
	add(snap, DAEMON, DAEMON, ROLE_DAEMON, 'Z', EXITING, "")->n_threads = 2;
	add(snap, 96, DAEMON, ROLE_SERVER, 'D', EXITING, FLUSH)->n_threads = 2;
	request(snap, 3, FUSE_OPEN, 96, LEDGER_ANSWERED);
}

static inline void exit_flush(struct snapshot *snap)
{
	struct snap_task *task;

	begin(snap, true);
	task = add(snap, 97, 97, ROLE_WORKER, 'S', EXITING, FLUSH);
	strcpy(task->actor, "t1");
	request(snap, 20, FUSE_READ, 97, LEDGER_ANSWERED);
	request(snap, 22, FUSE_FLUSH, 97, LEDGER_DROPPED);
}

static inline void close_flush(struct snapshot *snap)
{
	begin(snap, true);
	strcpy(add(snap, 97, 97, ROLE_WORKER, 'D', 0,
		   "request_wait_answer __fuse_simple_request fuse_flush filp_flush "
		   "__x64_sys_close")
		       ->actor,
	       "t1");
	snap->tasks[1].shdpnd = KILLED;
}

static inline void dup_flush(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "request_wait_answer __fuse_simple_request fuse_flush filp_flush filp_close "
	    "do_dup2 "
	    "__x64_sys_dup2");
	request(snap, 22, FUSE_FLUSH, 97, LEDGER_HELD);
}

static inline void exit_writeback(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', EXITING,
	    "folio_wait_bit_common folio_wait_writeback __filemap_fdatawait_range "
	    "filemap_fdatawait_range "
	    "writeback_single_inode write_inode_now fuse_flush filp_flush filp_close "
	    "put_files_struct" EXIT);
	request(snap, 30, FUSE_WRITE, 0, LEDGER_DROPPED);
}

static inline void exit_mmap(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', EXITING,
	    "folio_wait_bit_common folio_wait_writeback __filemap_fdatawait_range "
	    "writeback_single_inode write_inode_now fuse_vma_close remove_vma exit_mmap "
	    "__mmput "
	    "exit_mm" EXIT);
	request(snap, 30, FUSE_WRITE, 0, LEDGER_DROPPED);
}

static inline void zombie_leader(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'Z', EXITING, "")->n_threads = 2;
	add(snap, 98, 97, ROLE_WORKER, 'D', 0, READING)->n_threads = 2;
	request(snap, 31, FUSE_READ, 98, LEDGER_DROPPED);
}

static inline void exec_from_fuse(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "request_wait_answer __fuse_simple_request fuse_readahead read_pages "
	    "page_cache_ra_unbounded "
	    "filemap_get_pages filemap_read __kernel_read bprm_execve do_execveat_common "
	    "__x64_sys_execve");
	request(snap, 31, FUSE_READ, 97, LEDGER_DROPPED);
}

static inline void never_answered(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0, LOOKUP);
	request(snap, 31, FUSE_LOOKUP, 97, LEDGER_DROPPED);
}

static inline void dir_convoy(struct snapshot *snap)
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

static inline void in_lookup(struct snapshot *snap)
{
	never_answered(snap);
	add(snap, 99, 99, ROLE_WORKER, 'D', 0,
	    "d_alloc_parallel __lookup_slow walk_component path_lookupat");
}

static inline void folio_lock(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0, READING);
	add(snap, 99, 99, ROLE_WORKER, 'D', 0,
	    "folio_wait_bit_common __folio_lock invalidate_inode_pages2_range "
	    "invalidate_inode_pages2 "
	    "fuse_finish_open fuse_open do_dentry_open");
	request(snap, 31, FUSE_READ, 97, LEDGER_DROPPED);
}

static inline void self_access(struct snapshot *snap)
{
	begin(snap, false);
	add(snap, DAEMON, DAEMON, ROLE_DAEMON, 'Z', EXITING, "")->n_threads = 2;
	add(snap, 96, DAEMON, ROLE_SERVER, 'D', 0, READING)->n_threads = 2;
	request(snap, 31, FUSE_READ, 96, LEDGER_DROPPED);
}

static inline void lock_wait(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "request_wait_answer __fuse_simple_request fuse_setlk fcntl_setlk do_fcntl "
	    "__x64_sys_fcntl");
	request(snap, 31, FUSE_SETLKW, 97, LEDGER_DROPPED);
}

static inline void poll_epoll(struct snapshot *snap)
{
	begin(snap, true);
	add(snap, 97, 97, ROLE_WORKER, 'D', 0,
	    "request_wait_answer __fuse_simple_request fuse_file_poll ep_item_poll "
	    "ep_insert do_epoll_ctl");
	add(snap, 99, 99, ROLE_WORKER, 'D', 0, "do_epoll_ctl __x64_sys_epoll_ctl");
	request(snap, 31, FUSE_POLL, 97, LEDGER_DROPPED);
}

static inline void mmap_fault(struct snapshot *snap)
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

static inline void explain(const struct snapshot *snap, struct explanation *ex)
{
	assert_int_equal(explain_snapshot(snap, ex), 0);
}

static inline uint64_t hash_of(const struct snapshot *snap)
{
	struct explanation ex;
	uint64_t hash;

	explain(snap, &ex);
	hash = ex.root_hash;
	explanation_release(&ex);
	return hash;
}

#endif
