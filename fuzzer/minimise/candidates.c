/* SPDX-License-Identifier: MIT */
/* What can be taken from a scenario or made simpler, one change each. */

#include <string.h>

#include "harness/scenario/args.h"
#include "harness/scenario/tables.h"
#include "minimise.h"

#define ELEMENT 10000u /* the cost of an element: no argument outweighs it */

/* Counts down to the candidate that is wanted. */
struct pick {
	unsigned int left;
	struct scenario scn;
	bool found;
};

static bool here(struct pick *pick)
{
	if (pick->found)
		return false;
	if (pick->left) {
		pick->left--;
		return false;
	}
	return pick->found = true;
}

static unsigned int bits(unsigned int v)
{
	return (unsigned int)__builtin_popcount(v);
}

static unsigned int length(unsigned int v)
{
	return v ? 32u - (unsigned int)__builtin_clz(v) : 0;
}

static unsigned int settings(const struct scn_config *config)
{
	return (config->placement != PLACE_OUTSIDE) + (config->threads - 1u) +
	       (config->cpus - 1u) + bits(config->daemon) + bits(config->mount) +
	       bits(config->open) + bits(config->init) + !!config->max_background +
	       !!config->timeout;
}

unsigned int scenario_elements(const struct scenario *scn)
{
	return scn->n_steps + scn->n_faults + scn->n_tasks - 1u + settings(&scn->config);
}

/* Flags cost by the flag, numbers by their length, everything else by its place in its table. */
static unsigned int argument_cost(enum arg_class class, unsigned int v)
{
	switch (class) {
	case ARG_NONE:
		return 0;
	case ARG_OFLAGS:
		return (v & OFLAG_ACCMODE) + 4 * bits(v & ~(unsigned int)OFLAG_ACCMODE);
	case ARG_MFLAGS:
	case ARG_UNSHARE:
		return 4 * bits(v);
	case ARG_SIZE:
	case ARG_MS:
	case ARG_COUNT:
	case ARG_CODE:
		return length(v);
	case ARG_ERRNO:
	case ARG_STEP:
	case ARG_TASK:
	case ARG_ACTOR:
		return 0; /* no value is simpler than another */
	default:
		return v;
	}
}

static unsigned int task_cost(const struct scn_task *task)
{
	return task->kind + (task->parent != ACTOR_CTL) + task->late;
}

static unsigned int fault_cost(const struct scn_fault *fault)
{
	unsigned int action = fault->action == FAULT_drop   ? 0
			      : fault->action == FAULT_hold ? 1
							    : 2;

	return !!fault->nth + length(fault->nth) + (fault->requester != ACTOR_ANY) +
	       action + (fault->opcode == 0) +
	       argument_cost(fault_table[fault->action].arg, fault->value);
}

static unsigned int step_cost(const struct scn_step *step)
{
	const uint8_t *class = op_table[step->op].arg;

	return argument_cost(class[0], step -> a) + argument_cost(class[1], step -> b) +
	       argument_cost(class[2], step -> c) + argument_cost(class[3], step -> v);
}

unsigned int scenario_cost(const struct scenario *scn)
{
	unsigned int cost =
		ELEMENT * scenario_elements(scn) + length(scn->config.max_background);

	for (unsigned int i = 0; i < scn->n_tasks; i++)
		cost += task_cost(&scn->tasks[i]);
	for (unsigned int i = 0; i < scn->n_faults; i++)
		cost += fault_cost(&scn->faults[i]);
	for (unsigned int i = 0; i < scn->n_steps; i++)
		cost += step_cost(&scn->steps[i]);
	return cost;
}

/* ---- removals ---- */

static void remove_step(struct scenario *scn, unsigned int at)
{
	memmove(scn->steps + at, scn->steps + at + 1,
		(scn->n_steps - at - 1u) * sizeof(scn->steps[0]));
	scn->n_steps--;
	/* hold_until_step names steps by their number. */
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (fault_table[scn->faults[i].action].arg == ARG_STEP &&
		    scn->faults[i].value > at + 1)
			scn->faults[i].value--;
}

static void remove_fault(struct scenario *scn, unsigned int at)
{
	memmove(scn->faults + at, scn->faults + at + 1,
		(scn->n_faults - at - 1u) * sizeof(scn->faults[0]));
	scn->n_faults--;
}

