/* SPDX-License-Identifier: MIT */
/* The fault plan of an exported file: which requests are not simply answered. */

#include <linux/fuse.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "harness/scenario/text.h"
#include "parts.h"

/*
 * $V value    $M value, 1 at least    $E name of the error    $O path on the own mount    $R number of the rule
 * \n one more line
 */
static const struct fault_code codes[FAULT_COUNT] = {
	[FAULT_none] = {"answer(in);", 0, 0},
	[FAULT_hold] = {"hold(in, (struct held){0});", 0, 0},
	[FAULT_hold_step] = {"hold(in, (struct held){.step = $V});", HOLD_STEP, 0},
	[FAULT_hold_more] = {"hold(in, (struct held){.reads = n_reads + $V});", HOLD_MORE,
			     0},
	[FAULT_hold_ms] = {"hold(in, (struct held){.ms = $M});", HOLD_MS, 0},
	[FAULT_hold_kill] = {"hold(in, (struct held){.until_kill = 1});", HOLD_KILL, 0},
	[FAULT_drop] = {"", 0, 0},
	[FAULT_reorder] = {"hold(in, (struct held){.rule = $R});\n"
			   "answer_group($R, $V);",
			   HOLD_GROUP, 0},
	[FAULT_error] = {"reply(in, -$E, NULL, 0);", 0, 0},
	[FAULT_duplicate] = {"answer(in);\nanswer(in);", 0, 0},
	[FAULT_bogus] = {"struct fuse_in_header other = *in;\n\n"
			 "other.unique += 1000000;\n"
			 "reply(&other, 0, NULL, 0);",
			 0, 0},
	/* What is too long the kernel refuses like what is too short: fuse_copy_out_args(). */
	[FAULT_truncated] =
		{"reply(in, 0, \"wrong\", 3); /* not the size of any reply */", 0, 0},
	[FAULT_oversized] =
		{"reply(in, 0, \"wrong\", 3); /* not the size of any reply */", 0, 0},
	[FAULT_noread] = {"shared->gate_closed = 1;\nanswer(in);", 0, 0},
	[FAULT_exit_before] = {"_exit(0);", 0, 0},
	[FAULT_exit_after] = {"answer(in);\n_exit(0);", 0, 0},
	[FAULT_kill_before] = {"kill(getpid(), SIGKILL);", 0, FAULT_HITS_SERVER},
	[FAULT_kill_after] = {"answer(in);\nkill(getpid(), SIGKILL);", 0,
			      FAULT_HITS_SERVER},
	[FAULT_stop_before] = {"kill(getpid(), SIGSTOP);\nanswer(in);", 0,
			       FAULT_HITS_SERVER},
	[FAULT_stop_after] = {"answer(in);\nkill(getpid(), SIGSTOP);", 0,
			      FAULT_HITS_SERVER},
	[FAULT_self_open] = {"TRY(open($O, O_RDONLY | O_CLOEXEC | O_NONBLOCK));\n"
			     "answer(in);",
			     0, FAULT_OPENS},
	[FAULT_self_read] = {"char byte;\n"
			     "int own = open($O, O_RDONLY | O_CLOEXEC | O_NONBLOCK);\n\n"
			     "TRY(read(own, &byte, 1));\n"
			     "close(own);\n"
			     "answer(in);",
			     0, FAULT_OPENS},
	[FAULT_self_stat] = {"TRY(stat($O, &st));\nanswer(in);", 0, FAULT_STATS},
	[FAULT_intr_ignore] = {"", 0, 0},
	[FAULT_intr_enosys] = {"reply(in, -ENOSYS, NULL, 0); /* the kernel sends no more "
			       "of them */",
			       0, FAULT_ANSWERS_INTR},
	[FAULT_intr_again] = {"static uint64_t last, times; /* the kernel sends it again "
			      "at once */\n\n"
			      "times = in->unique == last ? times + 1 : 1;\n"
			      "last = in->unique;\n"
			      "if (times <= 8)\n"
			      "\treply(in, -EAGAIN, NULL, 0);",
			      0, FAULT_ANSWERS_INTR},
	[FAULT_intr_honour] = {"interrupt_held(((struct fuse_interrupt_in *)(in + "
			       "1))->unique);",
			       HOLD_INTR, 0},
	[FAULT_thread_exit] = {"syscall(SYS_exit, 0);", 0, 0},
};

const struct fault_code *fault_code_of(const struct scn_fault *fault)
{
	bool own = fault_table[fault->action].arg == ARG_PATH;
	/* Not on its own mount, one request that is all of its group: nothing special. */
	bool plain = (own && fault->value >= PATH_OUT) ||
		     (fault->action == FAULT_reorder && fault->value < 2);

	return &codes[plain ? FAULT_none : fault->action];
}

