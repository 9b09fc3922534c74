/* SPDX-License-Identifier: MIT */
/*
 * The root causes that a campaign has seen, one by one.
 *
 * A signature names all roots of a run together, so runs with two independent hangs give many signatures out of few
 * causes. What a person wants to read first is a finding that shows a cause nobody has seen.
 */
#ifndef SF_ROOTS_H
#define SF_ROOTS_H

#include <stdbool.h>
#include <stdint.h>

#define ROOTS_MAX 4096 /* a power of two; a campaign of an hour sees some 200 */

struct roots {
	uint64_t seen[ROOTS_MAX]; /* open addressing, 0: free */
	unsigned int n;
};

/*
 * text: "worker fuse_flush exit_files; init fuse_file_open running", as in the evidence of a run (explain.h). Returns
 * how many of them are new, and remembers them; a full table knows no new ones.
 */
unsigned int roots_add(struct roots *roots, const char *text);

/* Is this one, without any ";", among them? */
bool roots_has(const struct roots *roots, const char *root);

#endif
