/* SPDX-License-Identifier: MIT */
/* Operations of the controller: the executor itself does them. */

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/scenario/tables.h"
#include "priority.h"
#include "run.h"

static pid_t pid_of(const struct run *run, unsigned int actor)
{
	return actor == ACTOR_DAEMON ? run->arena->daemon.pid
				     : run->arena->mailbox[actor].pid;
}

static pid_t tid_of(const struct run *run, unsigned int actor)
{
	return actor == ACTOR_DAEMON ? run->arena->daemon.pid
				     : run->arena->mailbox[actor].tid;
}

/* Requests that are held until their requester is killed may go now. */
static void note_kill(struct run *run, unsigned int actor, int sig)
{
	if (sig != SIGKILL)
		return;
	if (actor < SCN_MAX_TASKS)
		run->arena->daemon.killed |= 1u << actor;
	if (run->arena->ledger.n_held)
		run_kick(run);
}

static int64_t send_signal(struct run *run, unsigned int actor, int sig, bool thread)
{
	pid_t pid = pid_of(run, actor);
	long ret;

	if (pid <= 1)
		return -ESRCH;
	ret = thread ? syscall(SYS_tgkill, pid, tid_of(run, actor), sig) : kill(pid, sig);
	if (ret < 0)
		return -errno;
	priority_settle(run);
	note_kill(run, actor, sig);
	return 0;
}

static int64_t ctl_kill(struct run *run, const struct scn_step *step)
{
	return send_signal(run, step->a, (int)signal_table[step->b].value, false);
}

static int64_t ctl_tgkill(struct run *run, const struct scn_step *step)
{
	return send_signal(run, step->a, (int)signal_table[step->b].value, true);
}

static int64_t ctl_stop(struct run *run, const struct scn_step *step)
{
	return send_signal(run, step->a, SIGSTOP, false);
}

static int64_t ctl_cont(struct run *run, const struct scn_step *step)
{
	return send_signal(run, step->a, SIGCONT, false);
}

static int64_t ctl_sleep(struct run *run, const struct scn_step *step)
{
	for (unsigned int ms = 0; ms < step->v; ms++) {
		run->ex->beat++;
		usleep(1000);
	}
	return 0;
}

static int64_t ctl_nop(struct run *run, const struct scn_step *step)
{
	(void)run;
	(void)step;
	return 0;
}

static int64_t ctl_release(struct run *run, const struct scn_step *step)
{
	run->arena->daemon.release = step->a ? step->a : UINT32_MAX;
	run_kick(run);
	return 0;
}

static int64_t ctl_unoccupy(struct run *run, const struct scn_step *step)
{
	(void)step;
	arena_bump(&run->arena->daemon.unblocked);
	return 0;
}

static int64_t ctl_gate(struct run *run, const struct scn_step *step)
{
	run->arena->daemon.gate_closed = !step->a;
	run_kick(run);
	return 0;
}

static int64_t ctl_close_dev(struct run *run, const struct scn_step *step)
{
	(void)step;
	run->arena->daemon.close_dev = 1;
	run_kick(run);
	return 0;
}

static int64_t ctl_barrier(struct run *run, const struct scn_step *step)
{
	(void)step;
	return run_barrier(run, 1000) ? 0 : -ETIMEDOUT;
}

static int64_t ctl_abort(struct run *run, const struct scn_step *step)
{
	(void)step;
	run_abort(run);
	return run->aborted ? 0 : -ENOENT;
}

static int64_t ctl_detach(struct run *run, const struct scn_step *step)
{
	(void)step;
	if (!run->mounted)
		return -EINVAL;
	if (umount2(DIR_MOUNT, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return -errno;
	run->mounted = false;
	return 0;
}

static int64_t (*const ctl_table[OP_COUNT])(struct run *run,
					    const struct scn_step *step) = {
	[OP_nop] = ctl_nop,	    [OP_kill] = ctl_kill,
	[OP_tgkill] = ctl_tgkill,   [OP_stop] = ctl_stop,
	[OP_cont] = ctl_cont,	    [OP_sleep] = ctl_sleep,
	[OP_release] = ctl_release, [OP_unoccupy] = ctl_unoccupy,
	[OP_gate] = ctl_gate,	    [OP_close_dev] = ctl_close_dev,
	[OP_barrier] = ctl_barrier, [OP_abort] = ctl_abort,
	[OP_detach] = ctl_detach,
};

int64_t ctl_run(struct run *run, const struct scn_step *step)
{
	priority_work(run);
	return ctl_table[step->op] ? ctl_table[step->op](run, step) : -ENOSYS;
}
