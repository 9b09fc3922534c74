/* SPDX-License-Identifier: MIT */
/*
 * Makes several inputs and chooses the one that is most worth a run. A run costs 2 to 200 ms, a candidate
 * some microseconds; so what decides is no longer chance alone, but what this campaign has not tried yet.
 */
#ifndef SF_CHOOSE_H
#define SF_CHOOSE_H

#include "archive.h"
#include "mutate.h"

/* Where a candidate starts from. Any of the pointers may be NULL; then there are no such candidates. */
struct choose_env {
	struct rng *rng;
	struct archive *archive;      /* NULL: nothing is known, nothing is counted */
	const struct scenario *entry; /* of afl-fuzz's queue */
	const struct scenario *donor; /* another entry, for splicing */
	const struct scenario *pool;  /* findings of the campaign */
	unsigned int n_pool;
};

/* How much this scenario is worth a run; more is better. */
uint64_t choose_score(const struct archive *archive, const struct scenario *scn,
		      enum archive_goal goal, struct traits *ret_traits);

/* The best of n candidates (at least 1); its traits are counted as sent. The name of how it was made. */
const char *choose_scenario(const struct choose_env *env, unsigned int n,
			    struct scenario *ret_scn);

#endif
