/* SPDX-License-Identifier: MIT */
/*
 * Which FUSE connection a task works on, as far as proc and the page tables tell.
 *
 * Asked in a disposable child, because reading a path from another task's memory can wait for that task's
 * mmap_lock. No request is sent to any server: statx(2) asks with AT_STATX_DONT_SYNC and an empty mask for
 * st_dev alone, paths are walked with RESOLVE_CACHED (openat2(2)), which gives up where a server would be asked.
 */
#ifndef SF_LIVE_EVIDENCE_H
#define SF_LIVE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/snapshot/snapshot.h"

#define EVIDENCE_CONNS 64
#define STACKED_MAX    32

enum evidence_kind {
	EVIDENCE_NONE,
	EVIDENCE_FD, /* the descriptor that its system call names is of this connection */
	EVIDENCE_PATH, /* the walk of the path that its system call names stops in this connection */
	EVIDENCE_DEVICE, /* it writes to /dev/fuse of this connection: a server inside a notification */
	EVIDENCE_MAP, /* a page fault, and this is the only connection that it has mapped */
	EVIDENCE_WORK, /* a kernel worker that tells what it works for */
	EVIDENCE_HELD, /* it holds files, or stands in a directory, of these connections */
	EVIDENCE_SEEN, /* mounts of these connections are in its mount namespace */
};

struct evidence {
	uint8_t kind; /* enum evidence_kind: what conns[] comes from */
	uint8_t n;
	bool other; /* exact evidence, and it is no FUSE connection */
	bool below; /* its file system lies on the connection: a loop device, overlayfs */
	uint32_t conns[EVIDENCE_CONNS];
	uint8_t n_seen;
	uint32_t seen
		[EVIDENCE_CONNS]; /* connections with a mount in its namespace, whatever kind says */
	char where[100]; /* descriptor or path, for a person */
};

struct evidence_query {
	pid_t pid, tid;
	int32_t syscall; /* as in snap_task; not asked if < 0 */
	bool in_exec;	 /* its descriptors cannot be read */
	bool exiting;	 /* its system call is over: it tells nothing */
	bool fault;	 /* in a page fault: its system call's file need not be the one */
	char worker[40]; /* of a kernel worker, see live_task */
	uint64_t args[6];
};

/* What lies on FUSE: a loop device with its file there, overlayfs with a layer there. */
struct stacked {
	size_t n;
	struct {
		uint32_t dev, conn; /* as fusectl numbers them */
		char name[16];	    /* "loop0", "overlay" */
	} on[STACKED_MAX];
};

/* From sysfs and our own mountinfo: does not block, asks nobody. */
void stacked_find(struct stacked *stacked, const uint32_t *conns, size_t n_conns);

/* Evidence that by itself names the connection. */
bool evidence_is_exact(const struct evidence *ev);

/*
 * Fills ret[n]. conns: all connections, to tell FUSE devices from others. Entries whose query did not come back
 * in time stay EVIDENCE_NONE. 0 or -errno.
 */
int evidence_collect(const struct evidence_query *query, size_t n, const uint32_t *conns,
		     size_t n_conns, const struct stacked *stacked, struct evidence *ret);

/* A mount of a connection in the mount namespace of a process. */
struct conn_mount {
	uint32_t number;
	char point[100], type[32], source[48];
};
/* Calls fn for each FUSE mount of one thread's namespace until it returns not 0. That, 0 or -errno. Reads its
 * mountinfo, which does not block. */
int evidence_mounts(pid_t pid, pid_t tid, const uint32_t *conns, size_t n_conns,
		    int (*fn)(void *ctx, const struct conn_mount *mount), void *ctx);
/* Octal escapes of mountinfo ("\\040") in place. */
void mount_unescape(char *text);

#endif
