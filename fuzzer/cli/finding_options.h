/* SPDX-License-Identifier: MIT */
/* What the commands that take one finding have in common: its name, --target, --output, --json, numbers, ^C. */
#ifndef SF_FINDING_OPTIONS_H
#define SF_FINDING_OPTIONS_H

#include <argp.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

#include "fuzzer/finding/finding_file.h"
#include "fuzzer/finding/probe.h"

struct finding_options {
	const char *finding, *output, *target; /* NULL: not said */
	bool json;
};

/*
 * Children of the command's argp, whose parser sets state->child_inputs[0] to a struct finding_options at
 * ARGP_KEY_INIT, and knows no argument.
 */
extern const struct argp_child finding_children[];

/* The number in arg, from 1 to max; anything else is a usage error. */
unsigned int option_number(struct argp_state *state, const char *arg, long max);

/* Loads the finding, tells what is wrong. 0 or an exit status. */
int finding_options_load(const struct finding_options *options, struct finding_file *ret);

/* Opens the target, tells what is wrong. 0 or an exit status. */
int finding_options_open(const char *target, struct probe *ret);

/* One object on standard output, and forgets it. */
void finding_options_print(json_t *json);

/* Set by the first SIGINT or SIGTERM after interrupt_catch(); the second one kills. */
extern volatile sig_atomic_t interrupted;
void interrupt_catch(void);

#endif
