/* SPDX-License-Identifier: MIT */
/* A qualification as one HTML page: verdict, reasons, matrix, differences, evidence, environment. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzzer/finding/finding_folder.h"
#include "fuzzer/export/export.h"
#include "fuzzer/qualify/judge.h"
#include "fuzzer/qualify/stats.h"
#include "harness/explain/explain.h"
#include "html_parts.h"
#include "markup.h"
#include "page.h"
#include "report.h"

#define EVIDENCE_ROWS 200

static const char *verdict_class(enum qualification_verdict verdict)
{
	switch (verdict) {
	case Q_REGRESSION:
		return "bad";
	case Q_INCONCLUSIVE:
		return "open";
	case Q_IMPROVED:
		return "info";
	default:
		return "good";
	}
}

static void list_names(const struct qualification *q, bool baseline, FILE *out)
{
	bool first = true;

	for (unsigned int i = 0; i < q->n_columns; i++) {
		const struct column *column = &q->columns[i];

		if (column->baseline != baseline)
			continue;
		fputs(first ? "" : ", ", out);
		markup_xml(out, column->name);
		if (column->release[0] && strcmp(column->release, column->name)) {
			fputs(" (", out);
			markup_xml(out, column->release);
			fputs(")", out);
		}
		first = false;
	}
}

static void head(const struct qualification *q, FILE *out)
{
	char date[60];
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", gmtime_r(&q->began, &tm));
	fprintf(out, "<header class=\"verdict %s\"><b>%s</b>\n<h1>",
		verdict_class(q->verdict), qualification_names[q->verdict]);
	list_names(q, false, out);
	fputs("</h1>\n<p>", out);
	if (q->n_columns > q->n_candidates) {
		fputs("against ", out);
		list_names(q, true, out);
	} else {
		fputs("against the expectations stored in the corpus", out);
	}
	fprintf(out, "</p>\n<p class=\"soft\">%s, %u scenarios, at least %u runs each, ",
		date, q->n_rows, q->repeat);
	page_span(out, q->seconds);
	if (q->fuzz_seconds) {
		fputs(", fuzzed for ", out);
		page_span(out, (double)q->fuzz_seconds);
		fputs(" a kernel", out);
	}
	fputs("</p></header>\n", out);
}

static void reasons(const struct qualification *q, FILE *out)
{
	fputs("<ul class=\"tally\">", out);
	for (unsigned int s = STATE_COUNT; s-- > 0;)
		if (q->states[s])
			fprintf(out, "<li class=\"%s\">%u %s</li>", state_names[s],
				q->states[s], state_names[s]);
	fputs("</ul>\n", out);
	if (!q->n_reasons)
		return;
	fputs("<ul>\n", out);
	for (unsigned int i = 0; i < q->n_reasons; i++) {
		fputs("<li>", out);
		markup_xml(out, q->reasons[i]);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static bool differs(const struct qualification *q, const struct row *row)
{
	for (unsigned int c = 0; c < q->n_candidates; c++)
		if (row->judged[c].state != STATE_SAME)
			return true;
	return false;
}

static bool flagged(const struct qualification *q, const struct row *row)
{
	for (unsigned int c = 0; c < q->n_columns; c++)
		for (unsigned int k = 0; k < row->cells[c].n_kinds; k++)
			if (row->cells[c].kinds[k].signature)
				return true;
	return false;
}

/* One C file for whoever has to mend it; NULL where the scenario has no such form. */
static char *reproducer(const struct row *row, const struct kind *kind)
{
	struct export_facts facts = {.title = row->name,
				     .verdict = kind->verdict,
				     .reason = kind->reason,
				     .frame = ""};
	char err[200], *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int ret = out ? export_c(&row->scn, &facts, out, err) : -ENOMEM;

	if (out)
		fclose(out);
	if (ret < 0) {
		free(text);
		text = NULL;
	}
	return text;
}

/* The evidence of every outcome of a cell. */
static void cell_evidence(const struct report *report, const struct row *row,
			  unsigned int c, FILE *out)
{
	const struct column *column = &report->q->columns[c];
	const struct cell *cell = &row->cells[c];
	char id[40], folder[300], title[900], *code;
	bool told;

	for (unsigned int k = 0; k < cell->n_kinds; k++) {
		const struct kind *kind = &cell->kinds[k];

		if (!kind->signature)
			continue;
		signature_format(kind->verdict, kind->signature, id);
		snprintf(folder, sizeof(folder), "columns/%s/%s/%s", column->slug,
			 folder_section(kind->verdict), id);
		snprintf(title, sizeof(title), "%s, %u of %u runs on %s: %s", id,
			 kind->count, cell->runs, column->name, kind->reason);
		code = reproducer(row, kind);
		told = page_evidence(out, report->dir_fd, folder, title, code);
		free(code);
		if (told)
			continue;
		fputs("<p>", out);
		markup_xml(out, title);
		fputs("</p>\n", out);
	}
}

