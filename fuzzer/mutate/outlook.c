/* SPDX-License-Identifier: MIT */
/* Walks a scenario with the model and notes who would be left waiting for what. */

#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>

#include "outlook_walk.h"

static const struct scn_task *top_of(const struct scenario *scn, unsigned int actor)
{
	const struct scn_task *task = scenario_task(scn, actor);

	while (task && task->parent < SCN_MAX_TASKS)
		task = scenario_task(scn, task->parent);
	return task;
}

/* Not of a process that the daemon has forked. */
static bool is_thread_of_daemon(const struct scenario *scn, const struct scn_task *task)
{
	while (task && task->kind == TASK_THREAD && task->parent != ACTOR_DAEMON)
		task = scenario_task(scn, task->parent);
	return task && task->kind == TASK_THREAD;
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
		return is_thread_of_daemon(scn, task) ? OUT_SERVER : OUT_HEIR;
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

static bool opens(unsigned int op)
{
	return op == OP_open || op == OP_creat;
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

void walk_add_wait(struct walk *w, enum outlook_role role, enum outlook_phase phase,
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

static void step_waits(struct walk *w, const struct scn_step *step,
		       struct outlook_step *out, unsigned int opcode)
{
	out->waits = 1;
	out->opcode = opcode;
	if (!ends_by_itself(w, out))
		walk_add_wait(w, role_of(w, step->actor), phase_of(step->op), opcode,
			      step->op);
	if (step->actor == ACTOR_DAEMON)
		walk_lose_server(w);
}

static void send_requests(struct walk *w, const struct scn_step *step,
			  struct outlook_step *out)
{
	uint8_t opcode[WALK_REQUESTS];
	unsigned int n = walk_requests(w, step, opcode);
	enum fate fate = FATE_ANSWERED;

	for (unsigned int i = 0; i < n && fate == FATE_ANSWERED; i++) {
		fate = walk_request(w, opcode[i], step->actor, out);
		if (fate == FATE_WITHHELD)
			step_waits(w, step, out, opcode[i]);
	}
	out->fails = fate == FATE_FAILED;
}

static unsigned int holds(const struct walk *w, unsigned int actor)
{
	const struct model *m = &w->model;
	unsigned int bits = 0;
	bool shared = false;

	for (unsigned int i = 0; i < MODEL_ACTORS; i++)
		shared |= i != actor && m->files[i] == m->files[actor] &&
			  (m->state[i] == MODEL_READY || m->state[i] == MODEL_BLOCKED);
	bits |= walk_files(w, actor) ? OUT_HOLDS_FILE : 0;
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
	    walk_config_sends(&w->scn->config, FUSE_FLUSH, 0) &&
	    (how != OUT_BY_EXIT || w->out->deaf))
		walk_add_wait(w, role_of(w, who), OUT_EXIT, FUSE_FLUSH, 0);
	/* A dying task closes its files; the requests of one that waits already are not asked again. */
	if (how == OUT_BY_KILL && !of_daemon(w, who) && out->holds & OUT_HOLDS_FILE &&
	    out->holds & OUT_OWN_TABLE && w->model.state[who] == MODEL_READY &&
	    walk_config_sends(&w->scn->config, FUSE_FLUSH, 0) &&
	    walk_request(w, FUSE_FLUSH, who, out) == FATE_WITHHELD)
		walk_add_wait(w, out->role, OUT_EXIT, FUSE_FLUSH, 0);
}

/*
 * Its connection ends with the last descriptor of the device: heirs have one, so has who stole it, and a
 * daemon that dies has its own until the FLUSH of its own file is answered (fput() of what it closed comes last).
 */
static bool device_held(const struct walk *w)
{
	for (unsigned int i = 0; i < SCN_MAX_TASKS; i++) {
		const struct model *m = &w->model;

		if ((m->state[i] == MODEL_READY || m->state[i] == MODEL_BLOCKED) &&
		    outlook_role(w->scn, i) == OUT_HEIR)
			return true;
	}
	return w->stolen || (walk_files(w, ACTOR_DAEMON) &&
			     walk_config_sends(&w->scn->config, FUSE_FLUSH, 0));
}

static void lose_daemon(struct walk *w)
{
	w->out->deaf = device_held(w);
	w->out->daemon_gone = !w->out->deaf;
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
	unsigned int table = w->model.files[step->actor];
	uint8_t fds = w->model.fds[table];

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
	w->stolen |= step->op == OP_steal_dev;
	if (step->op == OP_exec) {
		w->executed[step->actor] = true;
		w->model.fds[table] &= ~w->model.cloexec[table];
	}
	if (!out->waits && path_of(step) < PATH_COUNT && step->actor != ACTOR_CTL)
		w->known |= 1u << path_of(step);
	model_step(&w->model, step);
	/* No descriptor comes of it. */
	if (opens(step->op) && (out->waits || out->fails))
		w->model.fds[table] = fds;
	if (out->waits && w->model.state[step->actor] == MODEL_READY)
		w->model.state[step->actor] = MODEL_BLOCKED;
	/* What the model thinks to be held, but does not get that far, goes on. */
	else if (!out->waits && !out->ends && step->op != OP_stop &&
		 w->model.state[step->actor] == MODEL_BLOCKED && step->op != OP_spawn)
		w->model.state[step->actor] = MODEL_READY;
	if (w->model.daemon_gone && !w->out->deaf)
		lose_daemon(w);
}

/* Rung 1: what still lives is killed, and closes its files. */
static void end_all(struct walk *w)
{
	struct outlook_step none;

	if (!walk_config_sends(&w->scn->config, FUSE_FLUSH, 0))
		return;
	for (unsigned int i = 0; i < MODEL_ACTORS; i++) {
		if (i == ACTOR_CTL || w->model.process[i] != i ||
		    (i == ACTOR_DAEMON && w->out->daemon_gone))
			continue;
		/* The program that it executed has the files still. */
		if ((w->model.state[i] != MODEL_READY && !w->executed[i]) ||
		    !walk_files(w, i))
			continue;
		none = (struct outlook_step){0};
		if (i == ACTOR_DAEMON ||
		    walk_request(w, FUSE_FLUSH, i, &none) == FATE_WITHHELD)
			walk_add_wait(w, role_of(w, i), OUT_EXIT, FUSE_FLUSH, 0);
	}
}

void outlook_init(struct outlook *outlook, const struct scenario *scn)
{
	struct walk walk = {.scn = scn, .out = outlook};
	struct outlook_step init = {0};

	memset(outlook, 0, sizeof(*outlook));
	walk.servers = scn->config.threads;
	model_init(&walk.model, scn);
	if (scn->config.daemon & DAEMON_SELF_FILE)
		walk.model.fds[ACTOR_DAEMON] |= 1u << (SCN_FD_SLOTS - 1);
	/* Until INIT is answered every request waits in fuse_get_req(). */
	if (walk_request(&walk, FUSE_INIT, ACTOR_KERNEL, &init) == FATE_WITHHELD)
		outlook->deaf = true;
	for (walk.at = 1; walk.at <= scn->n_steps; walk.at++)
		take(&walk, &scn->steps[walk.at - 1], &outlook->step[walk.at - 1]);
	end_all(&walk);
	qsort(outlook->wait, outlook->n_waits, sizeof(outlook->wait[0]), compare);
}
