/* SPDX-License-Identifier: MIT */
/*
 * Traits of a scenario: what is in it that could make its run unlike others, each a 32-bit hash with a
 * weight. Made from the outlook, without a kernel: pure, the same scenario gives the same traits.
 *
 *	wait     role x opcode x operation x phase of what will be left waiting; also with the
 *	         configuration that matters for the opcode, and in pairs: a hang's signature is the set of its roots
 *	ending   all waits together and the fate of the daemon: the finding, as far as it can be foretold
 *	end      placement x who x how x holding what; with what it then waits for; in order, the end before
 *	         it first, apart where that one is still stuck
 *	rule     action x opcode x operation x role that meet
 *	steps    operation x role; two operations that an actor does one after the other
 */
#ifndef SF_TRAITS_H
#define SF_TRAITS_H

#include "outlook.h"

#define TRAITS_MAX 192

enum trait_kind {
	KIND_STEP,
	KIND_STEPS,
	KIND_RULE,
	KIND_MET,
	KIND_FLAG,
	KIND_WAIT,
	KIND_WAIT_CONFIG,
	KIND_WAITS,
	KIND_ENDING,
	KIND_END,
	KIND_END_WAIT,
	KIND_ENDS,
	KIND_ENDS_STUCK,
	KIND_COUNT
};

struct trait {
	uint32_t hash;
	uint8_t kind; /* enum trait_kind */
};

struct traits {
	unsigned int n;
	struct trait trait[TRAITS_MAX]; /* each hash once */
};

/* outlook: of this scenario, outlook_init(). */
void traits_init(struct traits *traits, const struct scenario *scn,
		 const struct outlook *outlook);

/* The parts that a mutation may look up in an archive before it puts them in. */
uint32_t trait_of_step(enum outlook_role role, unsigned int op);
uint32_t trait_of_rule(unsigned int opcode, unsigned int action);
/* what: which field of the configuration; bit: which of its flags. */
uint32_t trait_of_flag(unsigned int what, unsigned int bit);

#endif
