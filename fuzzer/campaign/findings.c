/* SPDX-License-Identifier: MIT */
/* Keeps each distinct finding of a campaign once: in memory, and as a folder on disk. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"
#include "file.h"
#include "fuzzer/finding/finding_folder.h"
#include "findings.h"
#include "harness/scenario/codec.h"

/* Each is some ms of syncing, with the lock held: a count that is a minute old on the disk is no loss. */
#define COUNTS_AT_ONCE 8

static unsigned int encoded_size(const struct scenario *scn)
{
	uint8_t buf[SCN_MAX_BYTES];
	int n = scenario_encode(scn, buf, sizeof(buf));

	return n < 0 ? SCN_MAX_BYTES : n;
}

static struct roots *roots_of(struct findings *store, enum verdict verdict)
{
	return &store->roots[verdict_table[verdict].severity >= SEVERITY_BUG];
}

static int by_first_run(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a,
			     *y = *(struct finding *const *)b;

	return x->first_run < y->first_run ? -1 : x->first_run > y->first_run;
}

/* Those of an earlier session, in the order in which they came. */
static void count_roots(struct findings *store)
{
	qsort(store->list, store->n, sizeof(store->list[0]), by_first_run);
	for (unsigned int i = 0; i < store->n; i++) {
		struct finding *finding = store->list[i];

		finding->new_roots =
			roots_add(roots_of(store, finding->verdict), finding->roots);
	}
}

int findings_open(struct findings *store, int dir_fd, enum severity flag_at,
		  const char *target)
{
	ssize_t n;

	memset(store, 0, sizeof(*store));
	pthread_mutex_init(&store->lock, NULL);
	store->dir_fd = dir_fd;
	store->flag_at = flag_at;
	snprintf(store->target, sizeof(store->target), "%s", target);
	n = readlink("/proc/self/exe", store->program, sizeof(store->program) - 1);
	if (n < 0)
		snprintf(store->program, sizeof(store->program), "shortfuse");
	store->list = calloc(FINDINGS_MAX, sizeof(*store->list));
	if (!store->list)
		return -ENOMEM;
	n = folder_load_all(store);
	count_roots(store);
	return (int)n;
}

void findings_close(struct findings *store)
{
	for (unsigned int i = 0; i < store->n; i++) {
		free(store->list[i]->json);
		free(store->list[i]);
	}
	free(store->list);
	store->list = NULL;
	store->n = 0;
	pthread_mutex_destroy(&store->lock);
}

static struct finding *find(struct findings *store, uint64_t signature,
			    enum verdict verdict)
{
	for (unsigned int i = 0; i < store->n; i++)
		if (store->list[i]->signature == signature &&
		    store->list[i]->verdict == verdict)
			return store->list[i];
	return NULL;
}

static void save(struct findings *store, struct finding *finding, bool counts_only)
{
	int ret = finding->saved ? folder_update(store, finding, counts_only)
				 : folder_create(store, finding);

	store->error = ret;
	if (ret < 0)
		return;
	finding->saved = true;
	finding->dirty = false;
	finding->damaged &= counts_only;
	finding->undrawn |= finding->json != NULL;
	free(finding->json);
	finding->json = NULL;
}

static struct finding *add_new(struct findings *store, const struct scenario *scn,
			       const struct result *res, uint64_t run)
{
	struct finding *finding;
	struct causes causes;

	finding = store->n < FINDINGS_MAX ? calloc(1, sizeof(*finding)) : NULL;
	if (!finding) {
		store->n_lost++;
		return NULL;
	}
	snprintf(finding->id, sizeof(finding->id), "%s-%016llx",
		 verdict_table[res->verdict].name, (unsigned long long)res->signature);
	finding->verdict = res->verdict;
	finding->signature = res->signature;
	finding->root_hash = res->root_hash;
	finding->count = 1;
	finding->first_run = run;
	finding->first = finding->last = time(NULL);
	finding->bytes = encoded_size(scn);
	finding->scn = *scn;
	snprintf(finding->reason, sizeof(finding->reason), "%s", res->reason);
	finding->json = res->json ? strdup(res->json) : NULL;
	causes_of(res, &causes);
	causes_format(&causes, finding->roots, sizeof(finding->roots));
	finding->new_roots = roots_add(roots_of(store, finding->verdict), finding->roots);
	store->list[store->n++] = finding;
	return finding;
}

