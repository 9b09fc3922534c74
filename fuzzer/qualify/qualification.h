/* SPDX-License-Identifier: MIT */
/*
 * A qualification: a matrix of scenarios (rows) and kernels under settings (columns), each cell with what its runs
 * gave. Plain data: filled by matrix.c, judged by judge.c, stored and loaded by store.c, shown by fuzzer/report.
 *
 * Candidates come first, each kernel under all its settings; then the baseline under the same settings.
 */
#ifndef SF_QUALIFICATION_H
#define SF_QUALIFICATION_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "harness/protocol/result.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/verdict.h"

#define KINDS_MAX                                                                        \
	12 /* different outcomes kept of a cell; the rest counts as the last one */
#define SETTINGS_MAX	4    /* --sweep options */
#define COLUMN_SPEC_MAX 4096 /* some paths of packages */

/* An outcome: runs with this verdict, rung and signature. */
struct kind {
	enum verdict verdict;
	enum rung rung;
	uint64_t signature;
	unsigned int count;
	char reason[400]; /* of the first of them */
};

struct cell {
	unsigned int runs, infra; /* runs: with an answer, the sum of the kinds' counts */
	unsigned int n_kinds;
	struct kind kinds[KINDS_MAX];
	uint64_t total_us; /* of all runs */
	char infra_reason[200];
};

struct setting {
	char key[64], value[64];
};

struct column {
	char spec[COLUMN_SPEC_MAX]; /* target */
	char name[300];		    /* spec and settings: "host fs.fuse.x=15" */
	char slug[80];		    /* the folder of its evidence below columns/ */
	bool baseline;
	unsigned int n_settings;
	struct setting settings[SETTINGS_MAX];
	char *hello; /* JSON of the executor, NULL: never started */
	char release[100];
	char error[300]; /* why it cannot be used, "" if it can */
	bool complete;	 /* every cell has its first k runs */
	bool fuzzed;	 /* its campaign ended */
	uint64_t fuzz_runs;
	unsigned int fuzz_findings;
	double seconds; /* spent on it */
};

enum row_source { ROW_CORPUS, ROW_FOUND };

enum finding_state {
	STATE_SAME,    /* no difference worth a word */
	STATE_CHANGED, /* as bad as before, with another root */
	STATE_FLAKY, /* not always the same, but the same on both as far as can be told */
	STATE_BETTER,	 /* the candidate is better, proven */
	STATE_KNOWN,	 /* worse, and listed in the known issues */
	STATE_UNDECIDED, /* worse by chance or in fact: not enough runs to tell */
	STATE_UNTESTED,	 /* infra, or no runs */
	STATE_WORSE,	 /* proven */
	STATE_COUNT
};

extern const char *const state_names[STATE_COUNT];

/* What judge.c says of a row under one setting. */
struct judgement {
	enum finding_state state;
	double p;	     /* of the decisive test, 1: none was made */
	char sentence[1100]; /* for a person */
};

struct row {
	char name[160]; /* "hangs/exit-flush", or a finding's id */
	enum row_source source;
	unsigned int found_by; /* column */
	struct scenario scn;
	struct cell *cells;	  /* n_columns */
	struct judgement *judged; /* n_candidates; filled by judge_all() */
};

enum qualification_verdict { Q_PASS, Q_IMPROVED, Q_INCONCLUSIVE, Q_REGRESSION };
extern const char
	*const qualification_names[]; /* PASS IMPROVED INCONCLUSIVE REGRESSION */

struct qualification {
	/* What was asked for. */
	unsigned int repeat, repeat_max;
	long fuzz_seconds;
	uint64_t seed;
	bool strict; /* another root is a regression, too */
	time_t began;
	double seconds; /* of work, all sessions */
	struct column *columns;
	unsigned int n_columns, n_candidates;
	struct row *rows;
	unsigned int n_rows;
	/* judge.c */
	enum qualification_verdict verdict;
	unsigned int states[STATE_COUNT]; /* rows by state, all candidates together */
	char **reasons;
	unsigned int n_reasons;
};

void qualification_init(struct qualification *q);
void qualification_release(struct qualification *q);

/* All columns come before the first row. 0 or -ENOMEM. */
int qualification_add_column(struct qualification *q, const struct column *column);
/* The new row, with empty cells; NULL: out of memory. Pointers to rows are not valid any more. */
struct row *qualification_add_row(struct qualification *q, const char *name,
				  const struct scenario *scn);

/* The column to compare a candidate with, or NULL: then its scenarios' expect: lines are. */
const struct column *qualification_baseline(const struct qualification *q,
					    unsigned int candidate);
const struct cell *row_baseline(const struct qualification *q, const struct row *row,
				unsigned int candidate);

void cell_add(struct cell *cell, const struct result *res);
/* The most frequent outcome, the worst of equals; NULL: no runs. */
const struct kind *cell_main(const struct cell *cell);
/* How bad an outcome is: severity first, then rung. */
unsigned int kind_level(const struct kind *kind);
unsigned int level_of(enum verdict verdict, enum rung rung);

/* A reason of the verdict, as printf. */
int qualification_reason(struct qualification *q, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
