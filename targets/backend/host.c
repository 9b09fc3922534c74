/* SPDX-License-Identifier: MIT */
/* Back end "host": an executor on this machine, in a pid and a mount namespace of its
 * own. */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "targets/plumbing/executable.h"
#include "harness/executor/leftovers.h"
#include "targets/plumbing/peer.h"
#include "targets/plumbing/sysctls.h"

#define HELLO_MS 15000
#define STOP_MS	 3000

struct host {
	struct target target;
	struct target_options opt;
	struct peer peer;
	struct sysctls sysctls;
	bool poisoned;
};

/* The last CPU that we may use: afl-fuzz and others start at the first. */
static int default_cpu(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -1;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET((size_t)cpu, &set))
			return cpu;
	return -1;
}

static int start(struct host *host, char *err)
{
	char path[4096], cpu[20];
	const char *const argv[] = {path,
				    "--fd",
				    "3",
				    "--cpu",
				    cpu,
				    host->opt.server ? "--server" : NULL,
				    host->opt.server,
				    NULL};
	struct spawn sp = {.argv = argv, .n_fds = 1, .mode = SPAWN_INIT, .cpu = -1};
	int pair[2], ret;

	peer_init(&host->peer, "the executor", &host->opt);
	ret = executor_path(path, sizeof(path), err);
	if (ret < 0)
		return ret;
	if (geteuid() != 0) {
		snprintf(err, 300,
			 "host runs need root (mount, pid namespaces); "
			 "'--target uml' does not");
		return -EPERM;
	}
	if (access("/dev/fuse", R_OK | W_OK) < 0) {
		snprintf(err, 300, "/dev/fuse: %s; 'modprobe fuse' may help",
			 strerror(errno));
		return -errno;
	}
	snprintf(cpu, sizeof(cpu), "%d", host->opt.cpu);
	ret = peer_socketpair(pair);
	if (ret < 0)
		return ret;
	sp.fds = &pair[1];
	sp.out = sp.err = host->opt.verbose ? STDERR_FILENO : -1;
	ret = spawn_process(&sp, &host->peer.proc);
	close(pair[1]);
	if (ret < 0) {
		close(pair[0]);
		snprintf(err, 300, "starting %.200s: %s", path, strerror(-ret));
		return ret;
	}
	return peer_hello(&host->peer, pair[0], -1, HELLO_MS, err);
}

static void host_close(struct target *target)
{
	struct host *host = (struct host *)target;

	peer_stop(&host->peer, STOP_MS);
	cgroups_clean("/proc");
	sysctls_restore(&host->sysctls);
	free(host);
}

static int host_open(const struct target_options *opt, struct target **ret_target,
		     char *err)
{
	struct host *host = calloc(1, sizeof(*host));
	int ret;

	if (!host)
		return -ENOMEM;
	host->target.ops = &host_ops;
	host->opt = *opt;
	if (opt->cpu < 0)
		host->opt.cpu = default_cpu();
	sysctls_set(&host->sysctls);
	ret = start(host, err);
	if (ret < 0) {
		peer_release(&host->peer);
		sysctls_restore(&host->sysctls);
		free(host);
		return ret;
	}
	*ret_target = &host->target;
	return 0;
}

static int host_run(struct target *target, const struct scenario *scn, uint32_t flags,
		    struct result *ret_res)
{
	struct host *host = (struct host *)target;
	int ret = peer_run(&host->peer, scn, flags, ret_res);

	if (!ret && ret_res->verdict == VERDICT_UNREAPABLE)
		host->poisoned = true;
	return ret;
}

static void host_next(struct target *target, const struct scenario *scn, uint32_t flags)
{
	peer_next(&((struct host *)target)->peer, scn, flags);
}

/* This kernel cannot be exchanged: only the executor is. */
static int host_reset(struct target *target, char *err)
{
	struct host *host = (struct host *)target;

	if (host->poisoned) {
		snprintf(err, 300,
			 "tasks survived every rung: this machine has to be rebooted");
		return -EUCLEAN;
	}
	peer_release(&host->peer);
	return start(host, err);
}

static const char *host_hello(const struct target *target)
{
	return ((const struct host *)target)->peer.hello;
}

const struct target_ops host_ops = {
	.name = "host",
	.help = "this machine's kernel (root; a poisoned run stays until reboot)",
	.open = host_open,
	.run = host_run,
	.next = host_next,
	.reset = host_reset,
	.close = host_close,
	.hello = host_hello,
};
