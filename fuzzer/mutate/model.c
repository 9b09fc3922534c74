/* SPDX-License-Identifier: MIT */
/* Predicts roughly what a scenario does, so that generated steps find an actor that can
 * take them. */

#include <linux/fuse.h>
#include <string.h>

#include "model.h"

#define EMITS 4

static const uint8_t emits[OP_COUNT][EMITS + 1] = {
	[OP_open] = {FUSE_OPEN, FUSE_LOOKUP},
	[OP_creat] = {FUSE_CREATE, FUSE_LOOKUP, FUSE_OPEN},
	[OP_close] = {FUSE_FLUSH, FUSE_RELEASE},
	[OP_read] = {FUSE_READ},
	[OP_write] = {FUSE_WRITE, FUSE_GETXATTR},
	[OP_pread] = {FUSE_READ},
	[OP_pwrite] = {FUSE_WRITE},
	[OP_fsync] = {FUSE_FSYNC, FUSE_WRITE},
	[OP_ftruncate] = {FUSE_SETATTR},
	[OP_stat] = {FUSE_LOOKUP, FUSE_GETATTR},
	[OP_access] = {FUSE_ACCESS, FUSE_LOOKUP},
	[OP_readdir] = {FUSE_READDIR, FUSE_OPENDIR, FUSE_READDIRPLUS, FUSE_RELEASEDIR},
	[OP_mkdir] = {FUSE_MKDIR, FUSE_LOOKUP},
	[OP_rmdir] = {FUSE_RMDIR, FUSE_LOOKUP},
	[OP_unlink] = {FUSE_UNLINK, FUSE_LOOKUP},
	[OP_rename] = {FUSE_RENAME, FUSE_LOOKUP, FUSE_RENAME2},
	[OP_link] = {FUSE_LINK, FUSE_LOOKUP},
	[OP_symlink] = {FUSE_SYMLINK, FUSE_LOOKUP},
	[OP_readlink] = {FUSE_READLINK, FUSE_LOOKUP},
	[OP_dup2] = {FUSE_FLUSH, FUSE_RELEASE},
	[OP_dup3] = {FUSE_FLUSH, FUSE_RELEASE},
	[OP_close_range] = {FUSE_FLUSH, FUSE_RELEASE},
	[OP_flock] = {FUSE_SETLKW, FUSE_SETLK},
	[OP_setlk] = {FUSE_SETLK},
	[OP_setlkw] = {FUSE_SETLKW},
	[OP_mmap] = {FUSE_READ},
	[OP_touch] = {FUSE_READ, FUSE_WRITE},
	[OP_munmap] = {FUSE_WRITE},
	[OP_msync] = {FUSE_WRITE, FUSE_FSYNC},
	[OP_epoll_add] = {FUSE_POLL},
	[OP_poll] = {FUSE_POLL},
	[OP_chdir] = {FUSE_LOOKUP, FUSE_ACCESS},
	[OP_exec] = {FUSE_READ, FUSE_FLUSH, FUSE_OPEN, FUSE_LOOKUP},
	[OP_vfork_exec] = {FUSE_READ, FUSE_FLUSH, FUSE_OPEN, FUSE_LOOKUP},
	[OP_exit] = {FUSE_FLUSH, FUSE_WRITE, FUSE_RELEASE},
	[OP_exit_group] = {FUSE_FLUSH, FUSE_WRITE, FUSE_RELEASE},
	[OP_getxattr] = {FUSE_GETXATTR, FUSE_LOOKUP},
	[OP_setxattr] = {FUSE_SETXATTR, FUSE_LOOKUP},
	[OP_listxattr] = {FUSE_LISTXATTR, FUSE_LOOKUP},
	[OP_removexattr] = {FUSE_REMOVEXATTR, FUSE_LOOKUP},
	[OP_statfs] = {FUSE_STATFS, FUSE_LOOKUP},
	[OP_chmod] = {FUSE_SETATTR, FUSE_LOOKUP},
	[OP_truncate] = {FUSE_SETATTR, FUSE_LOOKUP},
	[OP_fallocate] = {FUSE_FALLOCATE},
	[OP_lseek] = {FUSE_LSEEK},
	[OP_copy_range] = {FUSE_COPY_FILE_RANGE, FUSE_READ},
	[OP_ioctl] = {FUSE_IOCTL},
	[OP_mknod] = {FUSE_MKNOD, FUSE_LOOKUP},
	[OP_aio_read] = {FUSE_READ},
	[OP_aio_write] = {FUSE_WRITE},
	[OP_fdatasync] = {FUSE_FSYNC, FUSE_WRITE},
	[OP_sync_range] = {FUSE_WRITE},
	[OP_fork_exit] = {FUSE_FLUSH},
	[OP_read_nowait] = {FUSE_READ},
	[OP_write_dsync] = {FUSE_WRITE, FUSE_FSYNC},
	[OP_write_append] = {FUSE_WRITE},
	[OP_write_nowait] = {FUSE_WRITE},
	[OP_splice_read] = {FUSE_READ},
	[OP_splice_write] = {FUSE_WRITE},
	[OP_vmsplice_write] = {FUSE_WRITE},
	[OP_sendfile] = {FUSE_READ, FUSE_WRITE},
	[OP_readahead] = {FUSE_READ},
	[OP_fadvise_need] = {FUSE_READ},
	[OP_fadvise_drop] = {FUSE_WRITE},
	[OP_sync_wait] = {FUSE_WRITE},
	[OP_syncfs] = {FUSE_WRITE},
	[OP_punch_hole] = {FUSE_FALLOCATE},
	[OP_zero_range] = {FUSE_FALLOCATE},
	[OP_keep_size] = {FUSE_FALLOCATE},
	[OP_lseek_hole] = {FUSE_LSEEK},
	[OP_lseek_end] = {FUSE_LSEEK, FUSE_GETATTR},
	[OP_setflags] = {FUSE_IOCTL},
	[OP_fsgetxattr] = {FUSE_IOCTL},
	[OP_statx_sync] = {FUSE_LOOKUP, FUSE_GETATTR},
	[OP_statx_cached] = {FUSE_LOOKUP},
	[OP_lstat] = {FUSE_LOOKUP, FUSE_GETATTR},
	[OP_fstat] = {FUSE_GETATTR},
	[OP_utimens] = {FUSE_SETATTR, FUSE_LOOKUP},
	[OP_futimens] = {FUSE_SETATTR},
	[OP_chown] = {FUSE_SETATTR, FUSE_LOOKUP},
	[OP_fchown] = {FUSE_SETATTR},
	[OP_fchmod] = {FUSE_SETATTR},
	[OP_access_write] = {FUSE_ACCESS, FUSE_LOOKUP},
	[OP_rename_noreplace] = {FUSE_RENAME2, FUSE_LOOKUP},
	[OP_rename_exchange] = {FUSE_RENAME2, FUSE_LOOKUP},
	[OP_rename_whiteout] = {FUSE_RENAME2, FUSE_LOOKUP},
	[OP_mkfifo] = {FUSE_MKNOD, FUSE_LOOKUP},
	[OP_getacl] = {FUSE_GETXATTR, FUSE_LOOKUP},
	[OP_fchdir] = {FUSE_ACCESS},
	[OP_tmpfile] = {FUSE_TMPFILE, FUSE_LOOKUP},
	[OP_open_path] = {FUSE_LOOKUP},
	[OP_open_handle] = {FUSE_LOOKUP, FUSE_OPEN},
	[OP_inotify] = {FUSE_LOOKUP},
	[OP_fanotify] = {FUSE_LOOKUP},
	[OP_epoll_nest] = {FUSE_POLL},
	[OP_select] = {FUSE_POLL},
	[OP_getlk] = {FUSE_GETLK},
	[OP_ofd_setlk] = {FUSE_SETLK},
	[OP_ofd_setlkw] = {FUSE_SETLKW},
	[OP_flock_try] = {FUSE_SETLK},
	[OP_madvise_need] = {FUSE_READ},
	[OP_populate_read] = {FUSE_READ},
	[OP_populate_write] = {FUSE_READ},
	[OP_pageout] = {FUSE_WRITE},
	[OP_mlock] = {FUSE_READ},
	[OP_msync_drop] = {FUSE_WRITE, FUSE_FSYNC},
	[OP_write_mapped] = {FUSE_WRITE, FUSE_READ},
	[OP_read_mapped] = {FUSE_READ},
	[OP_uring_read] = {FUSE_READ},
	[OP_uring_write] = {FUSE_WRITE},
	[OP_uring_work] = {FUSE_READ},
	[OP_uring_fsync] = {FUSE_FSYNC, FUSE_WRITE},
	[OP_uring_poll] = {FUSE_POLL},
	[OP_uring_open] = {FUSE_LOOKUP, FUSE_OPEN},
	[OP_uring_statx] = {FUSE_LOOKUP, FUSE_GETATTR},
	[OP_bind_mount] = {FUSE_LOOKUP},
	[OP_fork_exec] = {FUSE_READ, FUSE_FLUSH, FUSE_OPEN, FUSE_LOOKUP},
};

