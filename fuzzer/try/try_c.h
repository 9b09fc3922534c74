/* SPDX-License-Identifier: MIT */
/* Compiles an exported C file and runs it: on this kernel, or as the init of a guest in QEMU. */
#ifndef SF_TRY_C_H
#define SF_TRY_C_H

#include <stdio.h>

/*
 * target: "host" or "qemu:KERNEL". limit_s: 0: a minute natively, three in a guest. What the program prints
 * goes to out. Its exit status (1 reproduced, 0 not, 2 not tried), or -errno with a line in err[300]:
 * -ETIMEDOUT, -EINTR (SIGINT, SIGTERM or SIGHUP came). However it ends, nothing of the program is left (try_run.h).
 */
int try_c(const char *c_file, const char *target, int limit_s, FILE *out, char *err);

#endif
