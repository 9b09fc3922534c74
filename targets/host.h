/* SPDX-License-Identifier: MIT */
/* Target "host", and where the executor's binary is: the guests' initramfs holds the same
 * one. */
#ifndef SF_HOST_H
#define SF_HOST_H

#include <stddef.h>

#include "target.h"

extern const struct target_ops target_host;

/* $SHORTFUSE_EXECUTOR, else beside the running program. 0, or -errno with the path tried
 * in buf. */
int host_executor_path(char *buf, size_t size);

#endif
