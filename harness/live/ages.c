/* SPDX-License-Identifier: MIT */
/*
 * For how long a task has slept: se.exec_start of /proc/PID/sched is the clock of its CPU when it last ran.
 *
 * Clocks of CPUs differ by seconds (time of interrupts and of a hypervisor is left out of rq_clock_task()), so
 * "now" is read the same way by this thread on that very CPU.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parts.h"

#define MAX_CPUS CPU_SETSIZE

static ssize_t read_at(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* Milliseconds, < 0: the kernel does not tell. */
static double exec_start(int proc, const char *who)
{
	char name[64], buf[1024], *p;

	snprintf(name, sizeof(name), "%s/sched", who);
	if (read_at(proc, name, buf, sizeof(buf)) <= 0)
		return -1;
	p = strstr(buf, "se.exec_start");
	p = p ? strchr(p, ':') : NULL;
	return p ? strtod(p + 1, NULL) : -1;
}

/* Field 39 of stat(5): the CPU it last ran on. */
static int last_cpu(int proc, const char *who)
{
	char name[64], buf[1024], *p;

	snprintf(name, sizeof(name), "%s/stat", who);
	if (read_at(proc, name, buf, sizeof(buf)) <= 0)
		return -1;
	p = strrchr(buf, ')');
	for (int field = 2; p && field < 39; field++)
		p = strchr(p + 1, ' ');
	return p ? atoi(p + 1) : -1;
}

/* The clock of a CPU, < 0: we may not run there. */
static double clock_of(int proc, int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return -1;
	return exec_start(proc, "thread-self");
}

/* Clocks of the CPUs as far as they were asked for; 0: not yet, < 0: not to be had. */
static double known_clock(double *clocks, int proc, int cpu)
{
	if (clocks[cpu] == 0)
		clocks[cpu] = clock_of(proc, cpu);
	return clocks[cpu];
}

/*
 * stat cannot be read in execve(): of the clocks that are not before the start, the first one gives an age that is
 * not too high.
 */
static double least_clock(double *clocks, int proc, const cpu_set_t *cpus, double started)
{
	double least = -1, now;

	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (!CPU_ISSET(cpu, cpus))
			continue;
		now = known_clock(clocks, proc, cpu);
		if (now >= started && (least < 0 || now < least))
			least = now;
	}
	return least;
}

static double age_of(const struct live *live, double *clocks, const cpu_set_t *cpus,
		     pid_t pid, pid_t tid, bool in_exec)
{
	double started, now = -1;
	char who[48];
	int cpu;

	snprintf(who, sizeof(who), "%d/task/%d", pid, tid);
	started = exec_start(live->pf.fd, who);
	if (started <= 0)
		return -1;
	if (in_exec) {
		now = least_clock(clocks, live->pf.fd, cpus, started);
	} else {
		cpu = last_cpu(live->pf.fd, who);
		if (cpu >= 0 && cpu < MAX_CPUS)
			now = known_clock(clocks, live->pf.fd, cpu);
	}
	return now >= started ? (now - started) / 1000.0 : -1;
}

void live_ages(struct live *live)
{
	double *clocks = calloc(MAX_CPUS, sizeof(*clocks));
	cpu_set_t before;

	if (!clocks || sched_getaffinity(0, sizeof(before), &before)) {
		free(clocks);
		return;
	}
	for (size_t i = 0; i < live->n_tasks; i++) {
		struct live_task *lt = &live->tasks[i];

		lt->age_s = age_of(live, clocks, &before, lt->task.pid, lt->task.tid,
				   lt->in_exec);
	}
	for (size_t i = 0; i < live->n_threads; i++) {
		struct live_thread *th = &live->threads[i];

		/* stat and sched of a task in execve() can block. */
		if (th->does != THREAD_DYING)
			th->age_s =
				age_of(live, clocks, &before, th->pid, th->tid, false);
	}
	sched_setaffinity(0, sizeof(before), &before);
	free(clocks);
}
