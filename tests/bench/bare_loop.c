/* SPDX-License-Identifier: MIT */
/*
 * The reference of "make bench": what a machine can do at best. A loop without libfuse,
 *fault engine, mailboxes or watchdog: mount, serve by the raw protocol, fork a
 *pid-namespace tree of three, open and write a file, let the namespace's init exit, reap
 *everything, unmount.
 *
 *	bare_loop [-n TURNS | -t SECONDS] [-p CPU]
 *
 * Prints "turns N seconds S rate R". Leaves nothing behind, not even when it is killed:
 *the mount point is on a tmpfs of its own mount namespace, and the children die with
 *their parent.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOUNT_POINT   "/tmp/mnt"
#define FILE_NODE     2
#define MAX_WRITE     4096
#define TURN_DEADLINE 20 /* s; a SIGALRM then ends everything */

/* Exit statuses of shortfuse. */
enum { STATUS_USAGE = 2, STATUS_INFRA = 3 };

static char request[2 * FUSE_MIN_READ_BUFFER + MAX_WRITE];

_Noreturn static void fail(const char *what)
{
	fprintf(stderr, "bare_loop: %s: %s\n", what, strerror(errno));
	exit(STATUS_INFRA);
}

static void reply(int fd, uint64_t unique, int error, const void *data, size_t len)
{
	struct fuse_out_header out = {sizeof(out) + len, error, unique};
	struct iovec iov[] = {{&out, sizeof(out)}, {(void *)data, len}};

	/* ENOENT: the request was interrupted meanwhile. */
	if (writev(fd, iov, 2) < 0 && errno != ENOENT)
		_exit(STATUS_INFRA);
}

static struct fuse_attr attr_of(uint64_t node)
{
	int root = node == FUSE_ROOT_ID;

	return (struct fuse_attr){
		.ino = node,
		.mode = root ? S_IFDIR | 0755 : S_IFREG | 0644,
		.nlink = root ? 2 : 1,
		.size = root ? 0 : MAX_WRITE,
	};
}

/* One request; its name in the comments of linux/fuse.h. */
static void answer(int fd, const struct fuse_in_header *in)
{
	const struct fuse_write_in *write_in = (const void *)(in + 1);
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.max_write = MAX_WRITE,
	};
	struct fuse_entry_out entry = {.nodeid = FILE_NODE, .attr = attr_of(FILE_NODE)};
	struct fuse_attr_out attr = {.attr = attr_of(in->nodeid)};
	struct fuse_open_out open_out = {.fh = 1};
	struct fuse_write_out written = {0};

	switch (in->opcode) {
	case FUSE_INIT:
		reply(fd, in->unique, 0, &init, sizeof(init));
		return;
	case FUSE_LOOKUP:
		reply(fd, in->unique, 0, &entry, sizeof(entry));
		return;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		reply(fd, in->unique, 0, &attr, sizeof(attr));
		return;
	case FUSE_OPEN:
		reply(fd, in->unique, 0, &open_out, sizeof(open_out));
		return;
	case FUSE_WRITE:
		written.size = write_in->size;
		reply(fd, in->unique, 0, &written, sizeof(written));
		return;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(fd, in->unique, 0, NULL, 0);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return; /* these have no reply */
	default:
		reply(fd, in->unique, -ENOSYS, NULL, 0);
	}
}

/* Until the unmount, which read(2) tells as ENODEV. */
_Noreturn static void serve(int fd)
{
	for (;;) {
		ssize_t len = read(fd, request, sizeof(request));

		if (len >= (ssize_t)sizeof(struct fuse_in_header))
			answer(fd, (const void *)request);
		else if (len < 0 && errno == ENODEV)
			_exit(0);
		else if (len < 0 && errno != EINTR && errno != ENOENT && errno != EAGAIN)
			_exit(STATUS_INFRA);
	}
}

static void write_file(void)
{
	static const char text[] = "written through a bare loop\n";
	int fd = open(MOUNT_POINT "/f", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text) || close(fd))
		_exit(STATUS_INFRA);
	_exit(0);
}

/* Init of the namespace and two children: one writes, the other sleeps until init's end
 * kills it. */
_Noreturn static void tree(void)
{
	int status;
	pid_t writer;

	if (!fork())
		for (;;)
			pause();
	writer = fork();
	if (!writer)
		write_file();
	if (waitpid(writer, &status, 0) != writer)
		_exit(STATUS_INFRA);
	_exit(status ? STATUS_INFRA : 0);
}

static void reap(pid_t pid, const char *what)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail(what);
	if (status) {
		fprintf(stderr, "bare_loop: %s ended with status %#x\n", what, status);
		exit(STATUS_INFRA);
	}
}

static void turn(void)
{
	char options[80];
	pid_t server, init;
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 fd);
	if (mount("bare_loop", MOUNT_POINT, "fuse", MS_NOSUID | MS_NODEV, options))
		fail("mount");
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd);
	}
	close(fd);
	init = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
	if (!init) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		tree();
	}
	reap(init, "init of the namespace");
	if (umount2(MOUNT_POINT, 0))
		fail("umount");
	reap(server, "server");
}

static void set_up(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu >= 0) {
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			fail("sched_setaffinity");
	}
	if (unshare(CLONE_NEWNS))
		fail("unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		fail("private mounts");
	if (mount("bare_loop", "/tmp", "tmpfs", 0, NULL))
		fail("tmpfs");
	if (mkdir(MOUNT_POINT, 0755))
		fail(MOUNT_POINT);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* A positive number, or the usage. */
static double number(const char *text, double min)
{
	char *end;
	double value = strtod(text, &end);

	if (*end || end == text || !(value >= min)) {
		fprintf(stderr, "bare_loop: not a number of the right size: '%s'\n",
			text);
		exit(STATUS_USAGE);
	}
	return value;
}

int main(int argc, char **argv)
{
	double seconds = 0, start, took;
	long turns = 1000, done = 0;
	int option, cpu = -1;

	while ((option = getopt(argc, argv, "n:t:p:")) != -1) {
		if (option == 'n') {
			turns = number(optarg, 1);
		} else if (option == 't') {
			seconds = number(optarg, 0.001);
		} else if (option == 'p') {
			cpu = number(optarg, 0);
		} else {
			fprintf(stderr,
				"usage: bare_loop [-n TURNS | -t SECONDS] [-p CPU]\n");
			return STATUS_USAGE;
		}
	}
	set_up(cpu);
	start = now();
	do {
		alarm(TURN_DEADLINE);
		turn();
		took = now() - start;
		done++;
	} while (seconds > 0 ? took < seconds : done < turns);
	printf("turns %ld seconds %.3f rate %.1f\n", done, took, done / took);
	return 0;
}
