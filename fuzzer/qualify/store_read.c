/* SPDX-License-Identifier: MIT */
/* Reads a qualification from JSON that may be damaged, or of another version. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzzer/campaign/file.h"
#include "harness/scenario/text.h"
#include "store.h"

#define FILE_MAX    (256u << 20)
#define COLUMNS_MAX 256

__attribute__((format(printf, 2, 3))) static int wrong(char *err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(err, 300, format, ap);
	va_end(ap);
	return -EINVAL;
}

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static json_int_t number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

static unsigned int count_of(const json_t *json, const char *key)
{
	json_int_t n = number(json, key);

	return n < 0 || n > 100000000 ? 0 : (unsigned int)n;
}

static int rung_by_name(const char *name)
{
	for (int i = 0; i < RUNG_COUNT; i++)
		if (!strcmp(rung_names[i], name))
			return i;
	return -EINVAL;
}

static int read_kind(const json_t *json, struct kind *kind, char *err)
{
	int verdict = verdict_by_name(text_of(json, "verdict"));
	int rung = rung_by_name(text_of(json, "rung"));
	const char *hash = strrchr(text_of(json, "signature"), '-');

	if (verdict < 0 || rung < 0)
		return wrong(err, "unknown verdict '%.40s' or rung '%.40s'",
			     text_of(json, "verdict"), text_of(json, "rung"));
	kind->verdict = verdict;
	kind->rung = rung;
	kind->signature = hash ? strtoull(hash + 1, NULL, 16) : 0;
	kind->count = count_of(json, "count");
	snprintf(kind->reason, sizeof(kind->reason), "%s", text_of(json, "reason"));
	return 0;
}

static int read_cell(const json_t *json, struct cell *cell, char *err)
{
	const json_t *kinds = json_object_get(json, "kinds"), *kind;
	unsigned int sum = 0;
	size_t i;
	int ret;

	if (!json_is_object(json) || json_array_size(kinds) > KINDS_MAX)
		return wrong(err, "a cell is no object, or has too many kinds");
	json_array_foreach(kinds, i, kind)
	{
		ret = read_kind(kind, &cell->kinds[i], err);
		if (ret < 0)
			return ret;
		sum += cell->kinds[i].count;
	}
	cell->n_kinds = json_array_size(kinds);
	cell->runs = count_of(json, "runs");
	cell->infra = count_of(json, "infra");
	cell->total_us = number(json, "total_us");
	snprintf(cell->infra_reason, sizeof(cell->infra_reason), "%.199s",
		 text_of(json, "infra_reason"));
	return sum == cell->runs
		       ? 0
		       : wrong(err, "a cell's kinds are not the sum of its runs");
}

static int read_row(const json_t *json, struct qualification *q, char *err)
{
	const json_t *cells = json_object_get(json, "cells");
	const char *text = text_of(json, "scenario");
	struct text_error error;
	struct scenario scn;
	struct row *row;
	int ret = 0;

	if (json_array_size(cells) != q->n_columns)
		return wrong(err, "row '%.100s' has %zu cells, not %u",
			     text_of(json, "name"), json_array_size(cells), q->n_columns);
	if (scenario_parse(text, strlen(text), &scn, &error) < 0)
		return wrong(err, "row '%.100s', line %u of its scenario: %.100s",
			     text_of(json, "name"), error.line, error.message);
	row = qualification_add_row(q, text_of(json, "name"), &scn);
	if (!row)
		return -ENOMEM;
	row->source = !strcmp(text_of(json, "source"), "fuzz") ? ROW_FOUND : ROW_CORPUS;
	row->found_by = count_of(json, "found_by");
	if (row->found_by >= q->n_columns)
		return wrong(err, "row '%.100s' was found by no column", row->name);
	for (unsigned int i = 0; i < q->n_columns && !ret; i++)
		ret = read_cell(json_array_get(cells, i), &row->cells[i], err);
	return ret;
}

static int read_settings(const json_t *json, struct column *column, char *err)
{
	const json_t *settings = json_object_get(json, "settings"), *setting;
	size_t i;

	if (json_array_size(settings) > SETTINGS_MAX)
		return wrong(err, "column '%.100s' has too many settings", column->name);
	json_array_foreach(settings, i, setting)
	{
		struct setting *s = &column->settings[i];

		snprintf(s->key, sizeof(s->key), "%.63s", text_of(setting, "key"));
		snprintf(s->value, sizeof(s->value), "%.63s", text_of(setting, "value"));
	}
	column->n_settings = json_array_size(settings);
	return 0;
}

static int read_column(const json_t *json, struct qualification *q, char *err)
{
	const json_t *hello = json_object_get(json, "hello");
	struct column column = {0};
	int ret;

	snprintf(column.spec, sizeof(column.spec), "%s", text_of(json, "spec"));
	snprintf(column.name, sizeof(column.name), "%.299s", text_of(json, "name"));
	snprintf(column.slug, sizeof(column.slug), "%.79s", text_of(json, "slug"));
	snprintf(column.release, sizeof(column.release), "%.99s",
		 text_of(json, "release"));
	snprintf(column.error, sizeof(column.error), "%.299s", text_of(json, "error"));
	/* It becomes part of a path. */
	if (!column.slug[0] || column.slug[0] == '.' || strchr(column.slug, '/'))
		return wrong(err, "'%.79s' is no name of a folder", column.slug);
	column.baseline = json_is_true(json_object_get(json, "baseline"));
	column.complete = json_is_true(json_object_get(json, "complete"));
	column.fuzzed = json_is_true(json_object_get(json, "fuzzed"));
	column.fuzz_runs = number(json, "fuzz_runs");
	column.fuzz_findings = count_of(json, "fuzz_findings");
	column.seconds = json_number_value(json_object_get(json, "seconds"));
	ret = read_settings(json, &column, err);
	if (ret < 0)
		return ret;
	column.hello = json_is_object(hello) ? json_dumps(hello, JSON_COMPACT) : NULL;
	ret = qualification_add_column(q, &column);
	if (ret < 0)
		free(column.hello);
	return ret;
}

