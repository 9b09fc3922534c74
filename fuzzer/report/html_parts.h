/* SPDX-License-Identifier: MIT */
/* Tables of a qualification's HTML page. */
#ifndef SF_HTML_PARTS_H
#define SF_HTML_PARTS_H

#include <stdio.h>

#include "fuzzer/qualify/qualification.h"

/* Scenario x kernel, rungs as colours; cells lead to "#rN", N the index of the row. */
void html_matrix(const struct qualification *q, FILE *out);
/* Kernels, what their executors said, times. */
void html_environment(const struct qualification *q, FILE *out);

#endif
