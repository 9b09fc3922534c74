/* SPDX-License-Identifier: MIT */
/* Snapshot <-> JSON (jansson). Keys are those of the struct; frames are arrays of strings. */
#ifndef SF_SNAPSHOT_JSON_H
#define SF_SNAPSHOT_JSON_H

#include <jansson.h>

#include "snapshot.h"

/* New references; NULL: out of memory. */
json_t *snapshot_tasks_json(const struct snapshot *snap);    /* "tasks" */
json_t *snapshot_requests_json(const struct snapshot *snap); /* "requests" */
json_t *
snapshot_json(const struct snapshot
		      *snap); /* whole: release rung connection tasks requests kmsg */

/* Fills an initialised snapshot from snapshot_json()'s output (also inside a larger object: unknown keys are
 * skipped). 0, or -EINVAL with a message that names the key in err[200]. */
int snapshot_from_json(const json_t *root, struct snapshot *snap, char *err);

#endif
