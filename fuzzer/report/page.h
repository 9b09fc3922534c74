/* SPDX-License-Identifier: MIT */
/* What the HTML pages share: the frame with its style sheet, and the evidence of a finding. */
#ifndef SF_PAGE_H
#define SF_PAGE_H

#include <stdbool.h>
#include <stdio.h>

/* Up to <main>; the title is plain text. No script, nothing that is fetched. */
void page_begin(FILE *out, const char *title);
void page_end(FILE *out);

/*
 * The evidence in a finding's folder (fuzzer/campaign/findings.h), folded up: graph, stacks, scenario, C reproducer,
 * kernel log, as far as they are there. reproducer: shown where the folder has no repro.c, or NULL. False: no such folder, nothing was
 * written.
 */
bool page_evidence(FILE *out, int dir_fd, const char *folder, const char *title,
		   const char *reproducer);

/* "1:02:03", "4.2 s", "180 ms" */
void page_span(FILE *out, double seconds);

#endif
