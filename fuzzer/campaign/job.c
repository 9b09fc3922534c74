/* SPDX-License-Identifier: MIT */
/* One job of a campaign: runs what its afl-fuzz or its generator sends and files the
 * findings. */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "address.h"
#include "broker.h"
#include "campaign.h"
#include "file.h"
#include "fuzzer/mutate/generate.h"
#include "fuzzer/util/clock.h"
#include "harness/scenario/codec.h"
#include "inflight.h"
#include "isolate.h"
#include "shape.h"

#define RERUNS 5
#define RERUNS_COMBINED                                                                  \
	2 /* of root causes that were seen before: most findings, and a flagged run is dear */
#define RERUNS_SMALLER 3
#define REPEATS_SAVED  2
#define ISOLATE_RUNS   60
#define ISOLATE_MS     4000
#define INFRA_KEPT     200

bool campaign_stopping(const struct campaign *campaign)
{
	struct pollfd fd = {.fd = campaign->stop_fd, .events = POLLIN};

	return poll(&fd, 1, 0) > 0;
}

static bool stopping(const struct job *job)
{
	struct pollfd fds[] = {{.fd = job->campaign->stop_fd, .events = POLLIN},
			       {.fd = job->stop_fd, .events = POLLIN}};

	return poll(fds, 2, 0) > 0;
}

static void fail(struct job *job, int err)
{
	struct campaign *c = job->campaign;

	/* A target that was not tried again as this job is to end. */
	if (stopping(job) || atomic_exchange(&c->failed, true))
		return;
	snprintf(c->error, sizeof(c->error), "target %s: %s", c->options.target,
		 job->runner.error[0] ? job->runner.error : strerror(-err));
	eventfd_write(c->stop_fd, 1);
}

/* One line: seconds, runs, what, hash of its roots, severity, reason. */
static void log_finding(struct campaign *c, const struct result *res, const char *what)
{
	char line[700];

	snprintf(line, sizeof(line), "%ld\t%llu\t%s\t%016llx\t%s\t%s\n",
		 campaign_seconds(c), (unsigned long long)(c->runs_before + c->runs),
		 what, (unsigned long long)res->root_hash,
		 severity_names[verdict_table[res->verdict].severity], res->reason);
	file_append(c->dir_fd, "findings.tsv", line);
}

static void file_whole(struct job *job, const struct scenario *scn,
		       const struct result *res)
{
	struct campaign *c = job->campaign;
	char id[40];

	if (!findings_add_whole(&c->findings, scn, res, c->runs_before + c->runs))
		return;
	snprintf(id, sizeof(id), "%s-%016llx", verdict_table[res->verdict].name,
		 (unsigned long long)res->signature);
	log_finding(c, res, id);
	c->last_new = clock_seconds();
}

/* Skipped: its actor was not there. EBADF, ESRCH: an empty slot, a task not there (ops.h). */
static void count_steps(struct campaign *c, const struct result *res)
{
	unsigned int reached = 0;

	for (unsigned int i = 0; i < res->n_steps; i++) {
		const struct step_result *step = &res->steps[i];

		if (step->status == STEP_BLOCKED || step->status == STEP_ENDED)
			reached++;
		else if (step->status == STEP_DONE)
			reached += step->ret != -EBADF && step->ret != -ESRCH;
	}
	c->steps += res->n_steps;
	c->steps_reached += reached;
}

/* Trouble of our own is no finding, but somebody has to look at it. */
static void keep_infra(struct campaign *c, const struct scenario *scn,
		       const struct result *res)
{
	uint8_t bytes[SCN_MAX_BYTES];
	char line[600], name[32];
	uint64_t n = c->infra++;
	int dir_fd, len;

	if (n >= INFRA_KEPT)
		return;
	snprintf(name, sizeof(name), "%03u.bin", (unsigned int)n);
	snprintf(line, sizeof(line), "%s\t%ld\t%s\n", name, campaign_seconds(c),
		 res->reason);
	len = scenario_encode(scn, bytes, sizeof(bytes));
	dir_fd = file_make_dir(c->dir_fd, "infra");
	if (dir_fd < 0 || len < 0)
		return;
	file_write(dir_fd, name, bytes, len);
	file_append(dir_fd, "infra.tsv", line);
	close(dir_fd);
}

