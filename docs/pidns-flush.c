// SPDX-License-Identifier: MIT
/*
 * pidns-flush: tasks that wait for FUSE and hear no SIGKILL.
 * server thread 22 (t1) is exiting and waits for the reply to its own FLUSH #8, which
 * thread 21 of the same process read and dropped; the process is dying
 * The server is dead, or cannot die: only an abort of the connection ends it.
 *
 *   config: daemon=inside threads=1 cpus=1
 *   task t0: pidns
 *   task t1: thread of daemon
 *   fault: FLUSH: drop
 *   t1: open fd0 f0 rdonly
 *   t1: unshare files
 *   t1: exit 0
 *   t0: exit_group 0
 * Run it as root. Exit status: 1 reproduced, 0 not, 2 not tried. In the end its
 * connection is aborted; --leave keeps it: echo 1 > /sys/fs/fuse/connections/N/abort.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MNT "/mnt" /* hidden in our own mount namespace only */
#define FRAME "fuse_flush" /* where one of them must wait */
#define TRY(call) ((call) < 0 ? warn("%s", #call) : (void)0)

static volatile int *step_now; /* the step that is being done; all processes see it */
static int dev; /* /dev/fuse */
static int abort_fd; /* writing to it ends the connection */

static void turn(int step)
{
	while (*step_now < step)
		usleep(1000);
}

static void reply(const struct fuse_in_header *in, int error, const void *arg, size_t len)
{
	struct fuse_out_header out = {sizeof(out) + len, error, in->unique};
	struct iovec iov[] = {{&out, sizeof(out)}, {(void *)arg, len}};

	if (writev(dev, iov, 2) < 0 && errno != ENOENT)
		warn("reply");
}
#define REPLY(type, ...) reply(in, 0, &(struct type){__VA_ARGS__}, sizeof(struct type))

static struct fuse_attr attr_of(uint64_t id)
{
	return (struct fuse_attr){.ino = id, .nlink = 1, .size = 65536,
				  .mode = id == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644};
}

static void handle(const struct fuse_in_header *in)
{
	/* fault: FLUSH: drop */
	if (in->opcode == FUSE_FLUSH)
		return;
	switch (in->opcode) {
	case FUSE_INIT:
		return REPLY(fuse_init_out, .major = FUSE_KERNEL_VERSION,
			     .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096);
	case FUSE_LOOKUP:
		return REPLY(fuse_entry_out, .nodeid = 2, .attr = attr_of(2));
	case FUSE_GETATTR:
		return REPLY(fuse_attr_out, .attr = attr_of(in->nodeid));
	case FUSE_OPEN:
		return REPLY(fuse_open_out, .open_flags = 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT: /* no reply: the request itself goes on */
		return;
	default: /* RELEASE as well: nobody looks at its result */
		return reply(in, -ENOSYS, NULL, 0);
	}
}

/* A thread of the server. */
static void *t1(void *arg)
{
	turn(1); /* t1: open fd0 f0 rdonly */
	TRY(open(MNT "/f0", O_RDONLY));
	TRY(unshare(CLONE_FILES));
	syscall(SYS_exit, 0); /* this thread only */
	return arg;
}

static void server(void)
{
	_Alignas(struct fuse_in_header) char request[8192];

	pthread_create(&(pthread_t){0}, NULL, t1, NULL);
	for (;;)
		if (read(dev, request, sizeof(request)) > 0)
			handle((void *)request);
		else if (errno != ENOENT && errno != EINTR) /* aborted */
			_exit(0);
}

/* The init of a pid namespace. */
static void t0(void)
{
	if (!fork())
		server();
	close(dev);
	turn(4); /* t0: exit_group 0 */
	_exit(0);
}

/* Threads that are left, and their stacks; those of a second ago; one that is in FRAME. */
static char text[65536], before[65536], root[64];

/* Looks at every thread of our process group, and sends it sig. */
static void look(int sig)
{
	char path[64], state;
	int tid, group, n;
	size_t len = 0;
	glob_t stats;
	FILE *file;

	text[0] = root[0] = '\0';
	glob("/proc/[0-9]*/task/[0-9]*/stat", 0, NULL, &stats);
	for (size_t i = 0; i < stats.gl_pathc; i++) {
		if (!(file = fopen(stats.gl_pathv[i], "r")))
			continue;
		n = fscanf(file, "%d (%*[^)]) %c %*d %d", &tid, &state, &group);
		fclose(file);
		if (n != 3 || group != getpgrp() || tid == getpid())
			continue;
		kill(tid, sig);
		snprintf(path, sizeof(path), "/proc/%d/stack", tid);
		if (state == 'Z' || len > sizeof(text) / 2 || !(file = fopen(path, "r")))
			continue; /* a zombie is reapable, or its threads tell why not */
		len += sprintf(text + len, "task %d, state %c\n", tid, state);
		n = fread(text + len, 1, sizeof(text) - len - 1, file);
		fclose(file);
		text[len + n] = '\0';
		if (strstr(text + len, " " FRAME "+"))
			sprintf(root, "task %d in " FRAME ", state %c", tid, state);
		len += n;
	}
	globfree(&stats);
}

int main(int argc, char **argv)
{
	int leave = argc > 1 && !strcmp(argv[1], "--leave"), self = getpid(), tries = 0, stuck;
	struct statx stx = {0};
	char path[128];

	setpgid(0, 0); /* a process group of our own tells who is ours */
	step_now = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TRY(unshare(CLONE_NEWNS));
	TRY(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	TRY(dev = open("/dev/fuse", O_RDWR | O_CLOEXEC));
	snprintf(path, sizeof(path), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", dev);
	if (mount("repro", MNT, "fuse.repro", MS_NOSUID | MS_NODEV, path))
		err(2, "mount on " MNT);
	/* The name of the connection is the minor of its device. */
	statx(AT_FDCWD, MNT, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &stx);
	mount("none", "/sys/fs/fuse/connections", "fusectl", 0, NULL); /* or it is */
	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", stx.stx_dev_minor);
	TRY(abort_fd = open(path, O_WRONLY | O_CLOEXEC));
	if (!leave && !fork()) { /* frees them when we have ended, however, or take too long */
		close(dev);
		setpgid(0, 0);
		poll(&(struct pollfd){syscall(SYS_pidfd_open, self, 0), POLLIN, 0}, 1, 62800);
		TRY(write(abort_fd, "1", 1));
		_exit(kill(-self, SIGKILL));
	}
	if (!syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0))
		t0();
	close(dev);
	for (*step_now = 0; *step_now <= 4; ++*step_now)
		usleep(300000); /* by then it has returned, or it is blocked */
	for (look(SIGKILL); strcmp(before, text) && ++tries < 10; look(0)) {
		strcpy(before, text);
		sleep(1);
	}
	stuck = *root && tries < 10; /* else it goes on */
	printf("%s%s, connection %u\n%s", stuck ? "REPRODUCED: " : "not reproduced", root,
	       stx.stx_dev_minor, text);
	return stuck;
}
