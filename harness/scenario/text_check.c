/* SPDX-License-Identifier: MIT */
/* Finds what is well written but cannot be: each rule of scenario_canonicalise() with its
 * message. */

#include "text_parser.h"

#include <errno.h>
#include <linux/fuse.h>

#include "args.h"

static int check_tasks(struct parser *ps)
{
	const struct scenario *scn = &ps->scn;

	if (!scenario_task(scn, 0))
		return text_fail(ps, ps->task_kind[0],
				 "t0 is not declared; every scenario has a task t0");
	for (unsigned int i = 0; i < scn->n_tasks; i++) {
		const struct scn_task *task = &scn->tasks[i];
		const struct scn_task *parent = scenario_task(scn, task->parent);

		if (task->parent == ACTOR_CTL && task->kind != TASK_FORK &&
		    task->kind != TASK_PIDNS)
			return text_fail(
				ps, ps->task_kind[i],
				"a task of kind \"%s\" needs a task or the daemon as its "
				"parent: \"%s of t0\"",
				task_kind_names[task->kind], task_kind_names[task->kind]);
		if (task->kind == TASK_VFORK && !task->late)
			return text_fail(ps, ps->task_kind[i],
					 "a vfork task must be late: its parent can do "
					 "nothing until "
					 "it ends; add \"late\" and a step \"spawn t%u\"",
					 task->id);
		if (parent && parent->late && !task->late)
			return text_fail(ps, ps->task_parent[i],
					 "t%u is late, so its child t%u must be late too",
					 parent->id, task->id);
	}
	return 0;
}

/* A daemon inside needs a namespace that exists before it, and its heirs come after that.
 */
static int check_placement(struct parser *ps)
{
	struct scenario *scn = &ps->scn;
	unsigned int home;

	if (scn->config.placement != PLACE_INSIDE)
		return 0;
	home = scenario_namespace(scn, ACTOR_DAEMON);
	if (home == ACTOR_CTL)
		return text_fail(ps, ps->placement,
				 "daemon=inside needs a task of kind pidns that is not "
				 "late and no "
				 "descendant of the daemon");
	for (unsigned int i = 0; scn->tasks[i].id != home; i++) {
		if (scn->tasks[i].parent == ACTOR_DAEMON)
			return text_fail(ps, ps->task_parent[i],
					 "the daemon lives inside t%u, which must be "
					 "declared before "
					 "the daemon's children",
					 home);
	}
	return 0;
}

static int check_faults(struct parser *ps)
{
	const struct scenario *scn = &ps->scn;

	for (unsigned int i = 0; i < scn->n_faults; i++) {
		const struct scn_fault *fault = &scn->faults[i];

		if (fault->requester < SCN_MAX_TASKS &&
		    !scenario_task(scn, fault->requester))
			return text_fail(ps, ps->fault_from[i],
					 "task t%u is not declared", fault->requester);
		if (fault_is_interrupt(fault->action) && fault->opcode != FUSE_INTERRUPT)
			return text_fail(ps, ps->fault_opcode[i],
					 "\"%s\" is for INTERRUPT only",
					 fault_table[fault->action].name);
	}
	return 0;
}

static int check_steps(struct parser *ps)
{
	const struct scenario *scn = &ps->scn;

	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct scn_step *step = &scn->steps[i];
		enum arg_class class = op_table[step->op].arg[0];

		if (step->actor < SCN_MAX_TASKS && !scenario_task(scn, step->actor))
			return text_fail(ps, ps->step[i], "task t%u is not declared",
					 step->actor);
		if ((class != ARG_TASK && class != ARG_ACTOR) || step->a >= SCN_MAX_TASKS)
			continue;
		if (!scenario_task(scn, step->a))
			return text_fail(ps, ps->step_arg[i], "task t%u is not declared",
					 step->a);
		if (step->op == OP_spawn && !scenario_task(scn, step->a)->late)
			return text_fail(ps, ps->step_arg[i],
					 "t%u exists from the start; only a task "
					 "declared \"late\" can "
					 "be spawned",
					 step->a);
	}
	return 0;
}

int text_check(struct parser *ps)
{
	struct scenario canonical;
	int ret;

	ret = check_tasks(ps);
	if (ret == 0)
		ret = check_placement(ps);
	if (ret == 0)
		ret = check_faults(ps);
	if (ret == 0)
		ret = check_steps(ps);
	if (ret < 0)
		return ret;
	/* The rules above are meant to be all of them; should one be missing, say so
	 * rather than mend. */
	canonical = ps->scn;
	scenario_canonicalise(&canonical);
	if (!scenario_equal(&canonical, &ps->scn))
		return text_fail(ps, (struct place){1, 1},
				 "this scenario is not canonical");
	return 0;
}
