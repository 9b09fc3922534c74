/* SPDX-License-Identifier: MIT */
/* The jobs of one turn of a column. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "fuzzer/campaign/evidence.h"
#include "fuzzer/campaign/file.h"
#include "fuzzer/finding/finding_folder.h"
#include "fuzzer/campaign/runner.h"
#include "harness/scenario/tables.h"
#include "pass.h"

#define SLEEP_MAX_MS 5000 /* of the operation "sleep" */
#define INFRA_MORE                                                                       \
	3 /* runs without an answer that a cell may cost, beyond those wanted */

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

double pass_seconds(const struct pass *pass)
{
	return (double)(now_us() - pass->began_us) / 1e6;
}

static struct column *column_of(const struct pass *pass)
{
	return &pass->matrix->q->columns[pass->column];
}

static void break_column(struct pass *pass, const char *why)
{
	pthread_mutex_lock(&pass->lock);
	pass->broken = true;
	pthread_cond_broadcast(&pass->changed);
	if (!column_of(pass)->error[0])
		snprintf(column_of(pass)->error, sizeof(column_of(pass)->error), "%.299s",
			 why);
	pthread_mutex_unlock(&pass->lock);
}

static void greet(struct pass *pass, const struct target *target)
{
	struct column *column = column_of(pass);
	const char *hello = target->ops->hello ? target->ops->hello(target) : NULL;
	json_t *json = hello ? json_loads(hello, 0, NULL) : NULL;
	const char *release = json_string_value(json_object_get(json, "release"));

	pthread_mutex_lock(&pass->lock);
	if (!column->hello && hello)
		column->hello = strdup(hello);
	if (!column->release[0] && release)
		snprintf(column->release, sizeof(column->release), "%.99s", release);
	pthread_mutex_unlock(&pass->lock);
	json_decref(json);
}

static void draw(struct pass *pass, const struct result *res)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s-%016llx", folder_section(res->verdict),
		 verdict_table[res->verdict].name, (unsigned long long)res->signature);
	fd = file_make_dir(pass->dir_fd, path);
	if (fd < 0)
		return;
	evidence_draw(fd);
	close(fd);
}

static void file_result(struct pass *pass, unsigned int row, const struct scenario *scn,
			const struct result *res)
{
	struct row *r = &pass->matrix->q->rows[row];

	pthread_mutex_lock(&pass->lock);
	cell_add(&r->cells[pass->column], res);
	pass->runs++;
	pthread_mutex_unlock(&pass->lock);
	if (findings_add(&pass->findings, scn, res, pass->runs, NULL) == FINDINGS_NEW)
		draw(pass, res);
}

static bool stopped(const struct pass *pass)
{
	return pass->broken || *pass->matrix->stop;
}

/* Another job, or another shortfuse, that opens the host makes the target's own settings. */
static bool apply(struct pass *pass)
{
	char err[300] = "";

	if (settings_apply(column_of(pass), err) < 0) {
		break_column(pass, err);
		return false;
	}
	pass->applied = true;
	return true;
}

/*
 * The ladder is climbed as soon as nothing moves any more. Where the kernel would help itself after a while, a
 * scenario that may hang gets that while: the controller sleeps after its last step.
 */
static void add_wait(struct scenario *scn, unsigned int ms)
{
	if (scn->config.expect == VERDICT_CLEAN + 1)
		return;
	while (ms && scn->n_steps < SCN_MAX_STEPS) {
		struct scn_step *step = &scn->steps[scn->n_steps++];

		memset(step, 0, sizeof(*step));
		step->actor = ACTOR_CTL;
		step->op = OP_sleep;
		step->v = ms < SLEEP_MAX_MS ? ms : SLEEP_MAX_MS;
		ms -= step->v;
	}
}

/* One run of the row for this job, if it lacks any. */
static bool take_run(struct pass *pass, unsigned int row)
{
	struct handed *handed = &pass->handed[row];
	bool taken;

	pthread_mutex_lock(&pass->lock);
	taken = !stopped(pass) && handed->runs < pass->want[row] &&
		handed->bad < INFRA_MORE;
	handed->runs += taken;
	pthread_mutex_unlock(&pass->lock);
	return taken;
}

static void hand_back(struct pass *pass, unsigned int row)
{
	pthread_mutex_lock(&pass->lock);
	pass->handed[row].runs--;
	pass->handed[row].bad++;
	pthread_mutex_unlock(&pass->lock);
}

/* All the runs that a cell still lacks. */
static void run_row(struct pass *pass, struct runner *runner, unsigned int row)
{
	struct scenario scn = pass->matrix->q->rows[row].scn;

	add_wait(&scn, settings_wait_ms(column_of(pass)));
	while (take_run(pass, row) && apply(pass)) {
		struct result res;
		int ret;

		result_init(&res);
		ret = runner_run(runner, &scn, 0, &res);
		if (ret < 0) {
			break_column(pass,
				     runner->error[0] ? runner->error : strerror(-ret));
		} else {
			file_result(pass, row, &scn, &res);
			if (res.verdict == VERDICT_INFRA)
				hand_back(pass, row);
			if (res.poisoned && !strcmp(column_of(pass)->spec, "host"))
				break_column(pass,
					     "tasks survived every rung: this machine "
					     "has to be rebooted");
		}
		result_release(&res);
	}
}

/*
 * A row is run by one job, as its executor knows the roots after the first run. In the end jobs that have nothing
 * to do help with the rows of others.
 */
