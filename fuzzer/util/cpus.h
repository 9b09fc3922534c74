/* SPDX-License-Identifier: MIT */
/* The CPUs that this process may use (taskset(1)), and how busy they are. */
#ifndef SF_CPUS_H
#define SF_CPUS_H

#include <stdbool.h>
#include <stdint.h>

/* At least 1. */
unsigned int cpus_allowed(void);
/* The i-th of them, from the last one down; -1: there are fewer. */
int cpus_nth(unsigned int i);

struct cpu_times {
	uint64_t idle,
		all; /* ticks of all allowed CPUs together; waiting for a disk is idle */
};

/* 0 or -errno. */
int cpus_read_times(struct cpu_times *ret_times);

#endif
