/* SPDX-License-Identifier: MIT */
/*
 * Kernels by name: downloaded by apt into the cache folder, never installed.
 *
 * A name is a series or the beginning of a release ("5.10", "6.12", "7.3.4"), "newest", a suite of Debian
 * ("sid", "bullseye", "trixie-backports"), a package linux-image-*, or the path of a .deb or .rpm of one's own.
 */
#ifndef SF_FETCH_H
#define SF_FETCH_H

#include <stddef.h>

#define KERNEL_FILES_MAX 4096 /* paths of all packages of a kernel, separated by commas */

/* Those that a list names whether they are here or not; ends with NULL. */
extern const char *const kernel_names[];

/*
 * Downloads the kernel if it is not there yet; apt checks it against the hash in the signed package lists, and goes on where a
 * broken download ended. Its path, or those of all its packages with commas between, go to buf.
 * 0, or -errno with err[300]. progress: told a line at a time, may be NULL.
 */
int fetch_kernel(const char *name, char *buf, size_t size,
		 void (*progress)(const char *line), char *err);

/* As fetch_kernel(), but only what is in the cache already: -ENOENT, and err says how to get it. */
int fetch_cached(const char *name, char *buf, size_t size, char *err);

/* Each kernel in the cache, oldest first: its release and its files, as fetch_cached() gives them. */
int fetch_each(void (*fn)(void *ctx, const char *release, const char *files), void *ctx);

/* The sha256 that was recorded for a cached package: sha[65]. 0 or -errno. */
int fetch_recorded_sha256(const char *path, char *sha);

/*
 * Removes kernels from the cache: those of a name (as above), or (NULL) all but the newest of each series, broken downloads
 * and apt's lists. KB freed, or -errno with err[300].
 */
long fetch_prune(const char *name, void (*progress)(const char *line), char *err);

#endif
