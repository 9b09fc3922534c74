/* SPDX-License-Identifier: MIT */
/* The daemon process of a run: its threads, its loop, and its obedience to the executor.
 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"
#include "handlers.h"
#include "harness/scenario/tables.h"
#include "hold.h"
#include "lead.h"
#include "reply.h"
#include "server.h"

#define STACK_SIZE (256 * 1024)

struct daemon daemon_self;
static _Thread_local struct server *server_self;
/* Not from the heap: mapping a stack costs more than all else in starting a thread. */
static _Alignas(4096) unsigned char stacks[ARENA_SERVERS][STACK_SIZE];
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

struct server *server_current(void)
{
	return server_self;
}

_Noreturn void server_exit(void)
{
	for (;;)
		syscall(SYS_exit, 0);
}

/*
 * The caller's process and thread as the executor numbers them: the procfs that we see is
 * the executor's, while gettid(2) would answer in our own pid namespace.
 */
static void outer_ids(int32_t *ret_pid, int32_t *ret_tid)
{
	char link[64];
	ssize_t len = readlink("/proc/thread-self", link, sizeof(link) - 1);
	int pid, tid;

	link[len > 0 ? len : 0] = '\0';
	if (sscanf(link, "%d/task/%d", &pid, &tid) == 2) {
		*ret_pid = pid;
		*ret_tid = tid;
	} else { /* no procfs: then there is no nested namespace either */
		*ret_pid = getpid();
		*ret_tid = gettid();
	}
}

static int open_flags(void)
{
	bool leak = daemon_self.arena->scn.config.daemon & DAEMON_LEAK_FD;

	return O_RDWR | O_NONBLOCK | (leak ? 0 : O_CLOEXEC);
}

/* A further device of the same connection. Where that fails the thread shares the first
 * one. */
static int clone_device(int dev_fd)
{
	uint32_t from = (uint32_t)dev_fd;
	int fd = open("/dev/fuse", open_flags());

	if (fd < 0)
		return dev_fd;
	if (ioctl(fd, FUSE_DEV_IOC_CLONE, &from) < 0) {
		close(fd);
		return dev_fd;
	}
	return fd;
}

/* ---- the self file ---- */

static void *open_self_file(void *arg)
{
	struct daemon_shared *shared = &daemon_self.arena->daemon;
	char path[256];
	int32_t pid, tid;

	(void)arg;
	outer_ids(&pid, &tid);
	atomic_store(&shared->helper, tid);
	snprintf(path, sizeof(path), "%s/f0", daemon_self.env->mnt);
	open(path, O_RDWR | O_CLOEXEC);
	atomic_store(&shared->self_file, 1);
	arena_bump(&daemon_self.arena->event);
	return NULL;
}

static int start_thread(unsigned int n, void *(*body)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stacks[n], STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = -pthread_create(&thread, &attr, body, arg);
	pthread_attr_destroy(&attr);
	return ret;
}

/* A thread of its own opens the file: a serving thread could wait for itself. The
 * descriptor stays. */
void daemon_init_answered(void)
{
	struct daemon_shared *shared = &daemon_self.arena->daemon;

	if (atomic_exchange(&shared->inited, 1))
		return;
	arena_bump(&daemon_self.arena->event);
	if (!(daemon_self.arena->scn.config.daemon & DAEMON_SELF_FILE))
		return;
	/* Stack 0 is free: the main thread has its own. */
	if (start_thread(0, open_self_file, NULL) < 0)
		atomic_store(&shared->self_file, 1);
}

/* ---- obeying the executor ---- */

static bool step_pending(void)
{
	const struct mailbox *mailbox = &daemon_self.arena->mailbox[ACTOR_DAEMON];

	return atomic_load(&mailbox->seq) != last_step;
}

static void run_step(void)
{
	last_step = atomic_load(&daemon_self.arena->mailbox[ACTOR_DAEMON].seq);
	daemon_self.env->run_step(daemon_self.env->ctx, ACTOR_DAEMON);
	arena_bump(&daemon_self.arena->event);
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
	arena_bump(&daemon_self.arena->event);
}

/* ---- serving ---- */

/* False: it was dealt with. */
static bool accept_request(struct server *me, size_t len, struct request *req)
{
	const struct fuse_in_header *in = (const void *)me->in;
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
	return !(req->hooks->take && req->hooks->take(req));
}

static bool read_request(struct server *me, struct request *req)
{
	ssize_t len = read(me->fd, me->in, sizeof(me->in));

	if (len >= (ssize_t)sizeof(struct fuse_in_header))
		return accept_request(me, (size_t)len, req);
	if (len < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOENT))
		return false;
	if (len < 0 && errno == EBADF) {
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
		if (ppoll(fds, closed ? 1 : 2, ns < 0 ? NULL : &timeout, NULL) <= 0)
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
	if (hooks->after)
		hooks->after(req);
}

