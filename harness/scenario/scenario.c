/* SPDX-License-Identifier: MIT */
/* The scenario model: the canonical form, comparison, and who lives where. */

#include "scenario.h"

#include <linux/fuse.h>
#include <string.h>

#include "args.h"
#include "tables.h"
#include "verdict.h"

void scenario_init(struct scenario *scn)
{
	memset(scn, 0, sizeof(*scn));
	scn->config.threads = 1;
	scn->config.cpus = 1;
	scn->n_tasks = 1;
	scn->tasks[0] =
		(struct scn_task){.id = 0, .kind = TASK_FORK, .parent = ACTOR_CTL};
}

const struct scn_task *scenario_task(const struct scenario *scn, unsigned int id)
{
	for (unsigned int i = 0; i < scn->n_tasks; i++) {
		if (scn->tasks[i].id == id)
			return &scn->tasks[i];
	}
	return NULL;
}

/* Is the task its own ancestor? */
static bool in_cycle(const struct scenario *scn, const struct scn_task *task)
{
	unsigned int id = task->parent;

	for (unsigned int hops = 0; hops < SCN_MAX_TASKS && id < SCN_MAX_TASKS; hops++) {
		if (id == task->id)
			return true;
		id = scenario_task(scn, id)->parent;
	}
	return false;
}

/* Where the chain of parents ends: ACTOR_CTL or ACTOR_DAEMON. */
static unsigned int chain_end(const struct scenario *scn, const struct scn_task *task)
{
	while (task->parent < SCN_MAX_TASKS)
		task = scenario_task(scn, task->parent);
	return task->parent;
}

/* Could a daemon placed inside be the child of this task? It must exist before the daemon
 * does. */
static bool can_be_home(const struct scenario *scn, const struct scn_task *task)
{
	return task->kind == TASK_PIDNS && !task->late &&
	       chain_end(scn, task) == ACTOR_CTL;
}

static const struct scn_task *daemon_home(const struct scenario *scn)
{
	for (unsigned int i = 0; i < scn->n_tasks; i++) {
		if (can_be_home(scn, &scn->tasks[i]))
			return &scn->tasks[i];
	}
	return NULL;
}

unsigned int scenario_namespace(const struct scenario *scn, unsigned int actor)
{
	const struct scn_task *task;

	while ((task = scenario_task(scn, actor))) {
		if (task->kind == TASK_PIDNS)
			return task->id;
		actor = task->parent;
	}
	if (actor != ACTOR_DAEMON || scn->config.placement == PLACE_OUTSIDE)
		return ACTOR_CTL;
	if (scn->config.placement == PLACE_INIT)
		return ACTOR_DAEMON;
	task = daemon_home(scn);
	return task ? task->id : ACTOR_CTL;
}

static void canonicalise_config(struct scn_config *config)
{
	config->placement %= PLACE_COUNT;
	config->threads = config->threads ? (config->threads - 1) % 4 + 1 : 1;
	config->cpus = config->cpus == 2 ? 2 : 1;
	config->daemon &= DAEMON_ALL;
	config->mount &= MOUNT_ALL;
	config->open &= OPENF_ALL;
	config->init &= INITF_ALL;
	config->timeout &= 1;
	if (config->expect > VERDICT_COUNT)
		config->expect = 0;
}

/* Ids in range and unique (the first one stays); t0 always exists. */
static void unique_tasks(struct scenario *scn)
{
	struct scn_task old[SCN_MAX_TASKS];
	unsigned int n = scn->n_tasks < SCN_MAX_TASKS ? scn->n_tasks : SCN_MAX_TASKS;
	unsigned int seen = 0;

	memcpy(old, scn->tasks, sizeof(old));
	scn->n_tasks = 0;
	for (unsigned int i = 0; i < n; i++)
		seen |= 1u << old[i].id % SCN_MAX_TASKS;
	if (!(seen & 1))
		scn->tasks[scn->n_tasks++] = (struct scn_task){.parent = ACTOR_CTL};
	seen = 0;
	for (unsigned int i = 0; i < n; i++) {
		old[i].id %= SCN_MAX_TASKS;
		if (seen & 1u << old[i].id)
			continue;
		seen |= 1u << old[i].id;
		scn->tasks[scn->n_tasks++] = old[i];
	}
}

