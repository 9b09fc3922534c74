/* SPDX-License-Identifier: MIT */
/* From the judgements of all rows to one verdict, with its reasons. */

#include <stdlib.h>
#include <string.h>

#include "judge.h"

#define REASONS_MAX 10 /* of one kind; the rest is counted */

static bool useless(const struct qualification *q, unsigned int c)
{
	const struct column *baseline = qualification_baseline(q, c);

	return q->columns[c].error[0] || (baseline && baseline->error[0]);
}

static int reasons_of(struct qualification *q, enum finding_state state)
{
	unsigned int told = 0;
	int ret = 0;

	for (unsigned int i = 0; i < q->n_rows; i++) {
		for (unsigned int c = 0; c < q->n_candidates && !ret; c++) {
			const struct judgement *judged = &q->rows[i].judged[c];

			/* A kernel that cannot be used is one reason, not one a scenario. */
			if (state == STATE_UNTESTED && useless(q, c))
				continue;
			if (judged->state != state || told++ >= REASONS_MAX)
				continue;
			ret = qualification_reason(q, "%s on %s: %s", q->rows[i].name,
						   q->columns[c].name, judged->sentence);
		}
	}
	if (!ret && told > REASONS_MAX)
		ret = qualification_reason(q, "and %u more that are %s",
					   told - REASONS_MAX, state_names[state]);
	return ret;
}

/* Asked to be fuzzed, and not one run of it: one campaign is for all columns of a kernel. */
static bool unfuzzed(const struct qualification *q, const struct column *column)
{
	if (!q->fuzz_seconds)
		return false;
	for (unsigned int i = 0; i < q->n_columns; i++)
		if (!strcmp(q->columns[i].spec, column->spec) && q->columns[i].fuzz_runs)
			return false;
	return true;
}

static unsigned int broken_columns(struct qualification *q)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < q->n_columns; i++) {
		const struct column *column = &q->columns[i];

		if (!column->error[0] && column->complete && !unfuzzed(q, column))
			continue;
		n++;
		qualification_reason(q, "%s: %s", column->name,
				     column->error[0] ? column->error
				     : column->complete
					     ? "it was not fuzzed: no run gave an answer"
					     : "not all of its runs were made");
	}
	return n;
}

static void forget(struct qualification *q)
{
	for (unsigned int i = 0; i < q->n_reasons; i++)
		free(q->reasons[i]);
	free(q->reasons);
	q->reasons = NULL;
	q->n_reasons = 0;
	memset(q->states, 0, sizeof(q->states));
}

/* What a verdict rests on comes first. */
static int give_reasons(struct qualification *q)
{
	static const enum finding_state order[] = {STATE_WORSE,	    STATE_UNTESTED,
						   STATE_UNDECIDED, STATE_BETTER,
						   STATE_KNOWN,	    STATE_CHANGED};
	int ret = 0;

	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]) && !ret; i++)
		ret = reasons_of(q, order[i]);
	return ret;
}

int judge_all(struct qualification *q, const struct judge *judge)
{
	unsigned int broken;

	forget(q);
	for (unsigned int i = 0; i < q->n_rows; i++) {
		for (unsigned int c = 0; c < q->n_candidates; c++) {
			judge_row(q, &q->rows[i], c, judge);
			q->states[q->rows[i].judged[c].state]++;
		}
	}
	broken = broken_columns(q);
	if (q->states[STATE_WORSE])
		q->verdict = Q_REGRESSION;
	else if (broken || !q->n_rows || q->states[STATE_UNTESTED] ||
		 q->states[STATE_UNDECIDED])
		q->verdict = Q_INCONCLUSIVE;
	else
		q->verdict = q->states[STATE_BETTER] ? Q_IMPROVED : Q_PASS;
	return give_reasons(q);
}
