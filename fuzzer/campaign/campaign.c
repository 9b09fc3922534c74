/* SPDX-License-Identifier: MIT */
/* Starts, watches and ends the parts of a campaign. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign.h"
#include "file.h"
#include "fuzzer/mutate/archive.h"
#include "fuzzer/util/clock.h"
#include "fuzzer/util/cpus.h"
#include "seeds.h"

#define DRAWING_MS   8000 /* at the end; most are drawn while it runs */
#define TICK_MS	     200
#define FLUSH_S	     2
#define STATUS_S     5
#define STATE_S	     10
#define QUICK_DEATHS 6
#define AFL_STOP_MS  5000

static int say(struct campaign *c, const char *what, int err)
{
	snprintf(c->error, sizeof(c->error), "%s: %s", what, strerror(-err));
	return err;
}

static void warn_seed(const char *path, const char *why)
{
	fprintf(stderr, "shortfuse fuzz: seed %s skipped: %s\n", path, why);
}

static int prepare_seeds(struct campaign *c)
{
	struct seeds seeds;
	int fd, ret;

	if (c->options.mode == MODE_BLIND)
		return 0;
	fd = file_make_dir(c->dir_fd, "seeds");
	if (fd < 0)
		return say(c, "seeds", fd);
	ret = seeds_prepare(fd, c->options.corpus, warn_seed, &seeds);
	close(fd);
	if (ret == -ENOENT) {
		snprintf(c->error, sizeof(c->error),
			 "%s: no scenario there; --empty starts without seeds",
			 c->options.corpus);
		return -EINVAL;
	}
	return ret < 0 ? say(c, c->options.corpus ? c->options.corpus : "seeds", ret) : 0;
}

static int open_folder(struct campaign *c)
{
	int ret;

	c->dir_fd = file_make_dir(AT_FDCWD, c->options.dir);
	if (c->dir_fd < 0)
		return say(c, c->options.dir, c->dir_fd);
	if (flock(c->dir_fd, LOCK_EX | LOCK_NB)) {
		snprintf(c->error, sizeof(c->error), "%s: a campaign is running there",
			 c->options.dir);
		return -EINVAL;
	}
	ret = state_check(c);
	if (ret < 0)
		return ret;
	ret = findings_open(&c->findings, c->dir_fd, c->options.flag_at,
			    c->options.target);
	c->findings.by_cause = true;
	return ret < 0 ? say(c, c->options.dir, ret) : 0;
}

static void prepare_job(struct campaign *c, unsigned int i)
{
	/* One executor a CPU, from the last one down; more share what there is. */
	struct target_options options = {.spec = c->options.target,
					 .verbose = c->options.verbose,
					 .cpu = cpus_nth(i % cpus_allowed())};
	struct job *job = &c->jobs[i];

	job->campaign = c;
	job->index = c->afl[i].job = i;
	job->listen_fd = job->inflight_fd = job->stop_fd = -1;
	runner_init(&job->runner, &options);
	job->runner.reset_every = c->options.reset_every;
}

static int open_targets(struct campaign *c)
{
	int ret;

	/* One is opened here so that what is missing is said at once; the others by their
	 * threads. */
	ret = runner_open(&c->jobs[0].runner);
	if (ret >= 0) {
		const struct target *target = c->jobs[0].runner.target;

		if (target->ops->hello)
			c->kernel = strdup(target->ops->hello(target));
		return 0;
	}
	snprintf(c->error, sizeof(c->error), "target %s: %s", c->options.target,
		 c->jobs[0].runner.error);
	return ret == -EINVAL || ret == -EOPNOTSUPP ? ret : -ENODEV;
}

