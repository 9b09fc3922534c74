/* SPDX-License-Identifier: MIT */
/* Actors: how they are created and how they take steps. */

#include <errno.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "harness/util/bulk.h"
#include "harness/util/sys.h"
#include "ids.h"

#define VM_STACK_SIZE (64 * 1024)
/* Stacks of tasks that share their parent's memory; one each, so that they are never reused. */
static BULK char vm_stacks[SCN_MAX_TASKS][VM_STACK_SIZE];

struct birth {
	const struct actor_env *env;
	unsigned int id;
};
static struct birth births[SCN_MAX_TASKS];

/* All at once, by the executor: a later write would cost each parent a copy of the page. */
static struct birth *birth_of(const struct actor_env *env, unsigned int id)
{
	if (births[id].env != env)
		for (unsigned int i = 0; i < SCN_MAX_TASKS; i++)
			births[i] = (struct birth){env, i};
	return &births[id];
}

void actor_enter(const struct actor_env *env, unsigned int first_fd)
{
	sys_call(SYS_close_range, first_fd, ~0U, 0);
	if (env->arena->scn.config.cpus > 1)
		sys_call(SYS_sched_setaffinity, 0, sizeof(env->cpus), &env->cpus);
	if (env->priority) {
		struct sched_param param = {.sched_priority = env->priority};

		sys_call(SYS_prlimit64, 0, RLIMIT_RTTIME, &env->runaway, NULL);
		sys_call(SYS_sched_setscheduler, 0, SCHED_RR, &param);
	}
}

static int spawn_from_actor(void *ctx, unsigned int task);

struct spawn_ctx {
	const struct actor_env *env;
	unsigned int actor;
};

static int64_t run_mailbox_step(const struct actor_env *env, unsigned int actor)
{
	struct spawn_ctx spawn = {env, actor};
	struct op_ctx ctx = {
		.arena = env->arena,
		.actor = actor,
		.mnt = env->mnt,
		.outside = env->outside,
		.spawn = spawn_from_actor,
		.spawn_ctx = &spawn,
	};
	struct scn_step step = env->arena->mailbox[actor].step;

	return op_run(&ctx, &step);
}

void actor_run_step(void *ctx, unsigned int actor)
{
	const struct actor_env *env = ctx;
	struct mailbox *box = &env->arena->mailbox[actor];
	uint32_t seq = box->seq;

	box->ret = run_mailbox_step(env, actor);
	box->state = MAILBOX_IDLE;
	box->done = seq;
	arena_tell(env->arena);
}

static void *actor_loop(void *arg)
{
	const struct birth *birth = arg;
	const struct actor_env *env = birth->env;
	unsigned int id = birth->id;
	struct mailbox *box = &env->arena->mailbox[id];
	int32_t pid, tid;

	/* The executor knows its own children. */
	if (!box->tid) {
		outer_ids(&pid, &tid);
		box->pid = pid;
		box->tid = tid;
	}
	box->state = MAILBOX_IDLE;
	arena_tell(env->arena);
	for (;;) {
		uint32_t seq = box->seq;

		if (seq == box->done)
			arena_wait(&box->seq, seq, -1);
		else
			actor_run_step((void *)env, id);
	}
	return NULL;
}

/*
 * A daemon placed inside is forked by its namespace's init, which need not be the controller's own child: whoever
 * is between them hands the descriptors of the run down.
 */
static bool carries_fds(const struct scenario *scn, unsigned int id)
{
	unsigned int home = scenario_namespace(scn, ACTOR_DAEMON);

	if (scn->config.placement != PLACE_INSIDE)
		return false;
	while (home < SCN_MAX_TASKS && home != id)
		home = scenario_task(scn, home)->parent;
	return home == id;
}

pid_t actor_clone(unsigned long flags)
{
	long pid = sys_call(SYS_clone, flags, NULL, NULL, NULL, NULL);

	if (pid < 0)
		errno = (int)-pid;
	return pid < 0 ? -1 : (pid_t)pid;
}

/* In a new process with a file table of its own: forks the daemon, lets go of what is not its own. */
static void settle(const struct actor_env *env, unsigned int id)
{
	const struct scenario *scn = &env->arena->scn;
	unsigned int parent = scenario_task(scn, id)->parent;
	bool home = carries_fds(scn, id) && scenario_namespace(scn, ACTOR_DAEMON) == id;

	if (home && !env->arena->daemon.pid && !actor_clone(SIGCHLD)) {
		env->daemon_body(env);
		_exit(0);
	}
	/* Heirs of the daemon keep its descriptors: that is what makes them heirs. */
	if ((parent == ACTOR_CTL || carries_fds(scn, parent)) &&
	    (home || !carries_fds(scn, id)))
		sys_call(SYS_close_range, FD_RUN, FD_HARNESS - 1, 0);
}

