/* SPDX-License-Identifier: MIT */
/* Systematic changes of a scenario's timing. */

#include "schedule.h"

#include <stdio.h>
#include <string.h>

#include "harness/scenario/tables.h"

static const uint16_t pauses_ms[] = {1, 5, 20, 100};
static const uint16_t holds_ms[] = {1, 5, 20, 100};
#define N_PAUSES (sizeof(pauses_ms) / sizeof(pauses_ms[0]))
#define N_HOLDS	 (sizeof(holds_ms) / sizeof(holds_ms[0]))

/* Before step number at (from 0). Rules that name a later step follow it. */
static void insert_step(struct scenario *scn, unsigned int at, struct scn_step step)
{
	memmove(scn->steps + at + 1, scn->steps + at,
		(scn->n_steps - at) * sizeof(scn->steps[0]));
	scn->steps[at] = step;
	scn->n_steps++;
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (fault_table[scn->faults[i].action].arg == ARG_STEP &&
		    scn->faults[i].value > at)
			scn->faults[i].value++;
}

static bool is_hold(unsigned int action)
{
	switch (action) {
	case FAULT_hold:
	case FAULT_hold_step:
	case FAULT_hold_more:
	case FAULT_hold_ms:
	case FAULT_hold_kill:
		return true;
	default:
		return false;
	}
}

/* Counts down to the variant that is wanted, and makes it. */
struct variant {
	unsigned int left;
	struct scenario *scn;
	char *what;
};

static bool other_cpus(struct variant *v)
{
	if (v->left--)
		return false;
	v->scn->config.cpus = v->scn->config.cpus == 1 ? 2 : 1;
	snprintf(v->what, SCHEDULE_WHAT, "cpus=%u", v->scn->config.cpus);
	return true;
}

static bool barriers(struct variant *v)
{
	unsigned int n = v->scn->n_steps;

	if (n == SCN_MAX_STEPS || v->left >= n) {
		v->left -= n == SCN_MAX_STEPS ? 0 : n;
		return false;
	}
	snprintf(v->what, SCHEDULE_WHAT, "a barrier after step %u", v->left + 1);
	insert_step(v->scn, v->left + 1,
		    (struct scn_step){.actor = ACTOR_CTL, .op = OP_barrier});
	return true;
}

static bool pauses(struct variant *v)
{
	unsigned int n = v->scn->n_steps;

	if (n == SCN_MAX_STEPS || v->left >= n * N_PAUSES) {
		v->left -= n == SCN_MAX_STEPS ? 0 : n * N_PAUSES;
		return false;
	}
	uint16_t ms = pauses_ms[v->left / n];
	unsigned int at = v->left % n + 1;

	snprintf(v->what, SCHEDULE_WHAT, "%u ms after step %u", ms, at);
	insert_step(v->scn, at,
		    (struct scn_step){.actor = ACTOR_CTL, .op = OP_sleep, .v = ms});
	return true;
}

/* Of one rule that holds: every step, the one that never comes, and a few times. */
static bool releases_of(struct variant *v, unsigned int rule)
{
	struct scn_fault *fault = &v->scn->faults[rule];
	unsigned int n = v->scn->n_steps + 1u; /* the last one: never */

	if (!is_hold(fault->action))
		return false;
	if (v->left < n) {
		fault->action = FAULT_hold_step;
		fault->value = (uint16_t)(v->left + 1);
		snprintf(v->what, SCHEDULE_WHAT, "rule %u holds until step %u", rule + 1,
			 fault->value);
		return true;
	}
	v->left -= n;
	if (v->left < N_HOLDS) {
		fault->action = FAULT_hold_ms;
		fault->value = holds_ms[v->left];
		snprintf(v->what, SCHEDULE_WHAT, "rule %u holds for %u ms", rule + 1,
			 fault->value);
		return true;
	}
	v->left -= N_HOLDS;
	return false;
}

static bool releases(struct variant *v)
{
	for (unsigned int i = 0; i < v->scn->n_faults; i++)
		if (releases_of(v, i))
			return true;
	return false;
}

bool schedule_variant(const struct scenario *scn, unsigned int i, struct scenario *ret,
		      char what[SCHEDULE_WHAT])
{
	struct scenario changed = *scn;
	struct variant v = {.left = i, .scn = &changed, .what = what};

	/* other_cpus() is number 0: the countdown passes below it only there. */
	if (!i)
		other_cpus(&v);
	else if ((v.left = i - 1, !barriers(&v)) && !releases(&v) && !pauses(&v))
		return false;
	scenario_canonicalise(&changed);
	*ret = changed;
	return true;
}
