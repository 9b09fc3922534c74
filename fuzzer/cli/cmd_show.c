/* SPDX-License-Identifier: MIT */
/* shortfuse show: prints a scenario, text or bytes, as canonical text. */

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "harness/scenario/text.h"
#include "fuzzer/finding/scenario_file.h"

struct arguments {
	const char *file;
	bool numbers;
};

static const struct argp_option options[] = {
	{"numbers", 'n', NULL, 0, "number the steps, as hold_until_step counts them", 0},
	{0},
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case 'n':
		args->numbers = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->file)
			argp_error(state, "one FILE only, '%s' is too many", arg);
		args->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FILE?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_opt,
	.args_doc = "FILE",
	.doc = "Print a scenario as text.\v"
	       "FILE is text or bytes, the folder of a finding, or - for the standard "
	       "input.",
};

/* The steps are the last lines of the text. */
static void print_numbered(const struct scenario *scn, char *text)
{
	unsigned int lines = 0, line = 0;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	for (char *next = text, *end; (end = strchr(next, '\n')); next = end + 1) {
		*end = 0;
		if (++line > lines - scn->n_steps)
			printf("%-40s # %u\n", next, line - (lines - scn->n_steps));
		else
			printf("%s\n", next);
	}
}

int cmd_show(int argc, char **argv)
{
	char err[SCENARIO_FILE_ERROR], text[16384];
	struct arguments args = {0};
	struct scenario scn;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (scenario_file_load(args.file, &scn, err) < 0) {
		fprintf(stderr, "%s\n", err);
		return EXIT_USAGE;
	}
	if (scenario_format(&scn, text, sizeof(text)) < 0) {
		fprintf(stderr, "%s: the text does not fit\n", args.file);
		return EXIT_INFRA;
	}
	if (args.numbers)
		print_numbered(&scn, text);
	else
		fputs(text, stdout);
	if (fflush(stdout) || ferror(stdout)) {
		perror("standard output");
		return EXIT_INFRA;
	}
	return EXIT_CLEAN;
}
