/* SPDX-License-Identifier: MIT */
/*
 * Mutation of scenarios: a weighted table of small changes to the decoded scenario.
 *
 * Used by the AFL++ custom mutator and by "shortfuse mutate". No state but the generator
 * that is passed in: the same seed, scenario, donor and archive give the same result.
 */
#ifndef SF_MUTATE_H
#define SF_MUTATE_H

#include "harness/scenario/scenario.h"
#include "harness/util/rng.h"

struct archive;

struct mutate_env {
	struct rng *rng;
	const struct scenario *donor;  /* another scenario to take parts from, or NULL */
	const struct archive *archive; /* what was tried before (archive.h), or NULL */
};

struct mutation {
	const char *name;
	unsigned int weight;
	/* False: not possible here, scn is as it was. May leave scn uncanonical. */
	bool (*run)(struct scenario *scn, const struct mutate_env *env);
	const char *help;
};

extern const struct mutation mutation_table[]; /* ends with a NULL name */

/* One mutation by its row. False: it changed nothing. The result is canonical. */
bool mutate_one(struct scenario *scn, const struct mutation *row,
		const struct mutate_env *env);

/* One, two, four or eight mutations by weight. The row of the last one, or NULL: nothing could be
 * changed. */
const struct mutation *mutate_scenario(struct scenario *scn,
				       const struct mutate_env *env);

/* Parts of a scenario that can go one by one: steps, then faults, then tasks. */
unsigned int mutate_parts(const struct scenario *scn);
/* Without part i (steps in reverse order first); the result is canonical. */
void mutate_without(struct scenario *scn, unsigned int part);

/* "FLUSH.drop+READ.hold": the fault plan in characters that a file name may have. */
void mutate_describe(const struct scenario *scn, char *buf, size_t size);

#endif
