/* SPDX-License-Identifier: MIT */
/*
 * Kernel log lines that tell of trouble: one table for the console of a guest
 * (targets/plumbing/console.c) and for /dev/kmsg inside it (the watchdog).
 *
 * A line may still carry its prefix: "<4>", "[   12.345678]", "[ T123]", or the head of a
 * record of /dev/kmsg ("4,857,1234567,-;", Documentation/ABI/testing/dev-kmsg).
 */
#ifndef SF_KMSG_MATCH_H
#define SF_KMSG_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#define KMSG_TITLE 160

/* Ordered: a later one outranks an earlier one. */
enum kmsg_severity {
	KMSG_NOISE, /* looks like trouble, is known to be harmless */
	KMSG_INFRA, /* our own trouble: no memory, the guest's init ended, no init found
		     */
	KMSG_BUG,   /* oops, BUG, WARN, KASAN, lockdep, RCU stall, hung task, lockup:
		       verdict kernel */
	KMSG_FATAL, /* the kernel has ended: nothing answers any more; verdict kernel */
};

struct kmsg_hit {
	enum kmsg_severity severity;
	const char *kind;	/* "oops", "warn", "kasan", ...: static */
	char title[KMSG_TITLE]; /* without addresses, offsets, pids, CPU numbers: the same
				   for the same bug */
	bool wants_function;	/* a later line "RIP: ..." names the function: see
				   kmsg_scan_line() */
};

/* True if the line is in the table, *ret filled then. Noise is a hit too. */
bool kmsg_match(const char *line, struct kmsg_hit *ret);

/* Where the text of a line begins, behind the prefixes. */
const char *kmsg_text(const char *line);

/* When it was written, in us since the kernel booted: of "[   12.345678]" or the head of a record. -1: it does not say. */
int64_t kmsg_time_us(const char *line);

/* A log read line by line: keeps the first hit of the highest severity and completes its
 * title. */
struct kmsg_scan {
	bool found;    /* above noise */
	bool panicked; /* a panic followed: the kernel has ended, whatever the title says
			*/
	struct kmsg_hit hit;
};

/* True if this line was a hit above noise. */
bool kmsg_scan_line(struct kmsg_scan *scan, const char *line);

#endif
