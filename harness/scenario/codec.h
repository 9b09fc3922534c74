/* SPDX-License-Identifier: MIT */
/*
 * Scenario <-> bytes.
 *
 * Records of SCN_RECORD_SIZE bytes; the first byte selects the kind by its low four bits (0-7 step,
 * 8-11 fault, 12-13 task, 14 config, 15 INIT and open flags), so most random bytes are steps. Total:
 * every byte string decodes to a canonical scenario. A record keeps its meaning when others are
 * removed, inserted or spliced in. A partial last record is padded with zeros. A later config
 * record replaces an earlier one; records past a limit (SCN_MAX_*) are ignored.
 * decode(encode(s)) == s for every canonical s.
 */
#ifndef SF_CODEC_H
#define SF_CODEC_H

#include "scenario.h"

#define SCN_RECORD_SIZE 8
#define SCN_MAX_BYTES                                                                    \
	(SCN_RECORD_SIZE * (2 + SCN_MAX_FAULTS + SCN_MAX_TASKS + SCN_MAX_STEPS))

/* Never fails. buf may be NULL when len is 0. */
void scenario_decode(const void *buf, size_t len, struct scenario *ret_scn);

/* Bytes written, at most SCN_MAX_BYTES, or -ENOSPC. */
int scenario_encode(const struct scenario *scn, void *buf, size_t size);

#endif