int campaign_open(struct campaign *c, const struct campaign_options *options)
{
	int ret;

	memset(c, 0, sizeof(*c));
	c->options = *options;
	c->dir_fd = -1;
	c->began = time(NULL);
	c->began_s = clock_seconds();
	c->memory = memory_new();
	crew_init(&c->crew, c->options.jobs, c->options.target);
	c->archive_fd = archive_new_shared();
	for (unsigned int i = 0; i < JOBS_MAX; i++)
		prepare_job(c, i);
	c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->stop_fd < 0)
		return say(c, "eventfd", -errno);
	ret = open_targets(c);
	if (ret >= 0)
		ret = open_folder(c);
	if (ret < 0)
		return ret;
	ret = prepare_seeds(c);
	if (ret >= 0) {
		ret = state_write(c, "new");
		if (ret < 0)
			say(c, c->options.dir, ret);
	}
	/* A campaign that never began must not keep the next one out of its folder. */
	if (ret < 0 && !c->runs_before && !c->options.resume)
		file_remove_tree(AT_FDCWD, c->options.dir);
	return ret;
}

void campaign_close(struct campaign *c)
{
	for (unsigned int i = 0; i < JOBS_MAX; i++)
		runner_release(&c->jobs[i].runner);
	if (c->archive_fd >= 0)
		close(c->archive_fd);
	memory_free(c->memory);
	free(c->kernel);
	if (c->findings.list)
		findings_close(&c->findings);
	if (c->dir_fd >= 0)
		close(c->dir_fd);
	if (c->stop_fd >= 0)
		close(c->stop_fd);
}

static int start_afl(struct campaign *c, unsigned int i)
{
	char target[600], mutator[600];
	struct afl_options options = {.dir = c->options.dir, .target = target};
	int ret;

	snprintf(target, sizeof(target), "%s/shortfuse-afl", c->options.program_dir);
	snprintf(mutator, sizeof(mutator), "%s/shortfuse-mutator.so",
		 c->options.program_dir);
	if (c->options.mode == MODE_GUIDED)
		options.mutator = mutator;
	options.crash_at =
		severity_names[c->options.flag_at > SEVERITY_BUG ? c->options.flag_at
								 : SEVERITY_BUG];
	options.seed = c->options.seed;
	options.avoid_cpus = c->crew.n < cpus_allowed() ? c->crew.n : 0;
	options.archive_fd = c->archive_fd;
	c->afl[i].screen = c->options.screen && i == 0;
	ret = afl_start(&c->afl[i], &options);
	return ret < 0 ? say(c, "afl-fuzz", ret) : 0;
}

/*
 * Half-written files of a killed machine may be what keeps it from starting: then it begins anew, from the seeds and
 * the findings. Its old state is kept beside it.
 */
static void set_aside(struct campaign *c, unsigned int i)
{
	char from[40], to[48];

	snprintf(from, sizeof(from), "afl/%s", c->afl[i].name);
	snprintf(to, sizeof(to), "%s-damaged", from);
	if (faccessat(c->dir_fd, from, F_OK, 0) || !faccessat(c->dir_fd, to, F_OK, 0) ||
	    renameat(c->dir_fd, from, c->dir_fd, to))
		return;
	fprintf(stderr,
		"shortfuse fuzz: afl-fuzz %s cannot go on from %s/%s; it begins anew, "
		"the "
		"old state is in %s\n",
		c->afl[i].name, c->options.dir, from, to);
}

/* It should never end by itself: one that does is started again, unless it cannot start
 * at all. */
