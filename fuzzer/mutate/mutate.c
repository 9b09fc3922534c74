/* SPDX-License-Identifier: MIT */
/* Picks mutations by weight and applies them; takes a scenario apart piece by piece for
 * trimming. */

#include <stdio.h>
#include <string.h>

#include "edit.h"
#include "harness/scenario/tables.h"
#include "rows.h"

#define TRIES 24

const struct mutation mutation_table[] = {
#define ROW(name, weight, help) {#name, weight, row_##name, help},
	MUTATION_ROWS
#undef ROW
	{NULL, 0, NULL, NULL},
};

bool mutate_one(struct scenario *scn, const struct mutation *row,
		const struct mutate_env *env)
{
	struct scenario copy = *scn;

	if (!row->run(&copy, env))
		return false;
	scenario_canonicalise(&copy);
	if (scenario_equal(&copy, scn))
		return false;
	*scn = copy;
	return true;
}

static const struct mutation *pick(struct rng *rng)
{
	unsigned int total = 0, at;
	const struct mutation *row;

	for (row = mutation_table; row->name; row++)
		total += row->weight;
	at = rng_below(rng, total);
	for (row = mutation_table; at >= row->weight; row++)
		at -= row->weight;
	return row;
}

const struct mutation *mutate_scenario(struct scenario *scn, const struct mutate_env *env)
{
	const struct mutation *row, *last = NULL;
	unsigned int n = 1u << rng_below(env->rng, 4);

	for (unsigned int tries = 0; n && tries < TRIES; tries++) {
		row = pick(env->rng);
		if (!mutate_one(scn, row, env))
			continue;
		last = row;
		n--;
	}
	return last;
}

unsigned int mutate_parts(const struct scenario *scn)
{
	return scn->n_steps + scn->n_faults + scn->n_tasks;
}

void mutate_without(struct scenario *scn, unsigned int part)
{
	if (part < scn->n_steps)
		edit_remove_step(scn, scn->n_steps - 1u - part);
	else if (part -= scn->n_steps, part < scn->n_faults)
		edit_remove_fault(scn, scn->n_faults - 1u - part);
	else if (part -= scn->n_faults, part < scn->n_tasks)
		edit_remove_task(scn, scn->n_tasks - 1u - part);
	scenario_canonicalise(scn);
}

void mutate_describe(const struct scenario *scn, char *buf, size_t size)
{
	size_t len = 0;

	if (!size)
		return;
	buf[0] = '\0';
	for (unsigned int i = 0; i < scn->n_faults && len < size; i++) {
		const struct scn_fault *fault = &scn->faults[i];

		len += snprintf(buf + len, size - len, "%s%s.%s", i ? "+" : "",
				fault->opcode ? opcode_name(fault->opcode) : "ANY",
				fault_table[fault->action].name);
	}
	if (!scn->n_faults)
		snprintf(buf, size, "no_fault");
}
