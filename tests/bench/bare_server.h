/* SPDX-License-Identifier: MIT */
/* The server of bare_loop.c: a root with one file, which takes what is written. */
#ifndef SF_BARE_SERVER_H
#define SF_BARE_SERVER_H

#define FILE_NODE 2
#define FILE_SIZE 4096

/* Exit statuses of shortfuse. */
enum { STATUS_USAGE = 2, STATUS_INFRA = 3 };

/* Before the first turn: what each server inherits. 0 or -1 with errno. */
int bare_prepare(void);

/* In the server's process: serves /dev/fuse until the unmount, which read(2) tells as ENODEV. */
_Noreturn void bare_serve(int fd);

#endif
