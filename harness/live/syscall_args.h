/* SPDX-License-Identifier: MIT */
/* Which arguments of a system call (x86-64) name a file: to tell what a sleeping task works on. */
#ifndef SF_SYSCALL_ARGS_H
#define SF_SYSCALL_ARGS_H

#include <stdint.h>

struct syscall_args {
	int32_t number;
	int8_t fd;    /* argument that is a descriptor, -1: none */
	int8_t dirfd; /* descriptor that the path starts from, -1: the working directory */
	int8_t path;  /* pointer to a path, -1: none */
};

const struct syscall_args *syscall_args_find(int32_t number); /* NULL: it names no file */
const struct syscall_args *syscall_args_second(int32_t number); /* NULL: no second one */

#endif
