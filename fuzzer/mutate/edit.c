/* SPDX-License-Identifier: MIT */
/* Inserts into and removes from a scenario's lists without breaking what refers to them.
 */

#include <string.h>

#include "edit.h"
#include "harness/scenario/tables.h"

/* Steps are numbered from 1: step index "at" and all behind it move by "by". */
static void shift_step_numbers(struct scenario *scn, unsigned int at, int by)
{
	for (unsigned int i = 0; i < scn->n_faults; i++) {
		struct scn_fault *fault = &scn->faults[i];

		if (fault->action == FAULT_hold_step && fault->value > at + (by < 0))
			fault->value += by;
	}
}

bool edit_insert_step(struct scenario *scn, unsigned int at, const struct scn_step *step)
{
	struct scn_step copy = *step; /* it may be one of the moved ones */

	if (scn->n_steps >= SCN_MAX_STEPS)
		return false;
	memmove(&scn->steps[at + 1], &scn->steps[at],
		(scn->n_steps - at) * sizeof(*step));
	scn->steps[at] = copy;
	scn->n_steps++;
	shift_step_numbers(scn, at, 1);
	return true;
}

bool edit_add_fault(struct scenario *scn, unsigned int at, const struct scn_fault *fault)
{
	struct scn_fault copy = *fault;

	if (scn->n_faults >= SCN_MAX_FAULTS)
		return false;
	memmove(&scn->faults[at + 1], &scn->faults[at],
		(scn->n_faults - at) * sizeof(*fault));
	scn->faults[at] = copy;
	scn->n_faults++;
	return true;
}

bool edit_add_task(struct scenario *scn, const struct scn_task *task)
{
	if (scn->n_tasks >= SCN_MAX_TASKS)
		return false;
	scn->tasks[scn->n_tasks++] = *task;
	return true;
}

void edit_remove_step(struct scenario *scn, unsigned int at)
{
	scn->n_steps--;
	memmove(&scn->steps[at], &scn->steps[at + 1],
		(scn->n_steps - at) * sizeof(scn->steps[0]));
	memset(&scn->steps[scn->n_steps], 0, sizeof(scn->steps[0]));
	shift_step_numbers(scn, at, -1);
}

void edit_remove_fault(struct scenario *scn, unsigned int at)
{
	scn->n_faults--;
	memmove(&scn->faults[at], &scn->faults[at + 1],
		(scn->n_faults - at) * sizeof(scn->faults[0]));
	memset(&scn->faults[scn->n_faults], 0, sizeof(scn->faults[0]));
}

void edit_remove_task(struct scenario *scn, unsigned int at)
{
	struct scn_task gone = scn->tasks[at];

	scn->n_tasks--;
	memmove(&scn->tasks[at], &scn->tasks[at + 1],
		(scn->n_tasks - at) * sizeof(scn->tasks[0]));
	memset(&scn->tasks[scn->n_tasks], 0, sizeof(scn->tasks[0]));
	for (unsigned int i = 0; i < scn->n_tasks; i++)
		if (scn->tasks[i].parent == gone.id)
			scn->tasks[i].parent = gone.parent;
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (scn->faults[i].requester == gone.id)
			scn->faults[i].requester = ACTOR_ANY;
	for (unsigned int i = scn->n_steps; i-- > 0;)
		if (scn->steps[i].actor == gone.id)
			edit_remove_step(scn, i);
}
