/* SPDX-License-Identifier: MIT */
/* The seeds of a campaign: a corpus of texts and bytes, as bytes in one folder for
 * afl-fuzz. */
#ifndef SF_SEEDS_H
#define SF_SEEDS_H

struct seeds {
	unsigned int taken, skipped;
};

/* Called for each file that is no scenario: its path and what is wrong with it. */
typedef void (*seeds_warn_fn)(const char *path, const char *why);

/*
 * Fills the folder dir_fd from the files of corpus and of its sub-folders; always adds
 * the empty scenario. corpus NULL: that one alone. 0; -ENOENT: the corpus has no scenario
 * at all; -errno.
 */
int seeds_prepare(int dir_fd, const char *corpus, seeds_warn_fn warn,
		  struct seeds *ret_seeds);

#endif