static void emit_placeholder(struct emitter *em, const struct scn_fault *fault,
			     unsigned int rule, char c)
{
	const char *name = strerrorname_np(fault->value);

	if (c == 'R')
		emit(em, "%u", rule);
	else if (c == 'M' && !fault->value)
		emit(em, "1");
	else if (c == 'E' && name)
		emit(em, "%s", name);
	else if (c == 'O' && fault->value == PATH_ROOT)
		emit(em, "MNT");
	else if (c == 'O')
		emit(em, "MNT \"/%s\"", path_table[fault->value]);
	else
		emit(em, "%u", fault->value);
}

/* The code of an action, inside the braces of its condition; ends with a return. */
static void emit_action(struct emitter *em, const struct scn_fault *fault,
			unsigned int rule)
{
	emit(em, "\t\t");
	for (const char *code = fault_code_of(fault)->code; *code; code++) {
		if (*code == '$')
			emit_placeholder(em, fault, rule, *++code);
		else if (*code == '\n')
			emit(em, code[1] == '\n' ? "\n" : "\n\t\t");
		else
			emit(em, "%c", *code);
	}
	emit(em, "\n\t\treturn;\n");
}

static void emit_condition(struct emitter *em, const struct scn_fault *fault)
{
	if (fault->opcode)
		emit(em, "in->opcode == FUSE_%s", opcode_name(fault->opcode));
	else
		emit(em,
		     "in->opcode != FUSE_FORGET && in->opcode != FUSE_BATCH_FORGET &&\n"
		     "\t    in->opcode != FUSE_INTERRUPT");
	if (fault->requester < SCN_MAX_TASKS)
		emit(em, " && (pid_t)in->pid == shared->t%u", fault->requester);
	else if (fault->requester == ACTOR_DAEMON)
		emit(em, " && from_server(in->pid)");
	else if (fault->requester == ACTOR_KERNEL)
		emit(em, " && in->pid == 0");
}

/* The request is read, and that is all. */
static bool silent(const struct emitter *em, const struct scn_fault *fault)
{
	return !*fault_code_of(fault)->code ||
	       (fault->action == FAULT_hold && !em->needs.hold_plain) ||
	       (fault->action == FAULT_intr_honour && !em->needs.holds);
}

/* Each rule counts what it matches, whichever rule decides in the end. */
void emit_rules(struct emitter *em)
{
	const struct scenario *scn = em->scn;
	bool needs_gap = em->needs.holds & HOLD_MORE;
	char line[200];

	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (scn->faults[i].nth)
			emit(em, "\tstatic int seen%u;\n", i + 1);
	for (unsigned int i = 0; i < scn->n_faults; i++) {
		if (!scn->faults[i].nth)
			continue;
		needs_gap = true;
		emit(em, "\tint nth%u = (", i + 1);
		emit_condition(em, &scn->faults[i]);
		emit(em, ") && ++seen%u == %u;\n", i + 1, scn->faults[i].nth);
	}
	if (needs_gap)
		emit(em, "\n");
	for (unsigned int i = 0; i < scn->n_faults; i++) {
		scenario_format_fault(&scn->faults[i], line, sizeof(line));
		emit(em, "\t/* %s */\n\tif (", line);
		if (scn->faults[i].nth)
			emit(em, "nth%u", i + 1);
		else
			emit_condition(em, &scn->faults[i]);
		if (silent(em, &scn->faults[i])) {
			emit(em, ")\n\t\treturn;\n");
			continue;
		}
		emit(em, ") {\n");
		emit_action(em, &scn->faults[i], i + 1);
		emit(em, "\t}\n");
	}
}

void emit_from_server(struct emitter *em)
{
	emit(em,
	     "\nstatic int from_server(pid_t pid)\n"
	     "{\n"
	     "\tfor (int i = 0; i < %u; i++)\n"
	     "\t\tif (shared->serving[i] == pid)\n"
	     "\t\t\treturn 1;\n"
	     "\treturn 0;\n"
	     "}\n",
	     em->scn->config.threads + 1);
}

void emit_faults(struct emitter *em)
{
	bool counts = em->needs.holds & HOLD_MORE;

	if (em->needs.holds)
		emit_holds(em);
	emit(em, "\nstatic void handle(const struct fuse_in_header *in)\n{\n");
	if (counts)
		emit(em, "\tn_reads++;\n");
	emit_rules(em);
	emit(em, "\tanswer(in);\n}\n");
}
