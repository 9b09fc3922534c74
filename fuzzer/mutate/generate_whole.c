/* SPDX-License-Identifier: MIT */
/* Makes configurations, tasks and whole scenarios out of nothing. */

#include <string.h>

#include "generate.h"

void generate_config(struct rng *rng, struct scn_config *config)
{
	memset(config, 0, sizeof(*config));
	config->placement = rng_below(rng, PLACE_COUNT);
	config->threads = rng_chance(rng, 1, 2) ? 1 : 1 + rng_below(rng, 4);
	config->cpus = 1;
	config->max_background = rng_chance(rng, 1, 8);
	config->timeout = rng_chance(rng, 1, 4);
	for (unsigned int bit = 1; bit <= INITF_PARALLEL_DIROPS; bit <<= 1)
		config->init |= rng_chance(rng, 1, 3) ? bit : 0;
	if (rng_chance(rng, 1, 4))
		config->open = 1u << rng_below(rng, 5);
	if (rng_chance(rng, 1, 4))
		config->mount = 1u << rng_below(rng, 4);
	if (rng_chance(rng, 1, 4))
		config->daemon = 1u << rng_below(rng, 3);
}

static bool unused_id(const struct scenario *scn, uint8_t *ret_id)
{
	for (unsigned int id = 0; id < SCN_MAX_TASKS; id++) {
		if (!scenario_task(scn, id)) {
			*ret_id = id;
			return true;
		}
	}
	return false;
}

bool generate_task(struct rng *rng, const struct scenario *scn, struct scn_task *task)
{
	static const uint8_t kinds[] = {TASK_FORK,  TASK_FORK,	 TASK_FORK,
					TASK_PIDNS, TASK_THREAD, TASK_THREAD,
					TASK_FILES, TASK_VM,	 TASK_VFORK};

	memset(task, 0, sizeof(*task));
	if (!unused_id(scn, &task->id))
		return false;
	task->kind = kinds[rng_below(rng, sizeof(kinds))];
	task->parent = ACTOR_CTL;
	if (rng_chance(rng, 1, 8))
		task->parent = ACTOR_DAEMON;
	else if (scn->n_tasks && rng_chance(rng, 3, 4))
		task->parent = scn->tasks[rng_below(rng, scn->n_tasks)].id;
	/* The controller is not of the run: it can share nothing with a task. */
	if (task->parent == ACTOR_CTL && task->kind != TASK_PIDNS)
		task->kind = TASK_FORK;
	/* A vfork parent is blocked from the start: more use late, by a step. */
	task->late = task->parent != ACTOR_CTL &&
		     (task->kind == TASK_VFORK || rng_chance(rng, 1, 4));
	return true;
}

void generate_scenario(struct rng *rng, struct scenario *scn)
{
	unsigned int tasks = 1 + rng_below(rng, 4), faults = rng_below(rng, 4);
	unsigned int steps = 3 + rng_below(rng, 10);
	struct model model;

	memset(scn, 0, sizeof(*scn));
	generate_config(rng, &scn->config);
	if (scn->config.placement == PLACE_INSIDE) {
		scn->tasks[0] =
			(struct scn_task){.kind = TASK_PIDNS, .parent = ACTOR_CTL};
		scn->n_tasks = 1;
	}
	while (scn->n_tasks < tasks && generate_task(rng, scn, &scn->tasks[scn->n_tasks]))
		scn->n_tasks++;
	scenario_canonicalise(scn);
	model_init(&model, scn);
	for (unsigned int i = 0; i < steps; i++) {
		generate_step(rng, &model, &scn->steps[i]);
		scn->n_steps++;
		model_step(&model, &scn->steps[i]);
	}
	for (unsigned int i = 0; i < faults; i++) {
		generate_fault(rng, scn, &scn->faults[i]);
		scn->n_faults++;
	}
	scenario_canonicalise(scn);
}
