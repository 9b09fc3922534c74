/* SPDX-License-Identifier: MIT */
/*
 * Settings of this machine that would heal or hide a finding, changed while shortfuse
 *uses the host.
 *
 *	fs.fuse.default_request_timeout, max_request_timeout = 0   (6.15+: else the kernel
 *aborts) kernel.hung_task_warnings = -1                             (counts down to 0,
 *then reports no more)
 *
 * The original values are kept in a file under /run, locked by every user: the last one
 *restores them, and a start after a crash restores what the crashed one had found.
 */
#ifndef SF_SYSCTLS_H
#define SF_SYSCTLS_H

struct sysctls {
	int fd; /* of the file with the original values, with a shared lock; -1: nothing
		   to restore */
};

void sysctls_set(struct sysctls *ctl);
void sysctls_restore(struct sysctls *ctl);

#endif
