/* SPDX-License-Identifier: MIT */
/*
 * A seeded random number generator, passed in wherever chance is wanted: one seed, one
 * sequence, on every machine. xoshiro256** (Blackman and Vigna), its state filled by
 * splitmix64. Not for secrets.
 */
#ifndef SF_RNG_H
#define SF_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* 0 .. n - 1, without bias; 0 for n = 0. */
uint32_t rng_below(struct rng *rng, uint32_t n);
/* True in num of den cases. */
bool rng_chance(struct rng *rng, uint32_t num, uint32_t den);

#endif
