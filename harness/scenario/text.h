/* SPDX-License-Identifier: MIT */
/*
 * Scenario <-> text. One statement a line, "#" starts a comment, blanks separate words:
 *
 *	expect: pinned
 *	config: daemon=inside threads=2 cpus=1 clone_fd leak_fd self_file
 *	mount: default_permissions max_read_4k
 *	init: async_read writeback_cache max_background=1
 *	open: direct_io
 *	cache: hour                           # none (default) | hour
 *	task t0: pidns                        # parent: ctl where none is named
 *	task t1: fork of t0
 *	task t2: thread of daemon late
 *	fault: FLUSH #1 from t1: drop
 *	fault: READ from any: hold_until_step 7
 *	fault: LOOKUP: errno ENOENT
 *	t1: open fd0 f0 rdwr                  # a step: actor, operation, arguments
 *	ctl: kill t0 SIGKILL
 *	daemon: stat f0                       # a step of the daemon's main thread
 *
 * Order of the statements is free except that steps are numbered from 1 in their order.
 */
#ifndef SF_TEXT_H
#define SF_TEXT_H

#include "scenario.h"

struct text_error {
	unsigned int line, column; /* from 1 */
	char message[200];	   /* what was found, what was expected */
};

/* 0, or -EINVAL with *ret_error filled. ret_scn is untouched on failure. text need not end in NUL. */
int scenario_parse(const char *text, size_t len, struct scenario *ret_scn,
		   struct text_error *ret_error);

/* Writes text with a final newline and a NUL. Length without the NUL, or -ENOSPC. 16 KiB suffice. */
int scenario_format(const struct scenario *scn, char *buf, size_t size);

/* One step as its line of text, without number and newline. As scenario_format(). */
int scenario_format_step(const struct scn_step *step, char *buf, size_t size);
/* One rule as its line of text. */
int scenario_format_fault(const struct scn_fault *fault, char *buf, size_t size);

/* True if the bytes look like text rather than records: nothing unprintable, and a line end or a colon. */
bool scenario_is_text(const char *buf, size_t len);

#endif
