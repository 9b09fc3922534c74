/* SPDX-License-Identifier: MIT */
/*
 * A server under test: any FUSE file system as a program, started anew for each run. It believes that it mounts; what it
 * gets is not /dev/fuse but one end of a socket, whose other end is the daemon's (harness/daemon/proxy.h).
 *
 * It runs as root without CAP_SYS_ADMIN: mount(2) fails with EPERM, so every FUSE library falls back to fusermount, and
 * the fusermount in its mount namespace is this very executor, which sends the socket where the descriptor of the device
 * is expected (_FUSE_COMMFD). By the missing capability in their bounding set, which no heir gets back, all its
 * processes are known.
 */
#ifndef SF_EXECUTOR_SERVER_H
#define SF_EXECUTOR_SERVER_H

#include "run.h"

/* Of its end of the socket, in the server and what it starts. Not in a variable: some clear the environment of
 * fusermount. Not small: Go puts _FUSE_COMMFD at 3. */
#define SERVER_FD 19

/* Once: the directories of it, and its fusermount. 0 or -errno with err[200]. */
int server_init(struct executor *ex, char *err);

/*
 * Starts it, before anything is mounted, with {mnt} and {src} of its command replaced: an empty directory, and one with
 * the files of the daemon's own tree (enum path_id), made anew. Leaves the daemon's end of the socket as FD_SERVER. 0 or
 * -errno with err[200].
 */
int server_start(struct run *run, char *err);

/* Waits for its answer to INIT, which the rules may withhold. 0, or -errno with err[200]: its last words. */
int server_await(struct run *run, char *err);

/* Does this process belong to it? */
bool server_owns(const struct run *run, pid_t pid);

/* main() of "fusermount": 0 or 1. */
int fusermount_main(int argc, char **argv);

#endif
