/* SPDX-License-Identifier: MIT */
/* Mutations that combine two scenarios, or start afresh. */

#include <string.h>

#include "edit.h"
#include "generate.h"
#include "rows.h"

static void take_tasks(struct scenario *scn, const struct scenario *donor)
{
	for (unsigned int i = 0; i < donor->n_tasks; i++)
		if (!scenario_task(scn, donor->tasks[i].id))
			edit_add_task(scn, &donor->tasks[i]);
}

bool row_splice(struct scenario *scn, const struct mutate_env *env)
{
	const struct scenario *donor = env->donor;
	unsigned int keep, from;

	if (!donor || !donor->n_steps)
		return false;
	keep = rng_below(env->rng, scn->n_steps + 1u);
	from = rng_below(env->rng, donor->n_steps);
	while (scn->n_steps > keep)
		edit_remove_step(scn, scn->n_steps - 1u);
	take_tasks(scn, donor);
	for (unsigned int i = from; i < donor->n_steps; i++)
		edit_insert_step(scn, scn->n_steps, &donor->steps[i]);
	for (unsigned int i = 0; i < donor->n_faults; i++)
		if (rng_chance(env->rng, 2, 3))
			edit_add_fault(scn, scn->n_faults, &donor->faults[i]);
	if (rng_chance(env->rng, 1, 2))
		scn->config = donor->config;
	return true;
}

bool row_graft(struct scenario *scn, const struct mutate_env *env)
{
	const struct scenario *donor = env->donor;
	unsigned int at, from, n;

	if (!donor)
		return false;
	if (donor->n_faults && (!donor->n_steps || rng_chance(env->rng, 1, 3)))
		return edit_add_fault(
			scn, 0, &donor->faults[rng_below(env->rng, donor->n_faults)]);
	if (!donor->n_steps)
		return false;
	at = rng_below(env->rng, scn->n_steps + 1u);
	from = rng_below(env->rng, donor->n_steps);
	n = 1 + rng_below(env->rng, 4);
	take_tasks(scn, donor);
	for (unsigned int i = from; i < donor->n_steps && i < from + n; i++)
		if (!edit_insert_step(scn, at++, &donor->steps[i]))
			break;
	return true;
}

bool row_generate(struct scenario *scn, const struct mutate_env *env)
{
	generate_scenario(env->rng, scn);
	return true;
}
