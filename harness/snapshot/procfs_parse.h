/* SPDX-License-Identifier: MIT */
/* Parsers of the texts under /proc/PID/task/TID, and raw reads; private to
 * harness/snapshot. */
#ifndef SF_PROCFS_PARSE_H
#define SF_PROCFS_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/snapshot/procfs.h"

struct stat_fields {
	pid_t ppid;
	char state;
	char comm[20];
	uint32_t flags, n_threads;
};

/* 0 or -EINVAL. */
int parse_stat(const char *text, struct stat_fields *ret);
/* "SIZE RESIDENT SHARED TEXT ...": memory, but no code. */
bool parse_in_exec(const char *statm);
/* Also comm, state, ppid and n_threads. */
void parse_status(const char *text, struct snap_task *task);
void parse_syscall(const char *text, struct snap_task *task);
void parse_stack(const char *text, struct snap_task *task);
uint64_t hash_text(const char *text);

/* 1: hangs in execve(), read status, statm and schedstat only. 0: not. -ESRCH, -errno. */
int procfs_in_exec(int dir);
/* O_PATH descriptor of PID/task/TID, or -ESRCH, -errno. */
int procfs_task_dir(const struct procfs *pf, pid_t pid, pid_t tid);
/* Whole text from its start, NUL-terminated, cut at size. Bytes, -ESRCH: gone, -errno. */
ssize_t procfs_read_fd(int fd, char *buf, size_t size);
ssize_t procfs_read_at(int dir, const char *name, char *buf, size_t size);
/* Entries of a directory that are numbers; not 0 from fn ends it and is the result. */
int procfs_each_number(int dir, const char *name, int (*fn)(void *ctx, pid_t number),
		       void *ctx);

#endif
