/* SPDX-License-Identifier: MIT */
/* Starts and ends afl-fuzz. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"
#include "afl.h"
#include "fuzzer/mutate/archive.h"

/* afl-fuzz pins itself to a free CPU, perhaps the executor's: keep off those, if others are left of the
 * ones that the campaign itself may use (taskset(1)). */
static void choose_cpus(unsigned int avoid)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ||
	    CPU_COUNT(&cpus) <= (int)avoid)
		return;
	for (int i = CPU_SETSIZE - 1; i >= 0 && avoid; i--) {
		if (!CPU_ISSET(i, &cpus))
			continue;
		CPU_CLR(i, &cpus);
		avoid--;
	}
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void set_environment(const struct afl *afl, const struct afl_options *o)
{
	char findings[4200], seed[24];

	/* afl-fuzz ends where these are not as it wants them (check_asan_opts()); the proxy needs none. */
	unsetenv("ASAN_OPTIONS");
	unsetenv("MSAN_OPTIONS");
	unsetenv("LSAN_OPTIONS");
	setenv("AFL_NO_AFFINITY", "1", 1);
	setenv("AFL_SKIP_CPUFREQ", "1", 1);
	setenv("AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "1", 1);
	setenv("AFL_NO_CRASH_README", "1", 1);
	setenv("AFL_AUTORESUME", "1", 1);
	setenv("AFL_FORKSRV_INIT_TMOUT", "30000", 1);
	setenv("AFL_FAST_CAL", "1", 1);
	setenv("AFL_IMPORT_FIRST", "1", 1);
	/* Trimmed entries show one thing each; what is new comes from several at once, and a run is dear. */
	setenv("AFL_DISABLE_TRIM", "1", 1);
	if (!afl->screen)
		setenv("AFL_NO_UI", "1", 1);
	if (o->mutator) {
		setenv("AFL_CUSTOM_MUTATOR_LIBRARY", o->mutator, 1);
		setenv("AFL_CUSTOM_MUTATOR_ONLY", "1", 1);
	}
	snprintf(findings, sizeof(findings), "%s/findings", o->dir);
	setenv("SHORTFUSE_FINDINGS", findings, 1);
	/* Not by afl-fuzz's -s: with that it takes every run to be equally long, and ours differ by a hundred. */
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)(o->seed + afl->job));
	setenv("SHORTFUSE_SEED", seed, 1);
	setenv("SHORTFUSE_CRASH_AT", o->crash_at, 1);
	setenv(SOCKET_ENV, afl->socket, 1);
	if (o->archive_fd >= 0 && !fcntl(o->archive_fd, F_SETFD, 0)) {
		snprintf(seed, sizeof(seed), "%d", o->archive_fd);
		setenv(ARCHIVE_ENV, seed, 1);
	}
	/* Several begin with the same seeds: in another order each, so that they share the work (memory.h). */
	if (afl->job)
		setenv("AFL_SHUFFLE_QUEUE", "1", 1);
}

static void redirect(const struct afl *afl, const struct afl_options *o)
{
	char path[4200];
	int in = open("/dev/null", O_RDONLY), out;

	snprintf(path, sizeof(path), "%s/afl-%s.log", o->dir, afl->name);
	out = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (in >= 0)
		dup2(in, STDIN_FILENO);
	if (out < 0)
		return;
	if (!afl->screen)
		dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	close(out);
}

static _Noreturn void child(const struct afl *afl, const struct afl_options *o,
			    pid_t parent)
{
	char in[4200], out[4200];
	const char *argv[] = {"afl-fuzz", "-i", in,	  "-o", "",	   "",	"-m",
			      "none",	  "-t", "120000", "--", o->target, NULL};
	char role[24];

	/* With the campaign dies its afl-fuzz, and Ctrl-C goes to the campaign alone. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	setpgid(0, 0);
	/* Its shared memory goes with the last of its processes, however that ends. Without root: see ended(). */
	unshare(CLONE_NEWIPC);
	choose_cpus(o->avoid_cpus);
	set_environment(afl, o);
	redirect(afl, o);
	snprintf(in, sizeof(in), "%s/seeds", o->dir);
	snprintf(out, sizeof(out), "%s/afl", o->dir);
	snprintf(role, sizeof(role), "%s%s", afl->job ? "-S" : "-M", afl->name);
	argv[4] = out;
	argv[5] = role;
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

int afl_start(struct afl *afl, const struct afl_options *options)
{
	pid_t parent = getpid(), pid;

	if (afl->job)
		snprintf(afl->name, sizeof(afl->name), "s%u", afl->job);
	else
		snprintf(afl->name, sizeof(afl->name), "main");
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(afl, options, parent);
	afl->pid = pid;
	return 0;
}

/* afl-fuzz removes its shared memory by itself, except when it is killed. */
static void remove_shared_memory(pid_t creator)
{
	struct shmid_ds ds;
	struct shm_info info;
	int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info), id;

	for (int i = 0; i <= last; i++) {
		id = shmctl(i, SHM_STAT, &ds);
		if (id >= 0 && ds.shm_cpid == creator && ds.shm_perm.cuid == geteuid())
			shmctl(id, IPC_RMID, NULL);
	}
}

static void ended(struct afl *afl, uint64_t runs, int status)
{
	if (WIFSIGNALED(status))
		remove_shared_memory(afl->pid);
	afl->deaths++;
	afl->quick_deaths = runs == afl->runs ? afl->quick_deaths + 1 : 0;
	afl->runs = runs;
	afl->pid = 0;
}

int afl_poll(struct afl *afl, uint64_t runs, int *ret_status)
{
	int status;

	if (!afl->pid || waitpid(afl->pid, &status, WNOHANG) != afl->pid)
		return 0;
	ended(afl, runs, status);
	*ret_status = status;
	return 1;
}

void afl_ask_to_stop(const struct afl *afl)
{
	if (afl->pid)
		kill(afl->pid, SIGINT);
}

void afl_stop(struct afl *afl, int timeout_ms)
{
	int status;

	if (!afl->pid)
		return;
	kill(afl->pid, SIGINT);
	for (int ms = 0; ms < timeout_ms; ms += 20) {
		if (afl_poll(afl, afl->runs, &status))
			return;
		poll(NULL, 0, 20);
	}
	kill(afl->pid, SIGKILL);
	if (waitpid(afl->pid, &status, 0) == afl->pid)
		ended(afl, afl->runs, status);
}
