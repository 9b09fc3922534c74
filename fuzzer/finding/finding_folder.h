/* SPDX-License-Identifier: MIT */
/* One finding's folder on disk. Used by findings.c, with its lock held. */
#ifndef SF_FINDING_FOLDER_H
#define SF_FINDING_FOLDER_H

#include "fuzzer/campaign/findings.h"

/* "findings/bug" or "findings/contract". */
const char *folder_section(enum verdict verdict);
/* The whole folder, complete at once or not there. 0 or -errno. */
int folder_create(const struct findings *store, const struct finding *finding);
/* finding.json; unless counts_only the input too, and the evidence if there is any. 0 or -errno. */
int folder_update(const struct findings *store, const struct finding *finding,
		  bool counts_only);
/* Reads what is there into an empty store, removes incomplete folders. 0 or -errno. */
int folder_load_all(struct findings *store);

#endif