static int watch_afl(struct campaign *c)
{
	char words[200];
	int status, ret;

	for (unsigned int i = 0; i < c->n_jobs; i++) {
		if (!afl_poll(&c->afl[i], c->jobs[i].answered, &status))
			continue;
		if (c->afl[i].quick_deaths >= QUICK_DEATHS) {
			afl_last_words(&c->afl[i], c->dir_fd, words, sizeof(words));
			snprintf(c->error, sizeof(c->error),
				 "afl-fuzz ends before its first run (%u times in a "
				 "row, status 0x%x): %s; see %s/afl-%s.log",
				 c->afl[i].quick_deaths, (unsigned int)status, words,
				 c->options.dir, c->afl[i].name);
			return -ECHILD;
		}
		if (c->afl[i].quick_deaths == QUICK_DEATHS / 2)
			set_aside(c, i);
		fprintf(stderr,
			"shortfuse fuzz: afl-fuzz %s ended (status 0x%x), started "
			"again\n",
			c->afl[i].name, status);
		ret = start_afl(c, i);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int start_one(struct campaign *c, unsigned int i)
{
	int ret = job_start(&c->jobs[i]);

	if (ret < 0)
		return say(c, "job", ret);
	return c->options.mode == MODE_BLIND ? 0 : start_afl(c, i);
}

/* afl-fuzz first, while it can still have its answers; then the job. */
static void stop_jobs(struct campaign *c, unsigned int from)
{
	for (unsigned int i = from; i < c->n_jobs; i++)
		afl_ask_to_stop(&c->afl[i]);
	for (unsigned int i = from; i < c->n_jobs; i++)
		afl_stop(&c->afl[i], AFL_STOP_MS);
	for (unsigned int i = from; i < c->n_jobs; i++)
		job_stop(&c->jobs[i]);
	for (unsigned int i = from; i < c->n_jobs; i++)
		job_join(&c->jobs[i]);
	if (from < c->n_jobs)
		c->n_jobs = from;
}

static int man_jobs(struct campaign *c, unsigned int n)
{
	int ret = 0;

	stop_jobs(c, n);
	for (; c->n_jobs < n && ret >= 0; c->n_jobs++)
		ret = start_one(c, c->n_jobs);
	return ret;
}

static int watch(struct campaign *c)
{
	long flushed = 0, told = c->began_s, written = 0, now;
	struct pollfd stop = {.fd = c->stop_fd, .events = POLLIN};
	int ret = 0;

	while (!ret && poll(&stop, 1, TICK_MS) <= 0) {
		now = clock_seconds();
		if (c->options.seconds && now - c->began_s >= c->options.seconds)
			break;
		if (c->options.mode != MODE_BLIND)
			ret = watch_afl(c);
		if (!ret)
			ret = man_jobs(c, crew_look(&c->crew, now, c->runs,
						    c->infra + c->reruns_other));
		if (now - flushed >= FLUSH_S) {
			findings_flush_some(&c->findings);
			findings_draw_one(&c->findings);
			flushed = now;
		}
		counters_record(c);
		if (!c->options.screen && now - told >= STATUS_S) {
			report_status(c);
			told = now;
		}
		if (now - written >= STATE_S) {
			state_write(c, "running");
			written = now;
		}
	}
	return ret;
}

/* "Nothing flagged" is said of runs: where there were none, or none that gave an answer, nothing is known. */
static int check_progress(struct campaign *c)
{
	char words[200] = "";

	if (c->runs > c->infra)
		return 0;
	if (!c->runs && c->options.mode != MODE_BLIND)
		afl_last_words(&c->afl[0], c->dir_fd, words, sizeof(words));
	if (c->runs)
		snprintf(c->error, sizeof(c->error),
			 "none of %llu runs gave an answer (infra); see "
			 "%s/infra/infra.tsv",
			 (unsigned long long)c->runs, c->options.dir);
	else
		snprintf(c->error, sizeof(c->error),
			 "not one scenario was run in %ld s%s%s; see %s",
			 campaign_session_seconds(c), words[0] ? "; afl-fuzz: " : "",
			 words, c->options.dir);
	return -ENODATA;
}

int campaign_run(struct campaign *c)
{
	unsigned int unsaved;
	int ret;

	/* The time is for fuzzing: a guest may have taken seconds to boot. */
	c->began = time(NULL);
	c->began_s = clock_seconds();
	ret = man_jobs(c, c->crew.n);
	if (ret >= 0)
		ret = watch(c);
	c->ended_s = clock_seconds();
	counters_record(c);
	stop_jobs(c, 0);
	unsaved = findings_flush(&c->findings);
	for (int64_t until = clock_ms() + DRAWING_MS;
	     clock_ms() < until && findings_draw_one(&c->findings);)
		;
	if (ret >= 0 && c->failed)
		ret = -EIO;
	if (ret >= 0)
		ret = check_progress(c);
	state_write(c, ret < 0 ? "failed" : "ended");
	if (ret >= 0 && unsaved) {
		snprintf(c->error, sizeof(c->error),
			 "%u findings could not be written to %s: %s", unsaved,
			 c->options.dir, strerror(-c->findings.error));
		ret = -ENOSPC;
	}
	return ret;
}