const uint8_t *op_emits(unsigned int op)
{
	return emits[op < OP_COUNT ? op : OP_nop];
}

bool op_fills_slot(unsigned int op)
{
	switch (op) {
	case OP_open:
	case OP_creat:
	case OP_steal_dev:
	case OP_tmpfile:
	case OP_open_path:
	case OP_open_handle:
	case OP_inotify:
	case OP_fanotify:
	case OP_epoll_nest:
		return true;
	default:
		return false;
	}
}

bool op_writes(unsigned int op)
{
	switch (op) {
	case OP_write:
	case OP_pwrite:
	case OP_write_dsync:
	case OP_write_append:
	case OP_write_nowait:
	case OP_splice_write:
	case OP_vmsplice_write:
	case OP_sendfile:
	case OP_write_mapped:
	case OP_uring_write:
		return true;
	default:
		return false;
	}
}

bool fault_withholds(unsigned int action)
{
	switch (action) {
	case FAULT_hold:
	case FAULT_hold_step:
	case FAULT_hold_more:
	case FAULT_hold_kill:
	case FAULT_drop:
	case FAULT_reorder:
	case FAULT_bogus:
	case FAULT_noread:
	case FAULT_stop_before:
	case FAULT_thread_exit:
	case FAULT_block:
	case FAULT_bad_error:
		return true;
	default:
		return false;
	}
}

