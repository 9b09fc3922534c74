/* SPDX-License-Identifier: MIT */
/*
 * AFL++'s custom mutator (hooks of 4.04c): decodes the input, mutates the scenario,
 * encodes it.
 *
 * afl-fuzz keeps no crash in its queue, so a search would end at each finding; some of
 * the inputs are therefore made from the findings of the campaign (SHORTFUSE_FINDINGS,
 * its folder).
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/mutate/generate.h"
#include "fuzzer/mutate/mutate.h"
#include "harness/scenario/codec.h"

#define POOL_MAX    512
#define MADE_MAX    1000
#define POOL_REREAD 500 /* inputs made between two looks at the folder */
#define FUZZ_COUNT  16	/* inputs made from one queue entry at a time */
/*
 * afl-fuzz makes it a part of a file's name, and puts up to 40 characters more before that name when it resumes
 * (pivot_inputs() of afl-fuzz-init.c): beyond NAME_MAX it ends, each time it is started.
 */
#define DESCRIPTION_MAX 100

/* Where an input starts from. */
enum source { SOURCE_ENTRY, SOURCE_FINDING, SOURCE_NOTHING, SOURCE_COUNT };

struct mutator {
	struct rng rng;
	const char *findings; /* folder, or NULL */
	/* Inputs made and entries won by each source; halved now and then, so that the present counts. */
	uint32_t made[SOURCE_COUNT], won[SOURCE_COUNT];
	enum source last;
	struct scenario *pool;
	unsigned int n_pool, until_reread;
	uint8_t out[SCN_MAX_BYTES];
	char description[DESCRIPTION_MAX];
	/* Trimming: the smallest so far, the part that is tried next. */
	struct scenario trimmed, candidate;
	unsigned int part, steps;
	size_t trim_limit;
};

void *afl_custom_init(void *afl, unsigned int seed);
void afl_custom_deinit(void *data);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t len, uint8_t **out_buf,
		       uint8_t *add_buf, size_t add_len, size_t max_size);
uint32_t afl_custom_fuzz_count(void *data, const uint8_t *buf, size_t len);
const char *afl_custom_describe(void *data, size_t max_len);
uint8_t afl_custom_queue_new_entry(void *data, const uint8_t *file, const uint8_t *from);
int32_t afl_custom_init_trim(void *data, uint8_t *buf, size_t len);
size_t afl_custom_trim(void *data, uint8_t **out_buf);
int32_t afl_custom_post_trim(void *data, unsigned char success);

void *afl_custom_init(void *afl, unsigned int seed)
{
	struct mutator *m = calloc(1, sizeof(*m));
	const char *text;

	(void)afl;
	if (!m)
		return NULL;
	m->pool = calloc(POOL_MAX, sizeof(*m->pool));
	if (!m->pool) {
		free(m);
		return NULL;
	}
	text = getenv("SHORTFUSE_SEED");
	rng_init(&m->rng, text ? strtoull(text, NULL, 10) : seed);
	m->findings = getenv("SHORTFUSE_FINDINGS");
	return m;
}

void afl_custom_deinit(void *data)
{
	struct mutator *m = data;

	free(m->pool);
	free(m);
}

