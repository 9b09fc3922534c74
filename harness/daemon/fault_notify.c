/* SPDX-License-Identifier: MIT */
/* Actions that send a notification from inside a handler: the kernel may want a lock that the waiting request holds. */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fault_more.h"
#include "harness/scenario/tables.h"
#include "proxy.h"

/* Of linux/fuse.h of 6.9 and 6.18. */
#define NOTIFY_RESEND 7
#define NOTIFY_PRUNE  9

#define STORE_BYTES 4096

void fault_notify_inode(struct request *req)
{
	daemon_notify_inode(req->value);
}

void fault_notify_entry(struct request *req)
{
	daemon_notify_entry(req->value);
}

/* Parent, name and node of a path; 0: the root, or nothing. */
static memfs_ino split(unsigned int path, memfs_ino *ret_parent, const char **ret_name)
{
	const char *whole = path < PATH_OUT ? path_table[path] : ".", *slash;
	char parent[64] = "";

	if (proxy_active() || path == PATH_ROOT)
		return 0;
	slash = strrchr(whole, '/');
	if (slash)
		memcpy(parent, whole, (size_t)(slash - whole));
	*ret_name = slash ? slash + 1 : whole;
	*ret_parent = memfs_resolve(parent);
	return *ret_parent ? memfs_resolve(whole) : 0;
}

void fault_notify_delete(struct request *req)
{
	const char *name;
	memfs_ino parent, ino = split(req->value, &parent, &name);

	if (ino)
		fuse_lowlevel_notify_delete(daemon_self.session, parent, ino, name,
					    strlen(name));
}

void fault_notify_expire(struct request *req)
{
	const char *name;
	memfs_ino parent, ino = split(req->value, &parent, &name);

	if (ino)
		fuse_lowlevel_notify_expire_entry(daemon_self.session, parent, name,
						  strlen(name), FUSE_LL_EXPIRE_ONLY);
}

void fault_notify_store(struct request *req)
{
	static char data[STORE_BYTES];
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(sizeof(data));
	const char *name;
	memfs_ino parent, ino = split(req->value, &parent, &name);

	buf.buf[0].mem = data;
	if (ino)
		fuse_lowlevel_notify_store(daemon_self.session, ino, 0, &buf, 0);
}

void fault_notify_retrieve(struct request *req)
{
	const char *name;
	memfs_ino parent, ino = split(req->value, &parent, &name);

	if (ino)
		fuse_lowlevel_notify_retrieve(daemon_self.session, ino, STORE_BYTES, 0,
					      NULL);
}

static void send_raw(int code, const void *body, size_t len)
{
	struct {
		struct fuse_out_header head;
		unsigned char body[64];
	} message = {.head = {.len = (uint32_t)(sizeof(struct fuse_out_header) + len),
			      .error = code}};
	struct iovec iov = {.iov_base = &message, .iov_len = message.head.len};

	if (len)
		memcpy(message.body, body, len);
	reply_raw(&daemon_self.servers[0], &iov);
}

/* Once: each request comes again, and would meet the same rule. */
void fault_notify_resend(struct request *req)
{
	static _Atomic uint32_t sent;

	(void)req;
	if (!atomic_exchange(&sent, 1))
		send_raw(NOTIFY_RESEND, NULL, 0);
}

void fault_notify_prune(struct request *req)
{
	struct {
		uint32_t count, padding;
		uint64_t spare, nodeid;
	} prune = {.count = 1};
	const char *name;
	memfs_ino parent;

	prune.nodeid = split(req->value, &parent, &name);
	if (prune.nodeid)
		send_raw(NOTIFY_PRUNE, &prune, sizeof(prune));
}

/* Of the file whose POLL this is. */
void fault_notify_poll(struct request *req)
{
	struct fuse_notify_poll_wakeup_out wake;

	if (req->in->opcode != FUSE_POLL)
		return;
	wake.kh = ((const struct fuse_poll_in *)(req->in + 1))->kh;
	send_raw(FUSE_NOTIFY_POLL, &wake, sizeof(wake));
}

static void *notify_aside(void *arg)
{
	daemon_notify_inode((unsigned int)(uintptr_t)arg);
	return NULL;
}

void fault_notify_thread(struct request *req)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	pthread_create(&thread, &attr, notify_aside, (void *)(uintptr_t)req->value);
	pthread_attr_destroy(&attr);
}
