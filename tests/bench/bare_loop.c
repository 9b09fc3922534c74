/* SPDX-License-Identifier: MIT */
/*
 * The reference of "make bench": what a machine can do at best. A loop without fault engine, mailboxes or watchdog: mount,
 * serve, fork a pid-namespace tree of three, open and write a file, let the namespace's init exit, reap everything,
 * unmount. It is linked with one of two servers: bare_raw.c or bare_libfuse.c.
 *
 *	bare_loop [-s] [-n TURNS | -t SECONDS] [-p CPU]
 *
 * Prints "turns N seconds S rate R". Leaves nothing behind, not even when it is killed: the mount point is on a tmpfs of
 * its own mount namespace, and the children die with their parent.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bare_server.h"

#define MOUNT_POINT   "/tmp/mnt"
#define TURN_DEADLINE 20 /* s; a SIGALRM then ends everything */

_Noreturn static void fail(const char *what)
{
	fprintf(stderr, "bare_loop: %s: %s\n", what, strerror(errno));
	exit(STATUS_INFRA);
}

/*
 * With -s: tasks wait for each step and tell when it is done, as those of a run do: what it costs that the order is the
 * loop's and not the scheduler's.
 */
static struct steps {
	_Atomic uint32_t server, writer, init; /* futexes: steps given to them */
	_Atomic uint32_t done; /* futex: steps done, and the writer is there */
} * steps;
static bool stepwise;

static void await(_Atomic uint32_t *word, uint32_t seen)
{
	while (*word == seen)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL);
}

static void bump(_Atomic uint32_t *word)
{
	atomic_fetch_add(word, 1);
	syscall(SYS_futex, word, FUTEX_WAKE, 1);
}

/* In a task: the step before is done; waits for the n-th. */
static void next_step(_Atomic uint32_t *mine, uint32_t n)
{
	if (!stepwise)
		return;
	bump(&steps->done);
	await(mine, n - 1);
}

/* In the loop. */
static void give(_Atomic uint32_t *whose)
{
	uint32_t seen = steps->done;

	bump(whose);
	await(&steps->done, seen);
}

static void give_steps(void)
{
	await(&steps->done, 0);
	bump(&steps->server);
	give(&steps->writer);
	give(&steps->writer);
	bump(&steps->init);
}

static void write_file(void)
{
	static const char text[] = "written through a bare loop\n";
	int fd;

	next_step(&steps->writer, 1);
	fd = open(MOUNT_POINT "/f", O_WRONLY | O_CLOEXEC);
	next_step(&steps->writer, 2);
	if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text))
		_exit(STATUS_INFRA);
	next_step(&steps->writer, 3); /* never comes: init ends */
	if (close(fd))
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
	if (stepwise) {
		await(&steps->init, 0);
		_exit(0);
	}
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
	*steps = (struct steps){0};
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 fd);
	if (mount("bare_loop", MOUNT_POINT, "fuse", MS_NOSUID | MS_NODEV, options))
		fail("mount");
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (stepwise)
			await(&steps->server, 0);
		bare_serve(fd);
	}
	close(fd);
	init = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
	if (!init) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		tree();
	}
	if (stepwise)
		give_steps();
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

	while ((option = getopt(argc, argv, "n:t:p:s")) != -1) {
		if (option == 'n') {
			turns = number(optarg, 1);
		} else if (option == 't') {
			seconds = number(optarg, 0.001);
		} else if (option == 'p') {
			cpu = number(optarg, 0);
		} else if (option == 's') {
			stepwise = true;
		} else {
			fprintf(stderr, "usage: bare_loop [-s] [-n TURNS | -t SECONDS] "
					"[-p CPU]\n");
			return STATUS_USAGE;
		}
	}
	set_up(cpu);
	steps = mmap(NULL, sizeof(*steps), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (steps == MAP_FAILED)
		fail("mmap");
	if (bare_prepare() < 0)
		fail("server");
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
