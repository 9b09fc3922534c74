/* SPDX-License-Identifier: MIT */
/*
 * Makes a scenario smaller while it still shows the same: delta debugging on the decoded form.
 *
 * Pure: what "the same" means is the caller's test. Works in rounds: first chunks of steps and rules are
 * taken away, halves before single ones; then tasks, flags, and arguments towards simpler values. Each accepted
 * candidate has a smaller scenario_cost(), so it ends.
 */
#ifndef SF_MINIMISE_H
#define SF_MINIMISE_H

#include <stdbool.h>

#include "harness/scenario/scenario.h"

struct minimise {
	struct scenario
		best; /* in: what to start from; out: the smallest so far, always valid */
	/* 1: this one shows it too, 0: it does not, -errno: stop (-EINTR: the user's wish). */
	int (*test)(void *ctx, const struct scenario *scn);
	/* best is smaller than before: keep it. 0, or -errno to stop. May be NULL. */
	int (*improved)(void *ctx, const struct scenario *best);
	void *ctx;
	unsigned int tries, accepted; /* out */
	bool minimal; /* out: without any one element the test fails, as the last round has seen */
};

/* 0 when nothing smaller was found any more, or what test() or improved() stopped it with. */
int minimise_run(struct minimise *min);

/* Steps, rules, tasks beside the first, flags and settings that are not the default. */
unsigned int scenario_elements(const struct scenario *scn);
/* Elements first, then how far the arguments are from the simplest. Smaller is simpler. */
unsigned int scenario_cost(const struct scenario *scn);

/*
 * Candidate number i (from 0) of one change to a canonical scenario: first every removal of one element, then every
 * simpler argument. False when there is none with this number.
 */
bool scenario_candidate(const struct scenario *scn, unsigned int i, struct scenario *ret);
/* The number of candidates that remove an element. */
unsigned int scenario_removals(const struct scenario *scn);

#endif
