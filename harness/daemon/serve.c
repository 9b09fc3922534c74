/* SPDX-License-Identifier: MIT */
/* What a serving thread does: reads requests, obeys the executor, runs the main thread's steps. */
#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <unistd.h>

#include "fault.h"
#include "harness/util/sys.h"
#include "hold.h"
#include "lead.h"
#include "proxy.h"
#include "reply.h"
#include "server.h"

static uint32_t last_step; /* seq of the main thread's last step */

bool request_wants_reply(const struct request *req)
{
	switch (req->in->opcode) {
	case FUSE_INTERRUPT:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_NOTIFY_REPLY:
		return false;
	default:
		return true;
	}
}

static bool step_pending(void)
{
	const struct mailbox *mailbox = &daemon_self.arena->mailbox[ACTOR_DAEMON];

	return atomic_load(&mailbox->seq) != last_step;
}

static void run_step(void)
{
	last_step = atomic_load(&daemon_self.arena->mailbox[ACTOR_DAEMON].seq);
	daemon_self.env->run_step(daemon_self.env->ctx, ACTOR_DAEMON);
	arena_tell(daemon_self.arena);
}

static void close_devices(void)
{
	for (unsigned int i = 0; i < daemon_self.n_servers; i++) {
		int fd = atomic_exchange(&daemon_self.servers[i].fd, -1);

		if (fd >= 0 && (i == 0 || fd != daemon_self.env->dev_fd))
			close(fd);
	}
	atomic_store(&daemon_self.arena->daemon.dev_fd, -1);
}

static void heal(void)
{
	static bool healed;

	if (healed)
		return;
	healed = true;
	fault_clear();
	atomic_store(&daemon_self.arena->daemon.gate_closed, 0);
	hold_answer(UINT32_MAX);
}

/* By the leader. The main thread is told of its mailbox, everything else is done here. */
static void obey(bool is_main)
{
	struct daemon_shared *shared = &daemon_self.arena->daemon;
	uint64_t count;
	uint32_t kicks;

	if (read(daemon_self.env->kick_fd, &count, sizeof(count)) < 0) {
		/* EAGAIN: the words below are what counts. */
	}
	kicks = atomic_load(&shared->kicks);
	if (atomic_load(&shared->healing))
		heal();
	hold_answer(atomic_exchange(&shared->release, 0));
	hold_answer_due();
	if (atomic_exchange(&shared->close_dev, 0))
		close_devices();
	if (!is_main && step_pending())
		lead_wake();
	atomic_store(&shared->acks, kicks);
	arena_tell(daemon_self.arena);
}

/* False: it was dealt with. */
static bool accept_request(struct server *me, size_t len, struct request *req)
{
	const struct fuse_in_header *in = (const void *)me->buf->in;
	struct ledger *ledger = &daemon_self.arena->ledger;
	int32_t pid = (int32_t)in->pid;

	*req = (struct request){.in = in, .len = len, .origin = me};
	if (in->opcode == FUSE_INTERRUPT) {
		/* fuse_read_interrupt() fills in no pid. */
		const struct fuse_interrupt_in *target = (const void *)(in + 1);
		const struct ledger_record *record = ledger_find(ledger, target->unique);

		pid = record ? record->pid : 0;
	}
	if (request_wants_reply(req))
		daemon_self.n_read++;
	fault_find_requester(req, pid);
	fault_match(req);
	req->record = ledger_add(
		ledger,
		&(struct ledger_record){
			.opcode = in->opcode,
			.unique = in->unique,
			.nodeid = in->nodeid,
			.pid = pid,
			.server = me->tid,
			.rule = req->rule,
			.action = req->rule ? daemon_self.arena->scn.faults[req->rule - 1]
						      .action
					    : 0,
		});
	if (proxy_active())
		proxy_forward(req);
	return !(req->hooks->take && req->hooks->take(req));
}

static bool read_request(struct server *me, struct request *req)
{
	long len = sys_call(SYS_read, me->fd, me->buf->in, sizeof(me->buf->in));

	if (len >= (ssize_t)sizeof(struct fuse_in_header))
		return accept_request(me, (size_t)len, req);
	if (len == -EAGAIN || len == -EINTR || len == -ENOENT)
		return false;
	if (len == -EBADF) {
		/* A step has closed it. */
		me->fd = -1;
		return false;
	}
	_exit(0); /* ENODEV: unmounted or aborted */
}

/* As leader: true with a request to handle, false for the main thread's step. */
static bool lead(struct server *me, bool is_main, struct request *req)
{
	for (;;) {
		struct pollfd fds[2] = {
			{.fd = daemon_self.env->kick_fd, .events = POLLIN},
			{.fd = me->fd, .events = POLLIN},
		};
		bool closed = atomic_load(&daemon_self.arena->daemon.gate_closed);
		int64_t ns;
		struct timespec timeout;

		if (is_main && step_pending()) {
			/* Nobody may be left to obey while the step is blocked. */
			obey(is_main);
			return false;
		}
		hold_answer_due();
		ns = hold_timeout();
		timeout.tv_sec = ns / 1000000000;
		timeout.tv_nsec = ns % 1000000000;
		if (sys_call(SYS_ppoll, fds, closed ? 1 : 2, ns < 0 ? NULL : &timeout,
			     NULL) <= 0)
			continue;
		if (fds[0].revents & POLLNVAL)
			pause(); /* a step closed it: nobody can tell us anything any more
				  */
		if (fds[0].revents)
			obey(is_main);
		else if (!closed && fds[1].revents && read_request(me, req))
			return true;
	}
}

static void handle(struct request *req)
{
	const struct fault_hooks *hooks = req->hooks;

	if (hooks->before)
		hooks->before(req);
	if (req->in->opcode == FUSE_INTERRUPT)
		ledger_settle(&daemon_self.arena->ledger, req->record, LEDGER_ANSWERED,
			      0);
	else if (hooks->serve && request_wants_reply(req))
		hooks->serve(req);
	else
		reply_process(req);
	/* A reply of a server under test comes when it comes. */
	if (hooks->after && (!proxy_active() || hooks->serve))
		hooks->after(req);
}

/* Entered with the lead. A step is run without it, but a thread that is alone takes it first: to obey. */
_Noreturn void server_run(struct server *me)
{
	bool is_main = me == &daemon_self.servers[0], mine = true;
	bool (*interrupt)(void) =
		is_main && daemon_self.n_servers > 1 ? step_pending : NULL;
	struct request req;

	if (is_main)
		last_step = atomic_load(&daemon_self.arena->mailbox[ACTOR_DAEMON].done);
	for (;;) {
		bool got = mine && lead(me, is_main, &req);

		if (mine)
			lead_pass();
		if (got)
			handle(&req);
		else if (is_main && step_pending())
			run_step();
		mine = lead_take(interrupt);
	}
}
