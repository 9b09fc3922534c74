/* SPDX-License-Identifier: MIT */
/* Scenarios to text. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "text.h"
#include "verdict.h"

/* Text that grows in the caller's buffer; len goes on counting when it is full. */
struct out {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void say(struct out *out, const char *format,
						      ...)
{
	size_t room = out->len < out->size ? out->size - out->len : 0;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(room ? out->buf + out->len : NULL, room, format, ap);
	va_end(ap);
	out->len += n > 0 ? n : 0;
}

static int finish(const struct out *out)
{
	return out->len < out->size ? (int)out->len : -ENOSPC;
}

static void say_actor(struct out *out, unsigned int actor)
{
	static const char *const names[] = {
		[ACTOR_CTL] = "ctl",
		[ACTOR_DAEMON] = "daemon",
		[ACTOR_ANY] = "any",
		[ACTOR_KERNEL] = "kernel",
	};

	if (actor < SCN_MAX_TASKS)
		say(out, "t%u", actor);
	else
		say(out, "%s", names[actor]);
}

static void say_arg(struct out *out, enum arg_class class, unsigned int value)
{
	char text[100];

	if (class == ARG_NONE)
		return;
	arg_format(class, value, text, sizeof(text));
	say(out, " %s", text);
}

static void say_flags(struct out *out, const struct name_value *table, unsigned int bits)
{
	for (; table->name; table++) {
		if (bits & table->value)
			say(out, " %s", table->name);
	}
}

static void say_step(struct out *out, const struct scn_step *step)
{
	const struct op_info *op = &op_table[step->op];

	say_actor(out, step->actor);
	say(out, ": %s", op->name);
	say_arg(out, op->arg[0], step->a);
	say_arg(out, op->arg[1], step->b);
	say_arg(out, op->arg[2], step->c);
	say_arg(out, op->arg[3], step->v);
}

static void say_fault(struct out *out, const struct scn_fault *fault)
{
	say(out, "fault: %s", fault->opcode ? opcode_name(fault->opcode) : "any");
	if (fault->nth)
		say(out, " #%u", fault->nth);
	if (fault->requester != ACTOR_ANY) {
		say(out, " from ");
		say_actor(out, fault->requester);
	}
	say(out, ": %s", fault_table[fault->action].name);
	say_arg(out, fault_table[fault->action].arg, fault->value);
}

static void say_config(struct out *out, const struct scn_config *config)
{
	if (config->expect)
		say(out, "expect: %s\n", verdict_table[config->expect - 1].name);
	say(out, "config: daemon=%s threads=%u cpus=%u",
	    placement_names[config->placement], config->threads, config->cpus);
	say_flags(out, daemon_table, config->daemon);
	say(out, "\n");
	if (config->mount) {
		say(out, "mount:");
		say_flags(out, mount_table, config->mount);
		say(out, "\n");
	}
	if (config->init || config->max_background) {
		say(out, "init:");
		say_flags(out, init_table, config->init);
		if (config->max_background)
			say(out, " max_background=%u", config->max_background);
		say(out, "\n");
	}
	if (config->open) {
		say(out, "open:");
		say_flags(out, open_table, config->open);
		say(out, "\n");
	}
	if (config->timeout)
		say(out, "cache: hour\n");
}

static void say_task(struct out *out, const struct scn_task *task)
{
	say(out, "task t%u: %s", task->id, task_kind_names[task->kind]);
	if (task->parent != ACTOR_CTL) {
		say(out, " of ");
		say_actor(out, task->parent);
	}
	say(out, "%s\n", task->late ? " late" : "");
}

int scenario_format(const struct scenario *scn, char *buf, size_t size)
{
	struct out out = {buf, size, 0};

	say_config(&out, &scn->config);
	for (unsigned int i = 0; i < scn->n_tasks; i++)
		say_task(&out, &scn->tasks[i]);
	for (unsigned int i = 0; i < scn->n_faults; i++) {
		say_fault(&out, &scn->faults[i]);
		say(&out, "\n");
	}
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		say_step(&out, &scn->steps[i]);
		say(&out, "\n");
	}
	return finish(&out);
}

int scenario_format_step(const struct scn_step *step, char *buf, size_t size)
{
	struct out out = {buf, size, 0};

	say_step(&out, step);
	return finish(&out);
}

int scenario_format_fault(const struct scn_fault *fault, char *buf, size_t size)
{
	struct out out = {buf, size, 0};

	say_fault(&out, fault);
	return finish(&out);
}
