/* SPDX-License-Identifier: MIT */
/* Mutations of the fault plan. */

#include "edit.h"
#include "generate.h"
#include "rows.h"

/* The first match decides: a new rule goes to the front as often as anywhere. */
static unsigned int any_place(const struct scenario *scn, const struct mutate_env *env)
{
	return rng_chance(env->rng, 1, 2) ? 0 : rng_below(env->rng, scn->n_faults + 1u);
}

bool row_add_fault(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_fault fault;

	generate_fault(env->rng, scn, &fault);
	return edit_add_fault(scn, any_place(scn, env), &fault);
}

bool row_fault_and_step(struct scenario *scn, const struct mutate_env *env)
{
	unsigned int at = rng_below(env->rng, scn->n_steps + 1u);
	struct scn_fault fault;
	struct scn_step step;
	struct model model;

	if (scn->n_faults >= SCN_MAX_FAULTS)
		return false;
	model_at(&model, scn, at);
	for (int i = 0; i < 16; i++) {
		generate_step(env->rng, &model, &step);
		if (*op_emits(step.op))
			break;
	}
	if (!edit_insert_step(scn, at, &step))
		return false;
	generate_fault_for(env->rng, scn, &step, &fault);
	return edit_add_fault(scn, any_place(scn, env), &fault);
}

bool row_drop_fault(struct scenario *scn, const struct mutate_env *env)
{
	if (!scn->n_faults)
		return false;
	edit_remove_fault(scn, rng_below(env->rng, scn->n_faults));
	return true;
}

bool row_retarget_fault(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_fault other, *fault;

	if (!scn->n_faults)
		return false;
	fault = &scn->faults[rng_below(env->rng, scn->n_faults)];
	generate_fault(env->rng, scn, &other);
	switch (rng_below(env->rng, 4)) {
	case 0:
		fault->nth = rng_below(env->rng, 4);
		break;
	case 1:
		fault->requester = other.requester;
		break;
	default:
		fault->opcode = other.opcode;
		break;
	}
	return true;
}

bool row_change_action(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_fault *fault;

	if (!scn->n_faults)
		return false;
	fault = &scn->faults[rng_below(env->rng, scn->n_faults)];
	if (rng_chance(env->rng, 3, 4))
		fault->action = generate_action(env->rng);
	generate_fault_value(env->rng, scn, fault);
	return true;
}

bool row_swap_faults(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_fault tmp;
	unsigned int a, b;

	if (scn->n_faults < 2)
		return false;
	a = rng_below(env->rng, scn->n_faults);
	b = rng_below(env->rng, scn->n_faults);
	tmp = scn->faults[a];
	scn->faults[a] = scn->faults[b];
	scn->faults[b] = tmp;
	return a != b;
}