static int read_head(const json_t *root, struct qualification *q, char *err)
{
	if (strcmp(text_of(root, "format"), "shortfuse-qualification"))
		return wrong(err, "it is no qualification");
	if (number(root, "version") != 1)
		return wrong(err, "it is a qualification of version %lld, not 1",
			     (long long)number(root, "version"));
	q->began = number(root, "began");
	q->seconds = json_number_value(json_object_get(root, "seconds"));
	q->repeat = count_of(root, "repeat");
	q->repeat_max = count_of(root, "repeat_max");
	q->fuzz_seconds = count_of(root, "fuzz_seconds");
	q->seed = number(root, "seed");
	q->strict = json_is_true(json_object_get(root, "strict"));
	q->n_candidates = count_of(root, "candidates");
	return q->repeat ? 0 : wrong(err, "'repeat' is missing");
}

int store_from_json(const json_t *root, struct qualification *q, char *err)
{
	const json_t *columns = json_object_get(root, "columns"), *json;
	size_t i, n = json_array_size(columns);
	int ret = read_head(root, q, err);

	if (ret < 0)
		return ret;
	if (!n || n > COLUMNS_MAX || !q->n_candidates || n < q->n_candidates ||
	    (n > q->n_candidates && q->n_candidates % (n - q->n_candidates)))
		return wrong(err, "%zu columns for %u candidates", n, q->n_candidates);
	json_array_foreach(columns, i, json)
	{
		ret = read_column(json, q, err);
		if (ret < 0)
			return ret;
	}
	json_array_foreach(json_object_get(root, "rows"), i, json)
	{
		ret = read_row(json, q, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int store_read(int dir_fd, struct qualification *q, char *err)
{
	json_error_t error;
	json_t *root;
	char *text;
	size_t len;
	int ret = file_read(dir_fd, STORE_FILE, FILE_MAX, &text, &len);

	if (ret < 0) {
		snprintf(err, 300, "%s", strerror(-ret));
		return ret;
	}
	root = json_loadb(text, len, 0, &error);
	free(text);
	if (!root)
		return wrong(err, "line %d: %.200s", error.line, error.text);
	ret = store_from_json(root, q, err);
	json_decref(root);
	return ret;
}
