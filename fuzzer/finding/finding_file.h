/* SPDX-License-Identifier: MIT */
/* A finding as the commands take it: a scenario file, or a finding's folder with its evidence. */
#ifndef SF_FINDING_FILE_H
#define SF_FINDING_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/protocol/result.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/verdict.h"

struct finding_file {
	struct scenario scn;
	char path[4096]; /* of the scenario */
	char dir[4096];	 /* where files about it belong: its folder */
	char title[64];	 /* name without folder and ending */
	bool folder;	 /* it is a finding's folder */
	bool known;	 /* the evidence below is filled */
	enum verdict verdict;
	uint64_t signature;
	char reason[400];
	char frame
		[64]; /* kernel function in the stack of the first root, "fuse_flush"; or "" */
};

/*
 * Loads FILE, or of a folder the smallest scenario that is in it (scenario.min.txt, .schedule.txt, .txt, .bin) and its
 * evidence. 0, or -errno with a line in err[SCENARIO_FILE_ERROR].
 */
int finding_file_load(const char *path, struct finding_file *ret, char *err);

/* Takes verdict, signature, reason and frame from a run with RUN_DETAILS. */
void finding_file_learn(struct finding_file *finding, const struct result *res);

/* A name beside the scenario: "DIR/NAME". */
void finding_file_beside(const struct finding_file *finding, const char *name, char *buf,
			 size_t size);

/* Writes a file in one go: a reader sees the old one or the new one. 0 or -errno. */
int finding_file_write(const char *path, const void *data, size_t len);

/*
 * Writes the scenario as text at path and as bytes beside it (".txt" becomes ".bin"), with the verdict that it
 * is to show and lines of comment. 0 or -errno.
 */
int finding_file_save(const char *path, const struct scenario *scn, enum verdict verdict,
		      const char *id, const char *comment);

#endif
