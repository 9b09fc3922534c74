/* SPDX-License-Identifier: MIT */
/*
 * A target: a kernel under test with one executor in it. Back ends are rows of
 * target_backends[] in targets/target.c: host (this machine), uml (a kernel as a
 * process), qemu.
 */
#ifndef SF_TARGET_H
#define SF_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/protocol/result.h"
#include "harness/scenario/scenario.h"

struct target_options {
	const char *spec; /* "host", "uml", "uml:IMAGE", "qemu:KERNEL", and guest
			     properties behind: spec.h */
	int cpu;	  /* pin to this CPU, -1: any */
	int cpus;	  /* of a guest; 0: default */
	int memory_mb;	  /* of a guest; 0: default */
	bool virtual_time;
	const char *
		server; /* host only: command of a FUSE server under test, see harness/executor/server.h; NULL: none */
	bool verbose;	/* console and LOG frames to standard error */
	const char *console_path; /* file that the guest's console is appended to, NULL:
				     kept in memory only */
};

struct target; /* private */

struct target_ops {
	const char *name, *help;
	/* Boot and wait for HELLO. 0, or -errno with a line in err[300] that names what
	 * is missing. */
	int (*open)(const struct target_options *opt, struct target **ret_target,
		    char *err);
	/*
	 * Run one scenario. Returns 0 with *ret_res filled for every outcome that is an
	 * answer, including verdict kernel (the guest died) and infra (channel lost,
	 * deadline); -errno only when the target cannot be used any more, not even after
	 * reset().
	 */
	int (*run)(struct target *target, const struct scenario *scn, uint32_t flags,
		   struct result *ret_res);
	/*
	 * Optional. The run after the coming one will be this: it may be sent before the coming one has ended, so that
	 * the executor need not wait for us in between. Its result is dropped if something else is run instead, and it
	 * does not take place on a poisoned kernel.
	 */
	void (*next)(struct target *target, const struct scenario *scn, uint32_t flags);
	/* Make it usable after a poison or a death. 0 or -errno. */
	int (*reset)(struct target *target, char *err);
	void (*close)(struct target *target); /* stop it, free it, leave nothing behind */
	/* HELLO's JSON text, valid until reset or close. */
	const char *(*hello)(const struct target *target);
};

/* First member of each back end's own struct. */
struct target {
	const struct target_ops *ops;
};

extern const struct target_ops *const target_backends[]; /* ends with NULL */

int target_open(const struct target_options *opt, struct target **ret_target, char *err);
int target_run(struct target *target, const struct scenario *scn, uint32_t flags,
	       struct result *ret_res);
void target_next(struct target *target, const struct scenario *scn, uint32_t flags);
int target_reset(struct target *target, char *err);
void target_close(struct target *target);

#endif
