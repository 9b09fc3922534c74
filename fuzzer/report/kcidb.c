/* SPDX-License-Identifier: MIT */
/* KCIDB JSON, schema 5.3: what KernelCI collects. A checkout and a build a candidate, a test a scenario. */

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/utsname.h>

#include "harness/explain/explain.h"
#include "report.h"

#define ORIGIN "shortfuse"

/* Printable ASCII, as nobody knows what a guest may say and the schema forbids NUL only. */
static json_t *text_json(const char *text)
{
	char buf[1024];
	size_t i;

	for (i = 0; text[i] && i + 1 < sizeof(buf); i++)
		buf[i] = (unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e
				 ? '?'
				 : text[i];
	buf[i] = '\0';
	return json_string(buf);
}

static json_t *time_json(time_t when)
{
	char buf[40];
	struct tm tm;

	strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S+00:00", gmtime_r(&when, &tm));
	return json_string(buf);
}

static json_t *id_json(const struct qualification *q, const char *what, const char *name)
{
	json_t *json = json_sprintf(ORIGIN ":%lld/%s%s", (long long)q->began, what, name);

	return json ? json : json_string(ORIGIN ":unnamed");
}

/* ^[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*$: components of the name become components of the path. */
static json_t *path_json(const char *name)
{
	char buf[200] = "shortfuse.";
	size_t len = strlen(buf);

	for (; *name && len + 1 < sizeof(buf); name++) {
		bool plain = isalnum((unsigned char)*name) || *name == '-';

		if (*name == '/' && buf[len - 1] != '.' && name[1])
			buf[len++] = '.';
		else
			buf[len++] = plain ? *name : '_';
	}
	if (buf[len - 1] == '.')
		len--;
	buf[len] = '\0';
	return json_string(buf);
}

static const char *status_of(enum finding_state state)
{
	switch (state) {
	case STATE_WORSE:
		return "FAIL";
	case STATE_UNTESTED:
		return "ERROR";
	case STATE_UNDECIDED:
		return "MISS";
	default:
		return "PASS";
	}
}

static json_t *checkout_json(const struct qualification *q, const struct column *column)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:s}", "id", id_json(q, "", column->slug),
			 "origin", ORIGIN, "start_time", time_json(q->began), "comment",
			 text_json(column->release), "tree_name", "local");
}

static json_t *build_json(const struct qualification *q, const struct column *column)
{
	struct utsname uts;

	uname(&uts);
	return json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:{s:o, s:o}}", "id",
			 id_json(q, "", column->slug), "checkout_id",
			 id_json(q, "", column->slug), "origin", ORIGIN, "architecture",
			 uts.machine, "status", "PASS", "comment",
			 text_json(column->name), "misc", "spec", text_json(column->spec),
			 "release", text_json(column->release));
}

static json_t *test_id(const struct qualification *q, const struct row *row,
		       const struct column *column)
{
	char slug[100];

	snprintf(slug, sizeof(slug), "%s/", column->slug);
	return id_json(q, slug, row->name);
}

static json_t *kinds_json(const struct cell *cell)
{
	json_t *kinds = json_array();
	char signature[40];

	for (unsigned int i = 0; i < cell->n_kinds; i++) {
		const struct kind *kind = &cell->kinds[i];

		signature[0] = '\0';
		if (kind->signature)
			signature_format(kind->verdict, kind->signature, signature);
		json_array_append_new(kinds,
				      json_pack("{s:s, s:s, s:s, s:i, s:o}", "verdict",
						verdict_table[kind->verdict].name, "rung",
						rung_names[kind->rung], "signature",
						signature, "count", (int)kind->count,
						"reason", text_json(kind->reason)));
	}
	return kinds;
}

static json_t *test_json(const struct qualification *q, const struct row *row,
			 unsigned int c)
{
	const struct column *column = &q->columns[c];
	const struct cell *cell = &row->cells[c];
	const struct judgement *judged = &row->judged[c];
	json_t *hello = column->hello ? json_loads(column->hello, 0, NULL) : NULL;
	json_t *environment = json_pack("{s:o}", "comment", text_json(column->name));

	if (json_is_object(hello))
		json_object_set(environment, "misc", hello);
	json_decref(hello);
	return json_pack(
		"{s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:f, s:o, s:{s:s, s:i, s:b, s:o}}",
		"id", test_id(q, row, column), "build_id", id_json(q, "", column->slug),
		"origin", ORIGIN, "path", path_json(row->name), "status",
		status_of(judged->state), "comment", text_json(judged->sentence),
		"start_time", time_json(q->began), "duration",
		(double)cell->total_us / 1e6, "environment", environment, "misc", "state",
		state_names[judged->state], "runs", (int)cell->runs, "known",
		judged->state == STATE_KNOWN, "outcomes", kinds_json(cell));
}

static void add_issue(const struct qualification *q, const struct row *row,
		      unsigned int c, json_t *issues, json_t *incidents)
{
	char name[300];

	snprintf(name, sizeof(name), "%s/%s/issue", q->columns[c].slug, row->name);
	json_array_append_new(
		issues, json_pack("{s:o, s:i, s:s, s:o, s:o, s:{s:b, s:b, s:b}}", "id",
				  id_json(q, "", name), "version", 1, "origin", ORIGIN,
				  "report_subject", text_json(row->name), "comment",
				  text_json(row->judged[c].sentence), "culprit", "code",
				  1, "tool", 0, "harness", 0));
	json_array_append_new(incidents,
			      json_pack("{s:o, s:s, s:o, s:i, s:o, s:b}", "id",
					id_json(q, "incident/", name), "origin", ORIGIN,
					"issue_id", id_json(q, "", name), "issue_version",
					1, "test_id", test_id(q, row, &q->columns[c]),
					"present", 1));
}

int report_kcidb(const struct report *report, FILE *out)
{
	const struct qualification *q = report->q;
	json_t *checkouts = json_array(), *builds = json_array(), *tests = json_array();
	json_t *issues = json_array(), *incidents = json_array(), *root;
	int ret;

	for (unsigned int c = 0; c < q->n_candidates; c++) {
		json_array_append_new(checkouts, checkout_json(q, &q->columns[c]));
		json_array_append_new(builds, build_json(q, &q->columns[c]));
		for (unsigned int i = 0; i < q->n_rows; i++) {
			json_array_append_new(tests, test_json(q, &q->rows[i], c));
			if (q->rows[i].judged[c].state == STATE_WORSE)
				add_issue(q, &q->rows[i], c, issues, incidents);
		}
	}
	root = json_pack("{s:{s:i, s:i}, s:o, s:o, s:o, s:o, s:o}", "version", "major", 5,
			 "minor", 3, "checkouts", checkouts, "builds", builds, "tests",
			 tests, "issues", issues, "incidents", incidents);
	ret = root ? json_dumpf(root, out, JSON_INDENT(1)) : -1;
	json_decref(root);
	fputc('\n', out);
	return ret ? -ENOMEM : 0;
}