static void difference(const struct report *report, unsigned int i, FILE *out)
{
	const struct qualification *q = report->q;
	const struct row *row = &q->rows[i];

	fprintf(out, "<article id=\"r%u\"><h3>", i);
	markup_xml(out, row->name);
	if (row->source == ROW_FOUND) {
		fputs(" <span class=\"soft\">found by fuzzing ", out);
		markup_xml(out, q->columns[row->found_by].name);
		fputs("</span>", out);
	}
	fputs("</h3>\n", out);
	for (unsigned int c = 0; c < q->n_candidates; c++) {
		const struct judgement *judged = &row->judged[c];

		if (judged->state == STATE_SAME)
			continue;
		fprintf(out, "<p><b class=\"%s\">%s</b> on ", state_names[judged->state],
			state_names[judged->state]);
		markup_xml(out, q->columns[c].name);
		fputs(": ", out);
		markup_xml(out, judged->sentence);
		fputs("</p>\n", out);
	}
	for (unsigned int c = 0; c < q->n_columns; c++)
		cell_evidence(report, row, c, out);
	fputs("</article>\n", out);
}

static void differences(const struct report *report, FILE *out)
{
	const struct qualification *q = report->q;
	unsigned int n = 0;

	fputs("<h2>Differences</h2>\n", out);
	for (int s = STATE_COUNT - 1; s > STATE_SAME; s--) {
		for (unsigned int i = 0; i < q->n_rows; i++) {
			enum finding_state worst = STATE_SAME;

			for (unsigned int c = 0; c < q->n_candidates; c++)
				if (q->rows[i].judged[c].state > worst)
					worst = q->rows[i].judged[c].state;
			if ((int)worst != s)
				continue;
			difference(report, i, out);
			n++;
		}
	}
	if (!n)
		fputs("<p>None.</p>\n", out);
}

/* What hangs on both: known to whoever keeps the corpus, and still worth a look. */
static void as_before(const struct report *report, FILE *out)
{
	const struct qualification *q = report->q;
	unsigned int n = 0;

	fputs("<h2>Flagged as before</h2>\n", out);
	for (unsigned int i = 0; i < q->n_rows; i++) {
		if (differs(q, &q->rows[i]) || !flagged(q, &q->rows[i]))
			continue;
		if (n++ >= EVIDENCE_ROWS)
			continue;
		fprintf(out, "<details id=\"r%u\"><summary>", i);
		markup_xml(out, q->rows[i].name);
		fputs(": ", out);
		markup_xml(out, q->rows[i].judged[0].sentence);
		fputs("</summary>\n", out);
		cell_evidence(report, &q->rows[i], 0, out);
		fputs("</details>\n", out);
	}
	if (!n)
		fputs("<p>Nothing.</p>\n", out);
}

static void method(const struct qualification *q, FILE *out)
{
	fprintf(out,
		"<h2>How it was decided</h2>\n<p>A run is as bad as the severity of its "
		"verdict "
		"and, within that, the rung of the recovery ladder that freed its tasks. "
		"A "
		"scenario is worse or better if %s finds that one side shows a level of "
		"badness "
		"more often, with p at most %.1e: that keeps the chance of any false "
		"alarm in "
		"the whole qualification below %g&nbsp;%%. What is not proven gets more "
		"runs, up "
		"to %u. A scenario that was the same in all %u runs may still fail in up "
		"to "
		"%.0f&nbsp;%% of them unseen (95&nbsp;%% confidence).</p>\n",
		q->n_columns > q->n_candidates
			? "Fisher's exact test"
			: "a binomial test (against a flake rate of 5&nbsp;%)",
		judge_alpha(q), JUDGE_ALPHA * 100, q->repeat_max, q->repeat,
		stats_missed(q->repeat) * 100);
}

int report_html(const struct report *report, FILE *out)
{
	const struct qualification *q = report->q;
	char title[400];

	snprintf(title, sizeof(title), "%s: %s", qualification_names[q->verdict],
		 q->columns[0].name);
	page_begin(out, title);
	head(q, out);
	reasons(q, out);
	html_matrix(q, out);
	differences(report, out);
	as_before(report, out);
	html_environment(q, out);
	method(q, out);
	page_end(out);
	return 0;
}
