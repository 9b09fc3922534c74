/* SPDX-License-Identifier: MIT */
/*
 * The findings of a campaign: findings/{bug,contract}/SIGNATURE/, one folder per
 *signature.
 *
 * A folder appears complete, by rename(2) of a hidden one, and is on the disk when the call that files it
 * returns. What cannot be written (the
 *disk is full) is kept in memory and tried again by findings_flush(). Safe to use from
 *several threads.
 *
 *	scenario.bin .txt   the smallest input        first.bin      the first one
 *	finding.json        count, times, replays     repro.sh       runs it again
 *	snapshot.json .txt  graph.dot .svg  kmsg.txt  evidence (evidence.h)
 */
#ifndef SF_FINDINGS_H
#define SF_FINDINGS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "causes.h"
#include "harness/protocol/result.h"
#include "harness/scenario/scenario.h"
#include "roots.h"

#define FINDINGS_MAX 16384 /* signatures kept; more are counted, not stored */

struct finding {
	char id[40]; /* "pinned-0123456789abcdef", the folder's name */
	enum verdict verdict;
	uint64_t signature, root_hash;
	uint64_t count;
	uint64_t first_run; /* number of the run that found it */
	time_t first, last;
	unsigned int bytes;	       /* of the smallest input */
	unsigned int replayed, reruns; /* same signature in "replayed" of "reruns" */
	char reason[400];
	char roots[400];	/* the causes by name, see roots.h */
	unsigned int new_roots; /* of them: seen in no earlier finding */
	struct scenario scn;	/* the smallest input */
	char *json;		/* evidence not yet written, or NULL */
	bool saved, dirty;	/* folder is on disk; finding.json is older than this */
	bool damaged;		/* its folder lacks files: written anew */
	bool undrawn;		/* graph.svg is not made yet */
};

struct findings {
	pthread_mutex_t lock;
	int dir_fd; /* the campaign's folder */
	enum severity flag_at;
	bool by_cause; /* a run with several causes is no finding of its own: findings_add() */
	char target[1024], program[512]; /* for repro.sh */
	struct finding **list;
	unsigned int n, n_lost; /* lost: beyond FINDINGS_MAX */
	unsigned int flushed;	/* where the next findings_flush_some() goes on */
	struct roots roots[2];	/* of contract hangs, of bugs */
	struct roots known;	/* of no finding, and looked for no more */
	int error;		/* last failure to write, -errno, or 0 */
};

enum findings_answer {
	FINDINGS_NONE, /* not flagged */
	FINDINGS_KNOWN,
	FINDINGS_NEW,
	FINDINGS_TANGLED, /* a new cause beside others: nothing is filed yet, see findings_unknown() */
	FINDINGS_SMALLER, /* known, but this input is shorter by a quarter or more: see findings_replace() */
};

/* Makes or reads DIR/findings; removes folders that a crash left incomplete. 0 or -errno.
 */
int findings_open(struct findings *store, int dir_fd, enum severity flag_at,
		  const char *target);
void findings_close(struct findings *store);

/*
 * Files the result of a run. The scenario is on disk, or at least kept, when this returns. With by_cause a run that
 * shows several causes counts for each; if one of them is in no finding yet, the caller is to cut it down to that one
 * (isolate.h), and to file what comes of it. *ret_mark, unless NULL: the signature of the cause that is new, or of one
 * of the known ones; 0: the result's own.
 */
enum findings_answer findings_add(struct findings *store, const struct scenario *scn,
				  const struct result *res, uint64_t run,
				  uint64_t *ret_mark);
/* The first cause of these, by its text, that no finding shows. NULL: all are known. */
const char *findings_unknown(struct findings *store, const struct causes *causes);
/* As if there were a finding of this cause: it is looked for no more. */
void findings_know(struct findings *store, const char *text);
/* Files a run with all its causes as one finding: they come together only. False: known, or not to be flagged. */
bool findings_add_whole(struct findings *store, const struct scenario *scn,
			const struct result *res, uint64_t run);
/* Root causes that this finding was the first to show. */
unsigned int findings_new_roots(struct findings *store, uint64_t signature,
				enum verdict verdict);
/* Records how often it replayed. */
void findings_replayed(struct findings *store, uint64_t signature, enum verdict verdict,
		       unsigned int same, unsigned int runs);
/* The shorter input replaced the other one, if it replays at least as well. */
void findings_replace(struct findings *store, const struct scenario *scn,
		      const struct result *res, unsigned int same, unsigned int runs);
/* Writes what is not on disk yet. Number of findings that could not be written. */
unsigned int findings_flush(struct findings *store);
/* The same, but of counts that have changed only a few at a time: each is synced to the disk. */
unsigned int findings_flush_some(struct findings *store);

/* Draws the graph of one finding that has none yet, about 100 ms. False: all are drawn. */
bool findings_draw_one(struct findings *store);

/* Count by severity: contract or bug (with poison). */
unsigned int findings_count(struct findings *store, bool bugs);
/* Distinct root causes of these findings: fewer, as a signature names all roots of a run. */
unsigned int findings_causes(struct findings *store, bool bugs);

#endif