static void pool_add(struct mutator *m, int dir_fd, const char *name)
{
	uint8_t buf[SCN_MAX_BYTES];
	char path[300];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/scenario.bin", name);
	fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, buf, sizeof(buf));
	close(fd);
	if (n > 0)
		scenario_decode(buf, n, &m->pool[m->n_pool++]);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void pool_read(struct mutator *m, const char *section)
{
	struct dirent **names;
	char path[4096];
	int n, fd;

	snprintf(path, sizeof(path), "%s/%s", m->findings, section);
	n = scandir(path, &names, NULL, by_name);
	if (n < 0)
		return;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' && fd >= 0 && m->n_pool < POOL_MAX)
			pool_add(m, fd, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (fd >= 0)
		close(fd);
}

static const struct scenario *pool_pick(struct mutator *m)
{
	if (m->findings && m->until_reread-- == 0) {
		m->until_reread = POOL_REREAD;
		m->n_pool = 0;
		pool_read(m, "bug");
		pool_read(m, "contract");
	}
	return m->n_pool ? &m->pool[rng_below(&m->rng, m->n_pool)] : NULL;
}

/*
 * Whole new scenarios find most at the start, changes of what was found later on, and when that turns is not known
 * beforehand: each source gets a share by the entries it has won of late, and a little in any case.
 */
static enum source pick_source(struct mutator *m, bool findings)
{
	/* Least shares. A variant of a finding is most often that finding again, at ten times the cost. */
	static const uint32_t floor[SOURCE_COUNT] = {100, 30, 100};
	uint32_t share[SOURCE_COUNT], total = 0, at;

	for (int i = 0; i < SOURCE_COUNT; i++) {
		share[i] = floor[i] + 1000 * (m->won[i] + 1) / (m->made[i] + 10);
		if (i == SOURCE_FINDING && !findings)
			share[i] = 0;
		total += share[i];
	}
	at = rng_below(&m->rng, total);
	for (int i = 0; i < SOURCE_COUNT; i++) {
		if (at < share[i])
			return i;
		at -= share[i];
	}
	return SOURCE_ENTRY;
}

static void count_made(struct mutator *m, enum source source)
{
	m->last = source;
	if (++m->made[source] < MADE_MAX)
		return;
	for (int i = 0; i < SOURCE_COUNT; i++) {
		m->made[i] /= 2;
		m->won[i] /= 2;
	}
}

uint8_t afl_custom_queue_new_entry(void *data, const uint8_t *file, const uint8_t *from)
{
	struct mutator *m = data;

	(void)file;
	/* Seeds have no parent, imports are not ours. */
	if (from && m->made[m->last])
		m->won[m->last]++;
	return 0;
}

static const char *make(struct mutator *m, struct scenario *scn,
			const struct scenario *donor, const struct scenario *finding)
{
	struct mutate_env env = {.rng = &m->rng, .donor = donor};
	enum source source = pick_source(m, finding != NULL);
	const struct mutation *row;

	count_made(m, source);
	if (source == SOURCE_NOTHING) {
		generate_scenario(&m->rng, scn);
		return "generate";
	}
	if (source == SOURCE_FINDING)
		*scn = *finding;
	else if (finding && rng_chance(&m->rng, 1, 6))
		env.donor = finding;
	row = mutate_scenario(scn, &env);
	return row ? row->name : "same";
}

size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t len, uint8_t **out_buf,
		       uint8_t *add_buf, size_t add_len, size_t max_size)
{
	struct mutator *m = data;
	struct scenario scn, donor;
	const char *how;
	size_t used;
	int n;

	scenario_decode(buf, len, &scn);
	if (add_buf && add_len)
		scenario_decode(add_buf, add_len, &donor);
	how = make(m, &scn, add_buf && add_len ? &donor : NULL, pool_pick(m));
	used = snprintf(m->description, sizeof(m->description), "%s-", how);
	mutate_describe(&scn, m->description + used, sizeof(m->description) - used);
	n = scenario_encode(&scn, m->out, sizeof(m->out));
	*out_buf = m->out;
	if (n < 0 || (size_t)n > max_size)
		return 0;
	return n;
}

uint32_t afl_custom_fuzz_count(void *data, const uint8_t *buf, size_t len)
{
	(void)data;
	(void)buf;
	(void)len;
	return FUZZ_COUNT;
}

const char *afl_custom_describe(void *data, size_t max_len)
{
	struct mutator *m = data;

	if (max_len < sizeof(m->description))
		m->description[max_len] = '\0';
	return m->description;
}

int32_t afl_custom_init_trim(void *data, uint8_t *buf, size_t len)
{
	struct mutator *m = data;
	int n;

	scenario_decode(buf, len, &m->trimmed);
	m->part = 0;
	m->steps = mutate_parts(&m->trimmed);
	m->trim_limit = len;
	n = scenario_encode(&m->trimmed, m->out, sizeof(m->out));
	/* afl-fuzz ends itself when a trimmed input is longer than the input was. */
	return n > 0 && (size_t)n <= len ? m->steps : 0;
}

size_t afl_custom_trim(void *data, uint8_t **out_buf)
{
	struct mutator *m = data;
	int n;

	m->candidate = m->trimmed;
	mutate_without(&m->candidate, m->part);
	n = scenario_encode(&m->candidate, m->out, sizeof(m->out));
	if (n <= 0 || (size_t)n > m->trim_limit) {
		m->candidate = m->trimmed;
		n = scenario_encode(&m->candidate, m->out, sizeof(m->out));
	}
	*out_buf = m->out;
	return n;
}

/*
 * The next round's number; steps ends it. Parts are counted from the end, so that what is
 * removed shifts no part that is still to be tried, except that a task takes its steps
 * along.
 */
int32_t afl_custom_post_trim(void *data, unsigned char success)
{
	struct mutator *m = data;
	unsigned int before = mutate_parts(&m->trimmed), after;

	if (success) {
		if (m->part >= m->trimmed.n_steps)
			m->part -= m->trimmed.n_steps - m->candidate.n_steps;
		m->trimmed = m->candidate;
	}
	after = mutate_parts(&m->trimmed);
	if (after >= before)
		m->part++;
	if (m->part >= after)
		return m->steps;
	/* Any number below steps goes on; afl-fuzz shows it as progress. */
	return m->part;
}