/* RELEASE and its like are background requests: nobody waits for them. */
static bool opcode_is_waited_for(unsigned int opcode)
{
	return opcode != FUSE_RELEASE && opcode != FUSE_RELEASEDIR &&
	       opcode != FUSE_FORGET;
}

static void create(struct model *m, const struct scn_task *task)
{
	unsigned int id = task->id, parent = task->parent;

	m->state[id] = MODEL_READY;
	m->process[id] = task->kind == TASK_THREAD ? m->process[parent] : id;
	m->files[id] = id;
	m->mm[id] = id;
	model_copy_files(m, m->files[parent], id);
	if (task->kind == TASK_THREAD || task->kind == TASK_FILES)
		m->files[id] = m->files[parent];
	if (task->kind == TASK_THREAD || task->kind == TASK_VM ||
	    task->kind == TASK_VFORK)
		m->mm[id] = m->mm[parent];
	else
		m->maps[id] = m->maps[m->mm[parent]];
	if (task->kind == TASK_VFORK && parent != ACTOR_CTL)
		m->state[parent] = MODEL_BLOCKED;
}

void model_init(struct model *model, const struct scenario *scn)
{
	memset(model, 0, sizeof(*model));
	model->scn = scn;
	model_init_paths(model);
	for (unsigned int i = 0; i < MODEL_ACTORS; i++)
		model->process[i] = model->files[i] = model->mm[i] = i;
	model->state[ACTOR_CTL] = MODEL_READY;
	model->state[ACTOR_DAEMON] = MODEL_READY;
	for (unsigned int i = 0; i < scn->n_tasks; i++) {
		const struct scn_task *task = &scn->tasks[i];

		if (!task->late && model->state[task->parent] != MODEL_ABSENT)
			create(model, task);
	}
}

/* Is this init that of the actor's pid namespace, or of one that its namespace is in? */
static bool lives_below(const struct scenario *scn, unsigned int actor, unsigned int init)
{
	const struct scn_task *task = scenario_task(scn, actor);

	if (scenario_namespace(scn, actor) == init)
		return true;
	return task && task->kind == TASK_PIDNS && task->parent != actor &&
	       task->parent != ACTOR_CTL && lives_below(scn, task->parent, init);
}

