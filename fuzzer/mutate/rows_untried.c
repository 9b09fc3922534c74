/* SPDX-License-Identifier: MIT */
/* The mutation that looks at the archive: it puts in what was sent out least. */

#include "archive.h"
#include "edit.h"
#include "generate.h"
#include "rows.h"

#define OFFERS 12

static bool untried_step(struct scenario *scn, const struct mutate_env *env)
{
	unsigned int at = rng_below(env->rng, scn->n_steps + 1u), least = ~0u;
	struct scn_step step, best = {0};
	struct model model;

	model_at(&model, scn, at);
	for (unsigned int i = 0; i < OFFERS; i++) {
		unsigned int count;

		generate_step(env->rng, &model, &step);
		/* By weight some operations come seldom: every other offer is any that the actor can do. */
		if (i % 2 && step.actor < SCN_MAX_TASKS) {
			unsigned int op = rng_below(env->rng, OP_COUNT);

			if (op_table[op].who & WHO_TASK) {
				step.op = op;
				generate_args(env->rng, &model, &step);
			}
		}
		count = archive_count(
			env->archive,
			trait_of_step(outlook_role(scn, step.actor), step.op));
		if (count >= least)
			continue;
		least = count;
		best = step;
	}
	return edit_insert_step(scn, at, &best);
}

static bool untried_rule(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_fault fault, best = {0};
	unsigned int least = ~0u;

	for (unsigned int i = 0; i < OFFERS; i++) {
		unsigned int count;

		generate_fault(env->rng, scn, &fault);
		count = archive_count(env->archive,
				      trait_of_rule(fault.opcode, fault.action));
		if (count >= least)
			continue;
		least = count;
		best = fault;
	}
	return edit_add_fault(scn, 0, &best);
}

static bool untried_flag(struct scenario *scn, const struct mutate_env *env)
{
	static const uint8_t bits[] = {14, 4, 5, 3};
	unsigned int what = 0, bit = 0, least = ~0u;

	for (unsigned int i = 0; i < OFFERS; i++) {
		unsigned int w = rng_below(env->rng, 4);
		unsigned int b = rng_below(env->rng, bits[w]);
		unsigned int count = archive_count(env->archive, trait_of_flag(w, b));

		if (count >= least)
			continue;
		least = count;
		what = w;
		bit = b;
	}
	if (what == 0)
		scn->config.init |= 1u << bit;
	else if (what == 1)
		scn->config.mount |= 1u << bit;
	else if (what == 2)
		scn->config.open |= 1u << bit;
	else
		scn->config.daemon |= 1u << bit;
	return true;
}

bool row_untried(struct scenario *scn, const struct mutate_env *env)
{
	switch (rng_below(env->rng, 5)) {
	case 0:
		return untried_flag(scn, env);
	case 1:
	case 2:
		return untried_rule(scn, env);
	default:
		return untried_step(scn, env);
	}
}
