/* SPDX-License-Identifier: MIT */
/* A night for machines (the formats of a qualification: a kernel a candidate, a finding a row) and for people. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "fuzzer/report/report.h"
#include "nightly.h"

static const enum finding_state state_of[NIGHT_STATE_COUNT] = {
	[NIGHT_NEW] = STATE_WORSE,	     [NIGHT_WORSE] = STATE_WORSE,
	[NIGHT_EXPIRED] = STATE_WORSE,	     [NIGHT_STILL] = STATE_SAME,
	[NIGHT_KNOWN] = STATE_KNOWN,	     [NIGHT_GONE] = STATE_BETTER,
	[NIGHT_UNDECIDED] = STATE_UNDECIDED, [NIGHT_UNTESTED] = STATE_UNTESTED,
};

static const char *text(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value ? value : "";
}

static enum night_state night_state(const json_t *row)
{
	for (int i = 0; i < NIGHT_STATE_COUNT; i++)
		if (!strcmp(text(row, "state"), night_state_names[i]))
			return i;
	return NIGHT_UNTESTED;
}

static int add_column(struct qualification *q, const json_t *part)
{
	struct column column = {.complete = true, .fuzzed = true};

	snprintf(column.spec, sizeof(column.spec), "%s", text(part, "kernel"));
	snprintf(column.name, sizeof(column.name), "%s", text(part, "kernel"));
	snprintf(column.slug, sizeof(column.slug), "%s", text(part, "slug"));
	snprintf(column.release, sizeof(column.release), "%s", text(part, "release"));
	snprintf(column.error, sizeof(column.error), "%s", text(part, "error"));
	column.fuzz_runs = json_integer_value(json_object_get(part, "runs"));
	column.seconds = json_number_value(json_object_get(part, "seconds"));
	return qualification_add_column(q, &column);
}

static struct row *find_row(struct qualification *q, const char *id)
{
	struct scenario scn;

	for (unsigned int i = 0; i < q->n_rows; i++)
		if (!strcmp(q->rows[i].name, id))
			return &q->rows[i];
	scenario_init(&scn);
	return qualification_add_row(q, id, &scn);
}

static void fill_cell(struct cell *cell, const json_t *row)
{
	int verdict = verdict_by_name(text(row, "verdict"));
	unsigned int same = json_integer_value(json_object_get(row, "same"));

	cell->runs = json_integer_value(json_object_get(row, "runs"));
	cell->infra = json_integer_value(json_object_get(row, "infra"));
	if (same && verdict >= 0) {
		cell->n_kinds = 1;
		cell->kinds[0].verdict = verdict;
		cell->kinds[0].count = same;
	}
	snprintf(cell->kinds[0].reason, sizeof(cell->kinds[0].reason), "%s",
		 text(row, "reason"));
}

static int add_rows(struct qualification *q, unsigned int candidate, const json_t *part)
{
	json_t *rows = json_object_get(part, "rows");

	for (void *at = json_object_iter(rows); at;
	     at = json_object_iter_next(rows, at)) {
		const json_t *from = json_object_iter_value(at);
		struct row *row = find_row(q, json_object_iter_key(at));
		enum night_state state = night_state(from);

		if (!row)
			return -ENOMEM;
		fill_cell(&row->cells[candidate], from);
		row->judged[candidate].state = state_of[state];
		snprintf(row->judged[candidate].sentence,
			 sizeof(row->judged[candidate].sentence), "%s: %s. %s",
			 night_state_names[state], text(from, "sentence"),
			 text(from, "reason"));
		q->states[state_of[state]]++;
	}
	return 0;
}

static int to_qualification(const struct nightly *n, struct qualification *q)
{
	json_t *parts = json_object_get(n->night, "kernels");
	int ret = 0;

	qualification_init(q);
	q->began = n->began;
	q->verdict = n->news ? Q_REGRESSION : n->infra ? Q_INCONCLUSIVE : Q_PASS;
	q->n_candidates = json_array_size(parts);
	for (unsigned int i = 0; i < q->n_candidates && !ret; i++)
		ret = add_column(q, json_array_get(parts, i));
	for (unsigned int i = 0; i < q->n_candidates && !ret; i++)
		ret = add_rows(q, i, json_array_get(parts, i));
	return ret;
}

static int night_json(const struct nightly *n, const char *path)
{
	int ret;

	if (!strcmp(path, "-"))
		ret = json_dumpf(n->night, stdout, JSON_INDENT(1));
	else
		ret = json_dump_file(n->night, path, JSON_INDENT(1));
	return ret ? -EIO : 0;
}

int nightly_report(const struct nightly *n, const char *format, const char *path)
{
	struct qualification q;
	struct report report = {.q = &q, .dir_fd = -1};
	int ret = -EINVAL;

	if (!strcmp(format, "json"))
		return night_json(n, path);
	if (!strcmp(format, "html"))
		return nightly_page(n, path);
	ret = to_qualification(n, &q);
	for (unsigned int i = 0; report_formats[i].option && !ret; i++)
		if (!strcmp(report_formats[i].option, format))
			ret = report_to_file(&report, &report_formats[i], path);
	qualification_release(&q);
	return ret;
}
