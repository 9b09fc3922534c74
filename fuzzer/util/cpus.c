/* SPDX-License-Identifier: MIT */
/* Reads sched_getaffinity(2) and /proc/stat. */

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "cpus.h"

static bool allowed(cpu_set_t *ret_set)
{
	return sched_getaffinity(0, sizeof(*ret_set), ret_set) == 0;
}

unsigned int cpus_allowed(void)
{
	cpu_set_t set;
	int n = allowed(&set) ? CPU_COUNT(&set) : 1;

	return n > 0 ? (unsigned int)n : 1;
}

int cpus_nth(unsigned int i)
{
	cpu_set_t set;

	if (!allowed(&set))
		return -1;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET((size_t)cpu, &set) && i-- == 0)
			return cpu;
	return -1;
}

int cpus_read_times(struct cpu_times *ret_times)
{
	struct cpu_times sum = {0};
	char line[256];
	cpu_set_t set;
	FILE *file;

	if (!allowed(&set))
		return -errno;
	file = fopen("/proc/stat", "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		uint64_t t[8];
		unsigned int cpu;

		/* user nice system idle iowait irq softirq steal: proc_stat(5) */
		if (sscanf(line,
			   "cpu%u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
			   " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
			   &cpu, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6],
			   &t[7]) != 9 ||
		    cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &set))
			continue;
		sum.idle += t[3] + t[4];
		for (unsigned int i = 0; i < 8; i++)
			sum.all += t[i];
	}
	fclose(file);
	*ret_times = sum;
	return 0;
}
