/* SPDX-License-Identifier: MIT */
/* The shortfuse program: picks the subcommand. */

#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"run", cmd_run, "run scenarios, tell their verdicts"},
	{"show", cmd_show, "print a scenario as text"},
	{"asm", cmd_asm, "write a scenario as bytes"},
	{"list", cmd_list, "list ops, faults, verdicts, targets or coverage"},
	{"fuzz", cmd_fuzz, "run a campaign: AFL++ drives, findings are kept"},
	{"serve", cmd_serve, "run scenarios for afl-showmap, afl-cmin, afl-tmin"},
	{"replay", cmd_replay, "how often a finding shows; --search for a better timing"},
	{"min", cmd_min, "make a finding smaller, same signature"},
	{"bisect-kernels", cmd_bisect_kernels,
	 "which of a list of kernels show a finding"},
	{"export", cmd_export, "write a finding as one C file for libc"},
	{"mutate", cmd_mutate, "mutate or generate scenarios without AFL++"},
	{"kernel", cmd_kernel, "get and list kernels for qemu:"},
	{"doctor", cmd_doctor, "what this machine can do, and why not"},
	{"diagnose", cmd_diagnose, "explain what hangs on FUSE on this very machine"},
	{"qualify", cmd_qualify,
	 "may this kernel be rolled out? corpus, fuzzing, one verdict"},
	{"report", cmd_report, "the page of a campaign or of a qualification"},
	{"merge", cmd_merge, "many campaigns as one: findings, queues, counts"},
	{"nightly", cmd_nightly, "fuzz each kernel every night, say what changed"},
	{"fleet", cmd_fleet, "one campaign on many machines: Slurm, GNU parallel"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	fprintf(out, "usage: shortfuse COMMAND [OPTION...] [ARGUMENT...]\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "\n'shortfuse COMMAND --help' tells the options of a command.\n");
}

int main(int argc, char **argv)
{
	static char name[64];

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_CLEAN;
	}
	argp_err_exit_status = EXIT_USAGE;
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		snprintf(name, sizeof(name), "shortfuse %s", commands[i].name);
		argv[1] = name;
		return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "shortfuse: unknown command '%s'; 'shortfuse help' lists them\n",
		argv[1]);
	return EXIT_USAGE;
}
