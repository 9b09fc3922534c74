/* SPDX-License-Identifier: MIT */
/*
 * Scenarios to records and back. Byte 0 of a record: kind in the low four bits; the high
 *four bits are the actor of a step, the requester of a rule, the id of a task.
 *
 *	          1          2          3       4        5       6        7
 *	step      operation  a          b       c        v low   v high   -
 *	fault     opcode     nth        action  value    value   -        -
 *	task      kind       parent     late    -        -       -        -
 *	config    placement  threads    cpus    daemon   mount   timeout  expect
 *	init      flags      flags      open    max_bg   -       -        -
 *
 * "-" is ignored and written as 0. Values out of range become others in range, see
 * scenario_canonicalise().
 */

#include "codec.h"

#include <errno.h>
#include <string.h>

enum { KIND_STEP = 0, KIND_FAULT = 8, KIND_TASK = 12, KIND_CONFIG = 14, KIND_INIT = 15 };

static void decode_step(struct scenario *scn, const uint8_t *r)
{
	if (scn->n_steps == SCN_MAX_STEPS)
		return;
	scn->steps[scn->n_steps++] = (struct scn_step){
		.actor = r[0] >> 4,
		.op = r[1],
		.a = r[2],
		.b = r[3],
		.c = r[4],
		.v = r[5] | r[6] << 8,
	};
}

static void decode_fault(struct scenario *scn, const uint8_t *r)
{
	if (scn->n_faults == SCN_MAX_FAULTS)
		return;
	scn->faults[scn->n_faults++] = (struct scn_fault){
		.requester = r[0] >> 4,
		.opcode = r[1],
		.nth = r[2],
		.action = r[3],
		.value = r[4] | r[5] << 8,
	};
}

/* The first record of an id counts: so eight tasks are kept even among repeated records.
 */
static void decode_task(struct scenario *scn, const uint8_t *r)
{
	unsigned int id = (r[0] >> 4) % SCN_MAX_TASKS;

	if (scenario_task(scn, id))
		return;
	scn->tasks[scn->n_tasks++] = (struct scn_task){
		.id = id,
		.kind = r[1],
		.parent = r[2],
		.late = r[3] & 1,
	};
}

static void decode_config(struct scn_config *config, const uint8_t *r)
{
	config->placement = r[1];
	config->threads = r[2];
	config->cpus = r[3];
	config->daemon = r[4];
	config->mount = r[5];
	config->timeout = r[6];
	config->expect = r[7];
}

static void decode_init(struct scn_config *config, const uint8_t *r)
{
	config->init = r[1] | r[2] << 8;
	config->open = r[3];
	config->max_background = r[4];
}

void scenario_decode(const void *buf, size_t len, struct scenario *ret_scn)
{
	const uint8_t *bytes = buf;

	scenario_init(ret_scn);
	ret_scn->n_tasks = 0; /* canonicalising puts t0 back if no record declares it */
	for (size_t at = 0; at < len; at += SCN_RECORD_SIZE) {
		uint8_t r[SCN_RECORD_SIZE] = {0};

		memcpy(r, bytes + at, len - at < sizeof(r) ? len - at : sizeof(r));
		switch (r[0] & 15) {
		case KIND_FAULT ... KIND_FAULT + 3:
			decode_fault(ret_scn, r);
			break;
		case KIND_TASK ... KIND_TASK + 1:
			decode_task(ret_scn, r);
			break;
		case KIND_CONFIG:
			decode_config(&ret_scn->config, r);
			break;
		case KIND_INIT:
			decode_init(&ret_scn->config, r);
			break;
		default:
			decode_step(ret_scn, r);
		}
	}
	scenario_canonicalise(ret_scn);
}

int scenario_encode(const struct scenario *scn, void *buf, size_t size)
{
	const struct scn_config *config = &scn->config;
	size_t records = 2u + scn->n_tasks + scn->n_faults + scn->n_steps;
	uint8_t(*r)[SCN_RECORD_SIZE] = buf;

	if (size < records * SCN_RECORD_SIZE)
		return -ENOSPC;
	memcpy(*r++,
	       (uint8_t[]){KIND_CONFIG, config->placement, config->threads, config->cpus,
			   config->daemon, config->mount, config->timeout,
			   config->expect},
	       SCN_RECORD_SIZE);
	memcpy(*r++,
	       (uint8_t[]){KIND_INIT, config->init & 0xff, config->init >> 8,
			   config->open, config->max_background, 0, 0, 0},
	       SCN_RECORD_SIZE);
	for (unsigned int i = 0; i < scn->n_tasks; i++) {
		const struct scn_task *t = &scn->tasks[i];

		memcpy(*r++,
		       (uint8_t[]){KIND_TASK | t->id << 4, t->kind, t->parent, t->late, 0,
				   0, 0, 0},
		       SCN_RECORD_SIZE);
	}
	for (unsigned int i = 0; i < scn->n_faults; i++) {
		const struct scn_fault *f = &scn->faults[i];

		memcpy(*r++,
		       (uint8_t[]){KIND_FAULT | f->requester << 4, f->opcode, f->nth,
				   f->action, f->value & 0xff, f->value >> 8, 0, 0},
		       SCN_RECORD_SIZE);
	}
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct scn_step *s = &scn->steps[i];

		memcpy(*r++,
		       (uint8_t[]){KIND_STEP | s->actor << 4, s->op, s->a, s->b, s->c,
				   s->v & 0xff, s->v >> 8, 0},
		       SCN_RECORD_SIZE);
	}
	return records * SCN_RECORD_SIZE;
}
