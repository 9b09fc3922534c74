/* SPDX-License-Identifier: MIT */
/* Random scenarios for tests, and an independent opinion on what is canonical. */
#ifndef SF_TEST_SCENARIO_RANDOM_H
#define SF_TEST_SCENARIO_RANDOM_H

#include <linux/fuse.h>
#include <string.h>

#include "harness/scenario/args.h"
#include "harness/scenario/codec.h"
#include "harness/scenario/verdict.h"
#include "harness/util/rng.h"

/* The sanitisers make everything about ten times slower. */
#ifdef SF_SAN
#define ROUNDS(n) ((n) / 10)
#else
#define ROUNDS(n) (n)
#endif

static inline void random_bytes(struct rng *rng, void *buf, size_t len)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++)
		p[i] = rng_next(rng);
}

/* From random fields, small values preferred: declared tasks and tasks that are named meet more often. */
static inline void random_scenario(struct rng *rng, struct scenario *ret_scn)
{
	random_bytes(rng, ret_scn, sizeof(*ret_scn));
	ret_scn->n_faults = rng_below(rng, SCN_MAX_FAULTS + 1);
	ret_scn->n_tasks = rng_below(rng, SCN_MAX_TASKS + 1);
	ret_scn->n_steps = rng_below(rng, SCN_MAX_STEPS + 1);
	for (unsigned int i = 0; i < ret_scn->n_tasks; i++) {
		ret_scn->tasks[i].id = rng_chance(rng, 7, 8) ? i : rng_below(rng, 8);
		ret_scn->tasks[i].parent = rng_below(rng, 11);
	}
	for (unsigned int i = 0; i < ret_scn->n_steps; i++) {
		ret_scn->steps[i].actor = rng_below(rng, 11);
		if (rng_chance(rng, 1, 2))
			ret_scn->steps[i].a = rng_below(rng, 10);
	}
	scenario_canonicalise(ret_scn);
}

/* Does the step speak of the task? */
static inline bool step_names(const struct scn_step *step, unsigned int id)
{
	enum arg_class class = op_table[step->op].arg[0];

	return step->actor == id ||
	       ((class == ARG_TASK || class == ARG_ACTOR) && step->a == id);
}

static inline const char *tasks_not_canonical(const struct scenario *scn)
{
	unsigned int seen = 0, late = 0;
	bool home = false;

	for (unsigned int i = 0; i < scn->n_tasks; i++) {
		const struct scn_task *t = &scn->tasks[i];

		if (t->id >= SCN_MAX_TASKS || seen & 1u << t->id)
			return "task id";
		if (t->kind >= TASK_KIND_COUNT || t->late > 1)
			return "task range";
		if (t->parent < SCN_MAX_TASKS && !(seen & 1u << t->parent))
			return "parent not before its child";
		if (t->parent >= SCN_MAX_TASKS && t->parent != ACTOR_CTL &&
		    t->parent != ACTOR_DAEMON)
			return "parent range";
		if (t->parent < SCN_MAX_TASKS && late & 1u << t->parent && !t->late)
			return "early child of a late parent";
		if (t->parent == ACTOR_CTL && t->kind != TASK_FORK &&
		    t->kind != TASK_PIDNS)
			return "child of ctl that shares with it";
		if (t->kind == TASK_VFORK && !t->late)
			return "early vfork";
		if (t->parent == ACTOR_DAEMON && scn->config.placement == PLACE_INSIDE &&
		    !home)
			return "child of the daemon before the daemon's home";
		seen |= 1u << t->id;
		late |= t->late << t->id;
		home |= scenario_namespace(scn, ACTOR_DAEMON) == t->id;
	}
	if (!(seen & 1))
		return "no t0";
	if (scn->config.placement == PLACE_INSIDE && !home)
		return "inside of what?";
	return NULL;
}

/* NULL, or what is wrong. Shares no code with scenario_canonicalise() but the ranges of arguments. */
static inline const char *not_canonical(const struct scenario *scn)
{
	const struct scn_config *c = &scn->config;

	if (c->placement >= PLACE_COUNT || c->threads < 1 || c->threads > 4 ||
	    c->cpus < 1 || c->cpus > 2 || c->daemon & ~DAEMON_ALL ||
	    c->mount & ~MOUNT_ALL || c->open & ~OPENF_ALL || c->init & ~INITF_ALL ||
	    c->timeout > 1 || c->expect > VERDICT_COUNT)
		return "config";
	if (scn->n_tasks > SCN_MAX_TASKS || scn->n_faults > SCN_MAX_FAULTS ||
	    scn->n_steps > SCN_MAX_STEPS)
		return "counts";
	for (unsigned int i = 0; i < scn->n_faults; i++) {
		const struct scn_fault *f = &scn->faults[i];

		if (f->action >= FAULT_COUNT || f->opcode > 52 || f->nth > SCN_MAX_NTH ||
		    f->requester > ACTOR_KERNEL || f->requester == ACTOR_CTL)
			return "fault range";
		if (f->requester < SCN_MAX_TASKS && !scenario_task(scn, f->requester))
			return "fault for nobody";
		if (fault_is_interrupt(f->action) && f->opcode != FUSE_INTERRUPT)
			return "interrupt fault";
	}
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct scn_step *s = &scn->steps[i];
		unsigned int who = s->actor < SCN_MAX_TASKS ? WHO_TASK
				   : s->actor == ACTOR_CTL  ? WHO_CTL
							    : WHO_DAEMON;

		if (s->op >= OP_COUNT || s->actor > ACTOR_DAEMON ||
		    !(op_table[s->op].who & who))
			return "step range";
		for (unsigned int id = 0; id < SCN_MAX_TASKS; id++) {
			if (step_names(s, id) && !scenario_task(scn, id))
				return "step names nobody";
		}
		if (s->op == OP_spawn && !scenario_task(scn, s->a)->late)
			return "spawn of an early task";
	}
	return tasks_not_canonical(scn);
}

#endif
