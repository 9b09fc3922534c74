/* SPDX-License-Identifier: MIT */
/* Who am I, as the executor numbers processes? gettid(2) answers in the caller's own pid namespace. */
#ifndef SF_IDS_H
#define SF_IDS_H

#include <stdint.h>

/*
 * The caller's process and thread on the procfs that it sees, which is the executor's: /proc/thread-self reads
 * "PID/task/TID", proc(5). Without a procfs there is no nested namespace either: getpid(2), gettid(2).
 */
void outer_ids(int32_t *ret_pid, int32_t *ret_tid);

#endif
