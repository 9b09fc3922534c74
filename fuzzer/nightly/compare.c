/* SPDX-License-Identifier: MIT */
/* Says what became of a finding since the last night. */

#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "fuzzer/qualify/stats.h"

const char *const night_state_names[NIGHT_STATE_COUNT] = {
	[NIGHT_NEW] = "new",
	[NIGHT_WORSE] = "worse",
	[NIGHT_EXPIRED] = "known issue expired",
	[NIGHT_STILL] = "still there",
	[NIGHT_KNOWN] = "known",
	[NIGHT_GONE] = "gone",
	[NIGHT_UNDECIDED] = "undecided",
	[NIGHT_UNTESTED] = "untested",
};

bool night_is_news(enum night_state state)
{
	return state == NIGHT_NEW || state == NIGHT_WORSE || state == NIGHT_EXPIRED;
}

static void compare_new(const struct night_facts *f, struct night_answer *a)
{
	a->state = NIGHT_NEW;
	snprintf(a->sentence, sizeof(a->sentence), "%s tonight",
		 f->was_gone ? "It was gone and is back: found again"
			     : "Found for the first time");
}

static void compare_shown(const struct night_facts *f, struct night_answer *a)
{
	double p = stats_fisher(f->same, f->runs, f->before_same, f->before_runs);

	a->state = NIGHT_STILL;
	if (f->before_runs && p < NIGHT_WORSE_ALPHA) {
		a->state = NIGHT_WORSE;
		a->p = p;
		snprintf(a->sentence, sizeof(a->sentence),
			 "Shows more often: in %u of %u replays, before in %u of %u "
			 "(p = %.2g)",
			 f->same, f->runs, f->before_same, f->before_runs, p);
	} else {
		snprintf(a->sentence, sizeof(a->sentence), "Shows in %u of %u replays%s",
			 f->same, f->runs, f->tonight ? ", and was found again" : "");
	}
}

static void compare_silent(const struct night_facts *f, struct night_answer *a)
{
	double p = stats_fisher(f->before_same, f->before_runs, 0, f->runs);

	if (f->tonight) {
		a->state = NIGHT_STILL;
		snprintf(a->sentence, sizeof(a->sentence),
			 "Found again, though its scenario showed it in none of %u "
			 "replays",
			 f->runs);
	} else if (p < NIGHT_GONE_ALPHA) {
		a->state = NIGHT_GONE;
		a->p = p;
		snprintf(a->sentence, sizeof(a->sentence),
			 "Gone: in none of %u replays, before in %u of %u (p = %.2g)",
			 f->runs, f->before_same, f->before_runs, p);
	} else {
		a->state = NIGHT_UNDECIDED;
		a->p = p;
		snprintf(a->sentence, sizeof(a->sentence),
			 "Did not show in %u replays, but with %u of %u before that may "
			 "be "
			 "chance (p = %.2g)",
			 f->runs, f->before_same, f->before_runs, p);
	}
}

static const char *severity_of(enum verdict verdict)
{
	return severity_names[verdict_table[verdict].severity];
}

static void compare_before(const struct night_facts *f, struct night_answer *a)
{
	unsigned int before =
		f->before_severer_runs ? f->before_severer_runs : f->before_runs;
	double p = stats_fisher(f->severer, f->runs, f->before_severer, before);

	if (!f->runs && !f->tonight) {
		a->state = NIGHT_UNTESTED;
		snprintf(a->sentence, sizeof(a->sentence),
			 "Could not be replayed (%u failed attempts)", f->infra);
	} else if (f->severer && p < NIGHT_GONE_ALPHA) {
		a->state = NIGHT_WORSE;
		a->p = p;
		snprintf(
			a->sentence, sizeof(a->sentence),
			"Its scenario now ends %s (%s) in %u of %u replays, before in %u "
			"of %u (p = %.2g)",
			verdict_table[f->severest].name, severity_of(f->severest),
			f->severer, f->runs, f->before_severer, before, p);
	} else if (f->severer && !f->same) {
		a->state = NIGHT_STILL;
		snprintf(a->sentence, sizeof(a->sentence),
			 "Its scenario ends %s (%s) in %u of %u replays, as before",
			 verdict_table[f->severest].name, severity_of(f->severest),
			 f->severer, f->runs);
	} else if (f->same || !f->runs) {
		compare_shown(f, a);
	} else {
		compare_silent(f, a);
	}
}

void night_compare(const struct night_facts *facts, const char *id,
		   const struct known *known, const char *today,
		   struct night_answer *ret_answer)
{
	const struct known_issue *expired = NULL, *issue;
	struct night_answer *a = ret_answer;
	size_t len;

	memset(a, 0, sizeof(*a));
	a->p = 1;
	if (!facts->before || (facts->was_gone && facts->tonight))
		compare_new(facts, a);
	else
		compare_before(facts, a);
	issue = known_find(known, id, id, today, &expired);
	len = strlen(a->sentence);
	if (issue && night_is_news(a->state)) {
		a->state = NIGHT_KNOWN;
		snprintf(a->sentence + len, sizeof(a->sentence) - len,
			 "; known until %s: %s", issue->until, issue->reason);
	} else if (!issue && expired &&
		   (a->state == NIGHT_STILL || night_is_news(a->state))) {
		a->state = NIGHT_EXPIRED;
		snprintf(a->sentence + len, sizeof(a->sentence) - len,
			 "; was accepted until %s: %s", expired->until, expired->reason);
	}
}
