/* SPDX-License-Identifier: MIT */
/* How the outcome of a run is shown: a line, a page of text, JSON. */
#ifndef SF_OUTCOME_H
#define SF_OUTCOME_H

#include <stdbool.h>
#include <stdio.h>

#include "harness/protocol/result.h"
#include "harness/scenario/scenario.h"

/* "FILE: pinned (bug), rung 4 abort, 23.1 ms: reason"; with check: "ok"/"DIFFERENT" before it. */
void outcome_print_line(FILE *out, const char *file, const struct scenario *scn,
			const struct result *res, bool check);

/* The snapshot as a person reads it, top-down. Falls back to the reason when there are no details. */
void outcome_print_text(FILE *out, const struct scenario *scn, const struct result *res);

/* One object of the array; first: no comma before it. Always valid JSON, with every key of the contract. */
void outcome_print_json(FILE *out, const char *file, const struct scenario *scn,
			const struct result *res, bool first);

#define RATES_MAX 16

struct outcome_rates {
	unsigned int runs, kinds, others;
	struct {
		uint8_t verdict;
		uint64_t signature;
		unsigned int count;
	} kind[RATES_MAX];
	double ms; /* sum of run times */
};

void outcome_rates_add(struct outcome_rates *rates, const struct result *res);
/* "FILE: 20/20 pinned-0123...": most frequent first, one line each when they differ. */
void outcome_rates_print(FILE *out, const char *file, const struct scenario *scn,
			 const struct outcome_rates *rates);

#endif
