/* SPDX-License-Identifier: MIT */
/*
 * Steps, one at a time: a step goes to its actor, and the next one goes out when it has returned or when
 * nothing of the run can move any more. So the order is the scenario's and not the
 * scheduler's (PostgreSQL's isolation tester works like this).
 *
 * With real-time priorities (priority.h) a step is over, one way or the other, when the executor gets the CPU back.
 */

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/scenario/tables.h"
#include "priority.h"
#include "run.h"

#define STEP_LIMIT_MS  1500 /* for a step whose actor keeps running */
#define TIMED_LIMIT_MS 6000 /* while the daemon sleeps in a timed hold */
#define BARRIER_MS     500
/* Where kernel threads (writeback, RCU) are what is waited for, no task of the run moves for a while. */
#define SETTLE_US 1000
/* Between two looks, at most. */
#define PAUSE_US       500
#define PAUSE_TIMED_US 10000

static void kick(void)
{
	uint64_t one = 1;

	if (write(FD_KICK, &one, sizeof(one)) < 0)
		return; /* EAGAIN: the counter is full of kicks already */
}

void run_kick(struct run *run)
{
	struct daemon_shared *daemon = &run->arena->daemon;
	uint32_t want = ++daemon->kicks;
	int64_t deadline = now_us() + BARRIER_MS * 1000;

	kick();
	while (daemon->acks != want && now_us() < deadline) {
		uint32_t seen = run->arena->event;

		if (daemon->acks == want || run_quiescent(run))
			break; /* obeyed, or dead, stopped or stuck */
		arena_listen(run->arena, seen, 50 * 1000);
	}
}

static int not_stopped(void *ctx, pid_t pid, pid_t tid)
{
	char state = run_task_state(pid, tid);

	(void)ctx;
	return state != 'T' && state != 'Z' && state != 'X';
}

static bool all_stopped(struct run *run, pid_t pid)
{
	priority_work(run);
	return procfs_each_thread_of(&run->ex->procfs, pid, not_stopped, NULL) <= 0;
}

/* The order of a daemon that stops or kills itself is not its own: it asks, and is stopped from outside. */
void run_serve_daemon_wants(struct run *run)
{
	struct daemon_shared *daemon = &run->arena->daemon;
	uint32_t wants = daemon->wants;
	int64_t deadline = now_us() + BARRIER_MS * 1000;

	if (wants == DAEMON_WANTS_NOTHING || daemon->pid <= 0)
		return;
	kill(daemon->pid, wants == DAEMON_WANTS_STOP ? SIGSTOP : SIGKILL);
	while (wants == DAEMON_WANTS_STOP && !all_stopped(run, daemon->pid) &&
	       now_us() < deadline)
		usleep(50);
	daemon->wants = DAEMON_WANTS_NOTHING;
	arena_wake(&daemon->wants);
}

static bool has_action(const struct scenario *scn, unsigned int action)
{
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (scn->faults[i].action == action)
			return true;
	return false;
}

/* hold_until_step: the daemon answers before the step goes out. */
static void announce_step(struct run *run, unsigned int step)
{
	run->arena->daemon.step = step + 1;
	if (run->arena->ledger.n_held && has_action(run->scn, FAULT_hold_step)) {
		run_kick(run);
		run_barrier(run, BARRIER_MS);
	}
}

/* The ledger knows: a request of this task was read and is not answered. */
static bool ledger_knows(const struct arena *arena, pid_t tid)
{
	uint32_t n = arena->ledger.head;

	if (n > LEDGER_SIZE)
		n = LEDGER_SIZE;
	for (uint32_t i = n; i-- > 0;) {
		const struct ledger_record *rec = &arena->ledger.record[i];

		if (rec->pid == tid &&
		    (rec->state == LEDGER_HELD || rec->state == LEDGER_DROPPED))
			return true;
	}
	return false;
}

