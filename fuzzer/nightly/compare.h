/* SPDX-License-Identifier: MIT */
/*
 * Tonight against the nights before, one finding on one kernel at a time: pure, from counts.
 *
 * A finding is a signature, so "worse" is the same scenario ending in a more severe verdict, or showing more often
 * than it did. "Gone" needs proof: replays that do not show it although it used to show, by Fisher's exact test.
 */
#ifndef SF_COMPARE_H
#define SF_COMPARE_H

#include <stdbool.h>

#include "fuzzer/qualify/known.h"
#include "harness/scenario/verdict.h"

/* A finding that does not show is gone if chance explains that less often than this. */
#define NIGHT_GONE_ALPHA 0.05
/* The rate of many findings is looked at each night: a rise is one if chance explains it less often than this. */
#define NIGHT_WORSE_ALPHA 0.001

enum night_state {
	NIGHT_NEW,	 /* never seen on this kernel, or gone and back */
	NIGHT_WORSE,	 /* a more severe verdict now, or shown more often: proven */
	NIGHT_EXPIRED,	 /* a known issue whose date is over, still there */
	NIGHT_STILL,	 /* as before */
	NIGHT_KNOWN,	 /* would be news, but it is listed as known */
	NIGHT_GONE,	 /* proven by replays */
	NIGHT_UNDECIDED, /* did not show; too few runs to call it gone */
	NIGHT_UNTESTED,	 /* the replay could not be run */
	NIGHT_STATE_COUNT
};

extern const char *const night_state_names[NIGHT_STATE_COUNT];

struct night_facts {
	bool before;   /* seen in an earlier night */
	bool was_gone; /* and called gone since */
	bool tonight;  /* found by tonight's campaign */
	enum verdict verdict;
	/* The last replay that counts, and tonight's: shown in "same" of "runs". */
	unsigned int before_same, before_runs, same, runs;
	/* Replays with a more severe verdict, tonight and before, and tonight's verdict. */
	unsigned int severer, before_severer, before_severer_runs;
	enum verdict severest;
	unsigned int infra;
};

struct night_answer {
	enum night_state state;
	double p; /* of the test that decided, 1: none did */
	char sentence[600];
};

/* News: what somebody should look at in the morning; it makes the exit status 1. */
bool night_is_news(enum night_state state);

/* today: "YYYY-MM-DD"; id: the finding's; known may be NULL. */
void night_compare(const struct night_facts *facts, const char *id,
		   const struct known *known, const char *today,
		   struct night_answer *ret_answer);

#endif
