/* SPDX-License-Identifier: MIT */
/* The matrix of a qualification: its rows, columns and cells. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qualification.h"

const char *const state_names[STATE_COUNT] = {
	[STATE_SAME] = "same",	       [STATE_CHANGED] = "changed",
	[STATE_FLAKY] = "flaky",       [STATE_BETTER] = "better",
	[STATE_KNOWN] = "known",       [STATE_UNDECIDED] = "undecided",
	[STATE_UNTESTED] = "untested", [STATE_WORSE] = "worse",
};

const char *const qualification_names[] = {
	[Q_PASS] = "PASS",
	[Q_IMPROVED] = "IMPROVED",
	[Q_INCONCLUSIVE] = "INCONCLUSIVE",
	[Q_REGRESSION] = "REGRESSION",
};

void qualification_init(struct qualification *q)
{
	memset(q, 0, sizeof(*q));
}

void qualification_release(struct qualification *q)
{
	for (unsigned int i = 0; i < q->n_rows; i++) {
		free(q->rows[i].cells);
		free(q->rows[i].judged);
	}
	for (unsigned int i = 0; i < q->n_columns; i++)
		free(q->columns[i].hello);
	for (unsigned int i = 0; i < q->n_reasons; i++)
		free(q->reasons[i]);
	free(q->rows);
	free(q->columns);
	free(q->reasons);
	qualification_init(q);
}

int qualification_add_column(struct qualification *q, const struct column *column)
{
	struct column *more = realloc(q->columns, (q->n_columns + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	q->columns = more;
	q->columns[q->n_columns++] = *column;
	return 0;
}

struct row *qualification_add_row(struct qualification *q, const char *name,
				  const struct scenario *scn)
{
	struct row *more = realloc(q->rows, (q->n_rows + 1) * sizeof(*more)), *row;

	if (!more)
		return NULL;
	q->rows = more;
	row = &q->rows[q->n_rows];
	memset(row, 0, sizeof(*row));
	snprintf(row->name, sizeof(row->name), "%s", name);
	row->scn = *scn;
	row->cells = calloc(q->n_columns, sizeof(*row->cells));
	row->judged = calloc(q->n_candidates, sizeof(*row->judged));
	if (!row->cells || !row->judged) {
		free(row->cells);
		free(row->judged);
		return NULL;
	}
	q->n_rows++;
	return row;
}

const struct column *qualification_baseline(const struct qualification *q,
					    unsigned int candidate)
{
	unsigned int n = q->n_columns - q->n_candidates;

	return n ? &q->columns[q->n_candidates + candidate % n] : NULL;
}

const struct cell *row_baseline(const struct qualification *q, const struct row *row,
				unsigned int candidate)
{
	const struct column *column = qualification_baseline(q, candidate);

	return column ? &row->cells[column - q->columns] : NULL;
}

static bool is_kind(const struct kind *kind, const struct result *res)
{
	return kind->verdict == res->verdict && kind->rung == res->rung &&
	       kind->signature == res->signature;
}

void cell_add(struct cell *cell, const struct result *res)
{
	struct kind *kind;
	unsigned int i;

	cell->total_us += res->total_us;
	if (res->verdict == VERDICT_INFRA) {
		cell->infra++;
		snprintf(cell->infra_reason, sizeof(cell->infra_reason), "%.190s",
			 res->reason);
		return;
	}
	cell->runs++;
	for (i = 0; i < cell->n_kinds; i++)
		if (is_kind(&cell->kinds[i], res))
			break;
	/* More kinds than can be kept: counted with the last of the same verdict, or the last. */
	if (i == KINDS_MAX)
		for (i = KINDS_MAX - 1; i && cell->kinds[i].verdict != res->verdict; i--)
			;
	kind = &cell->kinds[i];
	kind->count++;
	if (i < cell->n_kinds)
		return;
	cell->n_kinds++;
	kind->verdict = res->verdict;
	kind->rung = res->rung;
	kind->signature = res->signature;
	snprintf(kind->reason, sizeof(kind->reason), "%s", res->reason);
}

unsigned int level_of(enum verdict verdict, enum rung rung)
{
	enum severity severity = verdict_table[verdict].severity;

	/* Nobody minds which of the harmless rungs emptied the tree. */
	return severity == SEVERITY_NONE ? 0 : severity * 16 + rung;
}

unsigned int kind_level(const struct kind *kind)
{
	return level_of(kind->verdict, kind->rung);
}

const struct kind *cell_main(const struct cell *cell)
{
	const struct kind *best = NULL;

	for (unsigned int i = 0; i < cell->n_kinds; i++) {
		const struct kind *kind = &cell->kinds[i];

		if (!best || kind->count > best->count ||
		    (kind->count == best->count && kind_level(kind) > kind_level(best)))
			best = kind;
	}
	return best;
}

int qualification_reason(struct qualification *q, const char *format, ...)
{
	char **more = realloc(q->reasons, (q->n_reasons + 1) * sizeof(*more));
	va_list ap;
	int len;

	if (!more)
		return -ENOMEM;
	q->reasons = more;
	va_start(ap, format);
	len = vasprintf(&q->reasons[q->n_reasons], format, ap);
	va_end(ap);
	if (len < 0)
		return -ENOMEM;
	q->n_reasons++;
	return 0;
}
