/* SPDX-License-Identifier: MIT */
/*
 * The table of classes and kernels, as Markdown: what each scenario gives on each kernel, what frees it, and between which
 * two kernels that changes. docs/kernel-matrix.md is made so.
 */

#include <stdlib.h>
#include <string.h>

#include "report.h"

/* Columns in the order of their releases; without those that could not be used. */
struct order {
	const struct qualification *q;
	unsigned int column[80];
	unsigned int n;
};

static const char *release_of(const struct column *column)
{
	return column->release[0] ? column->release : column->spec;
}

static void make_order(const struct qualification *q, struct order *order)
{
	*order = (struct order){.q = q};
	for (unsigned int c = 0; c < q->n_columns && order->n < 80; c++) {
		unsigned int at = order->n;

		if (q->columns[c].error[0])
			continue;
		for (; at && strverscmp(release_of(&q->columns[order->column[at - 1]]),
					release_of(&q->columns[c])) > 0;
		     at--)
			order->column[at] = order->column[at - 1];
		order->column[at] = c;
		order->n++;
	}
}

/* "6.12.117+deb13-cloud-amd64" -> "6.12.117": what a person calls it. */
static void short_name(const struct column *column, char *buf, size_t size)
{
	const char *release = release_of(column);
	const char *settings = strchr(column->name, ' ');
	size_t n = column->release[0] ? strspn(release, "0123456789.") : strlen(release);

	snprintf(buf, size, "%.*s%s", (int)n, release, settings ? settings : "");
}

/* The text as a cell of a table: no column, row or markup of its own. */
static void put_cell(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '|')
			fputs("\\|", out);
		else
			fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
}

static const char *const frees[RUNG_COUNT] = {
	[RUNG_EXIT] = "ends by itself", [RUNG_SIGKILL] = "SIGKILL",
	[RUNG_REPLY] = "a reply",	[RUNG_DAEMON] = "the end of the server",
	[RUNG_ABORT] = "abort",		[RUNG_UMOUNT] = "umount -f",
	[RUNG_NONE] = "nothing",
};

static bool same(const struct kind *a, const struct kind *b)
{
	return a && b && a->verdict == b->verdict && a->rung == b->rung;
}

static void put_kind(FILE *out, const struct cell *cell, const struct kind *kind)
{
	unsigned int alike = 0;

	if (!kind) {
		fprintf(out, " no answer |");
		return;
	}
	/* Whatever the roots: they may come in another order each time. */
	for (unsigned int i = 0; i < cell->n_kinds; i++)
		if (same(&cell->kinds[i], kind))
			alike += cell->kinds[i].count;
	fprintf(out, " %s %d", verdict_table[kind->verdict].name, (int)kind->rung);
	if (alike < cell->runs)
		fprintf(out, " (%u of %u)", alike, cell->runs);
	fprintf(out, " |");
}

/* "6.12 -> 6.16: lost -> clean": last good and first bad, or the other way round. */
static void put_changes(FILE *out, const struct order *order, const struct row *row)
{
	const struct kind *before = NULL;
	unsigned int from = 0, n = 0;

	for (unsigned int i = 0; i < order->n; i++) {
		unsigned int c = order->column[i];
		const struct kind *now = cell_main(&row->cells[c]);
		char a[120], b[120];

		if (!now)
			continue;
		if (before && !same(before, now)) {
			short_name(&order->q->columns[from], a, sizeof(a));
			short_name(&order->q->columns[c], b, sizeof(b));
			fprintf(out, "%s", n++ ? "; " : "");
			put_cell(out, a);
			fprintf(out, ": last %s, ", verdict_table[before->verdict].name);
			put_cell(out, b);
			fprintf(out, ": first %s", verdict_table[now->verdict].name);
		}
		before = now;
		from = c;
	}
	fputs(n ? " |" : "none |", out);
}

