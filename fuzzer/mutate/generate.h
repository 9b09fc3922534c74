/* SPDX-License-Identifier: MIT */
/* Random parts of a scenario, chosen so that they fit what is there already (model.h). */
#ifndef SF_GENERATE_H
#define SF_GENERATE_H

#include "harness/util/rng.h"
#include "model.h"

/* A value of this argument class; model and actor may be used to prefer what exists. */
unsigned int generate_arg(struct rng *rng, const struct model *model, unsigned int actor,
			  unsigned int arg_class);
/* All arguments of the step, whose actor and op are set. */
void generate_args(struct rng *rng, const struct model *model, struct scn_step *step);
/* An operation that this actor may be told, at random by weight. */
unsigned int generate_op(struct rng *rng, const struct model *model, unsigned int actor);
/* A whole step for the state of the model: actor, op, arguments. */
void generate_step(struct rng *rng, const struct model *model, struct scn_step *step);

/* An action by weight; an opcode by weight (never 0); a rule for anything that happens in
 * scn. */
unsigned int generate_action(struct rng *rng);
unsigned int generate_opcode(struct rng *rng);
void generate_fault_value(struct rng *rng, const struct scenario *scn,
			  struct scn_fault *fault);
void generate_fault(struct rng *rng, const struct scenario *scn, struct scn_fault *fault);
/* A rule that a request of this step meets. */
void generate_fault_for(struct rng *rng, const struct scenario *scn,
			const struct scn_step *step, struct scn_fault *fault);

void generate_config(struct rng *rng, struct scn_config *config);
/* A task with an unused id, or false: all are used. */
bool generate_task(struct rng *rng, const struct scenario *scn, struct scn_task *task);

/* A whole scenario out of nothing: 1-4 tasks, 0-3 rules, 3-12 steps. Canonical. */
void generate_scenario(struct rng *rng, struct scenario *scn);

#endif
