/* SPDX-License-Identifier: MIT */
/* Tells the connection of a task from its system call, its descriptors and its mount namespace. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "live_evidence.h"
#include "harness/snapshot/disposable.h"
#include "syscall_args.h"

#define MAX_FDS	   256 /* descriptors of one task that are looked at */
#define STALL_MS   100 /* without progress the child is given up */
#define MAX_STALLS 8   /* then the rest stays without evidence */

struct set {
	const uint32_t *conns;
	size_t n;
	const struct stacked *stacked;
};

struct shared {
	_Atomic uint32_t next; /* the query that the child works on */
	struct evidence ev[];
};

static bool is_conn(const struct set *set, uint32_t number)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->conns[i] == number)
			return true;
	return false;
}

/* The name under fusectl: the kernel's dev_t as a number, fuse_ctl_add_conn(). */
static uint32_t conn_of_dev(unsigned int major_, unsigned int minor_)
{
	return major_ << 20 | minor_;
}

static void add(uint32_t *list, uint8_t *n, uint32_t number)
{
	for (uint8_t i = 0; i < *n; i++)
		if (list[i] == number)
			return;
	if (*n < EVIDENCE_CONNS)
		list[(*n)++] = number;
}

/* st_dev of what fd and path lead to, without asking its server. */
static int dev_of(int fd, const char *path, int flags, uint32_t *ret)
{
	struct statx stx;

	if (statx(fd, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | flags, 0, &stx))
		return -errno;
	*ret = conn_of_dev(stx.stx_dev_major, stx.stx_dev_minor);
	return 0;
}

static bool exact(struct evidence *ev, const struct set *set, enum evidence_kind kind,
		  uint32_t number)
{
	uint32_t below = 0;
	unsigned int n = 0;

	for (size_t i = 0; i < set->stacked->n; i++)
		if (set->stacked->on[i].dev == number &&
		    set->stacked->on[i].conn != below) {
			below = set->stacked->on[i].conn;
			n++;
		}
	if (n == 1) {
		ev->below = true;
		number = below;
	}
	ev->kind = kind;
	ev->other = !is_conn(set, number);
	if (!ev->other)
		add(ev->conns, &ev->n, number);
	return true;
}

/* A server that writes a notification has no request of its own; its device tells the connection. */
static bool from_device(const struct evidence_query *q, int fd, const struct set *set,
			struct evidence *ev)
{
	char path[64], buf[1024], *p;
	ssize_t n;
	int in;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", q->pid, q->tid, fd);
	n = readlink(path, buf, sizeof(buf) - 1);
	if (n < 9 || strncmp(buf + n - 9, "/dev/fuse", 9))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fdinfo/%d", q->pid, q->tid, fd);
	in = open(path, O_RDONLY | O_CLOEXEC);
	n = in < 0 ? -1 : read(in, buf, sizeof(buf) - 1);
	if (in >= 0)
		close(in);
	buf[n > 0 ? n : 0] = '\0';
	p = strstr(buf, "fuse_connection:");
	if (!p)
		return false;
	snprintf(ev->where, sizeof(ev->where), "descriptor %d is its /dev/fuse", fd);
	return exact(ev, set, EVIDENCE_DEVICE,
		     (uint32_t)strtoul(p + strlen("fuse_connection:"), NULL, 10));
}

static bool from_fd(const struct evidence_query *q, unsigned int arg,
		    const struct set *set, struct evidence *ev)
{
	char path[64];
	uint32_t number = 0;
	int fd = (int)q->args[arg];

	if (fd < 0)
		return false;
	if (from_device(q, fd, set, ev))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", q->pid, q->tid, fd);
	if (dev_of(AT_FDCWD, path, 0, &number) < 0)
		return false;
	snprintf(ev->where, sizeof(ev->where), "descriptor %d", fd);
	return exact(ev, set, EVIDENCE_FD, number);
}

static bool read_string(pid_t tid, uint64_t addr, char *buf, size_t size)
{
	size_t have = 0;

	while (have < size - 1) {
		/* Not across a page: the next one may not be there. */
		size_t chunk = 4096 - ((addr + have) & 4095);
		struct iovec local = {buf + have,
				      chunk < size - 1 - have ? chunk : size - 1 - have};
		struct iovec remote = {(void *)(uintptr_t)(addr + have), local.iov_len};
		ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

		if (n <= 0)
			return false;
		if (memchr(buf + have, 0, (size_t)n))
			return true;
		have += (size_t)n;
	}
	buf[size - 1] = '\0';
	return true;
}

/* Whether "/" means the same to that process as to us. */
static bool same_root(pid_t pid)
{
	char path[64], ours[64], theirs[64];
	ssize_t a, b;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	a = readlink("/proc/self/ns/mnt", ours, sizeof(ours));
	b = readlink(path, theirs, sizeof(theirs));
	return a > 0 && a == b && !memcmp(ours, theirs, (size_t)a);
}

