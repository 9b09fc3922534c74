/* SPDX-License-Identifier: MIT */
/*
 * Why tasks do not go away: from a snapshot to a wait-for graph, its roots, a reason and a signature.
 *
 * Pure: reads the snapshot and nothing else, so the same answer comes from a live run, a saved JSON
 * file and a unit test.
 */
#ifndef SF_EXPLAIN_H
#define SF_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/scenario/verdict.h"
#include "harness/snapshot/snapshot.h"

/* What a thread waits for, told by its kernel stack: a row each in harness/explain/waits.c. */
enum wait_kind {
	WAIT_UNKNOWN,
	WAIT_NONE,	 /* running, a zombie, or idle in its mailbox */
	WAIT_REPLY,	 /* request_wait_answer: the reply to its own request */
	WAIT_INIT_REPLY, /* fuse_get_req: INIT is not answered yet, or the queue is full */
	WAIT_WRITEBACK,	 /* folio_wait_writeback */
	WAIT_FOLIO_LOCK, /* __folio_lock */
	WAIT_INODE_LOCK, /* rwsem of an inode: do_unlinkat, filename_create, fuse_lock_inode, ... */
	WAIT_IN_LOOKUP, /* d_wait_lookup: another task looks the same name up */
	WAIT_EP_MUTEX,	/* ep->mtx */
	WAIT_MMAP_LOCK, /* mmap_lock */
	WAIT_MEMBERS,	/* zap_pid_ns_processes: every member of its pid namespace */
	WAIT_CHILD,	/* do_wait */
	WAIT_VFORK,	/* wait_for_vfork_done */
	WAIT_THREADS,	/* a zombie leader or exec waits for its threads */
	WAIT_STOPPED,	/* do_signal_stop, ptrace_stop */
	WAIT_DEV_READ, /* fuse_dev_do_read, or poll on /dev/fuse: a server without work */
	/* Locks: */
	WAIT_SUPER_LOCK,  /* s_umount */
	WAIT_MOUNT_LOCK,  /* namespace_sem, with the mount point's i_rwsem */
	WAIT_DRIVER_LOCK, /* fuse_mutex, fc->killsb, ... */
	WAIT_OVL_LOCK,	  /* of an inode of overlayfs: ovl_copy_up_start */
	WAIT_POS_LOCK,	  /* f_pos_lock */
	WAIT_PIPE_LOCK,
	WAIT_EXEC_LOCK, /* of a process in execve: cred_guard_mutex, exec_update_lock */
	WAIT_RING_LOCK, /* uring_lock */
	/* Neither a reply nor a lock, see wait_is_indirect(): */
	WAIT_ENDED,	/* fuse_wait_aborted and its kin: that no request is under way */
	WAIT_RING_END,	/* io_uring_cancel_generic: that its ring has no request */
	WAIT_DAX,	/* a range of the DAX window */
	WAIT_FROZEN_FS, /* sb_start_write */
	WAIT_OBJECT,	/* a dentry or inode that another task makes or drops */
	WAIT_DIO,	/* inode_dio_wait */
	WAIT_FILE_LOCK, /* locks_lock_inode_wait */
	WAIT_DUMP,	/* coredump_task_exit */
	WAIT_DUMP_READER, /* wait_for_dump_helpers */
	WAIT_BLOCK_IO,	  /* a buffer, a bio, a journal */
	WAIT_RECLAIM,	  /* reclaim_throttle */
	WAIT_LISTENER,	  /* fanotify, userfaultfd, autofs, seccomp */
	WAIT_NETWORK,	  /* NFS, 9p, CIFS, Ceph: as a client */
	WAIT_WORK,	  /* __flush_work */
	WAIT_FREEZER,	  /* try_to_freeze_tasks */
	WAIT_RCU,	  /* synchronize_rcu */
	WAIT_KIND_COUNT
};

enum edge_kind {
	EDGE_TASK,
	EDGE_REQUEST,
	EDGE_DAEMON,
	EDGE_LOCK,
	EDGE_NAMESPACE,
	EDGE_NOBODY
};

struct graph_node {
	uint8_t kind;	 /* enum edge_kind: what the node is; EDGE_NOBODY: a dead end */
	int32_t tid;	 /* task */
	uint64_t unique; /* request; 0: not in the ledger (never read) */
	char label[160];
};

struct graph_edge {
	uint16_t from, to; /* indices of nodes */
	char why[100];	   /* evidence: frame, ledger state */
};

#define EXPLAIN_ROOTS_MAX 300

struct explanation {
	size_t n_nodes, n_edges;
	struct graph_node *nodes;
	struct graph_edge *edges;
	size_t n_roots;
	uint64_t *kinds; /* of each: root_kind() of roots.h, 0: it may be in transit */
	pid_t *roots; /* tids of the roots, see DESIGN: own request unanswered, or nobody in the run holds them up */
	uint64_t
		root_hash; /* of the roots' role, frame and exit state; no pids, no counts: one class, one hash */
	char roots_text[EXPLAIN_ROOTS_MAX]; /* as text: "server fuse_flush exiting" */
	bool root_own; /* a server waits for a request of its own that it never read */
	bool root_unread; /* some client waits for a request that a server which could have never read */
	bool root_held,
		root_dropped; /* some root's request was read and is held / dropped */
	bool root_served; /* some root's request was read and its server is still at it, or stuck */
	char reason[400]; /* one sentence */
	char *chain;	  /* "because ..." lines, newline separated; owned */
};

/* 0 or -ENOMEM. The snapshot must outlive the call only. */
int explain_snapshot(const struct snapshot *snap, struct explanation *ret_ex);
void explanation_release(struct explanation *ex);

/* Signature: verdict and roots. Printed as "<verdict>-<16 hex digits>". */
uint64_t explain_signature(enum verdict verdict, const struct explanation *ex);
void signature_format(enum verdict verdict, uint64_t signature, char out[40]);

/* Normalises one kernel frame in place: no offset, .part/.constprop/.isra/.cold, module tag. */
void frame_normalise(const char *frame, char *out, size_t size);
/* True for frames that say nothing of what is waited for: schedule, __schedule, entry_SYSCALL_..., ... */
bool frame_is_generic(const char *normalised);
/* Neither a reply nor a lock, and perhaps behind either: I/O, an object that goes, another task's work. */
bool wait_is_indirect(enum wait_kind kind);
enum wait_kind wait_of_task(const struct snap_task *task);
/* Normalised frame that names the request or lock: "fuse_flush", "fuse_lookup_name", "__folio_lock", ... */
void wait_frame(const struct snap_task *task, char *out, size_t size);
/* "exit_files", "exit_mm", "exec", "exit_task_work", ... or "" : which phase of do_exit or exec a stack is in. */
const char *exit_phase(const struct snap_task *task);

/* Graphviz source of the wait-for graph. 0 or -errno of the stream. */
struct _IO_FILE;
int explain_dot(const struct snapshot *snap, const struct explanation *ex,
		struct _IO_FILE *out);

#endif
