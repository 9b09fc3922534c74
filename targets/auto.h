/* SPDX-License-Identifier: MIT */
/*
 * Target "auto": the first scratch kernel that boots on this machine. Tried in this order: the user-mode kernel, QEMU
 * with a kernel that is downloaded already, QEMU with one that is downloaded now. Never this machine's own kernel.
 *
 * The answer is kept in the cache folder for as long as this machine stays booted.
 */
#ifndef SF_AUTO_H
#define SF_AUTO_H

#include <stddef.h>

#include "spec.h"

/* Told a line at a time: what was taken and why not the others, progress of a download. */
typedef void target_say(const char *line);

/*
 * "auto", with properties behind it or without, becomes a target that boots; any other spec is copied. 0; -ENODEV:
 * none boots; -errno. With a line in err[AUTO_ERROR].
 */
#define AUTO_ERROR 1200
int target_resolve(const char *spec, char buf[SPEC_MAX], target_say *say, char *err);

#endif
