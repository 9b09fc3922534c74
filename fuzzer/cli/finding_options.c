/* SPDX-License-Identifier: MIT */
/* Options of the commands that take one finding. */

#include "finding_options.h"
#include "targets/auto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "fuzzer/finding/scenario_file.h"

static const struct argp_option options[] = {
	{"target", 't', "TARGET", 0,
	 "where it runs: host (default), uml[:IMAGE] or qemu:KERNEL", 1},
	{"output", 'o', "FILE", 0, "where the result goes", 1},
	{"json", 'j', NULL, 0, "one JSON object on standard output, for programs", 1},
	{0},
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct finding_options *opt = state->input;

	switch (key) {
	case 't':
		opt->target = arg;
		return 0;
	case 'o':
		opt->output = arg;
		return 0;
	case 'j':
		opt->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (opt->finding)
			argp_error(state, "one FINDING only, '%s' is too many", arg);
		opt->finding = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FINDING?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {.options = options, .parser = parse_opt};
const struct argp_child finding_children[] = {{&argp, 0, NULL, 0}, {0}};

unsigned int option_number(struct argp_state *state, const char *arg, long max)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (*end || end == arg || n < 1 || n > max)
		argp_error(state, "'%s' is not a number from 1 to %ld", arg, max);
	return (unsigned int)n;
}

int finding_options_load(const struct finding_options *opt, struct finding_file *ret)
{
	char err[SCENARIO_FILE_ERROR];

	if (finding_file_load(opt->finding, ret, err) >= 0)
		return 0;
	fprintf(stderr, "%s\n", err);
	return EXIT_USAGE;
}

static void say(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

int finding_options_open(const char *target, struct probe *ret)
{
	static char spec[SPEC_MAX];
	char err[AUTO_ERROR];
	int error = target_resolve(target, spec, say, err);

	if (!error)
		error = probe_open(ret, spec, err);
	if (error >= 0)
		return 0;
	fprintf(stderr, "shortfuse: %s: %s\n", target, err);
	return error == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
}

void finding_options_print(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(1));
	putchar('\n');
	fflush(stdout);
	json_decref(json);
}

volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

void interrupt_catch(void)
{
	struct sigaction interrupt = {.sa_handler = on_interrupt,
				      .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
}
