/* SPDX-License-Identifier: MIT */
/* Of an exported file: requests that its server has read and answers later. */

#include "parts.h"

/* What a held request may wait for: its part of struct held, and when it is over. */
static const struct {
	unsigned int bit;
	const char *field, *over;
} kinds[] = {
	{HOLD_STEP, "\tint step; /* until this step comes */\n",
	 "h->step && shared->coming >= h->step"},
	{HOLD_MORE, "\tunsigned int reads; /* until so many requests were read */\n",
	 "h->reads && n_reads >= h->reads"},
	{HOLD_MS, "\tlong ms; /* for so many looks, about a millisecond each */\n",
	 "h->ms && !--h->ms"},
	{HOLD_KILL, "\tint until_kill; /* until its requester was sent SIGKILL */\n",
	 "h->until_kill && was_killed(h->in->pid)"},
	{HOLD_RELEASE, "", "release && release--"},
	{HOLD_GROUP, "\tint rule; /* until others of this rule have come */\n", NULL},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const char hold_text[] =
	"\nstatic void hold(const struct fuse_in_header *in, struct held until)\n"
	"{\n"
	"\tuntil.in = malloc(in->len);\n"
	"\tmemcpy(until.in, in, in->len);\n"
	"\tif (n_held < 64)\n"
	"\t\theld[n_held++] = until;\n"
	"}\n";

static const char killed_text[] =
	"\n/* SIGKILL is pending as long as a task waits for us; /proc is that of the "
	"first "
	"pid namespace. */\n"
	"static int was_killed(pid_t pid)\n"
	"{\n"
	"\tchar path[64], line[128];\n"
	"\tunsigned long pending = 0;\n"
	"\tFILE *file;\n"
	"\n"
	"\tsnprintf(path, sizeof(path), \"/proc/%d/status\", pid);\n"
	"\tif (!pid || !(file = fopen(path, \"r\")))\n"
	"\t\treturn 0;\n"
	"\twhile (fgets(line, sizeof(line), file) && !sscanf(line, \"SigPnd: %lx\", "
	"&pending))\n"
	"\t\t;\n"
	"\tfclose(file);\n"
	"\treturn pending >> (SIGKILL - 1) & 1;\n"
	"}\n";

static const char group_text[] =
	"\n/* If all of the group are there: the last one first. */\n"
	"static void answer_group(int rule, int size)\n"
	"{\n"
	"\tfor (unsigned int i = 0; i < n_held; i++)\n"
	"\t\tsize -= held[i].in && held[i].rule == rule;\n"
	"\tfor (unsigned int i = n_held; size <= 0 && i-- > 0;) {\n"
	"\t\tif (!held[i].in || held[i].rule != rule)\n"
	"\t\t\tcontinue;\n"
	"\t\tanswer(held[i].in);\n"
	"\t\theld[i].in = NULL;\n"
	"\t}\n"
	"}\n";

static const char interrupt_text[] =
	"\n/* An interrupted request that is held is answered with EINTR. */\n"
	"static void interrupt_held(uint64_t unique)\n"
	"{\n"
	"\tfor (unsigned int i = 0; i < n_held; i++) {\n"
	"\t\tif (!held[i].in || held[i].in->unique != unique)\n"
	"\t\t\tcontinue;\n"
	"\t\treply(held[i].in, -EINTR, NULL, 0);\n"
	"\t\theld[i].in = NULL;\n"
	"\t}\n"
	"}\n";

static void emit_answer_held(struct emitter *em)
{
	unsigned int watched = em->needs.holds & HOLD_WATCHED;
	bool one = !(watched & (watched - 1));
	const char *before = "";

	emit(em, "\nstatic void answer_held(void)\n{\n");
	if (em->needs.holds & HOLD_RELEASE)
		emit(em, "\tint release = shared->release;\n\n"
			 "\tif (release)\n"
			 "\t\tshared->release = 0;\n");
	emit(em, "\tfor (struct held *h = held; h < held + n_held; h++) {\n"
		 "\t\tif (!h->in || !(");
	for (size_t i = 0; i < N_KINDS; i++) {
		if (!(em->needs.holds & kinds[i].bit) || !kinds[i].over)
			continue;
		emit(em, one ? "%s%s" : "%s(%s)", before, kinds[i].over);
		before = " ||\n\t\t\t\t";
	}
	emit(em, "))\n"
		 "\t\t\tcontinue;\n"
		 "\t\tanswer(h->in);\n"
		 "\t\th->in = NULL;\n"
		 "\t}\n"
		 "}\n");
}

void emit_holds(struct emitter *em)
{
	unsigned int holds = em->needs.holds;

	emit(em, "\n/* Requests that were read and are answered later. */\n"
		 "static struct held {\n"
		 "\tstruct fuse_in_header *in;\n");
	for (size_t i = 0; i < N_KINDS; i++)
		if (holds & kinds[i].bit)
			emit(em, "%s", kinds[i].field);
	emit(em, "} held[64];\nstatic unsigned int n_held%s;\n",
	     holds & HOLD_MORE ? ", n_reads" : "");
	emit(em, "%s", hold_text);
	if (holds & HOLD_KILL)
		emit(em, "%s", killed_text);
	if (holds & HOLD_WATCHED)
		emit_answer_held(em);
	if (holds & HOLD_GROUP)
		emit(em, "%s", group_text);
	if (holds & HOLD_INTR)
		emit(em, "%s", interrupt_text);
}
