/* SPDX-License-Identifier: MIT */
/* Starts the daemon and the task tree of a run, in an order that no fault can disturb. */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/daemon/daemon.h"
#include "harness/scenario/tables.h"
#include "priority.h"
#include "run.h"
#include "server.h"
#include "start.h"

#define START_LIMIT_MS 3000

extern const char pause_image_start[], pause_image_end[];

static struct daemon_env daemon_env;

int daemon_body_prepare(const struct actor_env *env, bool server)
{
	daemon_env = (struct daemon_env){
		.arena = env->arena,
		.dev_fd = FD_DEV,
		.server_fd = server ? FD_SERVER : 0,
		.kick_fd = FD_KICK,
		.mnt = env->mnt,
		.bin = pause_image_start,
		.bin_len = (size_t)(pause_image_end - pause_image_start),
		.run_step = actor_run_step,
		.ctx = (void *)env,
	};
	return daemon_prepare(&daemon_env);
}

void daemon_body(const struct actor_env *env)
{
	(void)env;
	daemon_main(&daemon_env);
}

/* Waits until *word is not zero; the executor's event futex is bumped on every change. */
static int await_word(struct run *run, const _Atomic uint32_t *word)
{
	int64_t deadline = now_us() + (int64_t)START_LIMIT_MS * 1000;

	for (;;) {
		uint32_t seen = run->arena->event;

		if (*word || (priority_settle(run) && *word))
			return 0;
		if (now_us() > deadline)
			return -ETIMEDOUT;
		arena_listen(run->arena, seen, 1000 * 1000);
	}
}

static int fork_daemon(struct run *run)
{
	const struct actor_env *env = run->ex->actors;
	unsigned long flags = SIGCHLD;
	pid_t pid;

	if (run->scn->config.placement == PLACE_INIT)
		flags |= CLONE_NEWPID;
	pid = actor_clone(flags);
	if (pid < 0)
		return -errno;
	if (!pid) {
		actor_enter(env, FD_HARNESS);
		daemon_body(env);
	}
	run->arena->mailbox[ACTOR_DAEMON].pid = pid;
	return 0;
}

static bool below_daemon(const struct scenario *scn, const struct scn_task *task)
{
	while (task && task->parent != ACTOR_DAEMON)
		task = scenario_task(scn, task->parent);
	return task != NULL;
}

/* How many tasks, from this one on, their parent can fork in one step. Each further one would cost two switches. */
static unsigned int siblings(const struct scenario *scn, const struct scn_task *first)
{
	const struct scn_task *task = first, *end = scn->tasks + scn->n_tasks;

	while (task < end && task->parent == first->parent && task->kind == TASK_FORK &&
	       !task->late && task->id == first->id + (task - first))
		task++;
	return first->parent == ACTOR_CTL || task == first ? 1 : task - first;
}

/* A task and the n - 1 after it. The controller's are its own children; every other one is made by its parent. */
static int start_siblings(struct run *run, const struct scn_task *task, unsigned int n)
{
	struct scn_step step = {
		.actor = task->parent, .op = OP_spawn, .a = task->id, .b = n - 1};
	int ret;

	if (task->parent == ACTOR_CTL) {
		priority_work(run);
		ret = actor_spawn(run->ex->actors, ACTOR_CTL, task->id);
		if (ret < 0)
			return ret;
	} else if (!run_post(run, &step)) {
		return -ESRCH;
	}
	for (unsigned int i = 0; i < n; i++) {
		ret = await_word(run, &run->arena->mailbox[task[i].id].state);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int start_tasks(struct run *run, bool heirs, char *err)
{
	const struct scenario *scn = run->scn;

	for (unsigned int i = 0, n; i < scn->n_tasks; i += n) {
		const struct scn_task *task = &scn->tasks[i];
		int ret;

		n = siblings(scn, task);
		if (task->late || below_daemon(scn, task) != heirs)
			continue;
		ret = start_siblings(run, task, n);
		/* A vfork child keeps its parent busy, so a sibling cannot be made: that is the scenario's. */
		if (ret == -ESRCH)
			continue;
		if (ret < 0) {
			snprintf(err, 200, "task t%u did not start: %s", task->id,
				 strerror(-ret));
			return ret;
		}
	}
	return 0;
}

static bool has_heirs(const struct scenario *scn)
{
	for (unsigned int i = 0; i < scn->n_tasks; i++)
		if (!scn->tasks[i].late && below_daemon(scn, &scn->tasks[i]))
			return true;
	return false;
}

static int await_daemon(struct run *run, char *err)
{
	struct mailbox *box = &run->arena->mailbox[ACTOR_DAEMON];
	int ret = await_word(run, &run->arena->daemon.ready);

	if (ret < 0) {
		snprintf(err, 200, "the daemon did not start: %s", strerror(-ret));
		return ret;
	}
	box->pid = run->arena->daemon.pid;
	box->tid = run->arena->daemon.pid;
	box->files = box->mm = ACTOR_DAEMON;
	box->depth = run->scn->config.placement == PLACE_OUTSIDE ? 0 : 1;
	box->state = MAILBOX_IDLE;
	return 0;
}

/* No request is read before every actor exists: a fault on INIT would hit too early. */
static int let_daemon_serve(struct run *run, char *err)
{
	struct daemon_shared *daemon = &run->arena->daemon;
	bool heirs = has_heirs(run->scn);
	int ret;

	daemon->gate_closed = heirs;
	arena_bump(&daemon->start);
	if (heirs) {
		ret = start_tasks(run, true, err);
		if (ret < 0)
			return ret;
		daemon->gate_closed = 0;
		run_kick(run);
	}
	ret = server_await(run, err);
	if (ret < 0)
		return ret;
	if (!daemon->inited || (run->scn->config.daemon & DAEMON_SELF_FILE))
		run_barrier(run, 1000);
	return 0;
}

static bool daemon_acts(const struct scenario *scn)
{
	for (unsigned int i = 0; i < scn->n_tasks; i++)
		if (below_daemon(scn, &scn->tasks[i]))
			return true;
	for (unsigned int i = 0; i < scn->n_steps; i++)
		if (scn->steps[i].actor == ACTOR_DAEMON)
			return true;
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (scn->faults[i].action >= FAULT_block)
			return true; /* an heir, a thread in a notification */
	return false;
}

/* What the daemon has now and nobody else may keep. */
static void close_daemons(const struct run *run)
{
	close(FD_DEV);
	if (run->ex->server)
		close(FD_SERVER);
}

int run_start(struct run *run, char *err)
{
	int ret = 0;

	run->daemon_acts = daemon_acts(run->scn) || run->ex->server;

	if (run->scn->config.placement != PLACE_INSIDE) {
		ret = fork_daemon(run);
		close_daemons(run);
	}
	if (ret < 0) {
		snprintf(err, 200, "fork of the daemon: %s", strerror(-ret));
		return ret;
	}
	ret = start_tasks(run, false, err);
	if (run->scn->config.placement == PLACE_INSIDE)
		close_daemons(run);
	if (ret < 0)
		return ret;
	ret = await_daemon(run, err);
	return ret < 0 ? ret : let_daemon_serve(run, err);
}
