/* SPDX-License-Identifier: MIT */
/*
 * The scenario that is being run, on disk before it runs: if everything dies with it, the
 * next start finds it. One file a job, rewritten in place (a write(2) survives the death
 * of its process).
 */
#ifndef SF_INFLIGHT_H
#define SF_INFLIGHT_H

#include "harness/scenario/scenario.h"

/* >= 0: a descriptor of DIR/inflight-JOB, made where it is missing. -errno. */
int inflight_open(int dir_fd, unsigned int job);
int inflight_set(int fd, const struct scenario *scn);
void inflight_clear(int fd);
/* 1 with *ret_scn: a run had not ended. 0: none. */
int inflight_get(int fd, struct scenario *ret_scn);

#endif
