/* SPDX-License-Identifier: MIT */
/* Other timings of the same scenario: what is tried when a finding does not show every time. Pure. */
#ifndef SF_SCHEDULE_H
#define SF_SCHEDULE_H

#include <stdbool.h>

#include "harness/scenario/scenario.h"

#define SCHEDULE_WHAT 120

/*
 * Variant number i (from 0): a barrier or a pause of the controller between two steps, another moment to answer what is
 * held, the other number of CPUs. Cheap ones first. what says it in words. False when there is none with this
 * number.
 */
bool schedule_variant(const struct scenario *scn, unsigned int i, struct scenario *ret,
		      char what[SCHEDULE_WHAT]);

#endif