/* One component further without asking anybody, or -errno. */
static int step_cached(pid_t pid, int dir, const char *name)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_CACHED | RESOLVE_NO_SYMLINKS};
	long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	/* A link's target would be looked up from our root. */
	if (fd < 0 && errno == ELOOP && same_root(pid)) {
		how.resolve = RESOLVE_CACHED;
		fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));
		return fd < 0 ? -errno : (int)fd;
	}
	return fd < 0 ? -errno : (int)fd;
}

struct below {
	const char *path;
	uint32_t number;
	bool found;
};

static int is_below(void *ctx, const struct conn_mount *mount)
{
	struct below *below = ctx;
	size_t len = strlen(below->path);

	below->found |= mount->number != below->number &&
			!strncmp(mount->point, below->path, len) &&
			mount->point[len] == '/';
	return below->found;
}

/* The walk ended early, and another connection is mounted further down: the task may have passed, and wait there. */
static bool may_have_passed(const struct evidence_query *q, int dir,
			    const struct set *set, uint32_t number)
{
	struct below below = {.number = number};
	char name[32], path[4096];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", dir);
	n = readlink(name, path, sizeof(path) - 1);
	if (n <= 0)
		return true;
	path[n] = '\0';
	below.path = path;
	evidence_mounts(q->pid, q->tid, set->conns, set->n, is_below, &below);
	return below.found;
}

/*
 * Walks as far as the dentry cache goes. Where it ends, the next step is a LOOKUP, or an operation, on the
 * file system reached so far: there the task sleeps.
 */
static bool from_path(const struct evidence_query *q, int dirfd_arg,
		      unsigned int path_arg, const struct set *set, struct evidence *ev)
{
	char path[4096], from[64], *save = NULL, *name;
	uint32_t number = 0;
	bool stopped;
	int dir, next = 0;

	if (!read_string(q->tid, q->args[path_arg], path, sizeof(path)) || !path[0])
		return false;
	snprintf(ev->where, sizeof(ev->where), "%.99s", path);
	if (path[0] == '/')
		snprintf(from, sizeof(from), "/proc/%d/task/%d/root", q->pid, q->tid);
	else if (dirfd_arg >= 0 && (int)q->args[dirfd_arg] != AT_FDCWD)
		snprintf(from, sizeof(from), "/proc/%d/task/%d/fd/%d", q->pid, q->tid,
			 (int)q->args[dirfd_arg]);
	else
		snprintf(from, sizeof(from), "/proc/%d/task/%d/cwd", q->pid, q->tid);
	dir = open(from, O_PATH | O_CLOEXEC);
	for (name = strtok_r(path, "/", &save); dir >= 0 && name;
	     name = strtok_r(NULL, "/", &save)) {
		next = step_cached(q->pid, dir, name);
		if (next < 0)
			break;
		close(dir);
		dir = next;
	}
	if (dir < 0)
		return false;
	/* Not known how far it came: a link of another namespace, or a kernel without RESOLVE_CACHED (5.12). */
	if (next == -ELOOP || next == -EINVAL || next == -ENOSYS) {
		close(dir);
		return false;
	}
	stopped = next < 0;
	next = dev_of(dir, "", AT_EMPTY_PATH, &number);
	if (next >= 0 && stopped && may_have_passed(q, dir, set, number))
		next = -ELOOP;
	close(dir);
	return next < 0 ? false : exact(ev, set, EVIDENCE_PATH, number);
}

static void from_held(const struct evidence_query *q, const struct set *set,
		      struct evidence *ev)
{
	char path[320];
	struct dirent *entry;
	uint32_t number = 0;
	unsigned int seen = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/cwd", q->pid, q->tid);
	if (!dev_of(AT_FDCWD, path, 0, &number) && is_conn(set, number))
		add(ev->conns, &ev->n, number);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", q->pid, q->tid);
	dir = opendir(path);
	while (dir && seen++ < MAX_FDS && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%s", q->pid, q->tid,
			 entry->d_name);
		if (!dev_of(AT_FDCWD, path, 0, &number) && is_conn(set, number))
			add(ev->conns, &ev->n, number);
	}
	if (dir)
		closedir(dir);
	if (ev->n)
		ev->kind = EVIDENCE_HELD;
}

static int see_mount(void *ctx, const struct conn_mount *mount)
{
	struct evidence *ev = ctx;

	add(ev->seen, &ev->n_seen, mount->number);
	return 0;
}

static void from_namespace(const struct evidence_query *q, const struct set *set,
			   struct evidence *ev)
{
	evidence_mounts(q->pid, q->tid, set->conns, set->n, see_mount, ev);
	if (ev->kind != EVIDENCE_NONE || !ev->n_seen)
		return;
	ev->kind = EVIDENCE_SEEN;
	ev->n = ev->n_seen;
	memcpy(ev->conns, ev->seen, sizeof(ev->conns));
}