static unsigned int next_row(struct pass *pass)
{
	const struct qualification *q = pass->matrix->q;
	unsigned int row;

	pthread_mutex_lock(&pass->lock);
	while (pass->next_row < q->n_rows &&
	       pass->handed[pass->next_row].runs >= pass->want[pass->next_row])
		pass->next_row++;
	row = pass->next_row < q->n_rows ? pass->next_row++ : 0;
	while (pass->next_row == q->n_rows && row < q->n_rows &&
	       (pass->handed[row].runs >= pass->want[row] ||
		pass->handed[row].bad >= INFRA_MORE))
		row++;
	pthread_mutex_unlock(&pass->lock);
	return row;
}

/* Opening the host makes its settings, so all jobs do that before the first run. Guests have their own. */
static void wait_for_others(struct pass *pass)
{
	unsigned int all =
		pass->matrix->jobs < PASS_JOBS_MAX ? pass->matrix->jobs : PASS_JOBS_MAX;

	pthread_mutex_lock(&pass->lock);
	pass->opened++;
	pass->working++;
	pthread_cond_broadcast(&pass->changed);
	while (!strcmp(column_of(pass)->spec, "host") && pass->opened < all &&
	       !pass->broken)
		pthread_cond_wait(&pass->changed, &pass->lock);
	pthread_mutex_unlock(&pass->lock);
}

/* The last one puts the machine's settings back, while its target is still open. */
static void finish(struct pass *pass, struct runner *runner)
{
	bool last;

	pthread_mutex_lock(&pass->lock);
	last = --pass->working == 0;
	pthread_mutex_unlock(&pass->lock);
	if (last && pass->applied)
		settings_restore(column_of(pass), &pass->saved);
	runner_release(runner);
	pthread_mutex_lock(&pass->lock);
	pass->jobs--;
	pthread_cond_broadcast(&pass->changed);
	pthread_mutex_unlock(&pass->lock);
}

/* The target belongs to this thread: what is behind it dies with the thread that opened it. */
static void *job_main(void *arg)
{
	struct pass *pass = arg;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct target_options options = {.spec = column_of(pass)->spec,
					 .cpu = -1,
					 .verbose = pass->matrix->verbose};
	struct runner runner;
	unsigned int row, index;

	pthread_mutex_lock(&pass->lock);
	index = pass->running++;
	pthread_mutex_unlock(&pass->lock);
	if (pass->matrix->jobs > 1 && pass->matrix->jobs <= cpus)
		options.cpu = (int)(cpus - 1 - index);
	settings_options(column_of(pass), &options);
	runner_init(&runner, &options);
	if (runner_open(&runner) < 0)
		break_column(pass, runner.error);
	else
		greet(pass, runner.target);
	wait_for_others(pass);
	while (!stopped(pass) && (row = next_row(pass)) < pass->matrix->q->n_rows)
		run_row(pass, &runner, row);
	finish(pass, &runner);
	return NULL;
}

int pass_start(struct pass *pass, const struct matrix *matrix, unsigned int column,
	       const unsigned int *want)
{
	int ret;

	memset(pass, 0, sizeof(*pass));
	pass->matrix = matrix;
	pass->column = column;
	pass->want = want;
	pass->began_us = now_us();
	pthread_mutex_init(&pass->lock, NULL);
	pthread_cond_init(&pass->changed, NULL);
	pass->dir_fd = -1;
	pass->handed = calloc(matrix->q->n_rows + 1, sizeof(*pass->handed));
	if (!pass->handed)
		return -ENOMEM;
	for (unsigned int i = 0; i < matrix->q->n_rows; i++)
		pass->handed[i].runs = matrix->q->rows[i].cells[column].runs;
	pass->dir_fd = matrix_column_dir(matrix, column);
	if (pass->dir_fd < 0)
		return pass->dir_fd;
	ret = findings_open(&pass->findings, pass->dir_fd, SEVERITY_CONTRACT,
			    column_of(pass)->spec);
	if (ret < 0)
		return ret;
	settings_save(column_of(pass), &pass->saved);
	for (unsigned int i = 0; i < matrix->jobs && i < PASS_JOBS_MAX && !ret; i++) {
		pthread_mutex_lock(&pass->lock);
		ret = -pthread_create(&pass->threads[i], NULL, job_main, pass);
		if (!ret)
			pass->jobs++;
		else
			pass->threads[i] = 0;
		pthread_mutex_unlock(&pass->lock);
	}
	if (ret) {
		pthread_mutex_lock(&pass->lock);
		pass->broken = true;
		pthread_cond_broadcast(&pass->changed);
		pthread_mutex_unlock(&pass->lock);
	}
	return ret;
}

bool pass_wait(struct pass *pass, int timeout_ms)
{
	struct timespec until;
	bool ended;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&pass->lock);
	if (pass->jobs)
		pthread_cond_timedwait(&pass->changed, &pass->lock, &until);
	ended = !pass->jobs;
	pthread_mutex_unlock(&pass->lock);
	return ended;
}

void pass_end(struct pass *pass)
{
	for (unsigned int i = 0; i < PASS_JOBS_MAX && pass->threads[i]; i++)
		pthread_join(pass->threads[i], NULL);
	if (pass->findings.list) {
		findings_flush(&pass->findings);
		findings_close(&pass->findings);
	}
	if (pass->dir_fd >= 0)
		close(pass->dir_fd);
	free(pass->handed);
	pthread_cond_destroy(&pass->changed);
	pthread_mutex_destroy(&pass->lock);
}
