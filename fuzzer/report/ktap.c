/* SPDX-License-Identifier: MIT */
/* KTAP, version 1: a subtest a candidate, a result a scenario. See Documentation/dev-tools/ktap.rst. */

#include "markup.h"
#include "report.h"

static bool passes(const struct judgement *judged)
{
	return judged->state != STATE_WORSE && judged->state != STATE_UNTESTED;
}

static void directive(FILE *out, const struct judgement *judged)
{
	if (judged->state == STATE_UNDECIDED)
		fputs(" # SKIP ", out);
	else if (judged->state == STATE_KNOWN)
		fputs(" # XFAIL ", out);
	else
		return;
	markup_ktap_name(out, judged->sentence);
}

/* True if all of them pass. */
static bool candidate(const struct qualification *q, unsigned int c, FILE *out)
{
	const struct column *column = &q->columns[c];
	bool good = !column->error[0];

	fputs("  KTAP version 1\n  # Subtest: ", out);
	markup_ktap_name(out, column->name);
	fprintf(out, "\n  1..%u\n", q->n_rows);
	markup_ktap_note(out, "  ", column->release);
	markup_ktap_note(out, "  ", column->error);
	for (unsigned int i = 0; i < q->n_rows; i++) {
		const struct judgement *judged = &q->rows[i].judged[c];

		good &= passes(judged);
		if (judged->state != STATE_SAME)
			markup_ktap_note(out, "  ", judged->sentence);
		fprintf(out, "  %s %u ", passes(judged) ? "ok" : "not ok", i + 1);
		markup_ktap_name(out, q->rows[i].name);
		directive(out, judged);
		fputc('\n', out);
	}
	return good;
}

int report_ktap(const struct report *report, FILE *out)
{
	const struct qualification *q = report->q;

	fprintf(out, "KTAP version 1\n1..%u\n# shortfuse qualify: %s\n", q->n_candidates,
		qualification_names[q->verdict]);
	for (unsigned int i = 0; i < q->n_reasons; i++)
		markup_ktap_note(out, "", q->reasons[i]);
	for (unsigned int c = 0; c < q->n_candidates; c++) {
		fprintf(out, "%s %u ", candidate(q, c, out) ? "ok" : "not ok", c + 1);
		markup_ktap_name(out, q->columns[c].name);
		fputc('\n', out);
	}
	return 0;
}
