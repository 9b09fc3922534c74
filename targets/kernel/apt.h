/* SPDX-License-Identifier: MIT */
/*
 * Debian's archive through apt, with lists of shortfuse's own: every suite that has kernels, whatever this machine itself is
 * set up for, and no change to it. The mirror is the machine's own, and so is the keyring that proves what comes from it.
 */
#ifndef SF_APT_H
#define SF_APT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Runs a program and gives what it printed on its standard output, with its standard error behind it where it failed:
 * *ret_out, to be freed. Its exit status, or -errno; -ETIMEDOUT: it was killed.
 */
int apt_run(const char *const *argv, int timeout_ms, char **ret_out);

/* True if there are lists, not older than a day where `fresh`. */
bool apt_has_lists(bool fresh);
/* Fetches the lists, 40 MB. 0 or -errno with err[300]. A suite that cannot be had is left out. */
int apt_update(char *err);

/* "apt-cache COMMAND WORDS..." over these lists; words ends with NULL. As apt_run(). */
int apt_cache(const char *command, const char *const *words, char **ret_out);

/*
 * Downloads a package into a folder, and goes on where an earlier try ended; apt checks its hash against the signed lists.
 * own: by the machine's own lists instead. 0 or -EIO with err[300].
 */
int apt_download(const char *package, const char *dir, bool own, char *err);

#endif
