/* SPDX-License-Identifier: MIT */
/* Arguments of steps and fault rules by their class: range, canonical value, text. */
#ifndef SF_ARGS_H
#define SF_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "names.h"
#include "tables.h"

struct arg_info {
	const char *name;   /* "FD"; NULL for ARG_NONE */
	const char *values; /* what a person may write: "fd0 .. fd7" */
};

extern const struct arg_info arg_table[ARG_CLASS_COUNT];

/* v brought into the range of its class; a value that is in range is returned as it is. */
unsigned int arg_canonical(enum arg_class class, unsigned int v);

/* Text of a canonical value, e.g. "rdwr|append". Length as snprintf(3). Not for ARG_NONE. */
int arg_format(enum arg_class class, unsigned int v, char *buf, size_t size);

/* 0, or -EINVAL with what was found and what was expected in message. */
int arg_parse(enum arg_class class, struct word word, unsigned int *ret_v, char *message,
	      size_t size);

/* A decimal number up to max, nothing else. 0 or -EINVAL. */
int number_parse(struct word word, unsigned int max, unsigned int *ret_v);

/* opcode if opcode_table has it, else one that it has, or 0 (any). */
unsigned int opcode_canonical(unsigned int opcode);

/* Is it one of the actions that only a rule for INTERRUPT can have? */
bool fault_is_interrupt(unsigned int action);

/* The actor that a step with this operation goes to: the given one if it may do it, else one that may. */
unsigned int op_actor(unsigned int op, unsigned int actor);

#endif