/* The task's children become its parent's; its steps and rules go, as scenario_canonicalise() has it. */
static void remove_task(struct scenario *scn, unsigned int at)
{
	struct scn_task gone = scn->tasks[at];

	memmove(scn->tasks + at, scn->tasks + at + 1,
		(scn->n_tasks - at - 1u) * sizeof(scn->tasks[0]));
	scn->n_tasks--;
	for (unsigned int i = 0; i < scn->n_tasks; i++)
		if (scn->tasks[i].parent == gone.id)
			scn->tasks[i].parent = gone.parent;
	for (unsigned int i = scn->n_steps; i-- > 0;)
		if (scn->steps[i].actor == gone.id)
			remove_step(scn, i);
}

/* Another task takes over: its steps, its children, and what names it. */
static void merge_task(struct scenario *scn, unsigned int at, unsigned int heir)
{
	unsigned int id = scn->tasks[at].id;

	for (unsigned int i = 0; i < scn->n_steps; i++) {
		struct scn_step *step = &scn->steps[i];
		enum arg_class class = op_table[step->op].arg[0];

		if (step->actor == id)
			step->actor = (uint8_t)heir;
		if ((class == ARG_TASK || class == ARG_ACTOR) && step->a == id)
			step->a = (uint8_t)heir;
	}
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (scn->faults[i].requester == id)
			scn->faults[i].requester = (uint8_t)heir;
	for (unsigned int i = 0; i < scn->n_tasks; i++)
		if (scn->tasks[i].parent == id)
			scn->tasks[i].parent = (uint8_t)heir;
	remove_task(scn, at);
}

static void remove_settings(struct pick *pick)
{
	struct scn_config *config = &pick->scn.config;

	if (config->placement != PLACE_OUTSIDE && here(pick))
		config->placement = PLACE_OUTSIDE;
	if (config->threads > 1 && here(pick))
		config->threads--;
	if (config->cpus > 1 && here(pick))
		config->cpus = 1;
	if (config->max_background && here(pick))
		config->max_background = 0;
	if (config->timeout && here(pick))
		config->timeout = 0;
	for (unsigned int bit = 0; bit < 16; bit++) {
		if (config->daemon >> bit & 1 && here(pick))
			config->daemon &= (uint8_t) ~(1u << bit);
		if (config->mount >> bit & 1 && here(pick))
			config->mount &= (uint8_t) ~(1u << bit);
		if (config->open >> bit & 1 && here(pick))
			config->open &= (uint8_t) ~(1u << bit);
		if (config->init >> bit & 1 && here(pick))
			config->init &= (uint16_t) ~(1u << bit);
	}
}

static void removals(struct pick *pick)
{
	/* The last first: what comes later depends on what comes before. */
	for (unsigned int i = pick->scn.n_steps; i-- > 0 && !pick->found;)
		if (here(pick))
			remove_step(&pick->scn, i);
	for (unsigned int i = pick->scn.n_faults; i-- > 0 && !pick->found;)
		if (here(pick))
			remove_fault(&pick->scn, i);
	for (unsigned int i = pick->scn.n_tasks; i-- > 0 && !pick->found;)
		if (pick->scn.n_tasks > 1 && here(pick))
			remove_task(&pick->scn, i);
	for (unsigned int i = pick->scn.n_tasks; i-- > 1 && !pick->found;)
		if (here(pick))
			merge_task(&pick->scn, i, pick->scn.tasks[0].id);
	remove_settings(pick);
}

unsigned int scenario_removals(const struct scenario *scn)
{
	struct pick pick = {.left = ~0u, .scn = *scn};

	removals(&pick);
	return ~0u - pick.left;
}

/* ---- simpler values ---- */

static void simpler_tasks(struct pick *pick)
{
	for (unsigned int i = 0; i < pick->scn.n_tasks && !pick->found; i++) {
		struct scn_task *task = &pick->scn.tasks[i];

		if (task->late && here(pick))
			task->late = 0;
		if (task->parent != ACTOR_CTL && here(pick))
			task->parent = ACTOR_CTL;
		if (task->kind != TASK_FORK && here(pick))
			task->kind = TASK_FORK;
		if (task->kind > TASK_THREAD && here(pick))
			task->kind = TASK_THREAD;
	}
}

