/* SPDX-License-Identifier: MIT */
/* Walks a scenario with the model and notes who would be left waiting for what. */

#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>

#include "outlook.h"

struct walk {
	const struct scenario *scn;
	struct model model;
	struct outlook *out;
	uint8_t hits[SCN_MAX_FAULTS];
	uint8_t locks[MODEL_ACTORS];
	uint8_t foreign[MODEL_ACTORS]; /* by table: open, but not of the mount */
	bool executed[MODEL_ACTORS];
	unsigned int servers; /* serving threads left */
	unsigned int at;      /* number of the present step, from 1 */
	unsigned int known;   /* paths that were looked up, by bit */
};

static const struct scn_task *top_of(const struct scenario *scn, unsigned int actor)
{
	const struct scn_task *task = scenario_task(scn, actor);

	while (task && task->parent < SCN_MAX_TASKS)
		task = scenario_task(scn, task->parent);
	return task;
}

enum outlook_role outlook_role(const struct scenario *scn, unsigned int actor)
{
	const struct scn_task *task = scenario_task(scn, actor), *top;

	if (actor == ACTOR_DAEMON)
		return OUT_DAEMON;
	if (!task)
		return OUT_OTHER;
	top = top_of(scn, actor);
	if (top->parent == ACTOR_DAEMON)
		return task->kind == TASK_THREAD ? OUT_SERVER : OUT_HEIR;
	return task->kind == TASK_PIDNS ? OUT_INIT : OUT_WORKER;
}

static enum outlook_role role_of(const struct walk *w, unsigned int actor)
{
	if (actor < MODEL_ACTORS && w->executed[actor])
		return OUT_OTHER;
	return outlook_role(w->scn, actor);
}

static bool of_daemon(const struct walk *w, unsigned int actor)
{
	return w->model.process[actor] == ACTOR_DAEMON;
}

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

/* Does the configuration let the kernel send it at all? */
static bool config_sends(const struct scn_config *c, unsigned int opcode, unsigned int op)
{
	switch (opcode) {
	case FUSE_OPEN:
		return !(c->init & INITF_NO_OPEN);
	case FUSE_FLUSH:
		return !(c->init & INITF_NO_FLUSH) && !(c->open & OPENF_NOFLUSH);
	case FUSE_SETLK:
	case FUSE_SETLKW:
		return c->init & (op == OP_flock ? INITF_FLOCK_LOCKS : INITF_POSIX_LOCKS);
	case FUSE_WRITE:
		return (op != OP_write && op != OP_pwrite) ||
		       !(c->init & INITF_WRITEBACK_CACHE);
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

/* Files of the mount that the actor has open, by bit. */
static unsigned int files_of(const struct walk *w, unsigned int actor)
{
	unsigned int table = w->model.files[actor];

	return w->model.fds[table] & ~w->foreign[table];
}

static void note_file(struct walk *w, const struct scn_step *step)
{
	uint8_t *foreign = &w->foreign[w->model.files[step->actor]];

	if (step->op == OP_steal_dev || (step->op == OP_open && step->b == PATH_OUT) ||
	    (step->op == OP_creat && step->b == PATH_OUT))
		*foreign |= 1u << step->a;
	else if (step->op == OP_open || step->op == OP_creat)
		*foreign &= ~(1u << step->a);
}

/* Does the step get as far as the mount? */
static bool reaches(const struct walk *w, const struct scn_step *step)
{
	const struct op_info *info = &op_table[step->op];
	unsigned int fds = files_of(w, step->actor);
	unsigned int maps = w->model.maps[w->model.mm[step->actor]];

	switch (step->op) {
	case OP_open:
	case OP_creat:
		return step->b != PATH_OUT;
	case OP_exit:
	case OP_exit_group:
	case OP_fork_exit:
		return fds;
	case OP_exec:
	case OP_vfork_exec:
		return step->a || fds;
	case OP_dup2:
	case OP_dup3:
		return fds & 1u << step->a && fds & 1u << step->b && step->a != step->b;
	case OP_close_range:
		return fds;
	}
	if (info->arg[0] == ARG_PATH && step->a == PATH_OUT)
		return false;
	if (info->arg[0] == ARG_FD)
		return fds & 1u << step->a;
	if (info->arg[0] == ARG_MAP)
		return maps & 1u << step->a;
	return true;
}

static int find_rule(struct walk *w, unsigned int opcode, unsigned int requester)
{
	for (unsigned int i = 0; i < w->scn->n_faults; i++) {
		const struct scn_fault *f = &w->scn->faults[i];

		if (f->opcode && f->opcode != opcode)
			continue;
		if (f->requester != ACTOR_ANY && f->requester != requester)
			continue;
		if (w->hits[i] < 255)
			w->hits[i]++;
		if (f->nth && f->nth != w->hits[i])
			continue;
		return i;
	}
	return -1;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct outlook_wait));
}

