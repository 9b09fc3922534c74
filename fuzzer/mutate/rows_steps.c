/* SPDX-License-Identifier: MIT */
/* Mutations of steps. */

#include "edit.h"
#include "generate.h"
#include "rows.h"

static unsigned int any_step(const struct scenario *scn, const struct mutate_env *env)
{
	return rng_below(env->rng, scn->n_steps);
}

/* Places near the end are where a run is decided: half of them. */
static unsigned int any_place(const struct scenario *scn, const struct mutate_env *env)
{
	if (rng_chance(env->rng, 1, 2))
		return scn->n_steps -
		       rng_below(env->rng, scn->n_steps < 2 ? scn->n_steps + 1u : 3);
	return rng_below(env->rng, scn->n_steps + 1u);
}

bool row_insert_step(struct scenario *scn, const struct mutate_env *env)
{
	unsigned int at = any_place(scn, env);
	struct model model;
	struct scn_step step;

	model_at(&model, scn, at);
	generate_step(env->rng, &model, &step);
	return edit_insert_step(scn, at, &step);
}

bool row_remove_step(struct scenario *scn, const struct mutate_env *env)
{
	if (!scn->n_steps)
		return false;
	edit_remove_step(scn, any_step(scn, env));
	return true;
}

bool row_move_step(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_step step;
	unsigned int from;

	if (scn->n_steps < 2)
		return false;
	from = any_step(scn, env);
	step = scn->steps[from];
	edit_remove_step(scn, from);
	return edit_insert_step(scn, rng_below(env->rng, scn->n_steps + 1u), &step);
}

bool row_duplicate_step(struct scenario *scn, const struct mutate_env *env)
{
	if (!scn->n_steps)
		return false;
	return edit_insert_step(scn, any_place(scn, env),
				&scn->steps[any_step(scn, env)]);
}

bool row_swap_steps(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_step tmp;
	unsigned int a, b;

	if (scn->n_steps < 2)
		return false;
	a = any_step(scn, env);
	b = rng_chance(env->rng, 1, 2) ? (a + 1) % scn->n_steps : any_step(scn, env);
	tmp = scn->steps[a];
	scn->steps[a] = scn->steps[b];
	scn->steps[b] = tmp;
	return a != b;
}

bool row_change_actor(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_step *step;
	unsigned int at;
	struct model model;

	if (!scn->n_steps)
		return false;
	at = any_step(scn, env);
	step = &scn->steps[at];
	model_at(&model, scn, at);
	for (int i = 0; i < 8; i++) {
		unsigned int actor = rng_below(env->rng, MODEL_ACTORS);
		unsigned int who = actor == ACTOR_CTL ? WHO_CTL : WHO_TASK;

		if (actor != step->actor && model_ready(&model, actor) &&
		    op_table[step->op].who & who) {
			step->actor = actor;
			return true;
		}
	}
	return false;
}

bool row_change_op(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_step *step;
	struct model model;
	unsigned int at;

	if (!scn->n_steps)
		return false;
	at = any_step(scn, env);
	step = &scn->steps[at];
	model_at(&model, scn, at);
	step->op = generate_op(env->rng, &model, step->actor);
	generate_args(env->rng, &model, step);
	return true;
}

bool row_change_arg(struct scenario *scn, const struct mutate_env *env)
{
	struct scn_step *step;
	struct model model;
	unsigned int at, arg, value;

	if (!scn->n_steps)
		return false;
	at = any_step(scn, env);
	step = &scn->steps[at];
	arg = rng_below(env->rng, 4);
	if (op_table[step->op].arg[arg] == ARG_NONE)
		return false;
	model_at(&model, scn, at);
	value = generate_arg(env->rng, &model, step->actor, op_table[step->op].arg[arg]);
	if (arg == 0)
		step->a = value;
	else if (arg == 1)
		step->b = value;
	else if (arg == 2)
		step->c = value;
	else
		step->v = value;
	return true;
}

