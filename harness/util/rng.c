/* SPDX-License-Identifier: MIT */
/* The project's only source of chance: xoshiro256**, the same sequence for the same seed.
 */

#include "rng.h"

static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

void rng_init(struct rng *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		rng->s[i] = splitmix64(&seed);
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t ret = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return ret;
}

uint32_t rng_below(struct rng *rng, uint32_t n)
{
	uint64_t m;
	uint32_t floor;

	if (n < 2)
		return 0;
	/* Lemire's method: the high half of a product, the few biased low halves thrown
	 * again. */
	floor = -n % n;
	do {
		m = (rng_next(rng) >> 32) * n;
	} while ((uint32_t)m < floor);
	return m >> 32;
}

bool rng_chance(struct rng *rng, uint32_t num, uint32_t den)
{
	return rng_below(rng, den) < num;
}
