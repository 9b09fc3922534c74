/* SPDX-License-Identifier: MIT */
/*
 * AFL++'s coverage map from a result. Cells:
 *
 *	0            set in every run: an empty map is an error for afl-fuzz
 *	8 ..         verdict        32 ..   rung
 *	64 .. 4095   signature, so that each distinct finding is new once
 *	4096 ..      coverage cells of the run
 *
 * A run that is to count as a crash shows its signature only: afl-fuzz saves a crash for
 *any new cell, and one finding is one crash.
 */
#ifndef SF_MAP_H
#define SF_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/protocol/result.h"

#define MAP_SIZE 65536

/* Zeroes and fills map[MAP_SIZE]. */
void map_fill(uint8_t *map, const struct result *res, bool crash);

/* The signal that the AFL++ target dies by for this verdict; no two verdicts share one.
 * 0: none. */
int map_signal(enum verdict verdict);

#endif