/* Parents exist and form no cycle; kinds and "late" fit the parent. */
static void fit_parents(struct scenario *scn)
{
	for (unsigned int i = 0; i < scn->n_tasks; i++) {
		struct scn_task *task = &scn->tasks[i];

		task->kind %= TASK_KIND_COUNT;
		task->late = !!task->late;
		if (task->parent != ACTOR_DAEMON && !scenario_task(scn, task->parent))
			task->parent = ACTOR_CTL;
	}
	for (unsigned int i = 0; i < scn->n_tasks; i++) {
		struct scn_task *task = &scn->tasks[i];

		if (in_cycle(scn, task))
			task->parent = ACTOR_CTL;
		/* The executor shares neither memory nor files with a task, and does not
		 * wait for one. */
		if (task->parent == ACTOR_CTL && task->kind != TASK_PIDNS)
			task->kind = TASK_FORK;
		/* A parent in vfork(2) could create no further task and take no step. */
		if (task->kind == TASK_VFORK)
			task->late = 1;
	}
	for (unsigned int round = 0; round < scn->n_tasks; round++) {
		for (unsigned int i = 0; i < scn->n_tasks; i++) {
			const struct scn_task *parent =
				scenario_task(scn, scn->tasks[i].parent);

			if (parent && parent->late)
				scn->tasks[i].late = 1;
		}
	}
}

/*
 * Parents before children, else in the order given. A daemon placed inside counts as a
 * task that comes right after its home; without a home it is placed outside.
 */
static void order_tasks(struct scenario *scn)
{
	struct scn_task sorted[SCN_MAX_TASKS];
	bool homeless = scn->config.placement == PLACE_INSIDE;
	unsigned int n = 0, placed = 0;

	while (n < scn->n_tasks) {
		const struct scn_task *next = NULL;

		for (unsigned int i = 0; i < scn->n_tasks && !next; i++) {
			const struct scn_task *task = &scn->tasks[i];

			if (placed & 1u << task->id)
				continue;
			if (task->parent == ACTOR_CTL ||
			    (task->parent == ACTOR_DAEMON && !homeless) ||
			    (task->parent < SCN_MAX_TASKS && placed & 1u << task->parent))
				next = task;
		}
		if (!next) { /* only heirs of a daemon without a home are left */
			homeless = false;
			continue;
		}
		if (can_be_home(scn, next))
			homeless = false;
		placed |= 1u << next->id;
		sorted[n++] = *next;
	}
	memcpy(scn->tasks, sorted, n * sizeof(sorted[0]));
	if (scn->config.placement == PLACE_INSIDE && !daemon_home(scn))
		scn->config.placement = PLACE_OUTSIDE;
}

/* False for a rule whose requester does not exist. */
static bool canonicalise_fault(const struct scenario *scn, struct scn_fault *fault)
{
	fault->action %= FAULT_COUNT;
	fault->nth %= SCN_MAX_NTH + 1;
	fault->value = arg_canonical(fault_table[fault->action].arg, fault->value);
	fault->opcode = opcode_canonical(fault->opcode);
	if (fault_is_interrupt(fault->action))
		fault->opcode = FUSE_INTERRUPT;
	if (fault->requester == ACTOR_CTL || fault->requester > ACTOR_KERNEL)
		fault->requester = ACTOR_ANY;
	return fault->requester >= SCN_MAX_TASKS || scenario_task(scn, fault->requester);
}

/* False for a step that names a task which does not exist, or spawns one that is not
 * late. */
static bool canonicalise_step(const struct scenario *scn, struct scn_step *step)
{
	const struct op_info *op;
	const struct scn_task *task;

	step->op %= OP_COUNT;
	op = &op_table[step->op];
	if (step->actor > ACTOR_DAEMON)
		step->actor %= SCN_MAX_TASKS;
	step->actor = op_actor(step->op, step->actor);
	step->a = arg_canonical(op->arg[0], step->a);
	step->b = arg_canonical(op->arg[1], step->b);
	step->c = arg_canonical(op->arg[2], step->c);
	step->v = arg_canonical(op->arg[3], step->v);
	if (step->actor < SCN_MAX_TASKS && !scenario_task(scn, step->actor))
		return false;
	/* Tasks and actors are first arguments only, ops.def: test_codec.c checks it. */
	if (op->arg[0] != ARG_TASK && op->arg[0] != ARG_ACTOR)
		return true;
	if (step->a == ACTOR_DAEMON)
		return true;
	task = scenario_task(scn, step->a);
	return task && (step->op != OP_spawn || task->late);
}

