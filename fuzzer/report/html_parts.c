/* SPDX-License-Identifier: MIT */
/* The matrix and the environment of a qualification's HTML page. */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "html_parts.h"
#include "markup.h"
#include "page.h"

static void key(FILE *out)
{
	fputs("<p class=\"key soft\">Freed by: ", out);
	for (int rung = RUNG_SIGKILL; rung < RUNG_COUNT; rung++)
		fprintf(out, "<span class=\"r%d\">%s</span>", rung,
			rung == RUNG_SIGKILL ? "itself or SIGKILL" : rung_names[rung]);
	fputs("<span class=\"infra\">no answer</span></p>\n", out);
}

/* Order on the page: each candidate beside what it is compared with, where that is its own. */
static unsigned int shown(const struct qualification *q, unsigned int i)
{
	if (q->n_columns != 2 * q->n_candidates)
		return i;
	return i % 2 * q->n_candidates + i / 2;
}

static void write_cell(const struct qualification *q, unsigned int row, unsigned int c,
		       FILE *out)
{
	const struct cell *cell = &q->rows[row].cells[c];
	const struct kind *kind = cell_main(cell);
	const struct judgement *judged =
		c < q->n_candidates ? &q->rows[row].judged[c] : NULL;
	bool link = kind && (kind->signature || (judged && judged->state != STATE_SAME));

	if (!kind) {
		fprintf(out, "<td class=\"c infra\">%s",
			cell->infra ? "infra" : "&ndash;");
	} else {
		fprintf(out, "<td class=\"c r%d\">",
			kind_level(kind) ? kind->rung : RUNG_EXIT);
		if (link)
			fprintf(out, "<a href=\"#r%u\">", row);
		fprintf(out, "%s%s %u/%u", verdict_table[kind->verdict].name,
			link ? "</a>" : "", kind->count, cell->runs);
	}
	if (judged && judged->state != STATE_SAME)
		fprintf(out, " <em class=\"%s\">%s</em>", state_names[judged->state],
			state_names[judged->state]);
	fputs("</td>", out);
}

void html_matrix(const struct qualification *q, FILE *out)
{
	fputs("<h2>Scenarios and kernels</h2>\n", out);
	key(out);
	fputs("<div class=\"wide\"><table>\n<thead><tr><th>scenario</th>", out);
	for (unsigned int i = 0; i < q->n_columns; i++) {
		const struct column *column = &q->columns[shown(q, i)];

		fputs("<th>", out);
		markup_xml(out, column->name);
		fputs(column->baseline ? "<br><span class=\"soft\">baseline</span>" : "",
		      out);
		fputs("</th>", out);
	}
	if (q->n_columns == q->n_candidates)
		fputs("<th>expected</th>", out);
	fputs("</tr></thead>\n<tbody>\n", out);
	for (unsigned int row = 0; row < q->n_rows; row++) {
		unsigned int expect = q->rows[row].scn.config.expect;

		fputs("<tr><th>", out);
		markup_xml(out, q->rows[row].name);
		fputs("</th>", out);
		for (unsigned int i = 0; i < q->n_columns; i++)
			write_cell(q, row, shown(q, i), out);
		if (q->n_columns == q->n_candidates)
			fprintf(out, "<td>%s</td>",
				expect ? verdict_table[expect - 1].name : "&ndash;");
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
}

static double mean_ms(const struct qualification *q, unsigned int c)
{
	uint64_t us = 0, runs = 0;

	for (unsigned int i = 0; i < q->n_rows; i++) {
		us += q->rows[i].cells[c].total_us;
		runs += q->rows[i].cells[c].runs + q->rows[i].cells[c].infra;
	}
	return runs ? (double)us / 1000 / (double)runs : 0;
}

static unsigned int total_runs(const struct qualification *q, unsigned int c)
{
	unsigned int runs = 0;

	for (unsigned int i = 0; i < q->n_rows; i++)
		runs += q->rows[i].cells[c].runs;
	return runs;
}

static unsigned int total_infra(const struct qualification *q, unsigned int c)
{
	unsigned int runs = 0;

	for (unsigned int i = 0; i < q->n_rows; i++)
		runs += q->rows[i].cells[c].infra;
	return runs;
}

/* What the executor said of its machine, as it said it. */
static void hello(const struct column *column, FILE *out)
{
	json_t *json = column->hello ? json_loads(column->hello, 0, NULL) : NULL, *value;
	const char *name;
	char *text;

	json_object_foreach(json, name, value)
	{
		if (!strcmp(name, "release") || !strcmp(name, "version"))
			continue;
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		markup_xml(out, name);
		fputs(" ", out);
		markup_xml(out, text ? text : "");
		fputs("<br>", out);
		free(text);
	}
	json_decref(json);
}

void html_environment(const struct qualification *q, FILE *out)
{
	fputs("<h2>Environment</h2>\n<div "
	      "class=\"wide\"><table>\n<thead><tr><th>kernel</th>"
	      "<th>release</th><th>runs</th><th>infra</th><th>a run</th><th>time</th>"
	      "<th>fuzzing</th><th>machine</th></tr></thead>\n<tbody>\n",
	      out);
	for (unsigned int i = 0; i < q->n_columns; i++) {
		unsigned int c = shown(q, i);
		const struct column *column = &q->columns[c];

		fputs("<tr><th>", out);
		markup_xml(out, column->name);
		fputs("</th><td>", out);
		markup_xml(out, column->release);
		fprintf(out, "</td><td>%u</td><td>%u</td><td>%.1f ms</td><td>",
			total_runs(q, c), total_infra(q, c), mean_ms(q, c));
		page_span(out, column->seconds);
		fputs("</td><td>", out);
		if (column->fuzzed)
			fprintf(out, "%llu runs, %u findings",
				(unsigned long long)column->fuzz_runs,
				column->fuzz_findings);
		else
			fputs("&ndash;", out);
		fputs("</td><td>", out);
		hello(column, out);
		markup_xml(out, column->error);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
}