static void note_new(struct job *job, const struct scenario *scn,
		     const struct result *res)
{
	if (!job->looking || job->n_noted == NOTED_MAX)
		return;
	job->noted[job->n_noted].scn = *scn;
	job->noted[job->n_noted].res = *res;
	job->noted[job->n_noted].res.json = NULL;
	job->noted[job->n_noted++].res.json_len = 0;
}

/* Runs it once: on disk before, filed after. */
static int execute(struct job *job, const struct scenario *scn, struct result *res)
{
	struct campaign *c = job->campaign;
	struct causes causes;
	char id[40];
	uint64_t resets = job->runner.resets, busy_us = job->runner.busy_us;
	int ret;

	inflight_set(job->inflight_fd, scn, job->durable);
	ret = runner_run(&job->runner, scn, 0, res);
	c->resets += job->runner.resets - resets;
	c->busy_us += job->runner.busy_us - busy_us;
	if (ret < 0) {
		fail(job, ret);
		return ret;
	}
	c->runs++;
	c->verdicts[res->verdict]++;
	count_steps(c, res);
	if (res->verdict == VERDICT_INFRA)
		keep_infra(c, scn, res);
	else
		job->answered++;
	causes_of(res, &causes);
	causes_sign(res, &causes);
	job->mark = 0;
	job->answer = findings_add(&c->findings, scn, res, c->runs_before + c->runs,
				   &job->mark);
	c->known += job->answer == FINDINGS_KNOWN || job->answer == FINDINGS_SMALLER;
	if (job->answer == FINDINGS_NEW) {
		snprintf(id, sizeof(id), "%s-%016llx", verdict_table[res->verdict].name,
			 (unsigned long long)res->signature);
		log_finding(c, res, id);
		c->last_new = clock_seconds();
		note_new(job, scn, res);
	}
	if (shape_is_incident(scn, res) && !atomic_exchange(&c->incident, true))
		log_finding(c, res, "incident");
	inflight_clear(job->inflight_fd);
	return 0;
}

/* How many of *ret_runs runs give this signature; *ret_runs becomes how many there were. */
static unsigned int replay(struct job *job, const struct scenario *scn,
			   const struct result *want, unsigned int *ret_runs)
{
	unsigned int same = 0, runs = 0, max = *ret_runs;
	struct result res;

	while (runs < max && !stopping(job)) {
		result_init(&res);
		if (execute(job, scn, &res) < 0)
			break;
		if (res.verdict != VERDICT_INFRA) {
			runs++;
			same += res.verdict == want->verdict &&
				res.signature == want->signature;
			job->campaign->reruns++;
			job->campaign->reruns_other += res.verdict != want->verdict ||
						       res.signature != want->signature;
		} else if (job->runner.infra > RERUNS + runs) {
			result_release(&res);
			break;
		}
		result_release(&res);
	}
	*ret_runs = runs;
	return same;
}

static void forget_noted(struct job *job, const struct result *res)
{
	for (unsigned int i = job->n_noted; i-- > 0;)
		if (job->noted[i].res.signature == res->signature &&
		    job->noted[i].res.verdict == res->verdict)
			job->noted[i] = job->noted[--job->n_noted];
}

static int run_for_isolate(void *ctx, const struct scenario *scn, struct result *ret_res)
{
	struct job *job = ctx;
	int ret;

	if (stopping(job))
		return -EINTR;
	ret = execute(job, scn, ret_res);
	job->campaign->isolating++;
	return ret;
}

/*
 * A new cause among others: what is filed is a run with that one alone, which execute() does by itself; where there is
 * none, the run as it is.
 */