/* The same request is waited for at other places of the kernel, by who asks. */
static bool op_matters(unsigned int opcode)
{
	return opcode == FUSE_READ || opcode == FUSE_WRITE || opcode == FUSE_FSYNC;
}

/* The path of the present step; PATH_COUNT: it has none. */
static unsigned int path_of(const struct scn_step *step)
{
	const struct op_info *info = &op_table[step->op];

	return info->arg[0] == ARG_PATH	  ? step->a
	       : info->arg[1] == ARG_PATH ? step->b
					  : PATH_COUNT;
}

static bool again(const struct walk *w)
{
	unsigned int path = path_of(&w->scn->steps[w->at - 1]);

	return !w->scn->config.timeout && path < PATH_COUNT && w->known >> path & 1;
}

static void add_wait(struct walk *w, enum outlook_role role, enum outlook_phase phase,
		     unsigned int opcode, unsigned int op)
{
	struct outlook *out = w->out;
	struct outlook_wait wait = {.role = role,
				    .phase = phase,
				    .opcode = opcode,
				    .op = phase == OUT_EXIT || !op_matters(opcode) ? 0
										   : op,
				    .unread = out->deaf};

	if (opcode == FUSE_LOOKUP && op)
		wait.again = again(w);

	for (unsigned int i = 0; i < out->n_waits; i++)
		if (!compare(&out->wait[i], &wait))
			return;
	if (out->n_waits < OUTLOOK_WAITS)
		out->wait[out->n_waits++] = wait;
}

/* A thread that served does so no more; after the last one nobody reads. */
static void lose_server(struct walk *w)
{
	if (w->servers && --w->servers == 0)
		w->out->deaf = true;
}

/* The rule's side effects on the daemon. */
static void daemon_suffers(struct walk *w, unsigned int action)
{
	switch (action) {
	case FAULT_noread:
	case FAULT_stop_before:
	case FAULT_stop_after:
		w->out->deaf = true;
		break;
	case FAULT_thread_exit:
		lose_server(w);
		break;
	case FAULT_exit_before:
	case FAULT_exit_after:
	case FAULT_kill_before:
	case FAULT_kill_after:
		w->out->daemon_gone = true;
		break;
	case FAULT_self_open:
		w->model.fds[ACTOR_DAEMON] |= 1u << (SCN_FD_SLOTS - 1);
		/* fall through */
	case FAULT_self_read:
	case FAULT_self_stat:
		/* Its own request waits for another thread, or for ever. */
		if (w->servers < 2) {
			add_wait(w, OUT_DAEMON, OUT_RUNNING, FUSE_LOOKUP, 0);
			lose_server(w);
		}
		break;
	}
}

/* One request of a task. True: it does not come back. */
static bool request(struct walk *w, unsigned int opcode, unsigned int actor,
		    struct outlook_step *step)
{
	int rule;
	bool held;

	if (w->out->daemon_gone)
		return false;
	/* A thread of the daemon that serves cannot wait for itself. */
	if (w->out->deaf || (actor == ACTOR_DAEMON && w->servers < 2))
		return true;
	rule = find_rule(w, opcode, actor);
	if (rule < 0)
		return false;
	held = fault_withholds(w->scn->faults[rule].action);
	if (!step->rule || held) {
		step->rule = rule + 1;
		step->opcode = opcode;
	}
	daemon_suffers(w, w->scn->faults[rule].action);
	return held;
}

