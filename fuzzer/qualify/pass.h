/* SPDX-License-Identifier: MIT */
/* One turn of a column: its kernel is booted by each job, rows are run until they have what is wanted. */
#ifndef SF_PASS_H
#define SF_PASS_H

#include <pthread.h>
#include <stdint.h>

#include "fuzzer/campaign/findings.h"
#include "matrix.h"
#include "settings.h"

#define PASS_JOBS_MAX 64

struct pass {
	const struct matrix *matrix;
	unsigned int column;
	const unsigned int *want; /* runs a row */
	pthread_mutex_t lock;	  /* of all that follows, and of the column's cells */
	pthread_cond_t changed;
	unsigned int next_row, running, jobs;
	struct handed {
		unsigned int runs, bad; /* made or under way; without an answer */
	} * handed;			/* of each row */
	unsigned int opened, working; /* jobs whose target is open or refused; that run */
	bool applied;		      /* a setting of this machine was changed */
	unsigned int runs;	      /* made in this turn */
	bool broken;		      /* the kernel is of no use any more */
	pthread_t threads[PASS_JOBS_MAX];
	struct settings_saved saved;
	struct findings findings;
	int dir_fd;
	int64_t began_us;
};

/* 0 or -errno; pass_end() is to be called in any case. */
int pass_start(struct pass *pass, const struct matrix *matrix, unsigned int column,
	       const unsigned int *want);
/* True when all jobs have ended. */
bool pass_wait(struct pass *pass, int timeout_ms);
/* Waits for the jobs, and writes what is not on disk yet. */
void pass_end(struct pass *pass);
double pass_seconds(const struct pass *pass);

#endif
