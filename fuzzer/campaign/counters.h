/* SPDX-License-Identifier: MIT */
/* How far a campaign is, in numbers: for the screen, and as a line of stats.tsv now and then. */
#ifndef SF_COUNTERS_H
#define SF_COUNTERS_H

#include <stdint.h>

struct campaign;

struct counters {
	long seconds;		  /* of fuzzing, earlier sessions included */
	uint64_t runs, runs_here; /* in all; of this session */
	double rate;		  /* runs a second of this session */
	double rate_now;	  /* since the last counters_record(), 0: none yet */
	unsigned int jobs, paths; /* running now; in the longest queue of an afl-fuzz */
	unsigned int bugs, contracts;		  /* distinct findings */
	unsigned int causes_bug, causes_contract; /* distinct causes of them */
	uint64_t known;	    /* runs of this session that showed known causes alone */
	uint64_t isolating; /* ... that cut a scenario down to a new cause */
	uint64_t reruns, infra, resets;
	long since_new; /* seconds since the last new finding, -1: none yet in this session */
	int stability; /* of the main afl-fuzz in 0.01 %, -1: not known */
};

void counters_read(struct campaign *campaign, struct counters *ret);

/*
 * Appends to stats.tsv where the last line is old enough: every second at first, then a hundredth of the time that
 * has passed, half a minute at most. 0 or -errno. Columns: seconds runs jobs paths bugs contracts causes known infra
 */
int counters_record(struct campaign *campaign);

#endif
