/* SPDX-License-Identifier: MIT */
/* A target that is asked again and again: runs that our own trouble spoiled are repeated, a poisoned kernel is reset. */
#ifndef SF_PROBE_H
#define SF_PROBE_H

#include "harness/protocol/result.h"
#include "targets/target.h"

struct probe {
	struct target *target;
	unsigned int runs, infra, resets;
};

/* 0, or -errno with a line in err[300]. */
int probe_open(struct probe *probe, const char *spec, char *err);
void probe_close(struct probe *probe);

/*
 * One answer: *ret_res is filled, the caller releases it. 0; or -errno when the target cannot be used any
 * more (*ret_res is empty then). A verdict infra after all tries is an answer too.
 */
int probe_run(struct probe *probe, const struct scenario *scn, uint32_t flags,
	      struct result *ret_res);

#endif
