/* SPDX-License-Identifier: MIT */
/* Where shortfuse's own files are, and the rows of target_backends[]. */
#ifndef SF_EXECUTABLE_H
#define SF_EXECUTABLE_H

#include <stddef.h>

#include "targets/target.h"

extern const struct target_ops host_ops, uml_ops, qemu_ops;

/* $SHORTFUSE_EXECUTOR, or shortfuse-executor beside this program. 0, or -ENOENT with
 * err[300]. */
int executor_path(char *buf, size_t size, char *err);

/* $XDG_CACHE_HOME/shortfuse[/sub] or ~/.cache/shortfuse[/sub], created. 0 or -errno. sub
 * may be NULL. */
int cache_dir(const char *sub, char *buf, size_t size);

/* rm -r; a path that does not exist is no error. */
void remove_tree(const char *path);

#endif
