/* SPDX-License-Identifier: MIT */
/* shortfuse export: a finding as one C file that needs nothing but libc. */

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "export/export.h"
#include "finding_file.h"
#include "harness/protocol/proto.h"
#include "probe.h"
#include "scenario_file.h"
#include "try_c.h"

struct arguments {
	const char *finding, *output, *target, *frame, *try;
	int verdict; /* -1: find out */
	int limit_s; /* of --try; 0: as try_c() has it */
};

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "where to write it (default: standard output)", 0},
	{"target", 't', "TARGET", 0,
	 "where to run the scenario once, to see verdict and stack (default: where it is "
	 "tried, or host)",
	 0},
	{"try", 'T', "TARGET", 0,
	 "compile the C file and run it on host or qemu:KERNEL; needs -o", 0},
	{"time-limit", 'l', "SECONDS", 0,
	 "of --try (default: 60, 180 in a guest); then the program is ended and its "
	 "tasks "
	 "are freed",
	 0},
	{"verdict", 'v', "VERDICT", 0, "do not run it: this is what it shows", 0},
	{"frame", 'F', "FUNCTION", 0, "kernel function that the stuck task must be in",
	 0},
	{0},
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case 'o':
		args->output = arg;
		return 0;
	case 't':
		args->target = arg;
		return 0;
	case 'T':
		args->try = arg;
		return 0;
	case 'l':
		args->limit_s = atoi(arg);
		if (args->limit_s < 1 || args->limit_s > 86400)
			argp_error(state, "'%s' is not a number of seconds", arg);
		return 0;
	case 'F':
		args->frame = arg;
		return 0;
	case 'v':
		args->verdict = verdict_by_name(arg);
		if (args->verdict < 0)
			argp_error(state, "unknown verdict '%s'", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (args->finding)
			argp_error(state, "one FINDING only, '%s' is too many", arg);
		args->finding = arg;
		return 0;
	case ARGP_KEY_END:
		if (args->try && !args->output)
			argp_error(state, "--try needs -o FILE");
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FINDING?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_opt,
	.args_doc = "FINDING",
	.doc = "Write a finding as one C file for libc alone, to compile and mail.\v"
	       "FINDING is a scenario (text or bytes) or the folder of a finding. The C "
	       "program "
	       "exits with 1 when it reproduced.",
};

/* Runs it once: what it shows here and now is what the C file is to show. */
static int learn(const struct arguments *args, struct finding_file *finding)
{
	struct probe probe;
	struct result res;
	char err[300];
	int ret = probe_open(&probe, args->target, err);

	if (ret < 0) {
		fprintf(stderr, "shortfuse: %s: %s\n", args->target, err);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	}
	ret = probe_run(&probe, &finding->scn, RUN_DETAILS, &res);
	if (!ret)
		finding_file_learn(finding, &res);
	result_release(&res);
	probe_close(&probe);
	if (!ret && finding->verdict != VERDICT_INFRA)
		return 0;
	fprintf(stderr, "shortfuse: %s: no verdict on %s\n", finding->path, args->target);
	return EXIT_INFRA;
}

static int write_c(const struct arguments *args, const struct finding_file *finding)
{
	struct export_facts facts = {
		.title = finding->title,
		.verdict = finding->verdict,
		.reason = finding->reason,
		.frame = args->frame ? args->frame : finding->frame,
	};
	char err[200] = "", *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int ret = out ? export_c(&finding->scn, &facts, out, err) : -ENOMEM;

	if (out)
		fclose(out);
	if (ret == -EOPNOTSUPP) {
		fprintf(stderr, "shortfuse: %s cannot be exported: %s\n", finding->path,
			err);
		free(text);
		return EXIT_USAGE;
	}
	if (!ret && args->output)
		ret = finding_file_write(args->output, text, len);
	else if (!ret && (fwrite(text, 1, len, stdout) != len || fflush(stdout)))
		ret = -EIO;
	free(text);
	if (ret < 0)
		fprintf(stderr, "shortfuse: %s: %s\n",
			args->output ? args->output : "standard output", strerror(-ret));
	return ret < 0 ? EXIT_INFRA : EXIT_CLEAN;
}

static int try_it(const struct arguments *args)
{
	char err[300] = "";
	int ret = try_c(args->output, args->try, args->limit_s, err);

	if (ret == -EINTR)
		return 128 + SIGINT;
	if (ret < 0)
		fprintf(stderr, "shortfuse: %s: %s\n", args->try, err);
	return ret == 0 ? EXIT_CLEAN : ret == 1 ? EXIT_FLAGGED : EXIT_INFRA;
}

int cmd_export(int argc, char **argv)
{
	struct arguments args = {.verdict = -1};
	struct finding_file finding;
	char err[SCENARIO_FILE_ERROR];
	bool elsewhere;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (finding_file_load(args.finding, &finding, err) < 0) {
		fprintf(stderr, "%s\n", err);
		return EXIT_USAGE;
	}
	/* Another kernel waits in other functions: what it shows there is asked there. */
	elsewhere = args.target || (args.try && strcmp(args.try, "host") != 0);
	if (!args.target)
		args.target = args.try ? args.
		try:
			"host";
	if (args.verdict >= 0) {
		finding.verdict = (enum verdict)args.verdict;
	} else if (!finding.known || elsewhere) {
		status = learn(&args, &finding);
		if (status)
			return status;
	}
	status = write_c(&args, &finding);
	return status || !args.try ? status : try_it(&args);
}