/* Of a child of our own wait(2) tells it sooner than /proc, whose entries are made for that one look. */
static bool task_lives(struct run *run, const struct mailbox *box)
{
	siginfo_t info = {0};
	char state;

	if (!waitid(P_PID, (id_t)box->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	    info.si_pid)
		return false;
	priority_work(run);
	state = run_task_state(box->pid, box->tid);
	return state != 'Z' && state != 'X';
}

/* What became of a step that did not return while nothing could move. */
static enum step_status blocked_or_ended(struct run *run, const struct scn_step *step,
					 bool lives)
{
	struct mailbox *box = &run->arena->mailbox[step->actor];

	if (!lives) {
		box->state = MAILBOX_GONE;
		return STEP_ENDED;
	}
	if ((op_table[step->op].flags & OPF_ENDS) && !ledger_knows(run->arena, box->tid))
		return STEP_ENDED;
	return STEP_BLOCKED;
}

static enum step_status await_step(struct run *run, const struct scn_step *step,
				   uint32_t seq)
{
	struct mailbox *box = &run->arena->mailbox[step->actor];
	int64_t begin = now_us(), now = begin, still_since = 0;
	unsigned int pause = 20, limit;

	for (;; now = now_us()) {
		uint32_t seen = run->arena->event;

		if (box->done == seq)
			return STEP_DONE;
		run_serve_daemon_wants(run);
		if (!run_quiescent(run)) {
			still_since = 0;
		} else if (box->done == seq) {
			return STEP_DONE;
		} else {
			bool lives = task_lives(run, box);

			if (!still_since)
				still_since = now;
			if (ledger_knows(run->arena, box->tid) || !lives ||
			    now - still_since >= SETTLE_US)
				return blocked_or_ended(run, step, lives);
		}
		if (now - begin >
		    (run_timed(run) ? TIMED_LIMIT_MS : STEP_LIMIT_MS) * 1000)
			return STEP_BLOCKED;
		arena_listen(run->arena, seen, (int64_t)pause * 1000);
		/* A reply that waits for its time is an event when it comes. */
		limit = run_timed(run) ? PAUSE_TIMED_US : PAUSE_US;
		pause = pause < limit ? pause * 2 : limit;
	}
}

void run_collect_late(struct run *run)
{
	for (unsigned int i = 0; i < run->res->n_steps; i++) {
		struct step_result *step = &run->res->steps[i];
		const struct mailbox *box =
			&run->arena->mailbox[run->scn->steps[i].actor];

		if (step->status != STEP_BLOCKED || step->late || !run->step_seq[i] ||
		    box->done != run->step_seq[i])
			continue;
		step->late = 1;
		step->ret = (int32_t)box->ret;
	}
}

uint32_t run_post(struct run *run, const struct scn_step *step)
{
	struct mailbox *box = &run->arena->mailbox[step->actor];
	uint32_t seq = box->seq + 1;

	if (box->state != MAILBOX_IDLE)
		return 0;
	box->step = *step;
	box->state = MAILBOX_BUSY;
	arena_bump(&box->seq);
	if (step->actor == ACTOR_DAEMON)
		kick();
	return seq;
}

static enum step_status task_step(struct run *run, unsigned int i, int64_t *ret_result)
{
	const struct scn_step *step = &run->scn->steps[i];
	const struct mailbox *box = &run->arena->mailbox[step->actor];
	enum step_status status;

	run->step_seq[i] = run_post(run, step);
	if (!run->step_seq[i])
		return STEP_SKIPPED;
	status = await_step(run, step, run->step_seq[i]);
	if (status == STEP_DONE)
		*ret_result = box->ret;
	return status;
}

static void one_step(struct run *run, unsigned int i)
{
	const struct scn_step *step = &run->scn->steps[i];
	const struct op_info *op = &op_table[step->op];
	struct step_result *res = &run->res->steps[i];
	int64_t begin, result = 0;

	announce_step(run, i);
	run_collect_late(run);
	begin = now_us();
	if (step->actor == ACTOR_CTL) {
		result = ctl_run(run, step);
		res->status = STEP_DONE;
	} else {
		res->status = (uint8_t)task_step(run, i, &result);
	}
	res->ret = (int32_t)result;
	if (op->flags & OPF_SPAWNS)
		run->probes_stale = true;
	if ((op->flags & OPF_RUNS) && res->status != STEP_SKIPPED)
		run_barrier(run, BARRIER_MS);
	res->us = (uint32_t)(now_us() - begin);
	cells_step(run, i);
}

void run_steps(struct run *run)
{
	int64_t deadline = now_us() + (int64_t)run->budget_ms * 1000;

	run->res->n_steps = run->scn->n_steps;
	for (unsigned int i = 0; i < run->scn->n_steps && now_us() < deadline; i++) {
		const struct scn_step *step = &run->scn->steps[i];

		/* A wait that was asked for is no delay. */
		if (step->actor == ACTOR_CTL && step->op == OP_sleep)
			deadline += (int64_t)step->v * 1000;
		one_step(run, i);
	}
	run->steps_end_us = now_us();
	run_collect_late(run);
}
