/* SPDX-License-Identifier: MIT */
/* Cuts a scenario that shows a new cause among others down to that cause: minimise.h with a bound in runs and time. */
#ifndef SF_ISOLATE_H
#define SF_ISOLATE_H

#include "harness/protocol/result.h"
#include "harness/scenario/scenario.h"

struct isolate {
	/* Runs a scenario: 0 with *ret_res to release, -errno: stop. */
	int (*run)(void *ctx, const struct scenario *scn, struct result *ret_res);
	void *ctx;
	unsigned int runs_max;
	int64_t ms_max;
};

/*
 * cause: its text, see causes.h. Fills *ret_scn with the smallest scenario that showed it, and *ret_res with that run's
 * result, to be released: ret_res->verdict may be another than before, as the worst of several hangs gives a run its
 * verdict. 1: it is alone there; 0: never without others; -errno: no run showed it again, nothing is filled.
 */
int isolate_cause(const struct isolate *isolate, const struct scenario *scn,
		  const char *cause, struct scenario *ret_scn, struct result *ret_res);

#endif