static void simpler_faults(struct pick *pick)
{
	for (unsigned int i = 0; i < pick->scn.n_faults && !pick->found; i++) {
		struct scn_fault *fault = &pick->scn.faults[i];

		if (fault->action != FAULT_drop && here(pick))
			*fault = (struct scn_fault){fault->opcode, fault->nth,
						    fault->requester, FAULT_drop, 0};
		if (fault->action != FAULT_hold && here(pick))
			*fault = (struct scn_fault){fault->opcode, fault->nth,
						    fault->requester, FAULT_hold, 0};
		if (fault->nth && here(pick))
			fault->nth = 0;
		if (fault->nth > 1 && here(pick))
			fault->nth = 1;
		if (fault->requester != ACTOR_ANY && here(pick))
			fault->requester = ACTOR_ANY;
		if (fault->value && here(pick))
			fault->value = 0;
		if (fault->value > 1 && here(pick))
			fault->value /= 2;
	}
}

/* One argument: the simplest value, half of it, and each flag away. */
static void simpler_argument(struct pick *pick, enum arg_class class, unsigned int v,
			     unsigned int *ret)
{
	if (class == ARG_NONE || class == ARG_TASK || class == ARG_ACTOR)
		return;
	if (v && here(pick))
		*ret = 0;
	if (class == ARG_PATH && v > PATH_F0 && here(pick))
		*ret = PATH_F0;
	if (class == ARG_SIZE && v > 4096 && here(pick))
		*ret = 4096;
	if ((class == ARG_SIZE || class == ARG_MS || class == ARG_COUNT) && v > 1 &&
	    here(pick))
		*ret = v / 2;
	if (class == ARG_OFLAGS || class == ARG_MFLAGS || class == ARG_UNSHARE)
		for (unsigned int bit = 0; bit < 8; bit++)
			if (v >> bit & 1 && here(pick))
				*ret = v & ~(1u << bit);
}

static void simpler_steps(struct pick *pick)
{
	for (unsigned int i = 0; i < pick->scn.n_steps && !pick->found; i++) {
		struct scn_step *step = &pick->scn.steps[i];
		const uint8_t *class = op_table[step->op].arg;
		unsigned int value[4] = {step->a, step->b, step->c, step->v};

		for (unsigned int k = 0; k < 4; k++)
			simpler_argument(pick, class[k], value[k], &value[k]);
		step->a = (uint8_t)value[0];
		step->b = (uint8_t)value[1];
		step->c = (uint8_t)value[2];
		step->v = (uint16_t)value[3];
	}
}

/* A slot is a name: it becomes simpler only where all who use it follow. */
static void simpler_slots(struct pick *pick)
{
	unsigned int used = 0, from, to;

	for (unsigned int i = 0; i < pick->scn.n_steps; i++)
		for (unsigned int k = 0; k < 2; k++)
			if (op_table[pick->scn.steps[i].op].arg[k] == ARG_FD)
				used |= 1u << (k ? pick->scn.steps[i].b
						 : pick->scn.steps[i].a);
	for (from = 1; from < SCN_FD_SLOTS && !pick->found; from++) {
		for (to = 0; to < from && used >> to & 1;)
			to++;
		if (!(used >> from & 1) || to == from || !here(pick))
			continue;
		for (unsigned int i = 0; i < pick->scn.n_steps; i++) {
			struct scn_step *step = &pick->scn.steps[i];
			const uint8_t *class = op_table[step->op].arg;

			if (class[0] == ARG_FD && step->a == from)
				step->a = (uint8_t)to;
			if (class[1] == ARG_FD && step->b == from)
				step->b = (uint8_t)to;
		}
	}
}

bool scenario_candidate(const struct scenario *scn, unsigned int i, struct scenario *ret)
{
	struct pick pick = {.left = i, .scn = *scn};

	removals(&pick);
	if (!pick.found)
		simpler_tasks(&pick);
	if (!pick.found)
		simpler_faults(&pick);
	if (!pick.found)
		simpler_slots(&pick);
	if (!pick.found)
		simpler_steps(&pick);
	if (!pick.found)
		return false;
	scenario_canonicalise(&pick.scn);
	*ret = pick.scn;
	return true;
}
