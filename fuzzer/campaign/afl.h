/* SPDX-License-Identifier: MIT */
/* afl-fuzz as a child process: started with the right surroundings, watched, restarted,
 * ended. */
#ifndef SF_AFL_H
#define SF_AFL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct afl_options {
	const char *dir; /* the campaign's folder: seeds in DIR/seeds, state in DIR/afl */
	const char *target;   /* path of shortfuse-afl */
	const char *mutator;  /* path of shortfuse-mutator.so, NULL: AFL++'s own byte
				 mutations */
	const char *crash_at; /* name of a severity */
	uint64_t seed;
	int archive_fd;		 /* of archive_new_shared(), -1: none */
	unsigned int avoid_cpus; /* this many CPUs, from the last one down, belong to
				    executors */
};

struct afl {
	unsigned int job;	   /* 0: the main one */
	char name[16];		   /* main, s1, s2, ... */
	char socket[64];	   /* address of its broker */
	bool screen;		   /* its own screen on our terminal */
	pid_t pid;		   /* 0: not running */
	unsigned int deaths;	   /* in all */
	unsigned int quick_deaths; /* in a row, by whatever, without a run in between */
	uint64_t runs;		   /* of its job when it was last seen to end */
};

/* Starts it, or goes on from its state if there is any. 0 or -errno. */
int afl_start(struct afl *afl, const struct afl_options *options);
/*
 * 1 if it ended since the last call (its exit status of wait(2) in *ret_status), else 0. runs: how many its job has
 * made; one that ends again and again without any is no use, whatever ends it.
 */
int afl_poll(struct afl *afl, uint64_t runs, int *ret_status);
/* SIGINT; does not wait. */
void afl_ask_to_stop(const struct afl *afl);
/* SIGINT, then SIGKILL after timeout_ms; reaps it and what it left. */
void afl_stop(struct afl *afl, int timeout_ms);

/* What is in DIR/afl/NAME: number of queue entries, stability in 0.01 % (-1: not known
 * yet). */
struct afl_stats {
	unsigned int paths;
	int stability;
	uint64_t execs;
};
void afl_read_stats(const struct afl *afl, int dir_fd, struct afl_stats *ret_stats);
/* The last line of its log that says something, for an error message. */
void afl_last_words(const struct afl *afl, int dir_fd, char *buf, size_t size);

#endif
