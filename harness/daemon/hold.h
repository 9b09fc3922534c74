/* SPDX-License-Identifier: MIT */
/*
 * Requests that were read and whose answer is withheld, oldest first, each until its own
 * condition.
 *
 * The list belongs to whichever serving thread leads (daemon.c): all functions are called
 * by the leader only, so there is no lock. Answering means giving the kept bytes to
 * libfuse.
 */
#ifndef SF_HOLD_H
#define SF_HOLD_H

#include "server.h"

enum hold_until {
	HOLD_RELEASED, /* nothing but hold_answer() */
	HOLD_STEP,     /* until: a step number */
	HOLD_MORE,     /* until: a value of daemon.n_read */
	HOLD_TIME,     /* until: CLOCK_MONOTONIC, ns */
	HOLD_KILLED,   /* until: a task id */
	HOLD_GROUP,    /* until: unused; answered by hold_answer_group() */
};

/* Keeps a copy of the request. Where memory is short it is dropped. */
void hold_add(const struct request *req, enum hold_until kind, uint64_t until);
/* Answers the n oldest. */
void hold_answer(uint32_t n);
/* Answers those whose condition has come true. */
void hold_answer_due(void);
/* How many requests of this rule are in its group; and answers them, the newest first. */
unsigned int hold_group_size(unsigned int rule);
void hold_answer_group(unsigned int rule);
/* Answers one with EINTR; false if it is not here. */
bool hold_interrupt(uint64_t unique);
/* ns until the next HOLD_TIME ends, -1: none. */
int64_t hold_timeout(void);

#endif
