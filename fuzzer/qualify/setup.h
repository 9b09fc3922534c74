/* SPDX-License-Identifier: MIT */
/* Makes the columns and rows of a new qualification from what the command was given. */
#ifndef SF_SETUP_H
#define SF_SETUP_H

#include "settings.h"

#define SETUP_KERNELS_MAX 64

struct setup {
	const char *kernels[SETUP_KERNELS_MAX], *baseline; /* baseline NULL: none */
	unsigned int n_kernels, n_sweeps;
	struct sweep sweeps[SETTINGS_MAX];
	const char *const *corpus; /* files and folders, ends with NULL */
};

/* Every kernel under every combination of settings, then the baseline the same way. 0; -EINVAL or -ENOMEM with err[300]. */
int setup_columns(struct qualification *q, const struct setup *setup, char *err);

/* A row for every scenario of the corpus, by name. 0; -errno with a line in err[600]. */
int setup_rows(struct qualification *q, const struct setup *setup, char *err);

#endif