static int vm_actor(void *arg)
{
	const struct birth *birth = arg;

	settle(birth->env, birth->id);
	actor_loop(arg);
	return 0;
}

/* The first thing in a new process; never returns. */
_Noreturn static void process_body(struct birth *birth, uint8_t kind)
{
	const struct scenario *scn = &birth->env->arena->scn;

	/* A task of the run has inherited all of that already. */
	if (scenario_task(scn, birth->id)->parent == ACTOR_CTL)
		actor_enter(birth->env, FD_HARNESS);
	if (kind != TASK_FILES)
		settle(birth->env, birth->id);
	actor_loop(birth);
	_exit(0);
}

static int spawn_thread(struct birth *birth)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, VM_STACK_SIZE);
	err = pthread_create(&thread, &attr, actor_loop, birth);
	pthread_attr_destroy(&attr);
	return -err;
}

static bool shares_files(uint8_t kind)
{
	return kind == TASK_THREAD || kind == TASK_FILES;
}

static bool shares_memory(uint8_t kind)
{
	return kind == TASK_THREAD || kind == TASK_VFORK || kind == TASK_VM;
}

/* A new task sees its parent's slots: the same row where it shares the table, else a copy of its own. */
static void inherit_slots(struct arena *arena, unsigned int parent, unsigned int id,
			  uint8_t kind)
{
	struct mailbox *box = &arena->mailbox[id];
	const struct mailbox *from = &arena->mailbox[parent];

	box->files = shares_files(kind) ? from->files : id;
	box->mm = shares_memory(kind) ? from->mm : id;
	if (box->files == id && parent != ACTOR_CTL) {
		memcpy(arena->fd_slots[id], arena->fd_slots[from->files],
		       sizeof(arena->fd_slots[id]));
		arena->epoll_fd[id] = arena->epoll_fd[from->files];
	}
	if (box->mm == id && parent != ACTOR_CTL)
		memcpy(arena->map_slots[id], arena->map_slots[from->mm],
		       sizeof(arena->map_slots[id]));
	box->depth = from->depth + (kind == TASK_PIDNS);
}

/*
 * The raw system call: fork(3) resets libc's locks and lists in the child, which costs a third of it. Nobody
 * holds such a lock: tasks create others only in a step, and no other task moves meanwhile.
 */
static pid_t clone_process(struct birth *birth, uint8_t kind)
{
	static const unsigned long flags[TASK_KIND_COUNT] = {
		[TASK_FORK] = SIGCHLD,
		[TASK_PIDNS] = SIGCHLD | CLONE_NEWPID,
		[TASK_FILES] = SIGCHLD | CLONE_FILES,
	};
	char *stack = vm_stacks[birth->id] + VM_STACK_SIZE;
	pid_t pid;

	if (kind == TASK_VFORK)
		return clone(vm_actor, stack, CLONE_VM | CLONE_VFORK | SIGCHLD, birth);
	if (kind == TASK_VM)
		return clone(vm_actor, stack, CLONE_VM | SIGCHLD, birth);
	pid = actor_clone(flags[kind]);
	if (!pid)
		process_body(birth, kind);
	return pid;
}

int actor_spawn(const struct actor_env *env, unsigned int parent, unsigned int id)
{
	const struct scn_task *task = scenario_task(&env->arena->scn, id);
	struct mailbox *mailbox = &env->arena->mailbox[id];
	struct birth *birth;
	pid_t pid;

	if (!task || mailbox->state != MAILBOX_NONE)
		return -ESRCH;
	inherit_slots(env->arena, parent, id, task->kind);
	birth = birth_of(env, id);
	if (task->kind == TASK_THREAD)
		return spawn_thread(birth);
	pid = clone_process(birth, task->kind);
	if (pid < 0)
		return -errno;
	if (parent == ACTOR_CTL) {
		mailbox->pid = pid;
		mailbox->tid = pid;
	}
	/* Handed down. A child in the same file table does it itself. */
	if (parent < SCN_MAX_TASKS && task->kind != TASK_FILES &&
	    carries_fds(&env->arena->scn, id))
		close_range(FD_RUN, FD_HARNESS - 1, 0);
	return pid;
}

static int spawn_from_actor(void *ctx, unsigned int task)
{
	struct spawn_ctx *spawn = ctx;

	return actor_spawn(spawn->env, spawn->actor, task);
}
