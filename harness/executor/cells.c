/* SPDX-License-Identifier: MIT */
/*
 * "wait" feedback, on every kernel: where tasks block, by what, in which phase of their life.
 *
 * A cell is a hash of facts that do not depend on timing: no pids, counts or addresses. Steps
 * are sampled once their actor is off the run queue, so the same scenario gives the same cells.
 */

#include <stdlib.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "priority.h"
#include "run.h"

#define CELL_FRAMES 4 /* innermost frames that say what is waited for */

enum { CELL_STEP = 1, CELL_WAIT, CELL_VERDICT, CELL_ROOT };

static uint32_t mix(uint32_t hash, uint32_t value)
{
	hash = (hash ^ value) * 0x9e3779b1u;
	return hash ^ hash >> 15;
}

static uint32_t mix_text(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = mix(hash, (unsigned char)*text);
	return hash;
}

static void add(struct result *res, uint32_t cell)
{
	if (res->n_cells < RESULT_MAX_CELLS)
		res->cells[res->n_cells++] = cell;
}

/* The newest unanswered request of this task: what its wait is about. */
static const struct ledger_record *open_request(const struct arena *arena, pid_t tid)
{
	uint32_t n = arena->ledger.head < LEDGER_SIZE ? arena->ledger.head : LEDGER_SIZE;

	while (n-- > 0) {
		const struct ledger_record *rec = &arena->ledger.record[n];

		if (rec->pid == tid && rec->state != LEDGER_ANSWERED)
			return rec;
	}
	return NULL;
}

static uint32_t hash_frames(uint32_t hash, const struct snap_task *task)
{
	unsigned int used = 0;

	for (unsigned int i = 0; i < task->n_frames && used < CELL_FRAMES; i++) {
		char name[SNAP_NAME];

		frame_normalise(task->frames[i].name, name, sizeof(name));
		if (frame_is_generic(name))
			continue;
		hash = mix_text(hash, name);
		used++;
	}
	return hash;
}

static void cell_wait(struct run *run, unsigned int op, const struct mailbox *box)
{
	const struct ledger_record *rec = open_request(run->arena, box->tid);
	static struct snap_task task;
	uint32_t hash = mix(0, CELL_WAIT);

	memset(&task, 0, sizeof(task));
	priority_work(run);
	if (procfs_read_task(&run->ex->procfs, box->pid, box->tid, &task) < 0)
		return;
	hash = mix(hash, rec ? rec->opcode : 0);
	hash = mix(hash, rec ? rec->action : 0);
	hash = mix_text(hash, exit_phase(&task));
	hash = mix(hash, (task.flags & PF_EXITING) != 0);
	hash = mix(hash, (task.sigpnd | task.shdpnd) != 0);
	hash = hash_frames(hash, &task);
	add(run->res, hash);
	add(run->res, mix(hash, op));
}

void cells_step(struct run *run, unsigned int i)
{
	const struct scn_step *step = &run->scn->steps[i];
	const struct step_result *res = &run->res->steps[i];
	uint32_t hash = mix(mix(0, CELL_STEP), step->op);

	hash = mix(hash, res->status);
	hash = mix(hash,
		   res->status == STEP_DONE && res->ret < 0 ? (uint32_t)res->ret : 0);
	hash = mix(hash, step->actor == ACTOR_DAEMON);
	add(run->res, hash);
	if (res->status == STEP_BLOCKED)
		cell_wait(run, step->op, &run->arena->mailbox[step->actor]);
}

void cells_verdict(struct run *run)
{
	struct result *res = run->res;

	add(res, mix(mix(mix(0, CELL_VERDICT), res->verdict), res->rung));
	if (!run->explained || res->verdict == VERDICT_CLEAN)
		return;
	add(res, mix(mix(mix(0, CELL_ROOT), (uint32_t)run->why.root_hash),
		     (uint32_t)(run->why.root_hash >> 32)));
	for (size_t i = 0; i < run->snap.n_tasks; i++) {
		const struct snap_task *task = &run->snap.tasks[i];
		uint32_t hash = mix(mix(0, CELL_WAIT), task->role);

		if (task->state == 'Z')
			continue;
		hash = mix_text(hash, exit_phase(task));
		add(res, hash_frames(mix(hash, run->snap.rung), task));
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void cells_finish(struct result *res)
{
	unsigned int kept = 0;

	qsort(res->cells, res->n_cells, sizeof(res->cells[0]), compare);
	for (unsigned int i = 0; i < res->n_cells; i++)
		if (!kept || res->cells[kept - 1] != res->cells[i])
			res->cells[kept++] = res->cells[i];
	res->n_cells = (uint16_t)kept;
}
