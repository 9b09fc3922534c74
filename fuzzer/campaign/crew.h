/* SPDX-License-Identifier: MIT */
/*
 * How many jobs a campaign has: a fixed number, or (auto) as many as keep its CPUs busy.
 *
 * Proving a hang is waiting, so one executor leaves its CPU idle most of the time. The crew grows while the CPUs that
 * the campaign may use idle, and shrinks, for good, once verdicts begin to need retries: runs without an answer, or
 * reruns of a finding that show something else.
 */
#ifndef SF_CREW_H
#define SF_CREW_H

#include <stdbool.h>
#include <stdint.h>

#include "fuzzer/util/cpus.h"

#define JOBS_AUTO 0

struct crew {
	unsigned int n;	  /* jobs now */
	unsigned int max; /* it never has more */
	bool fixed;
	long looked; /* clock_seconds() of the last look */
	struct cpu_times times;
	uint64_t runs, trouble; /* of the campaign, at the last look */
};

/* asked: JOBS_AUTO or a number. target: its spec, a guest costs memory and has its own CPU to boot. */
void crew_init(struct crew *crew, unsigned int asked, const char *target);

/*
 * The number of jobs to have from now on, looked at every few seconds. runs: in all; trouble: those of them that gave no
 * answer or another one than before.
 */
unsigned int crew_look(struct crew *crew, long now, uint64_t runs, uint64_t trouble);

#endif
