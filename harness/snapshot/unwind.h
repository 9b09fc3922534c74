/* SPDX-License-Identifier: MIT */
/* Unwinds one blocked task; may block for ever, so only a disposable child calls it. */
#ifndef SF_UNWIND_H
#define SF_UNWIND_H

#include <stdint.h>

#include "harness/snapshot/snapshot.h"

struct unwind_result {
	uint16_t n;
	struct snap_uframe frames[SNAP_FRAMES];
	char note[SNAP_NAME];
};

/*
 * Reads /proc/TID/maps and the ELF files named there. Frames appear in *out one by one, n last: it may be shared memory whose
 * reader does not wait for the end. fuse_minor: mappings of device 0:fuse_minor are never touched; 0: none.
 *
 * Only PC and SP are known of the registers. Where a frame's CFA hangs on RBP, RBP is found on the stack: the first slot whose
 * successor is a return address behind a direct call of this very function, else the first that looks like a saved frame
 * pointer with a return address.
 */
void unwind_task(const struct snap_task *task, uint32_t fuse_minor,
		 struct unwind_result *out);

#endif
