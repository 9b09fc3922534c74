/* SPDX-License-Identifier: MIT */
/* What an exported scenario makes necessary, and what cannot be exported. */

#include <errno.h>
#include <linux/fuse.h>
#include <stdarg.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "parts.h"

__attribute__((format(printf, 2, 3))) static int refuse(char *err, const char *format,
							...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(err, ERROR_SIZE, format, ap);
	va_end(ap);
	return -EOPNOTSUPP;
}

static void need_path(struct needs *needs, unsigned int path)
{
	needs->paths |= 1u << path;
	if (path == PATH_F3 || path == PATH_N2)
		needs->paths |= 1u << PATH_D0;
	if (path == PATH_SYM)
		needs->paths |= 1u << PATH_F0;
	if (path == PATH_SYM)
		needs->opcodes |= OPCODE_BIT(FUSE_READLINK);
}

static void need_arguments(struct needs *needs, const struct scn_step *step)
{
	const uint8_t *class = op_table[step->op].arg;
	const unsigned int value[] = {step->a, step->b, step->c, step->v};

	for (unsigned int i = 0; i < 4; i++) {
		if (class[i] == ARG_PATH)
			need_path(needs, value[i]);
		else if (class[i] == ARG_FD &&
			 !(step->op == OP_open || step->op == OP_creat))
			needs->fds |= 1u << value[i];
		else if (class[i] == ARG_MAP)
			needs->maps |= 1u << value[i];
	}
}

/* What the controller does to the daemon and its connection. */
static void need_steering(struct needs *needs, const struct scn_step *step)
{
	switch (step->op) {
	case OP_abort:
		needs->abort_step = true;
		break;
	case OP_close_dev:
		needs->close_dev = needs->polling = true;
		break;
	case OP_gate:
		needs->gate = needs->polling = true;
		break;
	case OP_release:
		needs->holds |= HOLD_RELEASE;
		break;
	default:
		break;
	}
}

static void need_variables(struct needs *needs, const struct scn_step *step)
{
	switch (step->op) {
	case OP_read:
	case OP_write:
	case OP_pread:
	case OP_pwrite:
	case OP_readdir:
	case OP_readlink:
	case OP_getxattr:
	case OP_setxattr:
	case OP_listxattr:
	case OP_aio_read:
	case OP_aio_write:
		needs->buffer = true;
		break;
	case OP_stat:
		needs->st = true;
		break;
	case OP_open:
		if (step->b == PATH_ROOT || step->b == PATH_D0 || step->b == PATH_D1)
			needs->opcodes |=
				OPCODE_BIT(FUSE_OPENDIR) | OPCODE_BIT(FUSE_RELEASEDIR);
		if (step->c & OFLAG_TRUNC)
			needs->opcodes |= OPCODE_BIT(FUSE_SETATTR);
		break;
	case OP_epoll_add:
	case OP_epoll_wait:
		needs->epoll = true;
		break;
	case OP_alarm:
	case OP_handle:
		needs->handler = true;
		break;
	case OP_rename_noreplace:
	case OP_rename_exchange:
	case OP_rename_whiteout:
	case OP_mkfifo:
	case OP_creat:
	case OP_mkdir:
	case OP_mknod:
	case OP_symlink:
	case OP_link:
	case OP_unlink:
	case OP_rmdir:
	case OP_rename:
		needs->names_change = true;
		break;
	case OP_exec:
	case OP_vfork_exec:
		if (step->a)
			need_path(needs, PATH_BIN);
		needs->image_mount |= step->a;
		needs->image_outside |= !step->a;
		needs->execs = true;
		needs->headers |= HEADER_WAIT;
		break;
	case OP_wait:
	case OP_wait_any:
		needs->headers |= HEADER_WAIT;
		break;
	default:
		need_steering(needs, step);
		break;
	}
}

/* A number that one task gives another means the same task only in the same namespace. */
static int need_ids(const struct scenario *scn, struct needs *needs,
		    const struct scn_step *step, char *err)
{
	enum arg_class class = op_table[step->op].arg[0];
	unsigned int home = scenario_namespace(scn, step->actor);
	unsigned int target = step->op == OP_steal_dev ? ACTOR_DAEMON : step->a;

	if (step->op == OP_spawn ||
	    (class != ARG_ACTOR && class != ARG_TASK && step->op != OP_steal_dev))
		return 0;
	needs->published |= 1u << target;
	needs->inner |= home != ACTOR_CTL;
	if (home != ACTOR_CTL && home != scenario_namespace(scn, target))
		return refuse(err,
			      "t%u and the target of its %s are in two pid namespaces",
			      step->actor, op_table[step->op].name);
	return 0;
}

static int need_step(const struct scenario *scn, struct needs *needs,
		     const struct scn_step *step, char *err)
{
	const struct op_code *code = op_code_of(step);

	if (!code->code)
		return refuse(err, "the operation '%s' has no C form yet",
			      op_table[step->op].name);
	needs->opcodes |= code->opcodes;
	needs->headers |= code->headers;
	needs->buffer |= strstr(code->code, "buffer") != NULL;
	needs->st |= strstr(code->code, "&st)") != NULL;
	if (step->actor == ACTOR_DAEMON)
		needs->daemon_steps = needs->polling = true;
	need_arguments(needs, step);
	need_variables(needs, step);
	return need_ids(scn, needs, step, err);
}

