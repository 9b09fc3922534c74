/* SPDX-License-Identifier: MIT */
/* The script that a task of a fleet is: plain sh, as it runs where nothing of ours is but the program. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet.h"

/* In single quotes, as a shell takes it. */
static void quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	}
	fputc('\'', out);
}

static void assign(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=", name);
	quoted(out, value);
	fputc('\n', out);
}

static const char body[] =
	"task=${SLURM_ARRAY_TASK_ID:-${1:?which task?}}\n"
	"if [ \"$task\" -ge \"$total\" ]; then echo \"there is no task $task\" >&2; exit "
	"2; fi\n"
	"run=$(mktemp -d \"$fleet/runs/$task-XXXXXXXX\") || exit 75\n"
	"chmod 755 \"$run\"\n"
	"# A seed is taken once, by whoever makes its folder: a task that runs twice "
	"takes the next of its own.\n"
	"seed=$((base + task))\n"
	"until mkdir \"$fleet/seeds/$seed\" 2>/dev/null; do\n"
	"  [ -d \"$fleet/seeds\" ] || exit 75\n"
	"  seed=$((seed + total))\n"
	"done\n"
	"echo \"$seed\" >\"$run/seed\"\n"
	"hostname >\"$run/host\"\n"
	"campaign=$run/campaign\n"
	"if [ -n \"$stage\" ]; then\n"
	"  local=$(mktemp -d \"$stage/shortfuse-XXXXXXXX\") || exit 75\n"
	"  campaign=$local/campaign\n"
	"fi\n"
	"# The program runs as a child: a shell that is told to stop passes that on, and "
	"75 asks to be queued again.\n"
	"\"$shortfuse\" fuzz --target \"$kernel\" --time \"$time\" --seed \"$seed\" "
	"$jobs --quiet \\\n"
	"  -o \"$campaign\" >\"$run/log\" 2>&1 &\n"
	"pid=$!\n"
	"trap 'kill -INT $pid 2>/dev/null' INT TERM\n"
	"while :; do\n"
	"  wait $pid\n"
	"  status=$?\n"
	"  kill -0 $pid 2>/dev/null || break\n"
	"done\n"
	"if [ -n \"$stage\" ]; then\n"
	"  if [ -d \"$campaign\" ]; then\n"
	"    cp -r \"$campaign\" \"$run/.campaign\" && mv \"$run/.campaign\" "
	"\"$run/campaign\" || status=3\n"
	"  fi\n"
	"  rm -rf \"$local\"\n"
	"fi\n"
	"echo \"$status\" >\"$run/.status\" && mv \"$run/.status\" \"$run/status\" || "
	"exit 75\n"
	"case $status in\n"
	"0 | 1) exit 0 ;;\n"
	"2) exit 2 ;;\n"
	"*) if [ \"${SLURM_RESTART_COUNT:-0}\" -ge 3 ]; then exit 3; else exit 75; fi "
	";;\n"
	"esac\n";

char *fleet_worker(const struct fleet_options *o, const char *dir, const char *program)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fputs("#!/bin/sh\n# One task of a fleet; \"shortfuse fleet submit\" wrote it. "
	      "Its number: $SLURM_ARRAY_TASK_ID or the argument.\nset -u\n",
	      out);
	assign(out, "fleet", dir);
	assign(out, "shortfuse", program);
	assign(out, "stage", o->stage ? o->stage : "");
	fprintf(out, "total=%u\nbase=%" PRIu64 "\ntime=%lds\n", o->n_kernels * o->workers,
		o->seed, o->seconds);
	fprintf(out, "jobs='%s%s'\n", o->jobs ? "--jobs " : "", o->jobs ? o->jobs : "");
	fprintf(out, "n=${SLURM_ARRAY_TASK_ID:-${1:-0}}\ncase $((n %% %u)) in\n",
		o->n_kernels);
	for (unsigned int i = 0; i < o->n_kernels; i++) {
		fprintf(out, "%u) kernel=", i);
		quoted(out, o->kernels[i]);
		fputs(" ;;\n", out);
	}
	fputs("esac\n", out);
	fputs(body, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
