/* SPDX-License-Identifier: MIT */
/* JUnit XML: a test suite a candidate, a test case a scenario. */

#include "markup.h"
#include "report.h"

static unsigned int count(const struct qualification *q, unsigned int c,
			  enum finding_state a, enum finding_state b)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < q->n_rows; i++)
		n += q->rows[i].judged[c].state == a || q->rows[i].judged[c].state == b;
	return n;
}

static void attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	markup_xml(out, value);
	fputc('"', out);
}

static const char *element_of(enum finding_state state)
{
	switch (state) {
	case STATE_WORSE:
		return "failure";
	case STATE_UNTESTED:
		return "error";
	case STATE_KNOWN:
	case STATE_UNDECIDED:
		return "skipped";
	default:
		return NULL;
	}
}

static void write_case(const struct row *row, const struct column *column, unsigned int c,
		       FILE *out)
{
	const struct judgement *judged = &row->judged[c];
	const char *element = element_of(judged->state);
	const struct kind *kind = cell_main(&row->cells[c]);

	fputs("    <testcase", out);
	attribute(out, "classname", column->name);
	attribute(out, "name", row->name);
	fprintf(out, " time=\"%.3f\">\n", (double)row->cells[c].total_us / 1e6);
	if (element) {
		fprintf(out, "      <%s", element);
		attribute(out, "message", judged->sentence);
		if (judged->state == STATE_WORSE || judged->state == STATE_UNTESTED)
			attribute(out, "type", state_names[judged->state]);
		fputs(">", out);
		markup_xml(out, kind ? kind->reason : row->cells[c].infra_reason);
		fprintf(out, "</%s>\n", element);
	}
	fputs("      <system-out>", out);
	markup_xml(out, judged->sentence);
	fputs("</system-out>\n    </testcase>\n", out);
}

static void property(FILE *out, const char *name, const char *value)
{
	fputs("      <property", out);
	attribute(out, "name", name);
	attribute(out, "value", value);
	fputs("/>\n", out);
}

static void suite(const struct qualification *q, unsigned int c, FILE *out)
{
	const struct column *column = &q->columns[c];
	char stamp[40];
	struct tm tm;

	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", gmtime_r(&q->began, &tm));
	fputs("  <testsuite", out);
	attribute(out, "name", column->name);
	fprintf(out,
		" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" "
		"time=\"%.3f\" "
		"timestamp=\"%s\" hostname=\"shortfuse\">\n",
		q->n_rows, count(q, c, STATE_WORSE, STATE_WORSE),
		count(q, c, STATE_UNTESTED, STATE_UNTESTED),
		count(q, c, STATE_KNOWN, STATE_UNDECIDED), column->seconds, stamp);
	fputs("    <properties>\n", out);
	property(out, "verdict", qualification_names[q->verdict]);
	property(out, "release", column->release);
	if (qualification_baseline(q, c))
		property(out, "baseline", qualification_baseline(q, c)->name);
	for (unsigned int i = 0; i < column->n_settings; i++)
		property(out, column->settings[i].key, column->settings[i].value);
	fputs("    </properties>\n", out);
	for (unsigned int i = 0; i < q->n_rows; i++)
		write_case(&q->rows[i], column, c, out);
	if (column->error[0]) {
		fputs("    <system-err>", out);
		markup_xml(out, column->error);
		fputs("</system-err>\n", out);
	}
	fputs("  </testsuite>\n", out);
}

int report_junit(const struct report *report, FILE *out)
{
	const struct qualification *q = report->q;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "
		"name=\"shortfuse "
		"qualify\" tests=\"%u\" failures=\"%u\" errors=\"%u\" time=\"%.3f\">\n",
		q->n_rows * q->n_candidates, q->states[STATE_WORSE],
		q->states[STATE_UNTESTED], q->seconds);
	for (unsigned int c = 0; c < q->n_candidates; c++)
		suite(q, c, out);
	fputs("</testsuites>\n", out);
	return 0;
}
