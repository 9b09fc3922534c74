/* SPDX-License-Identifier: MIT */
/*
 * How often each trait (traits.h) was sent out in this campaign: a count-min sketch, so that memory and
 * time are bounded however many there are. A count is never too small; it is too large once two traits
 * share a cell in every row, which costs a little novelty.
 */
#ifndef SF_ARCHIVE_H
#define SF_ARCHIVE_H

#include <stdint.h>

#include "traits.h"

#define ARCHIVE_ROWS   2
#define ARCHIVE_CELLS  (1u << 17) /* a row, 2 bytes each */
#define ARCHIVE_STONES 128

struct archive {
	uint16_t (*count)[ARCHIVE_CELLS]; /* ARCHIVE_ROWS; shared memory or its own */
	/* The last scenarios in which a task ended as none had before: stepping stones to longer ones. */
	struct scenario stone[ARCHIVE_STONES];
	unsigned int n_stones, next_stone;
};

/* Holds the descriptor of counts that the mutators of several afl-fuzz share; they inherit it. */
#define ARCHIVE_ENV "SHORTFUSE_ARCHIVE_FD"

/* Memory for counts that processes share: a descriptor, or -errno. */
int archive_new_shared(void);
/* All zero; NULL: no memory. */
struct archive *archive_new(void);
/* Counts in shared memory from now on, with the others. 0 or -errno. Where two count at once, one count may be lost. */
int archive_share(struct archive *archive, int fd);
void archive_free(struct archive *archive);

/* Counts every trait once. */
void archive_add(struct archive *archive, const struct traits *traits);
/* The same, and the scenario becomes a stepping stone where it is one. */
void archive_keep(struct archive *archive, const struct scenario *scn,
		  const struct traits *traits);
/* 0 for a NULL archive. */
unsigned int archive_count(const struct archive *archive, uint32_t trait);

/* What a campaign can be after: which kinds of traits count, and how much. */
enum archive_goal {
	GOAL_ROOTS, /* waits that were not foretold before: another finding */
	GOAL_ENDS,  /* tasks that end as none did before: what exit paths do not like */
	GOAL_COUNT
};

/*
 * How much of the scenario is rare: the sum of weight * 1024 / (1 + count) over its traits. A trait
 * halves in worth when it was sent once.
 */
uint64_t archive_novelty(const struct archive *archive, const struct traits *traits,
			 enum archive_goal goal);

#endif
