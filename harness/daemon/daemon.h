/* SPDX-License-Identifier: MIT */
/*
 * The FUSE daemon of a run: a libfuse low-level session over a small in-memory tree
 * (memfs.h), with the fault engine (fault.h) between /dev/fuse and the session.
 *
 * Whole messages are delayed, dropped and reordered before libfuse sees them: a held
 * request is its raw bytes, given to fuse_session_process_buf() when it is released.
 * Replies are changed on their way out (fuse_session_custom_io()). So every handler
 * answers at once, and any thread may release.
 */
#ifndef SF_DAEMON_H
#define SF_DAEMON_H

#include <stddef.h>

#include "harness/arena/arena.h"

struct daemon_env {
	struct arena *arena;
	int dev_fd; /* the mount's /dev/fuse, close-on-exec unless DAEMON_LEAK_FD */
	int server_fd; /* socket of a server under test that answers instead, see proxy.h; 0: none */
	int kick_fd;	 /* eventfd(EFD_NONBLOCK): look at arena->daemon and at the own
			    mailbox */
	const char *mnt; /* absolute mount point, for operations on its own mount */
	const void *bin; /* contents of the executable file "bin" */
	size_t bin_len;
	/* Called in the daemon's main thread for a step in its mailbox (ACTOR_DAEMON):
	 * runs the operation, files the result. Tasks whose parent is the daemon are
	 * created through it too. */
	void (*run_step)(void *ctx, unsigned int actor);
	void *ctx;
};

/*
 * Sets the session and the tree up, ahead of fork(2): in the process that forks a daemon for each run this is work
 * done once. *env stays the caller's and must stay valid. 0 or -ENOMEM.
 */
int daemon_prepare(const struct daemon_env *env);

/*
 * Body of the daemon process: publishes its tid and its serving threads in arena->daemon,
 * sets ready, waits for start, serves until the connection ends, close_dev or a signal.
 * Never returns. Prepares what daemon_prepare() has not. Serving threads: one of them at a time waits in poll(2) on {dev_fd,
 * kick_fd} (leader), passes the lead on before it handles what it read.
 */
_Noreturn void daemon_main(const struct daemon_env *env);

/* For op_inval_inode/op_inval_entry in the daemon: FUSE_NOTIFY_*; 0 or -errno. path: enum
 * path_id. */
int daemon_notify_inode(unsigned int path);
int daemon_notify_entry(unsigned int path);

#endif
