/* SPDX-License-Identifier: MIT */
/*
 * The scenario that is being run, on disk before it runs: if everything dies with it, the
 * next start finds it. One file a job, rewritten in place: a write(2) survives the death
 * of its process, and after fdatasync(2) that of its machine.
 */
#ifndef SF_INFLIGHT_H
#define SF_INFLIGHT_H

#include <stdbool.h>

#include "harness/scenario/scenario.h"

/* >= 0: a descriptor of DIR/inflight-JOB, made where it is missing. -errno. */
int inflight_open(int dir_fd, unsigned int job);
/* durable: on the disk when it returns, some 0.2 ms; for runs that can kill the machine that keeps the file. */
int inflight_set(int fd, const struct scenario *scn, bool durable);
void inflight_clear(int fd);
/* 1 with *ret_scn: a run had not ended. 0: none. */
int inflight_get(int fd, struct scenario *ret_scn);

#endif