static enum outlook_phase phase_of(unsigned int op)
{
	if (op == OP_exec || op == OP_vfork_exec)
		return OUT_EXEC;
	return op == OP_exit || op == OP_exit_group ? OUT_EXIT : OUT_RUNNING;
}

/* Waits for something that comes before or with the end of the run. */
static bool ends_by_itself(const struct walk *w, const struct outlook_step *out)
{
	const struct scn_fault *f;

	/* SIGKILL frees who waits for a request that was not read, FLUSH apart. */
	if (w->out->deaf)
		return out->opcode != FUSE_FLUSH;
	if (!out->rule)
		return false;
	f = &w->scn->faults[out->rule - 1];
	return f->action == FAULT_hold_kill ||
	       (f->action == FAULT_hold_step && f->value > w->at &&
		f->value <= w->scn->n_steps);
}

static void send_requests(struct walk *w, const struct scn_step *step,
			  struct outlook_step *out)
{
	const uint8_t *op = op_emits(step->op);

	if (!reaches(w, step))
		return;
	for (unsigned int at = 0; at < 3; at++) {
		for (unsigned int i = 0; op[i]; i++) {
			if (stage(op[i]) != at ||
			    !config_sends(&w->scn->config, op[i], step->op))
				continue;
			if (!request(w, op[i], step->actor, out))
				continue;
			out->waits = 1;
			out->opcode = op[i];
			if (!ends_by_itself(w, out))
				add_wait(w, role_of(w, step->actor), phase_of(step->op),
					 op[i], step->op);
			if (step->actor == ACTOR_DAEMON)
				lose_server(w);
			return;
		}
	}
}

static unsigned int holds(const struct walk *w, unsigned int actor)
{
	const struct model *m = &w->model;
	unsigned int bits = 0;
	bool shared = false;

	for (unsigned int i = 0; i < MODEL_ACTORS; i++)
		shared |= i != actor && m->files[i] == m->files[actor] &&
			  (m->state[i] == MODEL_READY || m->state[i] == MODEL_BLOCKED);
	bits |= files_of(w, actor) ? OUT_HOLDS_FILE : 0;
	bits |= m->maps[m->mm[actor]] ? OUT_HOLDS_MAP : 0;
	bits |= w->locks[actor] ? OUT_HOLDS_LOCK : 0;
	return bits | (shared ? 0 : OUT_OWN_TABLE);
}

/* Who ends in this step, and how; MODEL_ACTORS: nobody. */
static unsigned int victim(const struct scn_step *step, uint8_t *ret_how)
{
	switch (step->op) {
	case OP_exit:
		*ret_how = OUT_BY_EXIT;
		return step->actor;
	case OP_exit_group:
		*ret_how = OUT_BY_GROUP;
		return step->actor;
	case OP_exec:
		*ret_how = OUT_BY_EXEC;
		return step->actor;
	case OP_kill:
	case OP_tgkill:
		*ret_how = OUT_BY_KILL;
		return signal_table[step->b].value == 9 ? step->a : MODEL_ACTORS;
	default:
		return MODEL_ACTORS;
	}
}

static void note_end(struct walk *w, const struct scn_step *step,
		     struct outlook_step *out)
{
	uint8_t how = 0;
	unsigned int who = victim(step, &how);

