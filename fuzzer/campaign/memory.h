/* SPDX-License-Identifier: MIT */
/*
 * Results that other jobs got lately: each afl-fuzz runs the seeds, and what it takes over from the others, and a run is
 * dear. A bounded table, the newer result of two that share a slot stays. Safe to use from several threads.
 */
#ifndef SF_MEMORY_H
#define SF_MEMORY_H

#include <stdbool.h>

#include "harness/protocol/result.h"
#include "harness/scenario/scenario.h"

struct memory;

/* NULL: no memory; the other functions take that for one that forgets all. */
struct memory *memory_new(void);
void memory_free(struct memory *memory);

/* Infra is not kept: it has shown nothing. */
void memory_keep(struct memory *memory, const struct scenario *scn, unsigned int job,
		 const struct result *res);
/* True with *ret_res filled, without details: another job than this one ran exactly this. */
bool memory_recall(struct memory *memory, const struct scenario *scn, unsigned int job,
		   struct result *ret_res);

#endif