static void untangle(struct job *job, const struct scenario *scn,
		     const struct result *res)
{
	struct isolate isolate = {.run = run_for_isolate,
				  .ctx = job,
				  .runs_max = ISOLATE_RUNS,
				  .ms_max = ISOLATE_MS};
	struct campaign *c = job->campaign;
	struct findings *store = &c->findings;
	struct causes causes;
	const char *text;
	int ret = 0;

	causes_of(res, &causes);
	while (ret >= 0 && (text = findings_unknown(store, &causes)) && !stopping(job)) {
		struct scenario small = *scn;
		struct result last;
		unsigned int runs = RERUNS, same;

		ret = isolate_cause(&isolate, scn, text, &small, &last);
		findings_know(store, text);
		if (ret < 0)
			break;
		if (!ret)
			file_whole(job, &small, &last);
		same = replay(job, &small, &last, &runs);
		findings_replayed(store, last.signature, last.verdict, same, runs);
		if (ret)
			findings_replace(store, &small, &last, same, runs);
		forget_noted(job, &last);
		result_release(&last);
	}
	/* It did not come again: it may be rare, so what was seen is kept. */
	if (ret == -ENOENT)
		file_whole(job, scn, res);
}

/* Found on the way, while another one was looked at: what execute() has noted since. */
static void replay_noted(struct job *job)
{
	struct findings *store = &job->campaign->findings;

	while (job->n_noted && !stopping(job)) {
		struct noted noted = job->noted[--job->n_noted];
		unsigned int runs = RERUNS_COMBINED;
		unsigned int same = replay(job, &noted.scn, &noted.res, &runs);

		findings_replayed(store, noted.res.signature, noted.res.verdict, same,
				  runs);
	}
}

/* What a new finding costs more is paid after the answer, while afl-fuzz makes its next
 * input. */
static void follow_up(struct job *job, const struct scenario *scn,
		      const struct result *res)
{
	enum findings_answer answer = job->answer;
	struct findings *store = &job->campaign->findings;
	unsigned int same, runs = RERUNS_SMALLER;

	if (answer == FINDINGS_TANGLED) {
		job->looking = true;
		untangle(job, scn, res);
		replay_noted(job);
		job->looking = false;
		job->answer = FINDINGS_KNOWN;
	}
	if (answer != FINDINGS_NEW && answer != FINDINGS_SMALLER)
		return;
	if (answer == FINDINGS_NEW)
		runs = findings_new_roots(store, res->signature, res->verdict)
			       ? RERUNS
			       : RERUNS_COMBINED;
	job->looking = true;
	same = replay(job, scn, res, &runs);
	if (answer == FINDINGS_NEW)
		findings_replayed(store, res->signature, res->verdict, same, runs);
	else if (runs)
		findings_replace(store, scn, res, same, runs);
	replay_noted(job);
	job->looking = false;
	/* Of the last input again, which is filed now: not of the runs that were made for it. */
	job->answer = FINDINGS_KNOWN;
}

/*
 * afl-fuzz runs each new entry three times more to see whether it is stable: the first two of them are answered from
 * memory, the third one is run. A tenth of the early runs are new entries, and a run is dear here.
 */
static bool remembered(struct job *job, const struct scenario *scn, struct result *res)
{
	if (!scenario_equal(scn, &job->last_scn) || job->repeats >= REPEATS_SAVED ||
	    job->last_res.verdict == VERDICT_INFRA || job->answer == FINDINGS_NEW)
		return false;
	*res = job->last_res;
	job->mark = 0;
	job->repeats++;
	if (job->answer == FINDINGS_SMALLER)
		job->answer = FINDINGS_KNOWN;
	return true;
}

/* A set of causes is no new path, one of them may be. */
static uint64_t broker_mark(void *ctx, const struct result *res)
{
	const struct job *job = ctx;

	return job->mark ? job->mark : res->signature;
}

static int broker_run(void *ctx, const struct scenario *scn, uint32_t flags,
		      struct result *res)
{
	struct job *job = ctx;
	int ret;

	(void)flags;
	if (remembered(job, scn, res))
		return 0;
	if (memory_recall(job->campaign->memory, scn, job->index, res)) {
		/* Whatever it is, another job has filed it. */
		job->answer = FINDINGS_KNOWN;
		job->mark = 0;
		job->last_scn = *scn;
		job->last_res = *res;
		job->repeats = 0;
		return 0;
	}
	ret = execute(job, scn, res);
	if (ret < 0)
		return ret;
	job->last_scn = *scn;
	job->last_res = *res;
	job->last_res.signature = broker_mark(job, res);
	job->last_res.json = NULL;
	job->last_res.json_len = 0;
	memory_keep(job->campaign->memory, scn, job->index, &job->last_res);
	job->repeats = 0;
	return 0;
}

