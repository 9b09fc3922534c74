/* SPDX-License-Identifier: MIT */
/*
 * What the files of the daemon share: the process's one state, its serving threads, and a
 * request on its way from read(2) to its reply. Private to harness/daemon.
 */
#ifndef SF_SERVER_H
#define SF_SERVER_H

#include <stdbool.h>

#include "daemon.h"
#include "memfs.h"

/* libfuse's own size: 256 pages of data and a page of headers. */
#define SERVER_BUF_SIZE (256 * 4096 + 4096)

struct fuse_in_header;
struct fuse_session;
struct fault_hooks;

/* As large as a message can be; what is not touched costs nothing. */
struct server_buffers {
	_Alignas(4096) unsigned char in[SERVER_BUF_SIZE];
	unsigned char out[MEMFS_FILE_MAX];
};

/* A serving thread. */
struct server {
	_Atomic int fd; /* its /dev/fuse, -1: closed. A reply must go where the request
			   came from. */
	int32_t tid;	/* in the executor's pid namespace */
	struct server_buffers *buf;
};

struct daemon {
	const struct daemon_env *env;
	struct arena *arena;
	struct fuse_session *session;
	struct server servers[ARENA_SERVERS];
	unsigned int n_servers;
	uint32_t n_read; /* requests read that want a reply */
};

extern struct daemon daemon_self;

struct request {
	const struct fuse_in_header *in; /* the whole message */
	size_t len;
	const struct server *origin;
	struct ledger_record *record; /* NULL when the ledger is full */
	const struct fault_hooks *hooks;
	uint16_t value;
	uint8_t rule;	   /* 1 + index of the fault, 0: none */
	uint8_t requester; /* task id, ACTOR_DAEMON, ACTOR_KERNEL, or ACTOR_ANY: nobody
			      known */
};

/* False for INTERRUPT, FORGET, BATCH_FORGET and NOTIFY_REPLY. */
bool request_wants_reply(const struct request *req);

/* The serving thread that calls; NULL in another. */
struct server *server_current(void);
/* serve.c: the loop of a serving thread, entered with the lead. */
_Noreturn void server_run(struct server *me);
/* Ends the calling thread alone, as exit(2) does; its process lives on. */
_Noreturn void server_exit(void);

/* The reply to INIT is out. */
void daemon_init_answered(void);

#endif
