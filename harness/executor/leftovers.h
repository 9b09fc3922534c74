/* SPDX-License-Identifier: MIT */
/*
 * Connections that a killed executor left behind.
 *
 * Every mount of ours carries its owner in its user_id (the executor's pid) and group_id
 * (a magic, a hash of the pid namespace that this pid is of, a hash of the process's
 * start time). The kernel shows both as the owner of /sys/fs/fuse/connections/N/
 * (fuse_ctl_add_dentry), whatever became of the mount. So a connection is known as ours
 * by what it is, needs no state file, and is a leftover when no living process has that
 * pid and start time.
 */
#ifndef SF_LEFTOVERS_H
#define SF_LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct owner {
	uint32_t uid, gid;
};

/* Of a process, by the procfs at proc_root. 0 or -errno. */
int owner_of_process(const char *proc_root, pid_t pid, struct owner *ret);

/* No such process, or it is a zombie or exiting. */
bool process_gone(const char *proc_root, pid_t pid);

/*
 * Aborts every connection of this pid namespace's dead executors. ctl_root: a mounted
 * fusectl. Returns how many it aborted, or -errno.
 */
int leftovers_clean(const char *proc_root, const char *ctl_root);
/* Aborts every connection of this owner, alive or not. The same return value. */
int leftovers_abort(const char *ctl_root, const struct owner *owner);

/* The cgroup of an executor, "ROOT/shortfuse-PID" below cgroup2 or the v1 controller
 * "pids". False: none. */
bool cgroup_path(uint32_t pid, char *buf, size_t size);
/* Removes the empty cgroups of executors that are no more. */
void cgroups_clean(const char *proc_root);

#endif