static void end_process(struct model *m, unsigned int actor)
{
	for (unsigned int i = 0; i < MODEL_ACTORS; i++)
		if (m->process[i] == m->process[actor] && m->state[i] != MODEL_ABSENT)
			m->state[i] = MODEL_GONE;
	if (m->process[actor] == ACTOR_DAEMON)
		m->daemon_gone = true;
	/* The end of its init ends a pid namespace, and those in it: zap_pid_ns_processes(). */
	for (unsigned int i = 0; i < MODEL_ACTORS; i++) {
		bool member =
			i != ACTOR_CTL && i != actor && lives_below(m->scn, i, actor);

		if (member && m->state[i] != MODEL_ABSENT && m->state[i] != MODEL_GONE)
			end_process(m, i);
	}
}

/* True if a request of the operation meets a rule that withholds its reply. */
static bool meets_fault(struct model *m, const struct scn_step *step)
{
	const uint8_t *op = op_emits(step->op);
	bool held = false;

	if (step->op == OP_mmap && !(step->c & MFLAG_POPULATE))
		return false;
	for (; *op; op++) {
		for (unsigned int i = 0; i < m->scn->n_faults; i++) {
			const struct scn_fault *f = &m->scn->faults[i];

			if (f->opcode && f->opcode != *op)
				continue;
			if (f->requester != ACTOR_ANY && f->requester != step->actor)
				continue;
			m->hits[i]++;
			if (f->nth && f->nth != m->hits[i])
				continue;
			held |= fault_withholds(f->action) && opcode_is_waited_for(*op);
			break;
		}
	}
	return held && !m->daemon_gone;
}

static void send_signal(struct model *m, unsigned int target, unsigned int sig)
{
	if (target >= MODEL_ACTORS || m->state[target] == MODEL_ABSENT)
		return;
	if (signal_table[sig].value == 9)
		end_process(m, target);
	else if (signal_table[sig].value == 19)
		m->state[target] = MODEL_BLOCKED;
}

static void change_tasks(struct model *m, const struct scn_step *step)
{
	const struct scn_task *task;

	switch (step->op) {
	case OP_spawn:
		task = scenario_task(m->scn, step->a);
		if (task && task->late && m->state[step->a] == MODEL_ABSENT &&
		    task->parent == step->actor)
			create(m, task);
		break;
	case OP_exit:
		/* A lone thread takes its process along; with others left, only itself
		 * goes. */
		m->state[step->actor] = MODEL_GONE;
		for (unsigned int i = 0; i < MODEL_ACTORS; i++)
			if (m->process[i] == m->process[step->actor] &&
			    (m->state[i] == MODEL_READY || m->state[i] == MODEL_BLOCKED))
				return;
		end_process(m, step->actor);
		break;
	case OP_exec:
	case OP_exit_group:
		end_process(m, step->actor);
		break;
	case OP_kill:
	case OP_tgkill:
		send_signal(m, step->a, step->b);
		break;
	case OP_stop:
		if (step->a < MODEL_ACTORS && m->state[step->a] == MODEL_READY)
			m->state[step->a] = MODEL_BLOCKED;
		break;
	case OP_cont:
	case OP_ptrace_detach:
		if (step->a < MODEL_ACTORS && m->state[step->a] == MODEL_BLOCKED)
			m->state[step->a] = MODEL_READY;
		break;
	case OP_ptrace_attach:
		if (step->a < MODEL_ACTORS && m->state[step->a] == MODEL_READY)
			m->state[step->a] = MODEL_BLOCKED;
		break;
	case OP_release:
		for (unsigned int i = 0; i < SCN_MAX_TASKS; i++)
			if (m->state[i] == MODEL_BLOCKED)
				m->state[i] = MODEL_READY;
		break;
	}
}

bool model_step(struct model *model, const struct scn_step *step)
{
	if (!model_ready(model, step->actor))
		return false;
	if (step->actor != ACTOR_CTL && meets_fault(model, step))
		model->state[step->actor] = MODEL_BLOCKED;
	model_change_files(model, step);
	change_tasks(model, step);
	return true;
}

void model_at(struct model *model, const struct scenario *scn, unsigned int n_steps)
{
	model_init(model, scn);
	for (unsigned int i = 0; i < n_steps && i < scn->n_steps; i++)
		model_step(model, &scn->steps[i]);
}

unsigned int model_executable(const struct scenario *scn)
{
	struct model model;
	unsigned int n = 0;

	model_init(&model, scn);
	for (unsigned int i = 0; i < scn->n_steps; i++)
		n += model_step(&model, &scn->steps[i]);
	return n;
}
