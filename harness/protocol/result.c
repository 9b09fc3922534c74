/* SPDX-License-Identifier: MIT */
/* Results to bytes and back. All numbers are little endian; a decoder trusts nothing. */

#include "result.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A cursor over the payload, for both directions; ok goes false for good at the first
 * overrun. */
struct cursor {
	uint8_t *p, *end;
	bool ok;
};

static void put(struct cursor *cur, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		*cur->p++ = value >> (8 * i);
}

static uint64_t get(struct cursor *cur, unsigned int bytes)
{
	uint64_t value = 0;

	if (!cur->ok || (size_t)(cur->end - cur->p) < bytes) {
		cur->ok = false;
		return 0;
	}
	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)*cur->p++ << (8 * i);
	return value;
}

/* A number that must be below limit. */
static uint32_t get_below(struct cursor *cur, unsigned int bytes, uint32_t limit)
{
	uint32_t value = get(cur, bytes);

	if (value < limit)
		return value;
	cur->ok = false;
	return 0;
}

void result_init(struct result *res)
{
	memset(res, 0, sizeof(*res));
}

void result_release(struct result *res)
{
	free(res->json);
	memset(res, 0, sizeof(*res));
}

int result_encode(const struct result *res, uint8_t **ret_buf, uint32_t *ret_len)
{
	uint32_t reason_len = strnlen(res->reason, sizeof(res->reason) - 1);
	uint32_t json_len = res->json ? res->json_len : 0;
	size_t size = 4 + 2 * 8 + 5 * 4 + res->n_steps * 10u + 2 + res->n_cells * 4u + 2 +
		      reason_len + 4 + json_len;
	uint8_t *buf = malloc(size);
	struct cursor cur = {.p = buf};

	if (!buf)
		return -ENOMEM;
	put(&cur, res->verdict, 1);
	put(&cur, res->rung, 1);
	put(&cur, res->poisoned, 1);
	put(&cur, res->n_steps, 1);
	put(&cur, res->signature, 8);
	put(&cur, res->root_hash, 8);
	put(&cur, res->setup_us, 4);
	put(&cur, res->steps_us, 4);
	put(&cur, res->verdict_us, 4);
	put(&cur, res->snapshot_us, 4);
	put(&cur, res->total_us, 4);
	for (unsigned int i = 0; i < res->n_steps; i++) {
		put(&cur, res->steps[i].status, 1);
		put(&cur, res->steps[i].late, 1);
		put(&cur, (uint32_t)res->steps[i].ret, 4);
		put(&cur, res->steps[i].us, 4);
	}
	put(&cur, res->n_cells, 2);
	for (unsigned int i = 0; i < res->n_cells; i++)
		put(&cur, res->cells[i], 4);
	put(&cur, reason_len, 2);
	memcpy(cur.p, res->reason, reason_len);
	cur.p += reason_len;
	put(&cur, json_len, 4);
	if (json_len)
		memcpy(cur.p, res->json, json_len);
	*ret_buf = buf;
	*ret_len = size;
	return 0;
}

static void get_steps(struct cursor *cur, struct result *res)
{
	for (unsigned int i = 0; i < res->n_steps; i++) {
		res->steps[i].status = get_below(cur, 1, STEP_ENDED + 1);
		res->steps[i].late = get_below(cur, 1, 2);
		res->steps[i].ret = (int32_t)get(cur, 4);
		res->steps[i].us = get(cur, 4);
	}
}

static void get_reason(struct cursor *cur, struct result *res)
{
	uint32_t len = get_below(cur, 2, sizeof(res->reason));

	if (!cur->ok || (size_t)(cur->end - cur->p) < len) {
		cur->ok = false;
		return;
	}
	memcpy(res->reason, cur->p, len);
	cur->p += len;
}

/* The JSON text is the rest of the payload, exactly. */
static int get_json(struct cursor *cur, struct result *res)
{
	uint32_t len = get(cur, 4);

	if (!cur->ok || (size_t)(cur->end - cur->p) != len)
		return -EBADMSG;
	if (!len)
		return 0;
	res->json = malloc((size_t)len + 1);
	if (!res->json)
		return -ENOMEM;
	memcpy(res->json, cur->p, len);
	res->json[len] = 0;
	res->json_len = len;
	return 0;
}

int result_decode(const uint8_t *buf, uint32_t len, struct result *ret_res)
{
	/* get() only reads: the cursor is shared with the writer. */
	struct cursor cur = {
		.p = (uint8_t *)buf, .end = (uint8_t *)buf + len, .ok = true};
	struct result res;
	int ret;

	result_init(&res);
	res.verdict = get_below(&cur, 1, VERDICT_COUNT);
	res.rung = get_below(&cur, 1, RUNG_COUNT);
	res.poisoned = get_below(&cur, 1, 2);
	res.n_steps = get_below(&cur, 1, SCN_MAX_STEPS + 1);
	res.signature = get(&cur, 8);
	res.root_hash = get(&cur, 8);
	res.setup_us = get(&cur, 4);
	res.steps_us = get(&cur, 4);
	res.verdict_us = get(&cur, 4);
	res.snapshot_us = get(&cur, 4);
	res.total_us = get(&cur, 4);
	get_steps(&cur, &res);
	res.n_cells = get_below(&cur, 2, RESULT_MAX_CELLS + 1);
	for (unsigned int i = 0; i < res.n_cells; i++)
		res.cells[i] = get(&cur, 4);
	get_reason(&cur, &res);
	ret = get_json(&cur, &res);
	if (ret < 0)
		return ret;
	*ret_res = res;
	return 0;
}