void scenario_canonicalise(struct scenario *scn)
{
	unsigned int n_faults =
		scn->n_faults < SCN_MAX_FAULTS ? scn->n_faults : SCN_MAX_FAULTS;
	unsigned int n_steps =
		scn->n_steps < SCN_MAX_STEPS ? scn->n_steps : SCN_MAX_STEPS;

	canonicalise_config(&scn->config);
	unique_tasks(scn);
	fit_parents(scn);
	order_tasks(scn);

	scn->n_faults = 0;
	for (unsigned int i = 0; i < n_faults; i++) {
		struct scn_fault fault = scn->faults[i];

		if (canonicalise_fault(scn, &fault))
			scn->faults[scn->n_faults++] = fault;
	}
	scn->n_steps = 0;
	for (unsigned int i = 0; i < n_steps; i++) {
		struct scn_step step = scn->steps[i];

		if (canonicalise_step(scn, &step))
			scn->steps[scn->n_steps++] = step;
	}
	memset(scn->tasks + scn->n_tasks, 0,
	       (SCN_MAX_TASKS - scn->n_tasks) * sizeof(scn->tasks[0]));
	memset(scn->faults + scn->n_faults, 0,
	       (SCN_MAX_FAULTS - scn->n_faults) * sizeof(scn->faults[0]));
	memset(scn->steps + scn->n_steps, 0,
	       (SCN_MAX_STEPS - scn->n_steps) * sizeof(scn->steps[0]));
}

static bool config_equal(const struct scn_config *a, const struct scn_config *b)
{
	return a->placement == b->placement && a->threads == b->threads &&
	       a->cpus == b->cpus && a->daemon == b->daemon && a->mount == b->mount &&
	       a->open == b->open && a->init == b->init &&
	       a->max_background == b->max_background && a->timeout == b->timeout &&
	       a->expect == b->expect;
}

static bool fault_equal(const struct scn_fault *a, const struct scn_fault *b)
{
	return a->opcode == b->opcode && a->nth == b->nth &&
	       a->requester == b->requester && a->action == b->action &&
	       a->value == b->value;
}

static bool task_equal(const struct scn_task *a, const struct scn_task *b)
{
	return a->id == b->id && a->kind == b->kind && a->parent == b->parent &&
	       a->late == b->late;
}

static bool step_equal(const struct scn_step *a, const struct scn_step *b)
{
	return a->actor == b->actor && a->op == b->op && a->a == b->a && a->b == b->b &&
	       a->c == b->c && a->v == b->v;
}

bool scenario_equal(const struct scenario *a, const struct scenario *b)
{
	if (!config_equal(&a->config, &b->config) || a->n_faults != b->n_faults ||
	    a->n_tasks != b->n_tasks || a->n_steps != b->n_steps)
		return false;
	for (unsigned int i = 0; i < a->n_faults; i++) {
		if (!fault_equal(&a->faults[i], &b->faults[i]))
			return false;
	}
	for (unsigned int i = 0; i < a->n_tasks; i++) {
		if (!task_equal(&a->tasks[i], &b->tasks[i]))
			return false;
	}
	for (unsigned int i = 0; i < a->n_steps; i++) {
		if (!step_equal(&a->steps[i], &b->steps[i]))
			return false;
	}
	return true;
}

unsigned int scenario_wait_ms(const struct scenario *scn)
{
	unsigned int ms = 0;

	for (unsigned int i = 0; i < scn->n_steps; i++)
		if (op_table[scn->steps[i].op].arg[3] == ARG_MS)
			ms += scn->steps[i].v;
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (fault_table[scn->faults[i].action].arg == ARG_MS)
			ms += scn->faults[i].value;
	return ms;
}
