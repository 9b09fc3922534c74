/* SPDX-License-Identifier: MIT */
/* Mutations of the configuration and of the task tree. */

#include <string.h>

#include "edit.h"
#include "generate.h"
#include "rows.h"

bool row_move_daemon(struct scenario *scn, const struct mutate_env *env)
{
	unsigned int to = rng_below(env->rng, PLACE_COUNT);

	if (to == scn->config.placement)
		to = (to + 1) % PLACE_COUNT;
	/* Inside needs a namespace: the first task becomes its init. */
	if (to == PLACE_INSIDE && scn->n_tasks) {
		bool found = false;

		for (unsigned int i = 0; i < scn->n_tasks; i++)
			found |= scn->tasks[i].kind == TASK_PIDNS;
		if (!found)
			scn->tasks[0].kind = TASK_PIDNS;
	}
	scn->config.placement = to;
	return true;
}

bool row_change_threads(struct scenario *scn, const struct mutate_env *env)
{
	scn->config.threads = 1 + (scn->config.threads + rng_below(env->rng, 3)) % 4;
	return true;
}

bool row_change_flags(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_config *config = &scn->config;

	switch (rng_below(env->rng, 8)) {
	case 0:
		config->mount ^= 1u << rng_below(env->rng, 4);
		break;
	case 1:
		config->daemon ^= 1u << rng_below(env->rng, 3);
		break;
	case 2:
		config->open ^= 1u << rng_below(env->rng, 5);
		break;
	case 3:
		config->timeout ^= 1;
		break;
	case 4:
		config->max_background = rng_below(env->rng, 3);
		break;
	default:
		config->init ^= 1u << rng_below(env->rng, 14);
		break;
	}
	return true;
}

/* A task that does nothing changes nothing: give it a first step. */
static bool add_with_step(struct scenario *scn, const struct mutate_env *env,
			  const struct scn_task *task)
{
	struct model model;
	struct scn_step step;

	if (!edit_add_task(scn, task))
		return false;
	scenario_canonicalise(scn);
	if (task->late && task->parent != ACTOR_CTL) {
		step = (struct scn_step){
			.actor = task->parent, .op = OP_spawn, .a = task->id};
		edit_insert_step(scn, rng_below(env->rng, scn->n_steps + 1u), &step);
	}
	model_at(&model, scn, scn->n_steps);
	if (!model_ready(&model, task->id))
		return true;
	if (rng_chance(env->rng, 1, 3) &&
	    insert_hold_and_end(scn, env, scn->n_steps, task->id))
		return true;
	step = (struct scn_step){.actor = task->id};
	step.op = generate_op(env->rng, &model, task->id);
	generate_args(env->rng, &model, &step);
	edit_insert_step(scn, scn->n_steps, &step);
	return true;
}

bool row_add_task(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_task task;

	return generate_task(env->rng, scn, &task) && add_with_step(scn, env, &task);
}

bool row_add_thread(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_task task;

	if (!generate_task(env->rng, scn, &task))
		return false;
	task.kind = TASK_THREAD;
	if (!scn->n_tasks || rng_chance(env->rng, 1, 2))
		task.parent = ACTOR_DAEMON;
	else
		task.parent = scn->tasks[rng_below(env->rng, scn->n_tasks)].id;
	return add_with_step(scn, env, &task);
}

bool row_add_namespace(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_task init, member;

	if (!generate_task(env->rng, scn, &init))
		return false;
	init.kind = TASK_PIDNS;
	init.parent = ACTOR_CTL;
	if (scn->n_tasks && rng_chance(env->rng, 1, 2))
		init.parent = scn->tasks[rng_below(env->rng, scn->n_tasks)].id;
	init.late = 0;
	if (!edit_add_task(scn, &init))
		return false;
	scenario_canonicalise(scn);
	if (!generate_task(env->rng, scn, &member))
		return true;
	member.kind = rng_chance(env->rng, 1, 4) ? TASK_THREAD : TASK_FORK;
	member.parent = init.id;
	add_with_step(scn, env, &member);
	return true;
}

bool row_change_task(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_task *task;
	unsigned int at;

	if (!scn->n_tasks)
		return false;
	at = rng_below(env->rng, scn->n_tasks);
	task = &scn->tasks[at];
	switch (rng_below(env->rng, 3)) {
	case 0:
		task->kind = rng_below(env->rng, TASK_KIND_COUNT);
		break;
	case 1:
		task->parent = ACTOR_CTL + rng_below(env->rng, 2);
		if (at && rng_chance(env->rng, 3, 4))
			task->parent = scn->tasks[rng_below(env->rng, at)].id;
		break;
	default:
		task->late ^= 1;
		break;
	}
	return true;
}

bool row_drop_task(struct scenario *scn, const struct mutate_env *env)
{
	if (scn->n_tasks < 2)
		return false;
	edit_remove_task(scn, rng_below(env->rng, scn->n_tasks));
	return true;
}
