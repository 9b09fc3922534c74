/* SPDX-License-Identifier: MIT */
/* shortfuse list: what there is of everything, straight from the tables. */

#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "harness/scenario/args.h"
#include "harness/scenario/verdict.h"
#include "targets/target.h"

static void list_classes(void)
{
	printf("\nARGUMENT  VALUES\n");
	for (int i = 0; i < ARG_CLASS_COUNT; i++) {
		if (arg_table[i].name)
			printf("%-9s %s\n", arg_table[i].name, arg_table[i].values);
	}
}

static void list_names(const char *heading, const struct name_value *table)
{
	int column = printf("\n%s:", heading);

	for (; table->name; table++) {
		if (column + strlen(table->name) > 88)
			column = printf("\n  ");
		column += printf(" %s", table->name);
	}
	printf("\n");
}

static void list_ops(void)
{
	printf("%-14s %-15s %-22s %s\n", "OPERATION", "ACTORS", "ARGUMENTS", "MEANING");
	for (int i = 0; i < OP_COUNT; i++) {
		const struct op_info *op = &op_table[i];
		char who[32], args[64] = "";

		snprintf(who, sizeof(who), "%s%s%s", op->who & WHO_TASK ? "task " : "",
			 op->who & WHO_DAEMON ? "daemon " : "",
			 op->who & WHO_CTL ? "ctl" : "");
		for (int a = 0; a < 4; a++) {
			if (op->arg[a] == ARG_NONE)
				continue;
			strcat(args, *args ? " " : "");
			strcat(args, arg_table[op->arg[a]].name);
		}
		printf("%-14s %-15s %-22s %s\n", op->name, who, args, op->help);
	}
	list_classes();
	printf("\nPATH:");
	for (int i = 0; i < PATH_COUNT; i++)
		printf(" %s", path_table[i]);
	printf("\n");
	list_names("OFLAGS", oflag_table);
	list_names("SIG", signal_table);
	list_names("ERRNO", errno_table);
}

static void list_faults(void)
{
	printf("%-16s %-8s %s\n", "FAULT", "ARGUMENT", "MEANING");
	for (int i = 0; i < FAULT_COUNT; i++) {
		const struct fault_info *fault = &fault_table[i];

		printf("%-16s %-8s %s\n", fault->name,
		       fault->arg == ARG_NONE ? "" : arg_table[fault->arg].name,
		       fault->help);
	}
	list_names("OPCODES", opcode_table);
}

static void list_verdicts(void)
{
	printf("%-11s %-9s %s\n", "VERDICT", "SEVERITY", "MEANING");
	for (int i = 0; i < VERDICT_COUNT; i++)
		printf("%-11s %-9s %s\n", verdict_table[i].name,
		       severity_names[verdict_table[i].severity],
		       verdict_table[i].meaning);
}

static void list_targets(void)
{
	printf("%-8s %s\n", "TARGET", "MEANING");
	for (size_t i = 0; target_backends[i]; i++)
		printf("%-8s %s\n", target_backends[i]->name, target_backends[i]->help);
}

/* Each answers NULL if this machine has it, else why not. */
static const char *has_wait(void)
{
	return access("/proc/self/stack", R_OK) ? "no /proc/PID/stack here: needs root"
						: NULL;
}

static const char *has_ftrace(void)
{
	char tracers[256] = "";
	FILE *in = fopen("/sys/kernel/tracing/available_tracers", "re");

	if (!in)
		in = fopen("/sys/kernel/debug/tracing/available_tracers", "re");
	if (!in)
		return "no tracefs to be read: not root, not mounted, or not in this "
		       "kernel";
	if (!fgets(tracers, sizeof(tracers), in))
		tracers[0] = 0;
	fclose(in);
	return strstr(tracers, "function") ? NULL
					   : "this kernel lacks the function tracer";
}

static const char *has_kcov(void)
{
	return access("/sys/kernel/debug/kcov", R_OK | W_OK)
		       ? "no /sys/kernel/debug/kcov: kernel built without it, or debugfs "
			 "not mounted"
		       : NULL;
}

static const struct {
	const char *name, *help;
	const char *(*missing)(void);
} coverage_sources[] = {
	{"wait",
	 "where tasks block: kernel frame x exit phase x pending signal x fault x opcode",
	 has_wait},
	{"ftrace",
	 "call edges of FUSE, exit, signal and namespace code, the exit path included",
	 has_ftrace},
	{"kcov", "basic blocks, on kernels built with CONFIG_KCOV; blind in do_exit",
	 has_kcov},
};

static void list_coverage(void)
{
	printf("%-8s %-5s %s\n", "SOURCE", "HERE", "MEANING");
	for (size_t i = 0; i < sizeof(coverage_sources) / sizeof(coverage_sources[0]);
	     i++) {
		const char *missing = coverage_sources[i].missing();

		printf("%-8s %-5s %s\n", coverage_sources[i].name, missing ? "no" : "yes",
		       coverage_sources[i].help);
		if (missing)
			printf("%-8s %-5s (%s)\n", "", "", missing);
	}
}

static const struct topic {
	const char *name;
	void (*list)(void);
} topics[] = {
	{"ops", list_ops},	     {"faults", list_faults},
	{"verdicts", list_verdicts}, {"targets", list_targets},
	{"coverage", list_coverage},
};

#define N_TOPICS (sizeof(topics) / sizeof(topics[0]))

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	const struct topic **topic = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*topic)
			argp_error(state, "one list at a time, '%s' is too many", arg);
		for (size_t i = 0; i < N_TOPICS; i++) {
			if (!strcmp(topics[i].name, arg))
				*topic = &topics[i];
		}
		if (!*topic)
			argp_error(state,
				   "no list '%s': ops, faults, verdicts, targets and "
				   "coverage are",
				   arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state,
			   "which list: ops, faults, verdicts, targets or coverage?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse_opt,
	.args_doc = "ops|faults|verdicts|targets|coverage",
	.doc = "List what a scenario can name, what a run can end with, and where it can "
	       "run.",
};

int cmd_list(int argc, char **argv)
{
	const struct topic *topic = NULL;

	argp_parse(&argp, argc, argv, 0, NULL, &topic);
	topic->list();
	if (fflush(stdout) || ferror(stdout)) {
		perror("standard output");
		return EXIT_INFRA;
	}
	return EXIT_CLEAN;
}
