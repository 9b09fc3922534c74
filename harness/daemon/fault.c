/* SPDX-License-Identifier: MIT */
/* What each action of the fault plan does. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"
#include "fault_more.h"
#include "harness/scenario/tables.h"
#include "hold.h"

#define MAX_AGAIN 8 /* EAGAIN to an INTERRUPT makes the kernel send it at once again */

static bool take_hold(struct request *req)
{
	if (!request_wants_reply(req))
		return false;
	hold_add(req, HOLD_RELEASED, 0);
	return true;
}

static bool take_hold_step(struct request *req)
{
	if (!request_wants_reply(req) ||
	    atomic_load(&daemon_self.arena->daemon.step) >= req->value)
		return false;
	hold_add(req, HOLD_STEP, req->value);
	return true;
}

static bool take_hold_more(struct request *req)
{
	if (!request_wants_reply(req) || !req->value)
		return false;
	hold_add(req, HOLD_MORE, daemon_self.n_read + req->value);
	return true;
}

static bool take_hold_ms(struct request *req)
{
	struct timespec now;

	if (!request_wants_reply(req) || !req->value)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	hold_add(req, HOLD_TIME,
		 (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec +
			 req->value * 1000000ULL);
	return true;
}

/* A requester that is no task is never sent SIGKILL: then it is a plain hold. */
static bool take_hold_kill(struct request *req)
{
	bool task = req->requester < SCN_MAX_TASKS;

	if (!request_wants_reply(req))
		return false;
	if (task && atomic_load(&daemon_self.arena->daemon.killed) >> req->requester & 1)
		return false;
	hold_add(req, task ? HOLD_KILLED : HOLD_RELEASED, req->requester);
	return true;
}

static bool take_drop(struct request *req)
{
	if (!request_wants_reply(req))
		return false;
	ledger_settle(&daemon_self.arena->ledger, req->record, LEDGER_DROPPED, 0);
	arena_tell(daemon_self.arena);
	return true;
}

static bool take_reorder(struct request *req)
{
	if (!request_wants_reply(req) || req->value < 2)
		return false;
	hold_add(req, HOLD_GROUP, 0);
	if (hold_group_size(req->rule) >= req->value)
		hold_answer_group(req->rule);
	return true;
}

static bool take_noread(struct request *req)
{
	(void)req;
	atomic_store(&daemon_self.arena->daemon.gate_closed, 1);
	return false;
}

static uint64_t interrupted_unique(const struct request *req)
{
	return ((const struct fuse_interrupt_in *)(req->in + 1))->unique;
}

/* The reply to an INTERRUPT must reach the device that its target was read from. */
static bool answer_interrupt(struct request *req, int error)
{
	const struct ledger_record *target =
		ledger_find(&daemon_self.arena->ledger, interrupted_unique(req));
	const struct server *origin = req->origin;

	for (unsigned int i = 0; target && i < daemon_self.n_servers; i++)
		if (daemon_self.servers[i].tid == target->server)
			origin = &daemon_self.servers[i];
	reply_interrupt(req, origin, error);
	return true;
}

static bool take_intr_enosys(struct request *req)
{
	return req->in->opcode == FUSE_INTERRUPT && answer_interrupt(req, -ENOSYS);
}

static bool take_intr_again(struct request *req)
{
	static uint8_t again[LEDGER_SIZE];
	struct ledger *ledger = &daemon_self.arena->ledger;
	const struct ledger_record *target;

	if (req->in->opcode != FUSE_INTERRUPT)
		return false;
	target = ledger_find(ledger, interrupted_unique(req));
	if (!target || again[target - ledger->record]++ >= MAX_AGAIN)
		return false;
	return answer_interrupt(req, -EAGAIN);
}

static bool take_intr_honour(struct request *req)
{
	if (req->in->opcode == FUSE_INTERRUPT)
		hold_interrupt(interrupted_unique(req));
	return false;
}

static void serve_error(struct request *req)
{
	reply_error(req, req->value);
}

/* The request will not be answered; one that wants no reply is none that anybody waits for. */
static void give_up(const struct request *req)
{
	ledger_settle(&daemon_self.arena->ledger, req->record,
		      request_wants_reply(req) ? LEDGER_DROPPED : LEDGER_ANSWERED, 0);
}

static void before_exit(struct request *req)
{
	give_up(req);
	_exit(0);
}

static void after_exit(struct request *req)
{
	(void)req;
	_exit(0);
}

static void before_thread_exit(struct request *req)
{
	give_up(req);
	arena_tell(daemon_self.arena);
	server_exit();
}

/* Asks the executor, and waits until it has obeyed. One wish at a time. */
static void want(uint32_t what)
{
	_Atomic uint32_t *wants = &daemon_self.arena->daemon.wants;
	uint32_t nothing = DAEMON_WANTS_NOTHING;

	while (!atomic_compare_exchange_strong(wants, &nothing, what)) {
		arena_wait(wants, nothing, -1);
		nothing = DAEMON_WANTS_NOTHING;
	}
	arena_tell(daemon_self.arena);
	while (atomic_load(wants) == what)
		arena_wait(wants, what, -1);
}

static void want_kill(struct request *req)
{
	(void)req;
	want(DAEMON_WANTS_KILL);
}

static void want_stop(struct request *req)
{
	(void)req;
	want(DAEMON_WANTS_STOP);
}

static int open_own(const struct request *req)
{
	char path[256];

	if (req->value >= PATH_OUT)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", daemon_self.env->mnt,
		 path_table[req->value]);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static void self_open(struct request *req)
{
	open_own(req);
}

static void self_read(struct request *req)
{
	char byte[4096];
	int fd = open_own(req);

	if (fd < 0)
		return;
	if (read(fd, byte, sizeof(byte)) < 0) {
		/* A directory, or a fault: nothing depends on the bytes. */
	}
	close(fd);
}

static void self_stat(struct request *req)
{
	char path[256];
	struct stat st;

	if (req->value >= PATH_OUT)
		return;
	snprintf(path, sizeof(path), "%s/%s", daemon_self.env->mnt,
		 path_table[req->value]);
	stat(path, &st);
}

static const struct fault_hooks act_none = {0};
static const struct fault_hooks act_hold = {.take = take_hold};
static const struct fault_hooks act_hold_step = {.take = take_hold_step};
static const struct fault_hooks act_hold_more = {.take = take_hold_more};
static const struct fault_hooks act_hold_ms = {.take = take_hold_ms};
static const struct fault_hooks act_hold_kill = {.take = take_hold_kill};
static const struct fault_hooks act_drop = {.take = take_drop};
static const struct fault_hooks act_reorder = {.take = take_reorder};
static const struct fault_hooks act_error = {.serve = serve_error};
static const struct fault_hooks act_duplicate = {.send = reply_twice};
static const struct fault_hooks act_bogus = {.send = reply_unknown};
static const struct fault_hooks act_truncated = {.send = reply_short};
static const struct fault_hooks act_oversized = {.send = reply_long};
static const struct fault_hooks act_noread = {.take = take_noread};
static const struct fault_hooks act_exit_before = {.before = before_exit};
static const struct fault_hooks act_exit_after = {.after = after_exit};
static const struct fault_hooks act_kill_before = {.before = want_kill};
static const struct fault_hooks act_kill_after = {.after = want_kill};
static const struct fault_hooks act_stop_before = {.before = want_stop};
static const struct fault_hooks act_stop_after = {.after = want_stop};
static const struct fault_hooks act_self_open = {.before = self_open};
static const struct fault_hooks act_self_read = {.before = self_read};
static const struct fault_hooks act_self_stat = {.before = self_stat};
static const struct fault_hooks act_intr_ignore = {0};
static const struct fault_hooks act_intr_enosys = {.take = take_intr_enosys};
static const struct fault_hooks act_intr_again = {.take = take_intr_again};
static const struct fault_hooks act_intr_honour = {.take = take_intr_honour};
static const struct fault_hooks act_thread_exit = {.before = before_thread_exit};
static const struct fault_hooks act_block = {.before = fault_block};
static const struct fault_hooks act_block_after = {.after = fault_block};
static const struct fault_hooks act_notify_inode = {.before = fault_notify_inode};
static const struct fault_hooks act_notify_inode_after = {.after = fault_notify_inode};
static const struct fault_hooks act_notify_entry = {.before = fault_notify_entry};
static const struct fault_hooks act_notify_entry_after = {.after = fault_notify_entry};
static const struct fault_hooks act_notify_delete = {.before = fault_notify_delete};
static const struct fault_hooks act_notify_expire = {.before = fault_notify_expire};
static const struct fault_hooks act_notify_store = {.before = fault_notify_store};
static const struct fault_hooks act_notify_retrieve = {.before = fault_notify_retrieve};
static const struct fault_hooks act_notify_resend = {.before = fault_notify_resend};
static const struct fault_hooks act_notify_prune = {.before = fault_notify_prune};
static const struct fault_hooks act_notify_poll = {.before = fault_notify_poll};
static const struct fault_hooks act_notify_thread = {.before = fault_notify_thread};
static const struct fault_hooks act_self_write = {.before = fault_self_write};
static const struct fault_hooks act_self_fsync = {.before = fault_self_fsync};
static const struct fault_hooks act_self_readdir = {.before = fault_self_readdir};
static const struct fault_hooks act_self_unlink = {.before = fault_self_unlink};
static const struct fault_hooks act_heir = {.before = fault_heir};
static const struct fault_hooks act_garbage = {.send = reply_ones};
static const struct fault_hooks act_zeros = {.send = reply_zeros};
static const struct fault_hooks act_bad_error = {.send = reply_bad_error};

const struct fault_hooks *const fault_actions[FAULT_COUNT] = {
#define FAULT(id, sym, name, arg, help) [id] = &act_##sym,
#include "harness/scenario/faults.def"
#undef FAULT
};
