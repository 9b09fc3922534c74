/* SPDX-License-Identifier: MIT */
/* The fault plan of an exported file: which requests are not simply answered. */

#include <linux/fuse.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "harness/scenario/text.h"
#include "parts.h"

static const char held_text[] =
	"\n/* Requests that were read and are answered later. */\n"
	"static struct held {\n"
	"\tstruct fuse_in_header *in;\n"
	"\tint step;	    /* answer it when this step comes, */\n"
	"\tunsigned int reads; /* when so many requests were read, */\n"
	"\tlong ms;	    /* or after so many looks, about a millisecond each */\n"
	"} held[16];\n"
	"static unsigned int n_held, n_reads;\n"
	"\n"
	"static void hold(const struct fuse_in_header *in, struct held until)\n"
	"{\n"
	"\tuntil.in = malloc(in->len);\n"
	"\tmemcpy(until.in, in, in->len);\n"
	"\tif (n_held < 16)\n"
	"\t\theld[n_held++] = until;\n"
	"}\n"
	"\n"
	"static void answer_held(void)\n"
	"{\n"
	"\tfor (unsigned int i = 0; i < n_held; i++) {\n"
	"\t\tstruct held *h = &held[i];\n"
	"\n"
	"\t\tif (!h->in || !(%s(h->reads && n_reads >= h->reads) || (h->ms && "
	"!--h->ms)%s))\n"
	"\t\t\tcontinue;\n"
	"\t\tanswer(h->in);\n"
	"\t\th->in = NULL;\n"
	"\t}\n"
	"}\n";

/* The code of an action, inside the braces of its condition; ends with a return. */
static void emit_action(struct emitter *em, const struct scn_fault *fault)
{
	unsigned int v = fault->value;
	char own[80];

	snprintf(own, sizeof(own), fault->value == PATH_ROOT ? "MNT" : "MNT \"/%s\"",
		 fault->value < PATH_COUNT ? path_table[fault->value] : "");
	switch (fault->action) {
	case FAULT_none:
		emit(em, "\t\tanswer(in);\n");
		break;
	case FAULT_hold:
		if (em->needs.release)
			emit(em, "\t\thold(in, (struct held){0});\n");
		break;
	case FAULT_hold_step:
		emit(em, "\t\thold(in, (struct held){.step = %u});\n", v);
		break;
	case FAULT_hold_more:
		emit(em, "\t\thold(in, (struct held){.reads = n_reads + %u});\n", v);
		break;
	case FAULT_hold_ms:
		emit(em, "\t\thold(in, (struct held){.ms = %u});\n", v ? v : 1);
		break;
	case FAULT_drop:
		break;
	case FAULT_error:
		emit(em, "\t\treply(in, -%u, NULL, 0); /* %s */\n", v,
		     strerrorname_np((int)v));
		break;
	case FAULT_duplicate:
		emit(em, "\t\tanswer(in);\n\t\tanswer(in);\n");
		break;
	case FAULT_bogus:
		emit(em, "\t\tstruct fuse_in_header other = *in;\n\n"
			 "\t\tother.unique += 1000000;\n"
			 "\t\treply(&other, 0, NULL, 0);\n");
		break;
	case FAULT_truncated:
	case FAULT_oversized: /* the kernel refuses it: fuse_copy_out_args() */
		emit(em,
		     "\t\treply(in, 0, \"wrong\", 3); /* not the size of any reply */\n");
		break;
	case FAULT_noread:
		emit(em, "\t\tshared->gate_closed = 1;\n\t\tanswer(in);\n");
		break;
	case FAULT_exit_before:
		emit(em, "\t\t_exit(0);\n");
		break;
	case FAULT_exit_after:
		emit(em, "\t\tanswer(in);\n\t\t_exit(0);\n");
		break;
	case FAULT_kill_before:
		emit(em, "\t\tkill(getpid(), SIGKILL);\n");
		break;
	case FAULT_kill_after:
		emit(em, "\t\tanswer(in);\n\t\tkill(getpid(), SIGKILL);\n");
		break;
	case FAULT_stop_before:
		emit(em, "\t\tkill(getpid(), SIGSTOP);\n\t\tanswer(in);\n");
		break;
	case FAULT_stop_after:
		emit(em, "\t\tanswer(in);\n\t\tkill(getpid(), SIGSTOP);\n");
		break;
	case FAULT_self_open:
		emit(em,
		     "\t\tTRY(open(%s, O_RDONLY | O_CLOEXEC | O_NONBLOCK));\n"
		     "\t\tanswer(in);\n",
		     own);
		break;
	case FAULT_self_read:
		emit(em,
		     "\t\tchar byte;\n"
		     "\t\tint own = open(%s, O_RDONLY | O_CLOEXEC | O_NONBLOCK);\n\n"
		     "\t\tTRY(read(own, &byte, 1));\n"
		     "\t\tclose(own);\n"
		     "\t\tanswer(in);\n",
		     own);
		break;
	case FAULT_self_stat:
		emit(em, "\t\tTRY(stat(%s, &st));\n\t\tanswer(in);\n", own);
		break;
	case FAULT_thread_exit:
		emit(em, "\t\tsyscall(SYS_exit, 0);\n");
		break;
	default:
		break;
	}
	emit(em, "\t\treturn;\n");
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
	return fault->action == FAULT_drop ||
	       (fault->action == FAULT_hold && !em->needs.release);
}

/* Each rule counts what it matches, whichever rule decides in the end. */
void emit_rules(struct emitter *em)
{
	const struct scenario *scn = em->scn;
	bool needs_gap = em->needs.holds;
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
		emit_action(em, &scn->faults[i]);
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
	const struct needs *needs = &em->needs;

	if (needs->holds)
		emit(em, held_text,
		     needs->hold_step
			     ? "(h->step && shared->coming >= h->step) ||\n\t\t      "
			     : "",
		     needs->release
			     ? " ||\n\t\t      (shared->release && shared->release--)"
			     : "");
	emit(em, "\nstatic void handle(const struct fuse_in_header *in)\n{\n");
	if (needs->holds)
		emit(em, "\tn_reads++;\n");
	emit_rules(em);
	emit(em, "\tanswer(in);\n}\n");
}
