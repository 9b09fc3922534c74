/* SPDX-License-Identifier: MIT */
/* Parts of one explanation, called in this order by explain_snapshot(). */
#ifndef SF_EXPLAIN_ROOTS_H
#define SF_EXPLAIN_ROOTS_H

#include "view.h"

/* "server/fuse_flush/exit_files": what a root is, without who it is. */
void root_descriptor(const struct task_view *tv, char *out, size_t size);
/*
 * Hash of where it waits, on its way out or not, and of what became of its request: in which ways this root can be
 * freed, whoever it is. 0: it waits neither for a reply nor for a lock, or where cannot be seen: it may be in transit.
 */
uint64_t root_kind(const struct task_view *tv);
/* Hash and text of the sorted set of descriptors. 0 or -ENOMEM. */
int roots_hash(const struct view *view, uint64_t *ret_hash, char *text, size_t size);

int graph_build(const struct view *view,
		struct explanation *ex); /* nodes, edges; 0 or -ENOMEM */
void reason_write(const struct view *view, char *out, size_t size); /* the sentence */
int chain_write(const struct view *view, char **ret_chain); /* the lines; 0 or -ENOMEM */

#endif
