/* SPDX-License-Identifier: MIT */
/* What stacks tell beyond explain.h: shared by the parts of the explanation only. */
#ifndef SF_EXPLAIN_WAITS_H
#define SF_EXPLAIN_WAITS_H

#include "explain.h"

/* What a task that waits inside FUSE may hold meanwhile, by its stack. */
enum {
	HOLDS_INODE = 1 << 0,  /* i_rwsem of a directory or a file, or fuse_inode.mutex */
	HOLDS_LOOKUP = 1 << 1, /* a dentry in lookup */
	HOLDS_FOLIO =
		1 << 2,	   /* locked folios: read and not yet filled, or being written */
	HOLDS_EP = 1 << 3, /* ep->mtx */
	HOLDS_MMAP = 1 << 4,   /* mmap_lock */
	HOLDS_SUPER = 1 << 5,  /* s_umount */
	HOLDS_MOUNTS = 1 << 6, /* namespace_sem */
	HOLDS_DRIVER = 1 << 7, /* fuse_mutex, fc->killsb, ... */
	HOLDS_OVL = 1 << 8,    /* oi->lock of overlayfs */
	HOLDS_POS = 1 << 9,    /* f_pos_lock */
	HOLDS_PIPE = 1 << 10,
	HOLDS_EXEC = 1 << 11, /* cred_guard_mutex, exec_update_lock */
	HOLDS_RING = 1 << 12, /* uring_lock */
};
unsigned int wait_holds(const struct snap_task *task);

/*
 * One wait under all its names, separated by blanks: the innermost frame that is not generic is one of them and, where
 * `under` is named, that one is further out. `name` stands for them in signatures; NULL: each for itself.
 */
struct wait_names {
	enum wait_kind kind;
	const char *name, *under, *frames;
};

/* Asked after the rows of waits.c, in this order; each ends with a row without frames. */
extern const struct wait_names wait_names_fs[], wait_names_core[];

/* Whether the folio that it wants locked is one that it writes: filled already, so nobody's READ holds it. */
bool wait_to_write(const struct snap_task *task);
/* Whether it moves the folio, or waits for whoever moves it: a READ may hold it, or anything else. */
bool wait_for_migration(const struct snap_task *task);

/* The bit that an owner of this wait's lock has, 0: not a lock. */
unsigned int wait_needs(enum wait_kind kind);

/* "the inode lock", "an answer to its own request": for a sentence. */
const char *wait_noun(enum wait_kind kind);

/* Whether a request of this opcode can be what a WAIT_REPLY with this frame waits for. */
bool wait_frame_sends(const char *frame, uint32_t opcode);
/* The opcode that this frame sends, if it is only one: else 0. */
uint32_t wait_frame_opcode(const char *frame);

/* The frame that sends this opcode, for a stack that does not show it; NULL: several do. */
const char *wait_opcode_frame(uint32_t opcode);

/* "a < b < c": the n innermost telling frames. */
void wait_stack_text(const struct snap_task *task, unsigned int n, char *out,
		     size_t size);

#endif
