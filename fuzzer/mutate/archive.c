/* SPDX-License-Identifier: MIT */
/* Counts traits. */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"

/* Fitted by hand to a logistic regression over 5,000 runs: what tells a run with a new root from others. */
static const uint16_t weights[GOAL_COUNT][KIND_COUNT] = {
	[GOAL_ROOTS] = {[KIND_ENDING] = 64,
			[KIND_WAIT] = 16,
			[KIND_WAITS] = 8,
			[KIND_END_WAIT] = 8,
			[KIND_WAIT_CONFIG] = 4,
			[KIND_ENDS] = 2,
			[KIND_ENDS_STUCK] = 4,
			[KIND_RULE] = 2,
			[KIND_MET] = 2,
			[KIND_STEP] = 2,
			[KIND_STEPS] = 1,
			[KIND_END] = 1,
			[KIND_FLAG] = 1},
	[GOAL_ENDS] = {[KIND_ENDS_STUCK] = 24,
		       [KIND_END_WAIT] = 16,
		       [KIND_END] = 8,
		       [KIND_ENDS] = 4,
		       [KIND_ENDING] = 4,
		       [KIND_WAIT] = 2,
		       [KIND_MET] = 1},
};

static const uint32_t factors[ARCHIVE_ROWS] = {0x9e3779b1u, 0x85ebca6bu};

static unsigned int cell(unsigned int row, uint32_t trait)
{
	uint32_t x = (trait ^ trait >> 15) * factors[row];

	return (x ^ x >> 13) % ARCHIVE_CELLS;
}

#define COUNTS_SIZE (ARCHIVE_ROWS * ARCHIVE_CELLS * sizeof(uint16_t))

static void *map_counts(int fd)
{
	return mmap(NULL, COUNTS_SIZE, PROT_READ | PROT_WRITE,
		    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
}

int archive_new_shared(void)
{
	int fd = memfd_create("shortfuse-archive", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, COUNTS_SIZE))
		return fd;
	close(fd);
	return -ENOMEM;
}

struct archive *archive_new(void)
{
	struct archive *archive = calloc(1, sizeof(*archive));

	if (!archive)
		return NULL;
	archive->count = map_counts(-1);
	if (archive->count != MAP_FAILED)
		return archive;
	free(archive);
	return NULL;
}

int archive_share(struct archive *archive, int fd)
{
	struct stat st;
	void *count;

	if (fstat(fd, &st) || st.st_size != COUNTS_SIZE)
		return -EINVAL;
	count = map_counts(fd);
	if (count == MAP_FAILED)
		return -errno;
	munmap(archive->count, COUNTS_SIZE);
	archive->count = count;
	return 0;
}

void archive_free(struct archive *archive)
{
	if (archive)
		munmap(archive->count, COUNTS_SIZE);
	free(archive);
}

void archive_add(struct archive *archive, const struct traits *traits)
{
	for (unsigned int i = 0; i < traits->n; i++) {
		for (unsigned int row = 0; row < ARCHIVE_ROWS; row++) {
			uint16_t *count =
				&archive->count[row][cell(row, traits->trait[i].hash)];

			*count += *count < UINT16_MAX;
		}
	}
}

unsigned int archive_count(const struct archive *archive, uint32_t trait)
{
	unsigned int least = UINT16_MAX;

	if (!archive)
		return 0;
	for (unsigned int row = 0; row < ARCHIVE_ROWS; row++) {
		unsigned int count = archive->count[row][cell(row, trait)];

		least = count < least ? count : least;
	}
	return least;
}

uint64_t archive_novelty(const struct archive *archive, const struct traits *traits,
			 enum archive_goal goal)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < traits->n; i++)
		sum += weights[goal][traits->trait[i].kind] * 1024u /
		       (1u + archive_count(archive, traits->trait[i].hash));
	return sum;
}

/* How tasks end matters most for what else can be built on it. */
static bool is_stone(const struct archive *archive, const struct traits *traits)
{
	for (unsigned int i = 0; i < traits->n; i++) {
		unsigned int kind = traits->trait[i].kind;

		if ((kind == KIND_END || kind == KIND_END_WAIT ||
		     kind == KIND_ENDS_STUCK) &&
		    !archive_count(archive, traits->trait[i].hash))
			return true;
	}
	return false;
}

void archive_keep(struct archive *archive, const struct scenario *scn,
		  const struct traits *traits)
{
	if (is_stone(archive, traits)) {
		archive->stone[archive->next_stone] = *scn;
		archive->next_stone = (archive->next_stone + 1) % ARCHIVE_STONES;
		if (archive->n_stones < ARCHIVE_STONES)
			archive->n_stones++;
	}
	archive_add(archive, traits);
}