static const char *unknown(const struct findings *store, const struct causes *causes)
{
	for (unsigned int i = 0; i < causes->n; i++)
		if (!roots_has(&store->roots[0], causes->list[i].text) &&
		    !roots_has(&store->roots[1], causes->list[i].text) &&
		    !roots_has(&store->known, causes->list[i].text))
			return causes->list[i].text;
	return NULL;
}

const char *findings_unknown(struct findings *store, const struct causes *causes)
{
	const char *text;

	pthread_mutex_lock(&store->lock);
	text = unknown(store, causes);
	pthread_mutex_unlock(&store->lock);
	return text;
}

static void count_again(struct finding *finding)
{
	finding->count++;
	finding->last = time(NULL);
	finding->dirty = true;
}

/* A run with several causes. The worst of its hangs gave it its verdict, which need not be that of each. */
static enum findings_answer add_tangled(struct findings *store, const struct result *res,
					const struct causes *causes, uint64_t *ret_mark)
{
	const char *text;
	enum findings_answer answer = FINDINGS_KNOWN;
	struct finding *finding;

	pthread_mutex_lock(&store->lock);
	for (unsigned int i = 0; i < causes->n; i++) {
		finding = find(store, causes->list[i].signature, res->verdict);
		if (finding)
			count_again(finding);
	}
	finding = find(store, res->signature, res->verdict);
	if (finding)
		count_again(finding);
	text = unknown(store, causes);
	if (text && !finding)
		answer = FINDINGS_TANGLED;
	*ret_mark = causes->list[text ? causes_find(causes, text) : 0].signature;
	pthread_mutex_unlock(&store->lock);
	return answer;
}

void findings_know(struct findings *store, const char *text)
{
	pthread_mutex_lock(&store->lock);
	if (!roots_has(&store->roots[0], text) && !roots_has(&store->roots[1], text))
		roots_add(&store->known, text);
	pthread_mutex_unlock(&store->lock);
}

bool findings_add_whole(struct findings *store, const struct scenario *scn,
			const struct result *res, uint64_t run)
{
	struct finding *finding = NULL;

	if (verdict_table[res->verdict].severity < store->flag_at)
		return false;
	pthread_mutex_lock(&store->lock);
	if (!find(store, res->signature, res->verdict)) {
		finding = add_new(store, scn, res, run);
		if (finding)
			save(store, finding, false);
	}
	pthread_mutex_unlock(&store->lock);
	return finding != NULL;
}

enum findings_answer findings_add(struct findings *store, const struct scenario *scn,
				  const struct result *res, uint64_t run,
				  uint64_t *ret_mark)
{
	uint64_t mark = 0;
	enum findings_answer answer = FINDINGS_KNOWN;
	struct finding *finding;

	/* infra is below contract, the lowest threshold: trouble of our own is never a
	 * finding. */
	if (verdict_table[res->verdict].severity < store->flag_at)
		return FINDINGS_NONE;
	if (store->by_cause) {
		struct causes causes;

		causes_of(res, &causes);
		if (causes.n > 1)
			return add_tangled(store, res, &causes,
					   ret_mark ? ret_mark : &mark);
	}
	pthread_mutex_lock(&store->lock);
	finding = find(store, res->signature, res->verdict);
	if (finding) {
		count_again(finding);
		/* Three more runs are paid for it: a little shorter is not worth that. */
		if (encoded_size(scn) * 4 <= finding->bytes * 3)
			answer = FINDINGS_SMALLER;
	} else {
		answer = FINDINGS_NEW;
		finding = add_new(store, scn, res, run);
		if (finding)
			save(store, finding, false);
	}
	pthread_mutex_unlock(&store->lock);
	return answer;
}

