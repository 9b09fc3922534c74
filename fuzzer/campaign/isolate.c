/* SPDX-License-Identifier: MIT */
/* Looks for one cause alone. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "causes.h"
#include "fuzzer/minimise/minimise.h"
#include "fuzzer/util/clock.h"
#include "isolate.h"

#define RUNS_ALONE 10 /* once it is alone, smaller is only nicer */

struct search {
	const struct isolate *isolate;
	const char *cause;
	unsigned int runs, runs_alone;
	int64_t until_ms;
	bool found, alone; /* of the best one so far */
	struct scenario scn;
	struct result res;
};

static bool spent(const struct search *search)
{
	return search->runs >= search->isolate->runs_max ||
	       search->runs_alone >= RUNS_ALONE || clock_ms() > search->until_ms;
}

/* A smaller one that brings the others back is no step forward. */
static int shows(void *ctx, const struct scenario *scn)
{
	struct search *search = ctx;
	struct causes causes;
	struct result res;
	bool better;
	int ret;

	if (spent(search))
		return -EINTR;
	result_init(&res);
	ret = search->isolate->run(search->isolate->ctx, scn, &res);
	if (ret < 0)
		return ret;
	search->runs++;
	search->runs_alone += search->alone;
	causes_of(&res, &causes);
	better = causes_find(&causes, search->cause) >= 0 &&
		 (causes.n == 1 || !search->alone);
	if (!better) {
		result_release(&res);
		return 0;
	}
	result_release(&search->res);
	search->res = res;
	search->scn = *scn;
	search->found = true;
	search->alone = causes.n == 1;
	return 1;
}

int isolate_cause(const struct isolate *isolate, const struct scenario *scn,
		  const char *cause, struct scenario *ret_scn, struct result *ret_res)
{
	struct search search = {.isolate = isolate,
				.cause = cause,
				.until_ms = clock_ms() + isolate->ms_max};
	struct minimise min = {.best = *scn, .test = shows, .ctx = &search};

	result_init(&search.res);
	minimise_run(&min);
	if (!search.found)
		return -ENOENT;
	*ret_scn = search.scn;
	*ret_res = search.res;
	return search.alone;
}
