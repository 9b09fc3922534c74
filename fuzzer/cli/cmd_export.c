/* SPDX-License-Identifier: MIT */
/* shortfuse export: a finding as one C file that needs nothing but libc. */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "fuzzer/export/export.h"
#include "finding_options.h"
#include "harness/protocol/proto.h"
#include "fuzzer/try/try_c.h"

struct arguments {
	struct finding_options opt;
	const char *frame, *try;
	int verdict; /* -1: find out */
	int limit_s; /* of --try; 0: as try_c() has it */
};

static const struct argp_option options[] = {
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
	case 'T':
		args->try = arg;
		return 0;
	case 'l':
		args->limit_s = (int)option_number(state, arg, 86400);
		return 0;
	case 'F':
		args->frame = arg;
		return 0;
	case 'v':
		args->verdict = verdict_by_name(arg);
		if (args->verdict < 0)
			argp_error(state, "unknown verdict '%s'", arg);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->opt;
		return 0;
	case ARGP_KEY_END:
		if (args->try && !args->opt.output)
			argp_error(state, "--try needs -o FILE");
		if (args->opt.json && !args->try)
			argp_error(state, "--json tells of a --try");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_opt,
	.children = finding_children,
	.args_doc = "FINDING",
	.doc = "Write a finding as one C file for libc alone, to compile and mail.\v"
	       "FINDING is a scenario (text or bytes) or the folder of a finding. The C "
	       "program "
	       "exits with 1 when it reproduced. Without -o the file goes to standard "
	       "output. --target: where the scenario is run to see verdict and stack, if "
	       "not where it is tried. With --json the program's output is in the "
	       "object.",
};

#define LEARN_TRIES 3

/* What it shows here and now is what the C file is to show: a run, or more until one is flagged. */
static int learn(const struct arguments *args, struct finding_file *finding)
{
	struct probe probe;
	int ret = finding_options_open(args->opt.target, &probe);

	if (ret)
		return ret;
	for (int i = 0; i < LEARN_TRIES && !ret; i++) {
		struct result res;

		ret = probe_run(&probe, &finding->scn, RUN_DETAILS, &res);
		if (!ret)
			finding_file_learn(finding, &res);
		result_release(&res);
		if (verdict_table[finding->verdict].severity >= SEVERITY_CONTRACT)
			break;
	}
	probe_close(&probe);
	if (!ret && finding->verdict != VERDICT_INFRA)
		return 0;
	fprintf(stderr, "shortfuse: %s: no verdict on %s\n", finding->path,
		args->opt.target);
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
	if (!ret && args->opt.output)
		ret = finding_file_write(args->opt.output, text, len);
	else if (!ret && (fwrite(text, 1, len, stdout) != len || fflush(stdout)))
		ret = -EIO;
	free(text);
	if (ret < 0)
		fprintf(stderr, "shortfuse: %s: %s\n",
			args->opt.output ? args->opt.output : "standard output",
			strerror(-ret));
	return ret < 0 ? EXIT_INFRA : EXIT_CLEAN;
}

/* With --json what the program writes becomes a part of the object. */
static int try_it(const struct arguments *args, const struct finding_file *finding)
{
	char err[300] = "", *text = NULL;
	size_t len = 0;
	FILE *out = args->opt.json ? open_memstream(&text, &len) : stdout;
	int ret;

	if (!out)
		return EXIT_INFRA;
	ret = try_c(args->opt.output, args->try, args->limit_s, out, err);
	if (args->opt.json) {
		fclose(out);
		finding_options_print(json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "finding",
			finding->path, "target", args->try, "file", args->opt.output,
			"verdict", verdict_table[finding->verdict].name, "frame",
			args->frame ? args->frame : finding->frame, "reproduced",
			ret < 0 || ret > 1 ? json_null() : json_boolean(ret), "output",
			text, "error", err));
		free(text);
	} else if (ret < 0 && ret != -EINTR) {
		fprintf(stderr, "shortfuse: %s: %s\n", args->try, err);
	}
	if (ret == -EINTR)
		return 128 + SIGINT;
	return ret == 0 ? EXIT_CLEAN : ret == 1 ? EXIT_FLAGGED : EXIT_INFRA;
}

int cmd_export(int argc, char **argv)
{
	struct arguments args = {.verdict = -1};
	struct finding_file finding;
	bool elsewhere;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	status = finding_options_load(&args.opt, &finding);
	if (status)
		return status;
	/* Another kernel waits in other functions: what it shows there is asked there. */
	elsewhere = args.opt.target || (args.try && strcmp(args.try, "host") != 0);
	if (!args.opt.target)
		args.opt.target = args.try;
	if (!args.opt.target)
		args.opt.target = "host";
	if (args.verdict >= 0)
		finding.verdict = (enum verdict)args.verdict;
	else if (!finding.known || elsewhere)
		status = learn(&args, &finding);
	if (!status)
		status = write_c(&args, &finding);
	if (status || !args.try)
		return status;
	return try_it(&args, &finding);
}
