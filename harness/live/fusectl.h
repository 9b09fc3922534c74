/* SPDX-License-Identifier: MIT */
/*
 * The fusectl file system: all FUSE connections of this machine, whatever namespaces their mounts are in.
 * Its reads take fuse_mutex for a moment and nothing else (fs/fuse/control.c): they do not block.
 */
#ifndef SF_FUSECTL_H
#define SF_FUSECTL_H

#include <stddef.h>
#include <stdint.h>

struct fusectl {
	int fd; /* directory, close-on-exec; -1: not open */
};

/*
 * Uses /sys/fs/fuse/connections if it is mounted there, else a detached mount of its own (fsmount(2)), which
 * nobody sees and which ends with the descriptor. 0; -ENODEV: this kernel has no FUSE (loaded), so nothing can hang
 * on it; or -errno with a line in err[200].
 */
int fusectl_open(struct fusectl *ctl, char *err);
void fusectl_close(struct fusectl *ctl);

/* Numbers of up to max connections; how many were stored, or -errno. */
int fusectl_list(const struct fusectl *ctl, uint32_t *numbers, size_t max);
/* Requests that are not answered, queued ones included; -errno: the connection is gone. */
int fusectl_waiting(const struct fusectl *ctl, uint32_t number);
/* Seconds since the epoch at which the connection was made; -errno. */
int64_t fusectl_born(const struct fusectl *ctl, uint32_t number);
/* Every request of the connection fails with ECONNABORTED, then and later. 0 or -errno. */
int fusectl_abort(const struct fusectl *ctl, uint32_t number);

#endif
