/* SPDX-License-Identifier: MIT */
/* Actions in which the daemon's own process does what it had better not: use its mount, lend its device, stand still. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault_more.h"
#include "harness/scenario/tables.h"

static int open_own(const struct request *req, int flags)
{
	char path[256];

	if (req->value >= PATH_OUT)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", daemon_self.env->mnt,
		 path_table[req->value]);
	return open(path, flags | O_CLOEXEC | O_NONBLOCK);
}

static void write_own(const struct request *req, bool sync)
{
	int fd = open_own(req, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "self", 4) == 4 && sync)
		fsync(fd);
	close(fd);
}

void fault_self_write(struct request *req)
{
	write_own(req, false);
}

void fault_self_fsync(struct request *req)
{
	write_own(req, true);
}

void fault_self_readdir(struct request *req)
{
	char entries[1024];
	int fd = open_own(req, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return;
	while (syscall(SYS_getdents64, fd, entries, sizeof(entries)) > 0)
		;
	close(fd);
}

void fault_self_unlink(struct request *req)
{
	char path[256];

	if (req->value >= PATH_OUT)
		return;
	snprintf(path, sizeof(path), "%s/%s", daemon_self.env->mnt,
		 path_table[req->value]);
	unlink(path);
}

/* The raw call: no handler of libc, no lock of it. The child has a copy of /dev/fuse and nothing to do. */
void fault_heir(struct request *req)
{
	(void)req;
	if (syscall(SYS_fork) == 0)
		for (;;)
			syscall(SYS_pause);
}

/* Until a step, or rung 2, says so. Not by the clock, so that the order is the scenario's. */
void fault_block(struct request *req)
{
	struct daemon_shared *shared = &daemon_self.arena->daemon;
	uint32_t seen = atomic_load(&shared->unblocked);

	(void)req;
	arena_tell(daemon_self.arena);
	while (!atomic_load(&shared->healing) && atomic_load(&shared->unblocked) == seen)
		arena_wait(&shared->unblocked, seen, -1);
}
