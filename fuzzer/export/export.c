/* SPDX-License-Identifier: MIT */
/* Writes a scenario as one C file. */

#include <errno.h>
#include <stdarg.h>

#include "harness/scenario/tables.h"
#include "parts.h"

void emit(struct emitter *em, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(em->out, format, ap);
	va_end(ap);
}

/* Bits of the tasks that come to be: a late one only where somebody who exists spawns it. */
static unsigned int tasks_that_exist(const struct scenario *scn)
{
	unsigned int exist = 1u << ACTOR_DAEMON | 1u << ACTOR_CTL, before;

	for (unsigned int i = 0; i < scn->n_tasks; i++)
		exist |= scn->tasks[i].late ? 0 : 1u << scn->tasks[i].id;
	do {
		before = exist;
		for (unsigned int i = 0; i < scn->n_steps; i++)
			if (scn->steps[i].op == OP_spawn &&
			    exist >> scn->steps[i].actor & 1)
				exist |= 1u << scn->steps[i].a;
	} while (exist != before);
	return exist;
}

static bool names_task(const struct scn_step *step)
{
	return op_table[step->op].arg[0] == ARG_ACTOR ||
	       op_table[step->op].arg[0] == ARG_TASK;
}

/* What cannot happen is left out; the steps keep their numbers. */
static void prune(struct scenario *scn)
{
	unsigned int exist = tasks_that_exist(scn), n = 0;

	for (unsigned int i = 0; i < scn->n_tasks; i++)
		if (exist >> scn->tasks[i].id & 1)
			scn->tasks[n++] = scn->tasks[i];
	scn->n_tasks = (uint8_t)n;
	n = 0;
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (scn->faults[i].requester >= SCN_MAX_TASKS ||
		    exist >> scn->faults[i].requester & 1)
			scn->faults[n++] = scn->faults[i];
	scn->n_faults = (uint8_t)n;
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		struct scn_step *step = &scn->steps[i];

		if (!(exist >> step->actor & 1) ||
		    (names_task(step) && !(exist >> step->a & 1)))
			*step = (struct scn_step){.actor = ACTOR_CTL, .op = OP_barrier};
	}
}

int export_c(const struct scenario *whole, const struct export_facts *facts, FILE *out,
	     char *err)
{
	struct scenario scn = *whole;
	struct emitter em = {.out = out, .whole = whole, .scn = &scn, .facts = facts};
	int ret;

	prune(&scn);
	ret = needs_of(&scn, facts, &em.needs, err);

	if (ret < 0)
		return ret;
	emit_head(&em);
	emit_server(&em);
	emit_tasks(&em);
	emit_watch(&em);
	if (fflush(out) || ferror(out)) {
		snprintf(err, ERROR_SIZE, "the file cannot be written");
		return -EIO;
	}
	return 0;
}
