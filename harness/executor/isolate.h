/* SPDX-License-Identifier: MIT */
/* What the executor makes for itself once: mounts, cgroup, descriptors, its speed. */
#ifndef SF_ISOLATE_H
#define SF_ISOLATE_H

#include "executor.h"

/*
 * Private mounts: a tmpfs with DIR_MOUNT, DIR_OUTSIDE (the executable "pause") and fusectl; a procfs
 * of the own pid namespace. Takes the owner's marks of the mounts from the procfs that was
 * there before. 0, or -errno with err[200].
 */
int isolate_mounts(struct executor *ex, char *err);

/* A cgroup of its own with a limit on tasks, where cgroups are mounted; not having one is no error. */
void isolate_cgroup(uint32_t owner_pid);

/* Descriptors 0 - 2 become /dev/null, the channel moves above FD_HARNESS. 0 or -errno with err[200]. */
int isolate_descriptors(struct executor *ex, char *err);

/* Measures fork, exit, wait; sets unit_us and grace_ms. */
void isolate_calibrate(struct executor *ex);

#endif