static int need_fault(const struct scenario *scn, struct needs *needs,
		      const struct scn_fault *fault, char *err)
{
	const struct fault_code *code = fault_code_of(fault);
	const char *name = fault_table[fault->action].name;

	if (!code->code)
		return refuse(err, "the fault '%s' has no C form yet", name);
	if (code->what & FAULT_HITS_SERVER && scn->config.placement == PLACE_INIT)
		return refuse(err,
			      "'%s': the init of a pid namespace does not hear its own "
			      "signals",
			      name);
	if (code->what & FAULT_ANSWERS_INTR && scn->config.daemon & DAEMON_CLONE_FD)
		return refuse(err, "'%s' with several devices has no C form yet", name);
	if (fault->opcode == FUSE_INTERRUPT && fault->requester != ACTOR_ANY)
		return refuse(err, "INTERRUPT does not say who was interrupted: "
				   "only 'from any' has a C form");
	needs->holds |= code->holds;
	if (fault->action == FAULT_noread)
		needs->gate = needs->polling = true;
	if (code->what & (FAULT_OPENS | FAULT_STATS))
		need_path(needs, fault->value);
	needs->st |= (code->what & FAULT_STATS) != 0;
	if (code->what & FAULT_OPENS)
		needs->opcodes |= OPCODE_BIT(FUSE_OPEN) | OPCODE_BIT(FUSE_READ) |
				  OPCODE_BIT(FUSE_FLUSH) | OPCODE_BIT(FUSE_RELEASE);
	if (*code->code && fault->action != FAULT_hold &&
	    fault->action != FAULT_intr_honour)
		needs->answers = true;
	if (fault->requester < SCN_MAX_TASKS)
		needs->published |= 1u << fault->requester;
	needs->server_ids |= fault->requester == ACTOR_DAEMON;
	return 0;
}

/* A release or an INTERRUPT finds something only if there is a rule that holds. */
static void need_holds(const struct scenario *scn, struct needs *needs)
{
	bool any = false;

	for (unsigned int i = 0; i < scn->n_faults; i++) {
		const struct fault_code *code = fault_code_of(&scn->faults[i]);

		needs->hold_plain |= scn->faults[i].action == FAULT_hold;
		any |= scn->faults[i].action == FAULT_hold ||
		       code->holds & (HOLD_WATCHED | HOLD_GROUP);
	}
	needs->hold_plain &= (needs->holds & (HOLD_RELEASE | HOLD_INTR)) != 0;
	if (!any)
		needs->holds = 0;
	needs->answers |= needs->holds != 0;
	needs->polling |= (needs->holds & HOLD_WATCHED) != 0;
}

static void need_tasks(const struct scenario *scn, struct needs *needs)
{
	needs->nested = scn->config.placement != PLACE_OUTSIDE;
	for (unsigned int i = 0; i < scn->n_tasks; i++) {
		needs->nested |= scn->tasks[i].kind == TASK_PIDNS;
		needs->shared_files |= scn->tasks[i].kind == TASK_FILES;
		if (scn->tasks[i].kind == TASK_THREAD)
			needs->headers |= HEADER_THREAD;
	}
	needs->threads = scn->config.threads > 1;
	if (needs->threads || (scn->config.daemon & DAEMON_SELF_FILE))
		needs->headers |= HEADER_THREAD;
	if (scn->config.daemon & DAEMON_SELF_FILE) {
		need_path(needs, PATH_F0);
		needs->opcodes |= OPCODE_BIT(FUSE_OPEN) | OPCODE_BIT(FUSE_FLUSH) |
				  OPCODE_BIT(FUSE_RELEASE);
	}
}

int needs_of(const struct scenario *scn, const struct export_facts *facts,
	     struct needs *ret_needs, char *err)
{
	struct needs needs = {0};
	int ret = 0;

	switch (facts->verdict) {
	case VERDICT_HELD:
	case VERDICT_LOST:
	case VERDICT_DEAF:
		break;
	case VERDICT_PINNED:
	case VERDICT_STUCK:
	case VERDICT_UNREAPABLE:
		needs.kill_daemon = true;
		break;
	default:
		return refuse(err, "the verdict is '%s': there is no stuck task to show",
			      verdict_table[facts->verdict].name);
	}
	need_tasks(scn, &needs);
	for (unsigned int i = 0; i < scn->n_steps && !ret; i++)
		ret = need_step(scn, &needs, &scn->steps[i], err);
	for (unsigned int i = 0; i < scn->n_faults && !ret; i++)
		ret = need_fault(scn, &needs, &scn->faults[i], err);
	if (ret)
		return ret;
	need_holds(scn, &needs);
	if (scn->config.daemon & DAEMON_CLONE_FD && needs.holds)
		return refuse(err, "held requests of several devices have no C form yet");
	if (!(needs.headers & HEADER_THREAD))
		needs.headers |= HEADER_SCHED;
	if (needs.holds || !needs.kill_daemon ||
	    (needs.nested && (needs.published || needs.server_ids)))
		needs.headers |= HEADER_STDLIB;
	/* Dirty times are written back with dirty pages: fuse_flush_times(). */
	if (needs.opcodes & OPCODE_BIT(FUSE_WRITE))
		needs.opcodes |= OPCODE_BIT(FUSE_SETATTR);
	needs.max_write = needs.opcodes & OPCODE_BIT(FUSE_WRITE) ? 65536 : 4096;
	needs.server_pid = !needs.kill_daemon || needs.published & 1u << ACTOR_DAEMON;
	needs.one_file =
		!needs.names_change &&
		!(needs.paths & ~(1u << PATH_ROOT | 1u << PATH_OUT | 1u << PATH_F0));
	*ret_needs = needs;
	return 0;
}