static void put_row(FILE *out, const struct order *order, const struct row *row)
{
	const struct kind *last = NULL;

	fprintf(out, "| ");
	put_cell(out, row->name);
	fprintf(out, " |");
	for (unsigned int i = 0; i < order->n; i++) {
		const struct cell *cell = &row->cells[order->column[i]];
		const struct kind *kind = cell_main(cell);

		put_kind(out, cell, kind);
		last = kind ? kind : last;
	}
	fprintf(out, " %s | ", last ? frees[last->rung] : "?");
	put_changes(out, order, row);
	fputc('\n', out);
}

/* Of one candidate, by what judge_all() said of its rows. */
static const char *verdict_of(const struct qualification *q, unsigned int c)
{
	unsigned int n[STATE_COUNT] = {0};

	for (unsigned int i = 0; i < q->n_rows; i++)
		if (q->rows[i].judged)
			n[q->rows[i].judged[c].state]++;
	if (n[STATE_WORSE])
		return qualification_names[Q_REGRESSION];
	if (n[STATE_UNDECIDED] || n[STATE_UNTESTED] || !q->columns[c].complete)
		return qualification_names[Q_INCONCLUSIVE];
	return qualification_names[n[STATE_BETTER] ? Q_IMPROVED : Q_PASS];
}

static void put_kernels(FILE *out, const struct qualification *q)
{
	const struct column *baseline = qualification_baseline(q, 0);

	fprintf(out, "## Kernels\n\n| kernel | verdict against ");
	put_cell(out, baseline ? release_of(baseline) : "what the corpus expects");
	fprintf(out, " | runs | seconds |\n|---|---|---|---|\n");
	for (unsigned int c = 0; c < q->n_columns; c++) {
		const struct column *column = &q->columns[c];
		unsigned int runs = 0;

		for (unsigned int i = 0; i < q->n_rows; i++)
			runs += q->rows[i].cells[c].runs;
		fprintf(out, "| ");
		put_cell(out, release_of(column));
		fprintf(out, " | ");
		if (column->error[0])
			put_cell(out, column->error);
		else
			fprintf(out, "%s",
				column->baseline ? "the baseline" : verdict_of(q, c));
		fprintf(out, " | %u | %.0f |\n", runs, column->seconds);
	}
	for (unsigned int i = 0; i < q->n_reasons; i++) {
		fprintf(out, "%s- ", i ? "" : "\n");
		put_cell(out, q->reasons[i]);
		fputc('\n', out);
	}
}

static void put_table(FILE *out, const struct order *order, bool hangs)
{
	char name[120];

	fprintf(out, "| class |");
	for (unsigned int i = 0; i < order->n; i++) {
		short_name(&order->q->columns[order->column[i]], name, sizeof(name));
		put_cell(out, name);
		fputs(" |", out);
	}
	fprintf(out, " freed by | changes |\n|---|");
	for (unsigned int i = 0; i < order->n + 2; i++)
		fprintf(out, "---|");
	fputc('\n', out);
	for (unsigned int i = 0; i < order->q->n_rows; i++) {
		const struct row *row = &order->q->rows[i];

		if ((row->scn.config.expect != VERDICT_CLEAN + 1) == hangs)
			put_row(out, order, row);
	}
}

int report_kernel_matrix(const struct report *report, FILE *out)
{
	const struct qualification *q = report->q;
	struct order order;

	make_order(q, &order);
	fprintf(out,
		"# What hangs on which kernel\n\n"
		"Made by `tests/bench/kernel_matrix.sh`, from one run over the kernels "
		"named below: %u scenarios, %u runs each.\n"
		"A cell is the verdict and the rung of the recovery ladder that emptied "
		"the tree: 0 it ended by itself, 1 SIGKILL,\n"
		"2 a reply, 3 the end of the server, 4 abort of the connection, 5 umount "
		"-f. What frees it is that of the newest kernel.\n\n"
		"## Classes of hangs\n\n",
		q->n_rows, q->repeat);
	put_table(out, &order, true);
	fprintf(out, "\n## What must not hang\n\n");
	put_table(out, &order, false);
	fputc('\n', out);
	put_kernels(out, q);
	return 0;
}
