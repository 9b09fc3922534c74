/* SPDX-License-Identifier: MIT */
/*
 * Many campaigns as one: findings by signature, counts, AFL++ queues.
 *
 * OUT/merge.json remembers what each campaign, known by the id in its campaign.json, brought. A merge is the union of
 * those records, the one with more runs where two are of the same campaign (a later look at it). So merging twice,
 * merging merged folders, and any order give the same; a killed merge is just done again.
 *
 *	OUT/campaign.json   sums, state "merged": "report OUT" makes a page of it
 *	OUT/findings/...    each signature once, with its smallest input
 *	OUT/afl/ID-NAME/    each AFL++ instance, ID the first digits of its campaign's id
 */
#ifndef SF_MERGE_H
#define SF_MERGE_H

#include <jansson.h>

#define MERGE_ERROR 5000
#define MERGE_FILE  "merge.json"

struct merge_counts {
	unsigned int campaigns;	      /* that OUT holds now */
	unsigned int skipped;	      /* folders or findings that could not be read */
	unsigned int findings, fresh; /* signatures in OUT; of them not there before */
};

/* Called for each folder or finding that is left out: one line, without the line end. */
typedef void merge_complain(const char *what);

/*
 * Merges the campaigns (or merged folders) in dirs[0 .. n - 1] and what OUT held before into OUT, which is made.
 * 0; -EINVAL: OUT is no folder for this; -errno. With a line in err[MERGE_ERROR].
 */
int merge_run(const char *const *dirs, unsigned int n, const char *out,
	      merge_complain *complain, struct merge_counts *ret_counts, char *err);

/*
 * Record of one folder: {"sources": {ID: {...}}}, a new reference. Half-written findings are left out. NULL, with a
 * line in err[MERGE_ERROR], if it holds no campaign. dir_fd: the folder; name: for messages.
 */
json_t *merge_record(int dir_fd, const char *name, merge_complain *complain,
		     unsigned int *skipped, char *err);
/* Adds the sources of "from" to "into". 0 or -ENOMEM. */
int merge_union(json_t *into, const json_t *from);
/* {FINDING: {"count", "first", "last", "campaigns", ...}} over all sources, a new reference or NULL. */
json_t *merge_findings(const json_t *record);
/* What campaign.json of the whole says, a new reference or NULL. */
json_t *merge_campaign(const json_t *record);

/* copy.c: regular files and folders only, links are not followed. 0 or -errno. */
int merge_copy_file(int from_fd, int to_fd, const char *name);
/* All of folder "from" to folder "to", made if need be; files of the same size are taken as copied. */
int merge_copy_tree(int from_fd, const char *from, int to_fd, const char *to,
		    unsigned int depth);
/* scenario.bin of each finding below findings/ of a merged folder to "to", as ID.bin. 0 or -errno. */
int merge_copy_seeds(int merged_fd, int to_fd);

#endif