/* How an actor can end, told by itself or by the controller. */
static void ending(const struct mutate_env *env, const struct model *model,
		   unsigned int actor, struct scn_step *step)
{
	static const uint8_t of_thread[] = {OP_exit, OP_exit, OP_exit_group, OP_exec};
	static const uint8_t of_process[] = {OP_exit, OP_exit_group, OP_exit_group,
					     OP_exec};
	bool thread = actor < SCN_MAX_TASKS && model->process[actor] != actor;

	*step = (struct scn_step){.actor = actor};
	if (actor == ACTOR_DAEMON || !model_ready(model, actor) ||
	    rng_chance(env->rng, 1, 3)) {
		step->actor = ACTOR_CTL;
		step->op = OP_kill;
		step->a = actor;
		while (signal_table[step->b].value != 9)
			step->b++;
		return;
	}
	step->op = (thread ? of_thread : of_process)[rng_below(env->rng, 4)];
}

/* A task, or the daemon; the init of a namespace more often, as its end is the end of all in it. */
static unsigned int any_task(const struct scenario *scn, const struct mutate_env *env)
{
	if (rng_chance(env->rng, 1, 10))
		return ACTOR_DAEMON;
	for (unsigned int i = 0; i < scn->n_tasks; i++)
		if (scn->tasks[i].kind == TASK_PIDNS && rng_chance(env->rng, 1, 4))
			return scn->tasks[i].id;
	return scn->tasks[rng_below(env->rng, scn->n_tasks)].id;
}

bool row_end_actor(struct scenario *scn, const struct mutate_env *env)
{
	unsigned int at = any_place(scn, env), actor;
	struct model model;
	struct scn_step step;

	if (!scn->n_tasks)
		return false;
	actor = any_task(scn, env);
	model_at(&model, scn, at);
	ending(env, &model, actor, &step);
	return edit_insert_step(scn, at, &step);
}

bool insert_hold_and_end(struct scenario *scn, const struct mutate_env *env,
			 unsigned int at, unsigned int actor)
{
	struct scn_step step = {.actor = actor, .op = OP_open};
	struct scn_fault fault;
	struct model model;

	model_at(&model, scn, at);
	if (scn->n_steps + 3 > SCN_MAX_STEPS || !model_ready(&model, actor))
		return false;
	generate_args(env->rng, &model, &step);
	edit_insert_step(scn, at++, &step);
	/* In a shared table the file would outlive the task. */
	if (model.files[actor] != actor || rng_chance(env->rng, 1, 4)) {
		step = (struct scn_step){
			.actor = actor, .op = OP_unshare, .a = UNSHARE_FILES};
		if (rng_chance(env->rng, 1, 2))
			edit_insert_step(scn, at++, &step);
	}
	ending(env, &model, actor, &step);
	/* Of interest is most of all that nobody takes back what it holds. */
	if (step.actor == actor && scn->n_faults < SCN_MAX_FAULTS &&
	    rng_chance(env->rng, 1, 3)) {
		generate_fault_for(env->rng, scn, &step, &fault);
		edit_add_fault(scn, 0, &fault);
	}
	return edit_insert_step(scn, at, &step);
}

/* The init of the actor's namespace ends after it: all that is left in there has to go. */
static void end_namespace(struct scenario *scn, const struct mutate_env *env,
			  unsigned int at, unsigned int actor)
{
	unsigned int init = scenario_namespace(scn, actor);
	struct scn_step step;
	struct model model;

	if (init >= SCN_MAX_TASKS || init == actor)
		return;
	model_at(&model, scn, at);
	ending(env, &model, init, &step);
	edit_insert_step(scn, at, &step);
}

/* What a task holds when it ends is what its exit path has to give back. */
bool row_hold_and_end(struct scenario *scn, const struct mutate_env *env)
{
	unsigned int at = any_place(scn, env), before = scn->n_steps, actor;

	if (!scn->n_tasks)
		return false;
	actor = any_task(scn, env);
	if (!insert_hold_and_end(scn, env, at, actor))
		return false;
	if (rng_chance(env->rng, 1, 4))
		end_namespace(scn, env, at + scn->n_steps - before, actor);
	return true;
}
