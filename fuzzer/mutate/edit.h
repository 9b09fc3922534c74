/* SPDX-License-Identifier: MIT */
/* Edits of a scenario's lists that keep what refers to them: numbers of steps, ids of
 * tasks. */
#ifndef SF_EDIT_H
#define SF_EDIT_H

#include "harness/scenario/scenario.h"

/* Index "at" is 0 .. count; false when the list is full. Later hold_until_step values
 * move along. */
bool edit_insert_step(struct scenario *scn, unsigned int at, const struct scn_step *step);
bool edit_add_fault(struct scenario *scn, unsigned int at, const struct scn_fault *fault);
bool edit_add_task(struct scenario *scn, const struct scn_task *task);

void edit_remove_step(struct scenario *scn, unsigned int at);
void edit_remove_fault(struct scenario *scn, unsigned int at);
/* With its steps, its children go to its own parent; rules for it become rules for any.
 */
void edit_remove_task(struct scenario *scn, unsigned int at);

#endif
