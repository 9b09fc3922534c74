/* SPDX-License-Identifier: MIT */
/*
 * The yardstick of the search: the exact shape of the incident that this project started from.
 *
 * The daemon lives inside a pid namespace; a thread of it, which has a file table of its own, exits by
 * itself while it holds a file of its own mount, and nobody answers its FLUSH; then the namespace's init
 * exits by itself. "Some pinned" is no yardstick: one run in twenty of blind generation is one.
 */
#ifndef SF_SHAPE_H
#define SF_SHAPE_H

#include <stdbool.h>

#include "harness/protocol/result.h"
#include "harness/scenario/scenario.h"

bool shape_is_incident(const struct scenario *scn, const struct result *res);

#endif
