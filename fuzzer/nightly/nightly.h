/* SPDX-License-Identifier: MIT */
/*
 * Nightly fuzzing: replay what is known, fuzz, say what changed.
 *
 *	DIR/history.json          one line a night: when, counts by state and kernel
 *	DIR/kernels/SLUG/merged/  all nights' campaigns of a kernel as one (fuzzer/merge)
 *	DIR/kernels/SLUG/rows.json   each finding: since when, how often it shows
 *	DIR/nights/STAMP/SLUG/    the campaign; SLUG.log what it printed, SLUG.json its rows
 *	DIR/nights/STAMP/night.json  the whole night; it is complete once this is there
 *
 * A night that was killed is gone on with by the next start: a kernel whose SLUG.json is there is done, a campaign
 * that was cut short is resumed.
 */
#ifndef SF_NIGHTLY_H
#define SF_NIGHTLY_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "fuzzer/qualify/known.h"

#define NIGHTLY_KERNELS_MAX 64
#define NIGHTLY_ERROR	    5000

struct nightly_options {
	const char *dir, *program; /* program: path of shortfuse */
	const char *corpus;	   /* seeds of the first night */
	const char *kernels[NIGHTLY_KERNELS_MAX];
	unsigned int n_kernels;
	long seconds;	      /* of fuzzing, each kernel */
	unsigned int replays; /* of each known finding */
	unsigned int keep_nights;
	uint64_t keep_bytes;
	const char *jobs; /* for fuzz --jobs, NULL: its default */
	const struct known *known;
};

struct nightly {
	const struct nightly_options *options;
	int dir_fd, night_fd;
	char stamp[32];
	time_t began;
	json_t *night;	    /* night.json, being filled */
	unsigned int news;  /* rows that are news */
	unsigned int infra; /* kernels that could not be fuzzed or replayed */
	char err[NIGHTLY_ERROR];
};

/* Locks DIR, finds the night to go on with or begins one. 0 or -errno with err. */
int nightly_open(struct nightly *n, const struct nightly_options *options);
/* Every kernel, then night.json and history.json. 0, -EINTR, or -errno with err. */
int nightly_run(struct nightly *n);
void nightly_close(struct nightly *n);

/* kernel.c: one kernel of a night; its rows, a new reference. NULL: interrupted or -errno in *ret_err. */
json_t *nightly_kernel(struct nightly *n, const char *kernel, int *ret_err);
/* Letters, digits, '.', '-' and '_' of a kernel's name. */
void nightly_slug(const char *kernel, char *buf, size_t size);

/* child.c: "shortfuse ARGS...", its output appended to log. Exit status, or -EINTR, or -errno. */
int nightly_child(const struct nightly *n, const char *log, const char *const *args);
void nightly_interrupt_catch(void);
bool nightly_interrupted(void);

/* prune.c: removes old nights by number and size, never what the merged folders need. Number removed or -errno. */
int nightly_prune(const struct nightly *n);

/* json.c */
json_t *nightly_read(int dir_fd, const char *name);
int nightly_write(int dir_fd, const char *name, const json_t *json);

/* report.c: "ktap", "junit", "kcidb", "json" or "html" of a night, to a file. 0 or -errno; -EINVAL: no such format. */
int nightly_report(const struct nightly *n, const char *format, const char *path);
/* page.c: the same for a person, as one HTML page. */
int nightly_page(const struct nightly *n, const char *path);

#endif
