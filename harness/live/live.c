/* SPDX-License-Identifier: MIT */
/* Runs the steps of a diagnosis and owns what they find. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "parts.h"

#define PROC_PID_INIT_INO 0xEFFFFFFCu /* include/linux/proc_ns.h */

static bool in_first_pidns(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == PROC_PID_INIT_INO;
}

int live_open(struct live *live, char *err)
{
	struct utsname uts;
	int ret;

	memset(live, 0, sizeof(*live));
	live->pf.fd = live->ctl.fd = -1;
	if (geteuid()) {
		snprintf(err, 200, "kernel stacks are readable by root only");
		return -EPERM;
	}
	ret = procfs_open(&live->pf, "/proc");
	if (ret < 0) {
		snprintf(err, 200, "/proc: %s", strerror(-ret));
		return ret;
	}
	procfs_calibrate(&live->pf);
	ret = fusectl_open(&live->ctl, err);
	live->no_fuse = ret == -ENODEV;
	if (ret < 0 && !live->no_fuse) {
		procfs_close(&live->pf);
		return ret;
	}
	live->whole_machine = in_first_pidns();
	if (!uname(&uts))
		snprintf(live->release, sizeof(live->release), "%s", uts.release);
	return 0;
}

static void clear(struct live *live)
{
	for (size_t i = 0; i < live->n_conns; i++) {
		snapshot_release(&live->conns[i].snap);
		explanation_release(&live->conns[i].ex);
	}
	free(live->conns);
	free(live->tasks);
	free(live->servers);
	free(live->threads);
	live->threads = NULL;
	live->conns = NULL;
	live->tasks = NULL;
	live->servers = NULL;
	live->n_conns = live->n_tasks = live->n_servers = live->n_numbers = 0;
	live->saw_exec = false;
	live->n_left_out = live->n_movers = live->n_threads = live->stacked.n = 0;
	memset(live->proved_full, 0, sizeof(live->proved_full));
}

void live_close(struct live *live)
{
	clear(live);
	procfs_close(&live->pf);
	fusectl_close(&live->ctl);
}

int live_look(struct live *live, const struct live_options *opt)
{
	int ret;

	clear(live);
	if (live->no_fuse)
		return 0;
	ret = live_survey(live, opt);
	if (ret < 0 || !live->n_numbers)
		return ret;
	live_ages(live);
	live_name_servers(live);
	ret = live_attribute(live);
	if (ret < 0)
		return ret;
	live_judge_threads(live);
	ret = live_group(live);
	if (ret < 0)
		return ret;
	live_decide(live, opt);
	live_say(live, opt);
	return 0;
}