	if (who >= MODEL_ACTORS || w->model.state[who] == MODEL_ABSENT ||
	    w->model.state[who] == MODEL_GONE)
		return;
	out->ends = how;
	out->holds = holds(w, who);
	out->role = role_of(w, who);
	/* Nobody is left to answer the FLUSH of a server's own file. */
	if (of_daemon(w, who) && out->holds & OUT_HOLDS_FILE &&
	    config_sends(&w->scn->config, FUSE_FLUSH, 0) &&
	    (how != OUT_BY_EXIT || w->out->deaf))
		add_wait(w, role_of(w, who), OUT_EXIT, FUSE_FLUSH, 0);
	/* A dying task closes its files; the requests of one that waits already are not asked again. */
	if (how == OUT_BY_KILL && !of_daemon(w, who) && out->holds & OUT_HOLDS_FILE &&
	    out->holds & OUT_OWN_TABLE && w->model.state[who] == MODEL_READY &&
	    config_sends(&w->scn->config, FUSE_FLUSH, 0) &&
	    request(w, FUSE_FLUSH, who, out))
		add_wait(w, out->role, OUT_EXIT, FUSE_FLUSH, 0);
}

static void controller(struct walk *w, const struct scn_step *step)
{
	if (step->op == OP_gate)
		w->out->deaf = step->a == 0;
	if ((step->op == OP_stop || step->op == OP_cont) && step->a == ACTOR_DAEMON)
		w->out->deaf = step->op == OP_stop;
	if (step->op == OP_abort || step->op == OP_close_dev)
		w->out->daemon_gone = true;
	if (step->op == OP_release || step->op == OP_abort)
		w->out->n_waits = 0;
}

static void take(struct walk *w, const struct scn_step *step, struct outlook_step *out)
{
	out->role = role_of(w, step->actor);
	out->runs = model_ready(&w->model, step->actor);
	if (!out->runs)
		return;
	w->out->n_runs++;
	if (step->actor == ACTOR_CTL)
		controller(w, step);
	else
		send_requests(w, step, out);
	note_end(w, step, out);
	if (step->op == OP_setlk || step->op == OP_setlkw || step->op == OP_flock)
		w->locks[step->actor] = step->b != 2;
	if (step->op == OP_exec)
		w->executed[step->actor] = true;
	note_file(w, step);
	if (!out->waits && path_of(step) < PATH_COUNT && step->actor != ACTOR_CTL)
		w->known |= 1u << path_of(step);
	model_step(&w->model, step);
	if (out->waits && w->model.state[step->actor] == MODEL_READY)
		w->model.state[step->actor] = MODEL_BLOCKED;
	/* What the model thinks to be held, but does not get that far, goes on. */
	else if (!out->waits && !out->ends && step->op != OP_stop &&
		 w->model.state[step->actor] == MODEL_BLOCKED && step->op != OP_spawn)
		w->model.state[step->actor] = MODEL_READY;
	w->out->daemon_gone |= w->model.daemon_gone;
}

/* Rung 1: what still lives is killed, and closes its files. */
static void end_all(struct walk *w)
{
	struct outlook_step none;

	if (!config_sends(&w->scn->config, FUSE_FLUSH, 0))
		return;
	for (unsigned int i = 0; i < MODEL_ACTORS; i++) {
		if (i == ACTOR_CTL || w->model.process[i] != i ||
		    (i == ACTOR_DAEMON && w->out->daemon_gone))
			continue;
		if (w->model.state[i] != MODEL_READY || !files_of(w, i))
			continue;
		none = (struct outlook_step){0};
		if (i == ACTOR_DAEMON || request(w, FUSE_FLUSH, i, &none))
			add_wait(w, role_of(w, i), OUT_EXIT, FUSE_FLUSH, 0);
	}
}

void outlook_init(struct outlook *outlook, const struct scenario *scn)
{
	struct walk walk = {.scn = scn, .out = outlook};

	memset(outlook, 0, sizeof(*outlook));
	walk.servers = scn->config.threads;
	model_init(&walk.model, scn);
	if (scn->config.daemon & DAEMON_SELF_FILE)
		walk.model.fds[ACTOR_DAEMON] |= 1u << (SCN_FD_SLOTS - 1);
	for (walk.at = 1; walk.at <= scn->n_steps; walk.at++)
		take(&walk, &scn->steps[walk.at - 1], &outlook->step[walk.at - 1]);
	end_all(&walk);
	qsort(outlook->wait, outlook->n_waits, sizeof(outlook->wait[0]), compare);
}
