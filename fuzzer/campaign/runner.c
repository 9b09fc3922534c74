/* SPDX-License-Identifier: MIT */
/* Runs scenarios on a target and brings it back when it is lost. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runner.h"

#define FAILURES_MAX   12
#define UNANSWERED_MAX 3

void runner_init(struct runner *runner, const struct target_options *options)
{
	memset(runner, 0, sizeof(*runner));
	runner->options = *options;
	runner->stop_fd = -1;
}

static void close_target(struct runner *runner)
{
	if (runner->target)
		target_close(runner->target);
	runner->target = NULL;
}

void runner_release(struct runner *runner)
{
	close_target(runner);
}

int runner_open(struct runner *runner)
{
	if (runner->target)
		return 0;
	runner->error[0] = '\0';
	runner->since_reset = 0;
	return target_open(&runner->options, &runner->target, runner->error);
}

/* A target that comes and goes is tried again, more slowly each time, and then given up.
 */
static int open_again(struct runner *runner)
{
	struct pollfd stop = {.fd = runner->stop_fd, .events = POLLIN};
	int ret;

	while ((ret = runner_open(runner)) < 0) {
		if (++runner->failures >= FAILURES_MAX ||
		    poll(&stop, 1,
			 runner->failures < 5 ? 200 << runner->failures : 5000) > 0)
			return ret;
	}
	return 0;
}

static void recover(struct runner *runner, bool broken)
{
	char err[300] = "";

	runner->resets++;
	runner->since_reset = runner->unanswered = 0;
	if (broken || target_reset(runner->target, err) < 0) {
		close_target(runner);
		runner->failures++;
	}
}

/* Not of the result: a guest's time may be virtual. */
static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int runner_run(struct runner *runner, const struct scenario *scn, uint32_t flags,
	       struct result *ret_res)
{
	uint64_t begin;
	int ret;

	/* Before a run, not after one: its answer is not kept waiting. */
	if (runner->target && runner->reset_every &&
	    runner->since_reset >= runner->reset_every)
		recover(runner, false);
	ret = open_again(runner);
	if (ret < 0)
		return ret;
	begin = now_us();
	ret = target_run(runner->target, scn, flags, ret_res);
	runner->busy_us += now_us() - begin;
	runner->runs++;
	runner->since_reset++;
	if (ret < 0) {
		recover(runner, true);
		snprintf(runner->error, sizeof(runner->error), "the target was lost: %s",
			 strerror(-ret));
		if (runner->failures >= FAILURES_MAX)
			return ret;
		result_init(ret_res);
		ret_res->verdict = VERDICT_INFRA;
		snprintf(ret_res->reason, sizeof(ret_res->reason), "%s", runner->error);
	}
	if (ret_res->verdict == VERDICT_INFRA) {
		runner->infra++;
		runner->unanswered++;
	} else {
		runner->failures = runner->unanswered = 0;
	}
	/* One that answers nothing any more may have been spoiled by a run long ago. */
	if (ret == 0 && (ret_res->poisoned || runner->unanswered >= UNANSWERED_MAX))
		recover(runner, false);
	return 0;
}
