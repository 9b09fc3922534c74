/* SPDX-License-Identifier: MIT */
/* Turns a result into AFL++'s coverage map and signal. */

#include <signal.h>
#include <string.h>

#include "map.h"

#define VERDICT_CELLS 8
#define RUNG_CELLS    32
#define SIGNATURES    64
#define COVERAGE      4096

/* None is SIGKILL, which afl-fuzz itself uses for time-outs; "sig:06" in a name tells the
 * verdict. */
static const int signals[VERDICT_COUNT] = {
	[VERDICT_HELD] = SIGTRAP,  [VERDICT_LOST] = SIGSYS,
	[VERDICT_DEAF] = SIGUSR1,  [VERDICT_PINNED] = SIGABRT,
	[VERDICT_STUCK] = SIGSEGV, [VERDICT_LEAK] = SIGBUS,
	[VERDICT_KERNEL] = SIGILL, [VERDICT_UNREAPABLE] = SIGFPE,
};

int map_signal(enum verdict verdict)
{
	return signals[verdict];
}

static uint32_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdu;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53u;
	return x ^ x >> 33;
}

void map_fill(uint8_t *map, const struct result *res, bool crash)
{
	memset(map, 0, MAP_SIZE);
	map[0] = 1;
	if (res->verdict == VERDICT_INFRA)
		return;
	if (res->signature)
		map[SIGNATURES + mix(res->signature) % (COVERAGE - SIGNATURES)] = 1;
	if (crash)
		return;
	map[VERDICT_CELLS + res->verdict] = 1;
	map[RUNG_CELLS + res->rung] = 1;
	for (unsigned int i = 0; i < res->n_cells; i++)
		map[COVERAGE + mix(res->cells[i]) % (MAP_SIZE - COVERAGE)] = 1;
}
