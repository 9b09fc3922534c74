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
	HOLDS_MMAP = 1 << 4, /* mmap_lock */
};
unsigned int wait_holds(const struct snap_task *task);

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
