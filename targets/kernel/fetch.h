/* SPDX-License-Identifier: MIT */
/*
 * Debian kernels by name, through apt: downloaded into the cache folder, never installed.
 *
 * A name is a row of kernel_names[] ("6.1", "6.12"), which stands for the newest of its series in this machine's package
 * lists, or the name of a package linux-image-*.
 */
#ifndef SF_FETCH_H
#define SF_FETCH_H

#include <stddef.h>

struct kernel_name {
	const char *name;
	const char *
		meta; /* the package that depends on the newest linux-image of the series */
};
extern const struct kernel_name kernel_names[]; /* ends with a NULL name */

/*
 * Downloads the kernel if it is not there yet; apt checks it against the hash in the signed package lists. Its path goes to buf.
 * 0, or -errno with err[300]. progress: told a line at a time, may be NULL.
 */
int fetch_kernel(const char *name, char *buf, size_t size,
		 void (*progress)(const char *line), char *err);

/* As fetch_kernel(), but only what is in the cache already: -ENOENT, and err says how to get it. */
int fetch_cached(const char *name, char *buf, size_t size, char *err);

/* The sha256 that was recorded for a cached package: sha[65]. 0 or -errno. */
int fetch_recorded_sha256(const char *path, char *sha);

#endif
