/* SPDX-License-Identifier: MIT */
/*
 * A scenario as one C file that needs nothing but libc: what a kernel developer compiles and mails.
 *
 * The file has only the code that its scenario needs. Pure: nothing is run here. What cannot be
 * written as C is refused in one line rather than written wrongly.
 */
#ifndef SF_EXPORT_H
#define SF_EXPORT_H

#include <stdio.h>

#include "harness/scenario/scenario.h"
#include "harness/scenario/verdict.h"

struct export_facts {
	const char *title;    /* of the first comment line; a name, not a path */
	enum verdict verdict; /* tells which processes are killed before the look */
	const char *reason;   /* one sentence, or "" */
	const char *
		frame; /* kernel function in the stack of the root, e.g. "fuse_flush"; "": any */
};

/* 0, -errno of the stream, or -EOPNOTSUPP with one line in err[200]: what has no C form. */
int export_c(const struct scenario *scn, const struct export_facts *facts, FILE *out,
	     char *err);

#endif
