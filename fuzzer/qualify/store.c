/* SPDX-License-Identifier: MIT */
/* Writes a qualification as JSON. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzzer/campaign/file.h"
#include "harness/explain/explain.h"
#include "harness/scenario/text.h"
#include "store.h"

#define TEXT_MAX 16384

/* A guest may say anything: what is no UTF-8 must not cost the report. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	char *copy;

	if (json || !(copy = strdup(text)))
		return json;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	json = json_string(copy);
	free(copy);
	return json;
}

static json_t *kind_json(const struct kind *kind)
{
	char signature[40] = "";

	if (kind->signature)
		signature_format(kind->verdict, kind->signature, signature);
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:o}", "verdict",
			 verdict_table[kind->verdict].name, "severity",
			 severity_names[verdict_table[kind->verdict].severity], "rung",
			 rung_names[kind->rung], "signature", signature, "count",
			 (int)kind->count, "reason", text_json(kind->reason));
}

static json_t *cell_json(const struct cell *cell)
{
	json_t *kinds = json_array();

	for (unsigned int i = 0; i < cell->n_kinds; i++)
		json_array_append_new(kinds, kind_json(&cell->kinds[i]));
	return json_pack("{s:i, s:i, s:o, s:I, s:o}", "runs", (int)cell->runs, "infra",
			 (int)cell->infra, "infra_reason", text_json(cell->infra_reason),
			 "total_us", (json_int_t)cell->total_us, "kinds", kinds);
}

static json_t *judgement_json(const struct judgement *judged)
{
	return json_pack("{s:s, s:f, s:o}", "state", state_names[judged->state], "p",
			 judged->p, "sentence", text_json(judged->sentence));
}

static json_t *row_json(const struct qualification *q, const struct row *row)
{
	json_t *cells = json_array(), *judged = json_array();
	char text[TEXT_MAX];

	for (unsigned int i = 0; i < q->n_columns; i++)
		json_array_append_new(cells, cell_json(&row->cells[i]));
	for (unsigned int i = 0; i < q->n_candidates; i++)
		json_array_append_new(judged, judgement_json(&row->judged[i]));
	if (scenario_format(&row->scn, text, sizeof(text)) < 0)
		text[0] = '\0';
	return json_pack("{s:o, s:s, s:i, s:s, s:o, s:o}", "name", text_json(row->name),
			 "source", row->source == ROW_FOUND ? "fuzz" : "corpus",
			 "found_by", (int)row->found_by, "scenario", text, "cells", cells,
			 "judged", judged);
}

static json_t *column_json(const struct column *column)
{
	json_t *settings = json_array(), *hello;

	for (unsigned int i = 0; i < column->n_settings; i++)
		json_array_append_new(
			settings, json_pack("{s:s, s:s}", "key", column->settings[i].key,
					    "value", column->settings[i].value));
	hello = column->hello ? json_loads(column->hello, 0, NULL) : NULL;
	return json_pack(
		"{s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:b, s:b, s:I, s:i, s:f}",
		"spec", text_json(column->spec), "name", text_json(column->name), "slug",
		column->slug, "baseline", column->baseline, "settings", settings, "hello",
		hello ? hello : json_null(), "release", text_json(column->release),
		"error", text_json(column->error), "complete", column->complete, "fuzzed",
		column->fuzzed, "fuzz_runs", (json_int_t)column->fuzz_runs,
		"fuzz_findings", (int)column->fuzz_findings, "seconds", column->seconds);
}

json_t *store_json(const struct qualification *q)
{
	json_t *columns = json_array(), *rows = json_array(), *reasons = json_array();

	for (unsigned int i = 0; i < q->n_columns; i++)
		json_array_append_new(columns, column_json(&q->columns[i]));
	for (unsigned int i = 0; i < q->n_rows; i++)
		json_array_append_new(rows, row_json(q, &q->rows[i]));
	for (unsigned int i = 0; i < q->n_reasons; i++)
		json_array_append_new(reasons, text_json(q->reasons[i]));
	return json_pack(
		"{s:s, s:i, s:s, s:o, s:I, s:f, s:i, s:i, s:I, s:I, s:b, s:i, s:o, s:o}",
		"format", "shortfuse-qualification", "version", 1, "verdict",
		qualification_names[q->verdict], "reasons", reasons, "began",
		(json_int_t)q->began, "seconds", q->seconds, "repeat", (int)q->repeat,
		"repeat_max", (int)q->repeat_max, "fuzz_seconds",
		(json_int_t)q->fuzz_seconds, "seed", (json_int_t)q->seed, "strict",
		q->strict, "candidates", (int)q->n_candidates, "columns", columns, "rows",
		rows);
}

int store_write(const struct qualification *q, int dir_fd)
{
	json_t *root = store_json(q);
	char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	int ret;

	json_decref(root);
	if (!text)
		return -ENOMEM;
	ret = file_printf(dir_fd, STORE_FILE, "%s\n", text);
	free(text);
	return ret;
}
