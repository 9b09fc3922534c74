/* SPDX-License-Identifier: MIT */
/*
 * AFL++'s custom mutator (hooks of 4.04c): decodes the input, makes many candidates of it
 * and sends the one that is least like what was sent before (choose.h).
 *
 * afl-fuzz keeps no crash in its queue, so a search would end at each finding; some of
 * the candidates are therefore made from the findings of the campaign
 * (SHORTFUSE_FINDINGS, its folder).
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/mutate/choose.h"
#include "harness/scenario/codec.h"

#define POOL_MAX     512
#define FINDING_PATH 80
#define POOL_REREAD  500 /* inputs made between two looks at the folder */
#define FUZZ_COUNT   16	 /* inputs made from one queue entry at a time */
#define CANDIDATES   96	 /* made for each that is sent */
/*
 * afl-fuzz makes it a part of a file's name, and puts up to 40 characters more before that name when it resumes
 * (pivot_inputs() of afl-fuzz-init.c): beyond NAME_MAX it ends, each time it is started.
 */
#define DESCRIPTION_MAX 100

struct mutator {
	struct rng rng;
	const char *findings;	 /* folder, or NULL */
	struct archive *archive; /* what was sent out so far */
	struct scenario *pool;
	unsigned int n_pool, until_reread;
	bool counted; /* what was found before is in the archive */
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
	m->archive = archive_new();
	if (!m->pool || !m->archive) {
		afl_custom_deinit(m);
		return NULL;
	}
	text = getenv(ARCHIVE_ENV);
	if (text)
		archive_share(m->archive, atoi(text)); /* else it counts for itself */
	text = getenv("SHORTFUSE_SEED");
	rng_init(&m->rng, text ? strtoull(text, NULL, 10) : seed);
	m->findings = getenv("SHORTFUSE_FINDINGS");
	return m;
}

void afl_custom_deinit(void *data)
{
	struct mutator *m = data;

	archive_free(m->archive);
	free(m->pool);
	free(m);
}

/* "bug/NAME" and "contract/NAME" of every finding, in an order that does not depend on the disk's. */
struct finding_list {
	char (*path)[FINDING_PATH];
	size_t n, room;
};

static void list_add(struct finding_list *list, const char *section, const char *name)
{
	size_t room = list->room ? 2 * list->room : POOL_MAX;
	void *more;

	if (list->n == list->room) {
		more = realloc(list->path, room * sizeof(*list->path));
		if (!more)
			return; /* fewer to choose from */
		list->path = more;
		list->room = room;
	}
	snprintf(list->path[list->n++], FINDING_PATH, "%s/%.60s", section, name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list_section(struct finding_list *list, const char *folder,
			 const char *section)
{
	struct dirent **names;
	char path[4096];
	int n;

	snprintf(path, sizeof(path), "%s/%s", folder, section);
	n = scandir(path, &names, NULL, by_name);
	if (n < 0)
		return;
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			list_add(list, section, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static void pool_add(struct mutator *m, const char *finding)
{
	uint8_t buf[SCN_MAX_BYTES];
	char path[4200];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/scenario.bin", m->findings, finding);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, buf, sizeof(buf));
	close(fd);
	if (n > 0)
		scenario_decode(buf, n, &m->pool[m->n_pool++]);
}

/* Where there are more than the pool holds, others each time: an old subset leads nowhere new. */
static void pool_read(struct mutator *m)
{
	struct finding_list list = {0};

	list_section(&list, m->findings, "bug");
	list_section(&list, m->findings, "contract");
	m->n_pool = 0;
	for (size_t i = 0; i < list.n && m->n_pool < POOL_MAX; i++) {
		size_t at = i + rng_below(&m->rng, (unsigned int)(list.n - i));

		pool_add(m, list.path[at]);
		memcpy(list.path[at], list.path[i], FINDING_PATH);
	}
	free(list.path);
}

/* What an earlier session found needs no second finding. */
static void count_found(struct mutator *m)
{
	struct traits traits;

	for (unsigned int i = 0; i < m->n_pool; i++) {
		choose_score(m->archive, &m->pool[i], GOAL_ROOTS, &traits);
		archive_keep(m->archive, &m->pool[i], &traits);
	}
}

static void pool_refresh(struct mutator *m)
{
	if (!m->findings || m->until_reread-- > 0)
		return;
	m->until_reread = POOL_REREAD;
	pool_read(m);
	if (!m->counted)
		count_found(m);
	m->counted = true;
}

size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t len, uint8_t **out_buf,
		       uint8_t *add_buf, size_t add_len, size_t max_size)
{
	struct mutator *m = data;
	struct scenario scn, entry, donor;
	struct choose_env env = {
		.rng = &m->rng, .archive = m->archive, .entry = &entry, .pool = m->pool};
	const char *how;
	size_t used;
	int n;

	scenario_decode(buf, len, &entry);
	if (add_buf && add_len) {
		scenario_decode(add_buf, add_len, &donor);
		env.donor = &donor;
	}
	pool_refresh(m);
	env.n_pool = m->n_pool;
	how = choose_scenario(&env, CANDIDATES, &scn);
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