/* Entered with the lead. A step is run without it, but a thread that is alone takes it first: to obey. */
static _Noreturn void serve(struct server *me)
{
	bool is_main = me == &daemon_self.servers[0], mine = true;
	bool (*interrupt)(void) =
		is_main && daemon_self.n_servers > 1 ? step_pending : NULL;
	struct request req;

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

/* ---- starting ---- */

static void publish(unsigned int n)
{
	struct server *server = &daemon_self.servers[n];
	struct daemon_shared *shared = &daemon_self.arena->daemon;
	int32_t pid;

	server_self = server;
	outer_ids(&pid, &server->tid);
	atomic_store(&shared->server[n], server->tid);
	if (n == 0) {
		struct mailbox *mailbox = &daemon_self.arena->mailbox[ACTOR_DAEMON];

		atomic_store(&shared->pid, pid);
		atomic_store(&mailbox->pid, pid);
		atomic_store(&mailbox->tid, server->tid);
	}
	arena_bump(&shared->n_servers);
}

static void *server_main(void *arg)
{
	struct server *me = arg;

	publish((unsigned int)(me - daemon_self.servers));
	lead_take(NULL);
	serve(me);
}

static void start_servers(void)
{
	const struct scn_config *config = &daemon_self.arena->scn.config;
	struct daemon_shared *shared = &daemon_self.arena->daemon;
	uint32_t n;

	daemon_self.servers[0].fd = daemon_self.env->dev_fd;
	daemon_self.n_servers = 1;
	publish(0);
	for (unsigned int i = 1; i < config->threads && i < ARENA_SERVERS; i++) {
		struct server *server = &daemon_self.servers[i];

		server->fd = config->daemon & DAEMON_CLONE_FD
				     ? clone_device(daemon_self.env->dev_fd)
				     : daemon_self.env->dev_fd;
		daemon_self.n_servers++;
		if (start_thread(i, server_main, server) < 0)
			_exit(1);
	}
	while ((n = atomic_load(&shared->n_servers)) < daemon_self.n_servers)
		arena_wait(&shared->n_servers, n, -1);
}

static void silence(enum fuse_log_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
}

static struct fuse_session *new_session(void)
{
	char name[] = "shortfuse", *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_session *session;

	fuse_set_log_func(silence);
	session = fuse_session_new(&args, &handlers_ops, sizeof(handlers_ops), NULL);
	if (session && reply_init(session) == 0)
		return session;
	return NULL;
}

_Noreturn void daemon_main(const struct daemon_env *env)
{
	struct daemon_shared *shared = &env->arena->daemon;
	int flags = fcntl(env->dev_fd, F_GETFL);

	daemon_self.env = env;
	daemon_self.arena = env->arena;
	/* One heap: a further one per thread costs system calls. */
	mallopt(M_ARENA_MAX, 1);
	memfs_init(env->bin, env->bin_len);
	daemon_self.session = new_session();
	/* poll(2) may promise what another reader has taken. */
	if (!daemon_self.session || fcntl(env->dev_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		_exit(1);
	last_step = atomic_load(&env->arena->mailbox[ACTOR_DAEMON].done);
	atomic_store(&shared->dev_fd, env->dev_fd);
	start_servers();
	atomic_store(&shared->ready, 1);
	arena_bump(&env->arena->event);
	while (!atomic_load(&shared->start))
		arena_wait(&shared->start, 0, -1);
	serve(&daemon_self.servers[0]);
}

/* ---- notifications, by the main thread's steps ---- */

int daemon_notify_inode(unsigned int path)
{
	memfs_ino ino = path < PATH_OUT ? memfs_resolve(path_table[path]) : 0;
	int ret;

	if (!ino)
		return -ENOENT;
	ret = fuse_lowlevel_notify_inval_inode(daemon_self.session, ino, 0, 0);
	return ret < 0 ? ret : reply_notify_result();
}

int daemon_notify_entry(unsigned int path)
{
	const char *name, *whole = path < PATH_OUT ? path_table[path] : NULL;
	char parent[64];
	memfs_ino ino;
	int ret;

	if (!whole || path == PATH_ROOT)
		return -EINVAL;
	name = strrchr(whole, '/');
	name = name ? name + 1 : whole;
	snprintf(parent, sizeof(parent), "%.*s",
		 (int)(name == whole ? 0 : name - whole - 1), whole);
	ino = memfs_resolve(parent);
	if (!ino)
		return -ENOENT;
	ret = fuse_lowlevel_notify_inval_entry(daemon_self.session, ino, name,
					       strlen(name));
	return ret < 0 ? ret : reply_notify_result();
}
