/* SPDX-License-Identifier: MIT */
/* Which requests a step sends: what system calls do, as far as configuration and descriptors tell. */

#include <linux/fuse.h>

#include "outlook_walk.h"

#define STAGES 3

/* The order in which a system call sends its requests: names first, then the file, then what is in it. */
static unsigned int stage(unsigned int opcode)
{
	switch (opcode) {
	case FUSE_LOOKUP:
		return 0;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
	case FUSE_CREATE:
		return 1;
	default:
		return 2;
	}
}

bool walk_config_sends(const struct scn_config *c, unsigned int opcode, unsigned int op)
{
	switch (opcode) {
	case FUSE_OPEN:
		return !(c->init & INITF_NO_OPEN);
	case FUSE_FLUSH:
		return !(c->init & INITF_NO_FLUSH) && !(c->open & OPENF_NOFLUSH);
	case FUSE_SETLK:
	case FUSE_SETLKW:
		return c->init &
		       (op == OP_flock || op == OP_flock_try ? INITF_FLOCK_LOCKS
							     : INITF_POSIX_LOCKS);
	case FUSE_GETLK:
		return c->init & INITF_POSIX_LOCKS;
	case FUSE_WRITE:
		return !op_writes(op) || !(c->init & INITF_WRITEBACK_CACHE);
	case FUSE_READDIRPLUS:
		return c->init & INITF_READDIRPLUS;
	case FUSE_READLINK:
		return true;
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
		return false; /* nobody waits for these */
	default:
		return true;
	}
}

unsigned int walk_files(const struct walk *w, unsigned int actor)
{
	unsigned int table = w->model.files[actor];

	return w->model.fds[table] & ~w->model.foreign[table];
}

/* Does the step get as far as the mount? */
static bool reaches(const struct walk *w, const struct scn_step *step)
{
	const struct op_info *info = &op_table[step->op];
	unsigned int table = w->model.files[step->actor];
	unsigned int fds = walk_files(w, step->actor);
	unsigned int maps = w->model.maps[w->model.mm[step->actor]];

	switch (step->op) {
	case OP_open:
	case OP_creat:
		/* A slot that is taken: EBUSY, without a look at the path. */
		return step->b != PATH_OUT && !(w->model.fds[table] & 1u << step->a);
	case OP_mmap:
		return step->c & MFLAG_POPULATE && fds & 1u << step->b;
	case OP_exit:
	case OP_exit_group:
	case OP_fork_exit:
		return fds;
	case OP_exec:
	case OP_vfork_exec:
	case OP_fork_exec:
		return step->a || fds & w->model.cloexec[table];
	case OP_dup2:
	case OP_dup3:
		return fds & 1u << step->a && fds & 1u << step->b && step->a != step->b;
	case OP_close_range:
		return fds >> step->a & ((2u << step->b) - 1) >> step->a;
	}
	if (info->arg[0] == ARG_PATH && step->a == PATH_OUT)
		return false;
	if (op_fills_slot(step->op) && step->op != OP_steal_dev)
		return step->b != PATH_OUT && !(w->model.fds[table] & 1u << step->a);
	if (info->arg[0] == ARG_FD)
		return fds & 1u << step->a;
	if (info->arg[0] == ARG_MAP)
		return maps & 1u << step->a;
	return true;
}

/* Has the step no reason to send this request? */
static bool spares(const struct walk *w, const struct scn_step *step, unsigned int opcode)
{
	const struct model *m = &w->model;
	unsigned int table = m->files[step->actor];

	if (!walk_config_sends(&w->scn->config, opcode, step->op))
		return true;
	/* It ends with the lookup. */
	if (opcode != FUSE_LOOKUP && !model_name_fits(m, step))
		return true;
	if (opcode == FUSE_FLUSH && (step->op == OP_exec || step->op == OP_vfork_exec ||
				     step->op == OP_fork_exec))
		return !(walk_files(w, step->actor) & m->cloexec[table]);
	/* Somebody has to have made pages dirty. */
	return opcode == FUSE_WRITE && !op_writes(step->op) && step->op != OP_aio_write &&
	       !(w->scn->config.init & INITF_WRITEBACK_CACHE) &&
	       !m->maps[m->mm[step->actor]];
}

unsigned int walk_requests(const struct walk *w, const struct scn_step *step,
			   uint8_t ret_opcode[WALK_REQUESTS])
{
	const uint8_t *op = op_emits(step->op);
	unsigned int n = 0;

	if (!reaches(w, step))
		return 0;
	for (unsigned int at = 0; at < STAGES; at++)
		for (unsigned int i = 0; op[i] && n < WALK_REQUESTS; i++)
			if (stage(op[i]) == at && !spares(w, step, op[i]))
				ret_opcode[n++] = op[i];
	return n;
}
