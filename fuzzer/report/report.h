/* SPDX-License-Identifier: MIT */
/*
 * Reports of a qualification, one function a format: rows of report_formats[]. To add one: a file here, a row there.
 *
 *	state		KTAP		JUnit		KCIDB
 *	same, changed, flaky, better
 *			ok		passed		PASS
 *	known		ok # XFAIL	skipped		PASS (misc.known)
 *	undecided	ok # SKIP	skipped		MISS
 *	untested	not ok		error		ERROR
 *	worse		not ok		failure		FAIL
 */
#ifndef SF_REPORT_H
#define SF_REPORT_H

#include <stdio.h>

#include "fuzzer/qualify/qualification.h"

/* What a report is made of. dir_fd: the qualification's folder with its evidence, or -1. */
struct report {
	const struct qualification *q;
	int dir_fd;
};

struct report_format {
	const char *option, *help;
	int (*write)(const struct report *report, FILE *out); /* 0 or -errno */
};

extern const struct report_format report_formats[]; /* ends with option NULL */

int report_ktap(const struct report *report, FILE *out);
int report_junit(const struct report *report, FILE *out);
int report_kcidb(const struct report *report, FILE *out);
int report_json(const struct report *report, FILE *out);
int report_html(const struct report *report, FILE *out);
int report_kernel_matrix(const struct report *report, FILE *out);

/* To a file, complete or not at all; "-" is the standard output. 0 or -errno. */
int report_to_file(const struct report *report, const struct report_format *format,
		   const char *path);

/* The same for a text that is made already. */
int report_text_to_file(const char *path, const char *text, size_t len);

/* The page of a campaign whose folder this is. 0, -ENOENT: it is none, -errno. */
int report_campaign_html(int dir_fd, FILE *out);
/* The same from a folder to a file. 0 or -errno. */
int report_campaign(const char *dir, const char *path);

#endif