/* A page fault waits on a file that is mapped. Its mmap_lock is held for reading at most: maps can be read. */
static bool from_maps(const struct evidence_query *q, const struct set *set,
		      struct evidence *ev)
{
	struct evidence found = {0};
	char path[64], *line = NULL;
	unsigned int maj, min;
	size_t size = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/maps", q->pid, q->tid);
	in = fopen(path, "re");
	while (in && getline(&line, &size, in) > 0) {
		uint32_t number;

		if (sscanf(line, "%*s %*s %*s %x:%x", &maj, &min) != 2)
			continue;
		number = conn_of_dev(maj, min);
		if (is_conn(set, number))
			add(found.conns, &found.n, number);
	}
	free(line);
	if (in)
		fclose(in);
	if (found.n != 1)
		return false;
	snprintf(ev->where, sizeof(ev->where), "the only one that it has mapped");
	return exact(ev, set, EVIDENCE_MAP, found.conns[0]);
}

/* "flush-0:53": the bdi of a connection, named after its device (super_setup_bdi()); "loop0". */
static bool from_worker(const struct evidence_query *q, const struct set *set,
			struct evidence *ev)
{
	unsigned int maj, min;

	snprintf(ev->where, sizeof(ev->where), "it works for %s", q->worker);
	if (sscanf(q->worker, "flush-%u:%u", &maj, &min) == 2 &&
	    is_conn(set, conn_of_dev(maj, min)))
		return exact(ev, set, EVIDENCE_WORK, conn_of_dev(maj, min));
	for (size_t i = 0; i < set->stacked->n; i++)
		if (!strcmp(set->stacked->on[i].name, q->worker))
			return exact(ev, set, EVIDENCE_WORK, set->stacked->on[i].conn);
	ev->where[0] = '\0';
	return false;
}

static bool from_args(const struct evidence_query *q, const struct syscall_args *sa,
		      const struct set *set, struct evidence *ev)
{
	if (sa->path >= 0 && from_path(q, sa->dirfd, (unsigned int)sa->path, set, ev))
		return true;
	return sa->fd >= 0 && from_fd(q, (unsigned int)sa->fd, set, ev);
}

/* The call's other file may be the one: only if both are on the same connection, or this one on none, it is told. */
static bool from_call(const struct evidence_query *q, const struct set *set,
		      struct evidence *ev)
{
	const struct syscall_args *sa = syscall_args_find(q->syscall);
	const struct syscall_args *second = syscall_args_second(q->syscall);
	struct evidence other = {0};

	if (!sa || !from_args(q, sa, set, ev))
		return false;
	if (!second)
		return true;
	if (!from_args(q, second, set, &other))
		return false;
	if (ev->other)
		*ev = other;
	return other.other || ev->conns[0] == other.conns[0];
}

static void answer(const struct evidence_query *q, const struct set *set,
		   struct evidence *ev)
{
	bool found = false;

	if (q->worker[0])
		found = from_worker(q, set, ev);
	else if (q->fault)
		found = from_maps(q, set, ev);
	else if (!q->exiting)
		found = from_call(q, set, ev);
	if (found)
		return;
	memset(ev, 0, sizeof(*ev));
	if (!q->in_exec)
		from_held(q, set, ev);
	from_namespace(q, set, ev);
}

/* Not blocked: a loaded machine has not let it run. */
static bool is_runnable(pid_t pid)
{
	char path[32], buf[512], *p;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return false;
	p = fgets(buf, sizeof(buf), in) ? strrchr(buf, ')') : NULL;
	fclose(in);
	return p && p[1] == ' ' && p[2] == 'R';
}

/* One child answers from shared->next on; true: it came to the end. */
static bool run_child(struct shared *shared, const struct evidence_query *query, size_t n,
		      const struct set *set)
{
	struct disposable child;
	uint32_t before;
	int ret = disposable_fork(&child);

	if (ret < 0)
		return false;
	if (ret == 0) {
		for (uint32_t i = shared->next; i < n; i++) {
			shared->next = i;
			answer(&query[i], set, &shared->ev[i]);
		}
		shared->next = (uint32_t)n;
		_exit(0);
	}
	do {
		before = shared->next;
		ret = disposable_wait(&child, STALL_MS);
	} while (ret == -ETIMEDOUT && (shared->next != before || is_runnable(child.pid)));
	disposable_kill(&child, 0);
	return shared->next >= n;
}

bool evidence_is_exact(const struct evidence *ev)
{
	switch (ev->kind) {
	case EVIDENCE_FD:
	case EVIDENCE_PATH:
	case EVIDENCE_DEVICE:
	case EVIDENCE_MAP:
	case EVIDENCE_WORK:
		return true;
	default:
		return false;
	}
}

int evidence_collect(const struct evidence_query *query, size_t n, const uint32_t *conns,
		     size_t n_conns, const struct stacked *stacked, struct evidence *ret)
{
	struct set set = {conns, n_conns, stacked};
	size_t size = sizeof(struct shared) + n * sizeof(struct evidence);
	struct shared *shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return -errno;
	for (int stalls = 0; stalls < MAX_STALLS && shared->next < n; stalls++) {
		if (run_child(shared, query, n, &set))
			break;
		memset(&shared->ev[shared->next], 0, sizeof(struct evidence));
		shared->next++;
	}
	memcpy(ret, shared->ev, n * sizeof(*ret));
	munmap(shared, size);
	return 0;
}
