/* SPDX-License-Identifier: MIT */
/*
 * Where a broker listens: a path, or "@NAME" in the abstract namespace of unix(7), which
 * leaves no file behind whoever is killed. Only processes of the same user are served.
 */
#ifndef SF_ADDRESS_H
#define SF_ADDRESS_H

#include <stdbool.h>

#define SOCKET_ENV "SHORTFUSE_SOCKET"

/* A listening, non-blocking socket, or -errno. A path must not exist; the caller unlinks
 * it. */
int address_listen(const char *address);
/* A connected socket, or -errno. */
int address_connect(const char *address);
/* True if the peer runs as this user or as root. */
bool address_trusted(int fd);

#endif
