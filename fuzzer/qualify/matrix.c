/* SPDX-License-Identifier: MIT */
/* Runs the columns of a qualification one after the other, and again where more runs are needed. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "fuzzer/util/duration.h"
#include "pass.h"
#include "store.h"

#define STORE_S 2
#define TELL_S	5

int matrix_column_dir(const struct matrix *m, unsigned int column)
{
	char path[120];

	snprintf(path, sizeof(path), "columns/%s", m->q->columns[column].slug);
	return file_make_dir(m->dir_fd, path);
}

static unsigned int lacking(const struct qualification *q, const unsigned int *want,
			    unsigned int c)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < q->n_rows; i++)
		if (q->rows[i].cells[c].runs < want[i])
			left += want[i] - q->rows[i].cells[c].runs;
	return left;
}

/* Seconds for the runs that columns lack: at the pace that a column has shown, or else at that of the present one. */
static double seconds_left(const struct matrix *m, const unsigned int *want, double pace)
{
	const struct qualification *q = m->q;
	double seconds = 0;

	for (unsigned int c = 0; c < q->n_columns; c++) {
		const struct column *column = &q->columns[c];
		unsigned int runs = 0;

		for (unsigned int i = 0; i < q->n_rows; i++)
			runs += q->rows[i].cells[c].runs;
		if (!column->error[0])
			seconds += lacking(q, want, c) *
				   (runs ? column->seconds / runs : pace);
	}
	return seconds;
}

static void tell_progress(const struct matrix *m, const struct pass *pass, unsigned int c,
			  const unsigned int *want, double seconds)
{
	const struct qualification *q = m->q;
	unsigned int left = 0;
	char line[500], span[32] = "";

	for (unsigned int i = 0; i < q->n_columns; i++)
		if (!q->columns[i].error[0])
			left += lacking(q, want, i);
	if (pass->runs)
		duration_format((long)seconds_left(m, want, seconds / pass->runs), span);
	snprintf(line, sizeof(line), "%s: %u runs, %u left here, %u in all%s%s%s",
		 q->columns[c].name, pass->runs, lacking(q, want, c), left,
		 pass->runs ? ", about " : "", span, pass->runs ? " left" : "");
	if (m->tell)
		m->tell(line);
}

static int save(const struct matrix *m, struct pass *pass)
{
	int ret;

	pthread_mutex_lock(&pass->lock);
	ret = store_write(m->q, m->dir_fd);
	pthread_mutex_unlock(&pass->lock);
	return ret;
}

/* Every cell of a column up to the wanted number of runs. */
static int run_column(const struct matrix *m, unsigned int c, const unsigned int *want)
{
	struct column *column = &m->q->columns[c];
	double before = m->q->seconds, column_before = column->seconds, seconds = 0,
	       stored = 0, told = 0;
	struct pass pass;
	int ret = pass_start(&pass, m, c, want);

	while (!ret && !pass_wait(&pass, 200)) {
		seconds = pass_seconds(&pass);
		pthread_mutex_lock(&pass.lock);
		m->q->seconds = before + seconds;
		column->seconds = column_before + seconds;
		if (seconds - told >= TELL_S)
			tell_progress(m, &pass, c, want, seconds);
		pthread_mutex_unlock(&pass.lock);
		if (seconds - told >= TELL_S)
			told = seconds;
		if (seconds - stored >= STORE_S) {
			ret = save(m, &pass);
			stored = seconds;
		}
	}
	m->q->seconds = before + pass_seconds(&pass);
	column->seconds = column_before + pass_seconds(&pass);
	pass_end(&pass);
	column->complete = !column->error[0] && !*m->stop;
	if (!ret)
		ret = store_write(m->q, m->dir_fd);
	return ret;
}

/* Raises what is wanted of rows that are open; false: none is. */
static bool look(const struct matrix *m, unsigned int *want)
{
	struct qualification *q = m->q;
	bool more = false;

	for (unsigned int i = 0; i < q->n_rows; i++) {
		bool open = false;

		for (unsigned int c = 0; c < q->n_candidates; c++)
			open |= judge_row(q, &q->rows[i], c, m->judge);
		if (!open || want[i] >= q->repeat_max)
			continue;
		want[i] = judge_next(q, want[i]);
		more = true;
	}
	return more;
}

/*
 * Back and forth, so that a machine which becomes slower by and by does not look like a difference: each column has
 * its turns as late as the others, on average.
 */
static int run_wanted(const struct matrix *m, const unsigned int *want, bool back)
{
	struct qualification *q = m->q;
	int ret = 0;

	for (unsigned int i = 0; i < q->n_columns && !ret && !*m->stop; i++) {
		unsigned int c = back ? q->n_columns - 1 - i : i;

		if (q->columns[c].error[0])
			continue;
		if (lacking(q, want, c))
			ret = run_column(m, c, want);
		else
			q->columns[c].complete = true;
	}
	return ret;
}

int matrix_run(struct matrix *m)
{
	unsigned int *want = calloc(m->q->n_rows + 1, sizeof(*want));
	bool back = false;
	int ret;

	if (!want)
		return -ENOMEM;
	for (unsigned int i = 0; i < m->q->n_rows; i++)
		want[i] = m->q->repeat;
	do {
		ret = run_wanted(m, want, back);
		back = !back;
	} while (!ret && !*m->stop && look(m, want));
	free(want);
	return ret;
}
