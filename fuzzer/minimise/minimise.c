/* SPDX-License-Identifier: MIT */
/* Delta debugging of scenarios: chunks first, then one change at a time until nothing helps. */

#include "minimise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEEN                                                                             \
	4096 /* hashes of scenarios that were tried: none is run twice without need */

struct search {
	struct minimise *min;
	uint64_t seen[SEEN];
};

static uint64_t hash_of(const struct scenario *scn)
{
	const uint8_t *byte = (const uint8_t *)scn;
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < sizeof(*scn); i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ull;
	return hash | 1;
}

/* Padding bytes would make equal scenarios differ; a wrong miss costs a run, nothing else. */
static bool tried(struct search *search, const struct scenario *scn)
{
	uint64_t hash = hash_of(scn), *slot = &search->seen[hash % SEEN];
	bool known = *slot == hash;

	*slot = hash;
	return known;
}

/* 1: accepted, 0: not, -errno. again: also what was tried before. */
static int attempt(struct search *search, const struct scenario *scn, bool again)
{
	struct minimise *min = search->min;
	int ret;

	if (scenario_cost(scn) >= scenario_cost(&min->best) ||
	    (tried(search, scn) && !again))
		return 0;
	min->tries++;
	ret = min->test(min->ctx, scn);
	if (ret <= 0)
		return ret;
	min->best = *scn;
	min->accepted++;
	ret = min->improved ? min->improved(min->ctx, &min->best) : 0;
	return ret < 0 ? ret : 1;
}

/* The best scenario without n steps, or rules, from at on. */
static void without(const struct scenario *scn, bool faults, unsigned int at,
		    unsigned int n, struct scenario *ret)
{
	*ret = *scn;
	if (faults) {
		memmove(ret->faults + at, scn->faults + at + n,
			(scn->n_faults - at - n) * sizeof(scn->faults[0]));
		ret->n_faults -= n;
	} else {
		memmove(ret->steps + at, scn->steps + at + n,
			(scn->n_steps - at - n) * sizeof(scn->steps[0]));
		ret->n_steps -= n;
	}
	scenario_canonicalise(ret);
}

/* Halves, quarters, ... from the end to the start. */
static int remove_chunks(struct search *search, bool faults)
{
	struct scenario *best = &search->min->best;
	unsigned int total = faults ? best->n_faults : best->n_steps;

	for (unsigned int size = total; size > 1; size = (size + 1) / 2) {
		unsigned int at = total;

		while (at > 0) {
			struct scenario scn;
			int ret;

			at = at > size ? at - size : 0;
			total = faults ? best->n_faults : best->n_steps;
			if (at + size > total)
				continue;
			without(best, faults, at, size, &scn);
			ret = attempt(search, &scn, false);
			if (ret < 0)
				return ret;
		}
		total = faults ? best->n_faults : best->n_steps;
	}
	return 0;
}

/* One change at a time. Number of accepted ones, or -errno. */
static int change_singly(struct search *search, bool removals_only)
{
	struct scenario scn;
	int accepted = 0, ret;

	for (unsigned int i = 0; scenario_candidate(&search->min->best, i, &scn); i++) {
		if (removals_only && i >= scenario_removals(&search->min->best))
			break;
		ret = attempt(search, &scn, removals_only);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		accepted++;
		i--; /* the numbers have moved: the same place again */
	}
	return accepted;
}

int minimise_run(struct minimise *min)
{
	struct search *search = calloc(1, sizeof(*search));
	int ret;

	if (!search)
		return -ENOMEM;
	search->min = min;
	min->tries = min->accepted = 0;
	min->minimal = false;
	ret = remove_chunks(search, false);
	if (!ret)
		ret = remove_chunks(search, true);
	while (ret >= 0) {
		do
			ret = change_singly(search, false);
		while (ret > 0);
		if (ret < 0)
			break;
		/* Every removal once more, also those that failed earlier: the last word. */
		ret = change_singly(search, true);
		if (ret == 0) {
			min->minimal = true;
			break;
		}
	}
	free(search);
	return ret < 0 ? ret : 0;
}
