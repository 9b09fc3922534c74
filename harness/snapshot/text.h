/* SPDX-License-Identifier: MIT */
/* A snapshot as a person reads it, top-down: verdict, reason, then evidence. */
#ifndef SF_SNAPSHOT_TEXT_H
#define SF_SNAPSHOT_TEXT_H

#include <stdio.h>

#include "snapshot.h"

/* What stands above the evidence; any of them may be NULL or "". */
struct snapshot_head {
	const char *verdict, *severity, *rung, *reason, *chain, *signature, *scenario;
};

/* 0, or -EIO: the stream failed. */
int snapshot_text(const struct snapshot *snap, const struct snapshot_head *head,
		  FILE *out);

#endif
