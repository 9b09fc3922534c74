/* SPDX-License-Identifier: MIT */
/*
 * What a qualification says: pure, from the counts of the cells.
 *
 * A run is as bad as its verdict's severity and, within that, the rung that freed it. For every level of badness
 * that the candidate showed, Fisher's exact test asks whether it shows it more often than its baseline; without a
 * baseline a binomial test asks whether runs differ from the expect: line more often than JUDGE_FLAKE_RATE. All
 * tests of a qualification together call a difference by mistake with a probability of at most JUDGE_ALPHA
 * (Bonferroni: over rows, candidates, and the looks at which more runs may be asked for).
 */
#ifndef SF_JUDGE_H
#define SF_JUDGE_H

#include "known.h"
#include "qualification.h"

#define JUDGE_ALPHA	   0.01
#define JUDGE_FLAKE_RATE   0.05
#define JUDGE_SUSPECT	   0.2	/* below that a difference is not put down to chance, */
#define JUDGE_SUSPECT_BOTH 0.01 /* ... where the baseline fails now and then as well */

struct judge {
	const struct known *known; /* NULL: none */
	char today[12];		   /* "YYYY-MM-DD" */
};

/* The bound for one test of this qualification. */
double judge_alpha(const struct qualification *q);
/* The first number of runs, then twice as many, up to repeat_max: how often is looked. */
unsigned int judge_looks(const struct qualification *q);
/* The number of runs to have after "runs" runs left a row open; repeat_max at most. */
unsigned int judge_next(const struct qualification *q, unsigned int runs);

/* Fills row->judged[candidate]. True: more runs may change the answer. */
bool judge_row(const struct qualification *q, struct row *row, unsigned int candidate,
	       const struct judge *judge);

/* Judges every row, then the whole: verdict, states, reasons. 0 or -ENOMEM. */
int judge_all(struct qualification *q, const struct judge *judge);

#endif