unsigned int findings_new_roots(struct findings *store, uint64_t signature,
				enum verdict verdict)
{
	struct finding *finding;
	unsigned int n;

	pthread_mutex_lock(&store->lock);
	finding = find(store, signature, verdict);
	n = finding ? finding->new_roots : 0;
	pthread_mutex_unlock(&store->lock);
	return n;
}

void findings_replayed(struct findings *store, uint64_t signature, enum verdict verdict,
		       unsigned int same, unsigned int runs)
{
	struct finding *finding;

	pthread_mutex_lock(&store->lock);
	finding = find(store, signature, verdict);
	if (finding) {
		finding->replayed = same;
		finding->reruns = runs;
		save(store, finding, false);
	}
	pthread_mutex_unlock(&store->lock);
}

void findings_replace(struct findings *store, const struct scenario *scn,
		      const struct result *res, unsigned int same, unsigned int runs)
{
	struct finding *finding;
	unsigned int bytes = encoded_size(scn);

	pthread_mutex_lock(&store->lock);
	finding = find(store, res->signature, res->verdict);
	if (finding && bytes < finding->bytes &&
	    (uint64_t)same * finding->reruns >= (uint64_t)finding->replayed * runs) {
		finding->scn = *scn;
		finding->bytes = bytes;
		finding->replayed = same;
		finding->reruns = runs;
		if (res->json) {
			free(finding->json);
			finding->json = strdup(res->json);
		}
		save(store, finding, false);
	}
	pthread_mutex_unlock(&store->lock);
}

static unsigned int flush(struct findings *store, unsigned int counts)
{
	unsigned int unsaved = 0, from;

	pthread_mutex_lock(&store->lock);
	from = store->flushed;
	for (unsigned int i = 0; i < store->n; i++) {
		struct finding *finding = store->list[(from + i) % store->n];

		if (!finding->saved || finding->json || finding->damaged) {
			save(store, finding, false);
		} else if (finding->dirty && counts) {
			save(store, finding, true);
			if (!--counts)
				store->flushed = (from + i + 1) % store->n;
		}
		unsaved += !finding->saved;
	}
	pthread_mutex_unlock(&store->lock);
	return unsaved;
}

unsigned int findings_flush(struct findings *store)
{
	return flush(store, store->n);
}

unsigned int findings_flush_some(struct findings *store)
{
	return flush(store, COUNTS_AT_ONCE);
}

bool findings_draw_one(struct findings *store)
{
	char path[128] = "";
	int fd;

	pthread_mutex_lock(&store->lock);
	for (unsigned int i = 0; i < store->n && !path[0]; i++) {
		struct finding *finding = store->list[i];

		if (!finding->undrawn || !finding->saved)
			continue;
		finding->undrawn = false;
		snprintf(path, sizeof(path), "%s/%s", folder_section(finding->verdict),
			 finding->id);
	}
	pthread_mutex_unlock(&store->lock);
	fd = path[0] ? file_make_dir(store->dir_fd, path) : -1;
	if (fd < 0)
		return false;
	evidence_draw(fd);
	close(fd);
	return true;
}

unsigned int findings_count(struct findings *store, bool bugs)
{
	unsigned int n = 0;

	pthread_mutex_lock(&store->lock);
	for (unsigned int i = 0; i < store->n; i++)
		n += (verdict_table[store->list[i]->verdict].severity >= SEVERITY_BUG) ==
		     bugs;
	pthread_mutex_unlock(&store->lock);
	return n;
}

unsigned int findings_causes(struct findings *store, bool bugs)
{
	unsigned int n;

	pthread_mutex_lock(&store->lock);
	n = store->roots[bugs].n;
	pthread_mutex_unlock(&store->lock);
	return n;
}
