/* SPDX-License-Identifier: MIT */
/* Keeps results by the bytes of their scenario. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "harness/scenario/codec.h"
#include "memory.h"

#define SLOTS 4096 /* some 4 KB each, touched as they are filled */

struct slot {
	int len; /* 0: free */
	unsigned int job;
	uint8_t bytes[SCN_MAX_BYTES];
	struct result res;
};

struct memory {
	pthread_mutex_t lock;
	struct slot slot[SLOTS];
};

struct memory *memory_new(void)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (memory)
		pthread_mutex_init(&memory->lock, NULL);
	return memory;
}

void memory_free(struct memory *memory)
{
	if (memory)
		pthread_mutex_destroy(&memory->lock);
	free(memory);
}

static unsigned int place(const uint8_t *bytes, int len)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */

	for (int i = 0; i < len; i++)
		h = (h ^ bytes[i]) * 0x100000001b3ull;
	return (unsigned int)(h ^ h >> 32) % SLOTS;
}

void memory_keep(struct memory *memory, const struct scenario *scn, unsigned int job,
		 const struct result *res)
{
	uint8_t bytes[SCN_MAX_BYTES];
	int len = memory ? scenario_encode(scn, bytes, sizeof(bytes)) : -1;
	struct slot *slot;

	if (len <= 0 || res->verdict == VERDICT_INFRA)
		return;
	slot = &memory->slot[place(bytes, len)];
	pthread_mutex_lock(&memory->lock);
	memcpy(slot->bytes, bytes, len);
	slot->len = len;
	slot->job = job;
	slot->res = *res;
	slot->res.json = NULL;
	slot->res.json_len = 0;
	pthread_mutex_unlock(&memory->lock);
}

bool memory_recall(struct memory *memory, const struct scenario *scn, unsigned int job,
		   struct result *ret_res)
{
	uint8_t bytes[SCN_MAX_BYTES];
	int len = memory ? scenario_encode(scn, bytes, sizeof(bytes)) : -1;
	struct slot *slot;
	bool found;

	if (len <= 0)
		return false;
	slot = &memory->slot[place(bytes, len)];
	pthread_mutex_lock(&memory->lock);
	found = slot->len == len && slot->job != job && !memcmp(slot->bytes, bytes, len);
	if (found)
		*ret_res = slot->res;
	pthread_mutex_unlock(&memory->lock);
	return found;
}
