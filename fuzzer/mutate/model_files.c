/* SPDX-License-Identifier: MIT */
/* The part of the model that knows names and descriptors: what is there, what is open. */

#include "model.h"

#define BIT(n)	    (1u << (n))
#define DIRECTORIES (BIT(PATH_ROOT) | BIT(PATH_D0) | BIT(PATH_D1))
/* Of the tree that every run begins with (memfs_init()). */
#define MISSING (BIT(PATH_N0) | BIT(PATH_N1) | BIT(PATH_N2) | BIT(PATH_GONE))

void model_init_paths(struct model *model)
{
	model->exist = (uint16_t)((BIT(PATH_COUNT) - 1) & ~MISSING);
	model->dirs = DIRECTORIES;
}

void model_copy_files(struct model *model, unsigned int from, unsigned int to)
{
	model->fds[to] = model->fds[from];
	model->foreign[to] = model->foreign[from];
	model->cloexec[to] = model->cloexec[from];
}

/* EISDIR of may_open(); O_TRUNC asks for MAY_WRITE too (build_open_flags()). */
static bool writes(const struct scn_step *step)
{
	return step->c & (OFLAG_ACCMODE | OFLAG_TRUNC);
}

bool model_name_fits(const struct model *model, const struct scn_step *step)
{
	const struct op_info *info = &op_table[step->op];
	unsigned int path = info->arg[0] == ARG_PATH ? step->a : step->b;
	bool there = model->exist & BIT(path), dir = model->dirs & BIT(path);

	switch (step->op) {
	case OP_open:
		return there && !(dir && writes(step));
	case OP_creat:
		return !dir;
	case OP_readdir:
	case OP_chdir:
		return there && dir;
	case OP_rmdir:
		return there && dir && path != PATH_ROOT;
	case OP_unlink:
	case OP_truncate:
	case OP_open_handle:
		return there && !dir;
	case OP_tmpfile:
		return there && dir;
	case OP_readlink:
		return path == PATH_SYM;
	case OP_mkdir:
	case OP_mknod:
	case OP_mkfifo:
		return !there;
	case OP_rename_noreplace:
		return there && !(model->exist & BIT(step->b));
	case OP_rename_exchange:
		return there && model->exist & BIT(step->b);
	case OP_link:
	case OP_symlink:
		return !(model->exist & BIT(step->b));
	default:
		return there || info->arg[0] != ARG_PATH;
	}
}

bool model_opens(const struct model *model, const struct scn_step *step)
{
	/* EBUSY: the slot is taken, see open_into() of ops_file.c. */
	if (model->fds[model->files[step->actor]] & BIT(step->a))
		return false;
	if (step->b == PATH_OUT)
		return true;
	return !model->daemon_gone && model_name_fits(model, step);
}

/* Or something whose close sends no FLUSH: O_PATH files have none, a watch is none. */
static bool opens_file(unsigned int op)
{
	return op == OP_open || op == OP_creat || op == OP_tmpfile ||
	       op == OP_open_handle;
}

static void open_slot(struct model *m, const struct scn_step *step)
{
	unsigned int table = m->files[step->actor], bit = BIT(step->a);

	m->fds[table] |= bit;
	m->foreign[table] &= ~bit;
	m->cloexec[table] &= ~bit;
	/* A directory's close sends no FLUSH: fuse_dir_operations has none. */
	if (!opens_file(step->op) || step->b == PATH_OUT ||
	    (step->op != OP_tmpfile && m->dirs & BIT(step->b)))
		m->foreign[table] |= bit;
	if (opens_file(step->op) && step->c & OFLAG_CLOEXEC)
		m->cloexec[table] |= bit;
}

static void copy_slot(struct model *m, const struct scn_step *step)
{
	unsigned int table = m->files[step->actor];
	unsigned int from = BIT(step->a), to = BIT(step->b);

	if (!(m->fds[table] & from) || from == to)
		return;
	m->fds[table] |= to;
	m->cloexec[table] &= ~to;
	m->foreign[table] &= ~to;
	m->foreign[table] |= m->foreign[table] & from ? to : 0;
}

/* Of an argument that may be anything: other operations have other arguments there. */
static unsigned int path_bit(unsigned int path)
{
	return path <= PATH_OUT ? BIT(path) : 0;
}

/* Names that come and go. */
static void change_paths(struct model *m, const struct scn_step *step)
{
	unsigned int a = path_bit(step->a), b = path_bit(step->b);

	switch (step->op) {
	case OP_creat:
		m->exist |= b;
		break;
	case OP_mkdir:
		m->dirs |= m->exist & a ? 0 : a;
		m->exist |= a;
		break;
	case OP_mknod:
	case OP_mkfifo:
		m->exist |= a;
		break;
	case OP_unlink:
		m->exist &= ~(a & ~m->dirs);
		break;
	case OP_rmdir:
		/* d0 is not empty, and the root is busy. */
		if (step->a != PATH_ROOT && step->a != PATH_D0 && m->dirs & a) {
			m->exist &= ~a;
			m->dirs &= ~a;
		}
		break;
	case OP_link:
	case OP_symlink:
		m->exist |= m->exist & a && !(m->dirs & a) ? b : 0;
		break;
	case OP_rename:
		if (m->exist & a && !((m->dirs & a) ^ (m->dirs & b))) {
			m->exist = (uint16_t)((m->exist | b) & ~a);
		}
		break;
	}
}

void model_change_files(struct model *m, const struct scn_step *step)
{
	unsigned int table = m->files[step->actor];
	uint8_t *maps = &m->maps[m->mm[step->actor]];

	switch (step->op) {
	case OP_open:
	case OP_creat:
		if (model_opens(m, step))
			open_slot(m, step);
		break;
	case OP_tmpfile:
	case OP_open_handle:
		/* A directory, or a file; the same conditions as open_into() has. */
		if (!(m->fds[table] & BIT(step->a)) &&
		    (step->op == OP_tmpfile ? (m->dirs & BIT(step->b)) != 0
					    : model_name_fits(m, step)))
			open_slot(m, step);
		break;
	case OP_steal_dev:
	case OP_open_path:
	case OP_inotify:
	case OP_fanotify:
	case OP_epoll_nest:
		if (step->op == OP_steal_dev || !(m->fds[table] & BIT(step->a)))
			open_slot(m, step);
		break;
	case OP_close:
		m->fds[table] &= ~BIT(step->a);
		break;
	case OP_dup2:
	case OP_dup3:
		copy_slot(m, step);
		break;
	case OP_close_range:
		for (unsigned int i = step->a; i <= step->b; i++)
			m->fds[table] &= ~BIT(i);
		break;
	case OP_mmap:
		if (m->fds[table] & BIT(step->b))
			*maps |= BIT(step->a);
		break;
	case OP_munmap:
		*maps &= ~BIT(step->a);
		break;
	case OP_unshare:
		if (step->a & UNSHARE_FILES && table != step->actor) {
			model_copy_files(m, table, step->actor);
			m->files[step->actor] = step->actor;
		}
		break;
	}
	change_paths(m, step);
}
