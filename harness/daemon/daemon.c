/* SPDX-License-Identifier: MIT */
/* The daemon process of a run: sets up the session and the serving threads. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handlers.h"
#include "harness/tree/ids.h"
#include "harness/util/bulk.h"
#include "harness/util/sys.h"
#include "lead.h"
#include "proxy.h"
#include "reply.h"
#include "server.h"

#define STACK_SIZE (256 * 1024)

struct daemon daemon_self;
static _Thread_local struct server *server_self;
/* Not from the heap: mapping a stack costs more than all else in starting a thread. */
static BULK unsigned char stacks[ARENA_SERVERS][STACK_SIZE];
static BULK struct server_buffers buffers[ARENA_SERVERS];

struct server *server_current(void)
{
	return server_self;
}

_Noreturn void server_exit(void)
{
	for (;;)
		syscall(SYS_exit, 0);
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
	arena_tell(daemon_self.arena);
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
	arena_tell(daemon_self.arena);
	if (!(daemon_self.arena->scn.config.daemon & DAEMON_SELF_FILE))
		return;
	/* Stack 0 is free: the main thread has its own. */
	if (start_thread(0, open_self_file, NULL) < 0)
		atomic_store(&shared->self_file, 1);
}

static void publish(unsigned int n)
{
	struct server *server = &daemon_self.servers[n];
	struct daemon_shared *shared = &daemon_self.arena->daemon;
	struct mailbox *mailbox = &daemon_self.arena->mailbox[ACTOR_DAEMON];
	int32_t pid = atomic_load(&mailbox->pid);

	server_self = server;
	/* The executor knows its own child. */
	if (n == 0 && pid)
		server->tid = pid;
	else
		outer_ids(&pid, &server->tid);
	atomic_store(&shared->server[n], server->tid);
	if (n == 0) {
		atomic_store(&shared->pid, pid);
		atomic_store(&mailbox->pid, pid);
		atomic_store(&mailbox->tid, server->tid);
	}
	/* The main thread is the one that waits for it. */
	if (n == 0)
		atomic_fetch_add(&shared->n_servers, 1);
	else
		arena_bump(&shared->n_servers);
}

static void *server_main(void *arg)
{
	struct server *me = arg;

	publish((unsigned int)(me - daemon_self.servers));
	lead_take(NULL);
	server_run(me);
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
	if (proxy_active() && proxy_start() < 0)
		_exit(1);
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

int daemon_prepare(const struct daemon_env *env)
{
	daemon_self.env = env;
	daemon_self.arena = env->arena;
	for (unsigned int i = 0; i < ARENA_SERVERS; i++)
		daemon_self.servers[i].buf = &buffers[i];
	/* One heap: a further one per thread costs system calls. */
	mallopt(M_ARENA_MAX, 1);
	memfs_init(env->bin, env->bin_len);
	daemon_self.session = new_session();
	return daemon_self.session ? 0 : -ENOMEM;
}

_Noreturn void daemon_main(const struct daemon_env *env)
{
	struct daemon_shared *shared = &env->arena->daemon;
	long flags = sys_call(SYS_fcntl, env->dev_fd, F_GETFL);

	if (daemon_self.env != env && daemon_prepare(env) < 0)
		_exit(1);
	/* poll(2) may promise what another reader has taken. */
	if ((flags < 0 || !(flags & O_NONBLOCK)) &&
	    sys_call(SYS_fcntl, env->dev_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		_exit(1);
	atomic_store(&shared->dev_fd, env->dev_fd);
	start_servers();
	atomic_store(&shared->ready, 1);
	arena_tell(env->arena);
	while (!atomic_load(&shared->start))
		arena_wait(&shared->start, 0, -1);
	server_run(&daemon_self.servers[0]);
}
