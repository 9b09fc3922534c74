/* SPDX-License-Identifier: MIT */
/* shortfuse asm: writes a scenario as bytes. */

#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "harness/scenario/codec.h"
#include "fuzzer/finding/scenario_file.h"

struct arguments {
	const char *file, *out;
};

static const struct argp_option options[] = {
	{"output", 'o', "OUT", 0, "file to write, - for the standard output", 0},
	{0},
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case 'o':
		args->out = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->file)
			argp_error(state, "one FILE only, '%s' is too many", arg);
		args->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->file)
			argp_error(state, "which FILE?");
		if (!args->out)
			argp_error(state, "where to? -o OUT is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_opt,
	.args_doc = "FILE -o OUT",
	.doc = "Write a scenario as bytes.\v"
	       "FILE is text (or bytes, which are brought into canonical form), the "
	       "folder of a "
	       "finding, or - for the standard input.",
};

static int write_out(const char *path, const void *data, size_t len)
{
	FILE *out = strcmp(path, "-") ? fopen(path, "we") : stdout;
	int error = 0;

	if (!out)
		return -errno;
	if (fwrite(data, 1, len, out) != len || fflush(out))
		error = -errno;
	if (out != stdout && fclose(out) && !error)
		error = -errno;
	return error;
}

int cmd_asm(int argc, char **argv)
{
	char err[SCENARIO_FILE_ERROR];
	uint8_t bytes[SCN_MAX_BYTES];
	struct arguments args = {0};
	struct scenario scn;
	int len, ret;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (scenario_file_load(args.file, &scn, err) < 0) {
		fprintf(stderr, "%s\n", err);
		return EXIT_USAGE;
	}
	len = scenario_encode(&scn, bytes, sizeof(bytes));
	ret = len < 0 ? len : write_out(args.out, bytes, len);
	if (ret < 0) {
		fprintf(stderr, "%s: %s\n", args.out, strerror(-ret));
		return EXIT_INFRA;
	}
	return EXIT_CLEAN;
}