static bool broker_known(void *ctx, const struct result *res)
{
	const struct job *job = ctx;

	(void)res;
	return job->answer == FINDINGS_KNOWN || job->answer == FINDINGS_SMALLER;
}

static void broker_after(void *ctx, const struct scenario *scn, const struct result *res)
{
	follow_up(ctx, scn, res);
}

static void serve(struct job *job)
{
	struct broker broker = {.listen_fd = job->listen_fd,
				.stop_fd = job->stop_fd,
				.ctx = job,
				.run = broker_run,
				.known = broker_known,
				.mark = broker_mark,
				.after = broker_after};
	int ret = broker_loop(&broker);

	if (ret < 0)
		fail(job, ret);
}

static void generate(struct job *job)
{
	struct scenario scn;
	struct result res;
	struct rng rng;
	int ret = 0;

	/* Seeds one apart must not give jobs of two campaigns the same stream. */
	rng_init(&rng, job->campaign->options.seed * 0x100 + job->index +
			       job->campaign->runs_before * 0x10000);
	while (ret >= 0 && !stopping(job)) {
		generate_scenario(&rng, &scn);
		result_init(&res);
		ret = execute(job, &scn, &res);
		if (ret >= 0)
			follow_up(job, &scn, &res);
		result_release(&res);
	}
}

static void *job_main(void *arg)
{
	struct job *job = arg;
	struct scenario scn;
	struct result res;

	/* What an earlier session was running when it died comes first. */
	if (inflight_get(job->inflight_fd, &scn)) {
		result_init(&res);
		if (execute(job, &scn, &res) >= 0)
			follow_up(job, &scn, &res);
		result_release(&res);
	}
	if (job->campaign->options.mode == MODE_BLIND)
		generate(job);
	else
		serve(job);
	/* Closed by the thread that opened it: an executor may be bound to its parent
	 * thread. */
	runner_release(&job->runner);
	return NULL;
}

int job_start(struct job *job)
{
	struct campaign *c = job->campaign;
	int ret;

	/* A guest takes nothing along when it dies; for this machine's own kernel a run may be the last one. */
	job->durable = !strncmp(c->options.target, "host", 4);
	job->inflight_fd = inflight_open(c->dir_fd, job->index);
	if (job->inflight_fd < 0)
		return job->inflight_fd;
	if (c->options.mode != MODE_BLIND) {
		struct afl *afl = &c->afl[job->index];
		uint64_t name[2];

		/* Not to be guessed, so nobody else can have it first; and not in any folder, so nothing stays behind. */
		if (getrandom(name, sizeof(name), 0) != sizeof(name))
			return -EIO;
		snprintf(afl->socket, sizeof(afl->socket),
			 "@shortfuse-%016" PRIx64 "%016" PRIx64, name[0], name[1]);
		job->listen_fd = address_listen(afl->socket);
		if (job->listen_fd < 0)
			return job->listen_fd;
	}
	job->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (job->stop_fd < 0)
		return -errno;
	job->runner.stop_fd = job->stop_fd;
	ret = pthread_create(&job->thread, NULL, job_main, job);
	if (ret)
		return -ret;
	job->started = true;
	return 0;
}

void job_stop(struct job *job)
{
	if (job->stop_fd >= 0)
		eventfd_write(job->stop_fd, 1);
}

void job_join(struct job *job)
{
	if (job->started)
		pthread_join(job->thread, NULL);
	job->started = false;
	if (job->listen_fd >= 0)
		close(job->listen_fd);
	if (job->inflight_fd >= 0)
		close(job->inflight_fd);
	if (job->stop_fd >= 0)
		close(job->stop_fd);
	job->listen_fd = job->inflight_fd = job->stop_fd = -1;
}
