/* SPDX-License-Identifier: MIT */
/*
 * A campaign: executors, one broker each, one afl-fuzz each, and a folder that all
 * results go to.
 *
 * Each job is a thread that owns a target and serves one afl-fuzz, or makes its scenarios
 * itself (blind). The main thread starts, watches and restarts afl-fuzz, and writes what
 * is to be written now and then.
 */
#ifndef SF_CAMPAIGN_H
#define SF_CAMPAIGN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "afl.h"
#include "counters.h"
#include "crew.h"
#include "findings.h"
#include "memory.h"
#include "runner.h"

#define JOBS_MAX 64

enum campaign_mode {
	MODE_GUIDED, /* afl-fuzz with the custom mutator */
	MODE_HAVOC,  /* afl-fuzz with its own byte mutations */
	MODE_BLIND,  /* the mutator's generator without feedback */
	MODE_COUNT
};
extern const char *const mode_names[MODE_COUNT];

struct campaign_options {
	const char *target, *dir, *corpus; /* corpus NULL: --empty */
	const char *program_dir;  /* shortfuse-afl and shortfuse-mutator.so are here */
	long seconds;		  /* 0: until it is interrupted */
	unsigned int jobs;	  /* or JOBS_AUTO */
	unsigned int reset_every; /* runs of a job; 0: after poisons and deaths only */
	uint64_t seed;
	enum campaign_mode mode;
	enum severity flag_at;
	bool resume, screen, verbose;
};

struct campaign;

#define NOTED_MAX 8

/* A new finding that came up while another one was replayed or cut down. */
struct noted {
	struct scenario scn;
	struct result res; /* without details */
};

struct job {
	struct campaign *campaign;
	unsigned int index;
	struct runner runner;
	int listen_fd, inflight_fd;
	int stop_fd; /* eventfd, readable once this job is to end */
	pthread_t thread;
	bool started;
	bool durable; /* a run can kill the machine that keeps the in-flight input */
	bool looking; /* at a finding: what else is found is noted for later */
	unsigned int n_noted; /* the last ones first; more are not replayed */
	struct noted noted[NOTED_MAX];
	enum findings_answer answer; /* of the present run */
	uint64_t mark; /* of it: the cause that afl-fuzz is to see; 0: its signature */
	struct scenario last_scn;  /* the last one that afl-fuzz sent */
	struct result last_res;	   /* without details */
	unsigned int repeats;	   /* of it, since it ran */
	_Atomic uint64_t answered; /* runs that gave an answer: no infra */
};

struct campaign {
	struct campaign_options options;
	char id[33]; /* 128 random bits in hex: the same campaign again, or another one? */
	int dir_fd, stop_fd; /* stop_fd: eventfd, readable once the campaign ends */
	struct findings findings;
	struct crew crew;
	unsigned int n_jobs; /* that run now */
	struct memory *memory;
	int archive_fd; /* what all mutators together have sent; -1: each for itself */
	struct job jobs[JOBS_MAX];
	struct afl afl[JOBS_MAX];
	time_t began; /* the date, for campaign.json */
	long began_s; /* of clock.h: all spans are measured by it */
	long ended_s; /* when the fuzzing was over, 0: it is not; what comes after is no fuzzing */
	long seconds_before; /* of earlier sessions: --resume */
	uint64_t runs_before, resets_before;
	char *kernel;	 /* HELLO of the first target, JSON text, owned */
	long recorded_s; /* clock_seconds() of the last line of stats.tsv, 0: none */
	uint64_t recorded_runs;
	_Atomic uint64_t known;	    /* runs that showed nothing but known causes */
	_Atomic uint64_t isolating; /* runs of isolate.h */
	_Atomic uint64_t reruns,
		reruns_other; /* of findings; that gave another signature */
	_Atomic uint64_t runs, infra, resets, verdicts[VERDICT_COUNT];
	_Atomic uint64_t steps,
		steps_reached;	  /* issued in all; that got to a system call */
	_Atomic uint64_t busy_us; /* that targets ran scenarios, all jobs together */
	_Atomic int64_t last_new; /* clock_seconds() of the last new finding, 0: none */
	_Atomic bool incident;	  /* its exact shape was seen, shape.h */
	_Atomic bool failed;	  /* a job cannot go on; error says why */
	char error[400];
};

/*
 * Opens folder, findings and targets. 0, or -errno with campaign->error filled: -EINVAL for what the caller asked,
 * -EOPNOTSUPP where the target lacks what was asked of it, -ENODEV where it cannot be had.
 */
int campaign_open(struct campaign *campaign, const struct campaign_options *options);
/*
 * Until the time is over, stop_fd is signalled or it failed. 0 or -errno with error filled; -ENODATA where not one
 * run gave an answer: that is no campaign without findings.
 */
int campaign_run(struct campaign *campaign);
void campaign_close(struct campaign *campaign);

/* job.c: the thread of a job. 0 or -errno. */
int job_start(struct job *job);
void job_stop(struct job *job); /* after its present run; does not wait */
void job_join(struct job *job);

/* state.c: campaign.json. */
int state_check(
	struct campaign *campaign); /* 0, or -errno with error: not a folder to use */
int state_write(struct campaign *campaign, const char *state);

/* report.c: what a person reads. */
void report_status(struct campaign *campaign);
void report_summary(struct campaign *campaign);
/* Of the clock that nobody sets; earlier sessions included. */
long campaign_seconds(const struct campaign *campaign);
long campaign_session_seconds(const struct campaign *campaign); /* of this session */
bool campaign_stopping(const struct campaign *campaign);

#endif
