/* SPDX-License-Identifier: MIT */
/* Compares a row's cells and says what the difference is worth. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/explain/explain.h"
#include "judge.h"
#include "stats.h"

/* What a verdict's runs need: a scenario that expects "lost" is not worse when rung 3 frees it. */
static const struct {
	enum rung least, most;
} rungs_of[VERDICT_COUNT] = {
	[VERDICT_CLEAN] = {RUNG_EXIT, RUNG_SIGKILL},
	[VERDICT_HELD] = {RUNG_REPLY, RUNG_REPLY},
	[VERDICT_LOST] = {RUNG_DAEMON, RUNG_DAEMON},
	[VERDICT_DEAF] = {RUNG_REPLY, RUNG_DAEMON},
	[VERDICT_PINNED] = {RUNG_ABORT, RUNG_ABORT},
	[VERDICT_STUCK] = {RUNG_ABORT, RUNG_UMOUNT},
	[VERDICT_LEAK] = {RUNG_EXIT, RUNG_NONE},
	[VERDICT_KERNEL] = {RUNG_EXIT, RUNG_NONE},
	[VERDICT_UNREAPABLE] = {RUNG_NONE, RUNG_NONE},
};

struct contrast {
	double worse, better; /* smallest p of either direction, 1: none */
	unsigned int level;   /* of the decisive "worse" */
	bool differs;	      /* not all runs of both as bad as each other */
};

unsigned int judge_looks(const struct qualification *q)
{
	unsigned int looks = 1;

	for (unsigned int n = q->repeat; n < q->repeat_max; n *= 2)
		looks++;
	return looks;
}

unsigned int judge_next(const struct qualification *q, unsigned int runs)
{
	unsigned int next = runs < q->repeat ? q->repeat : 2 * runs;

	return next < q->repeat_max ? next : q->repeat_max;
}

double judge_alpha(const struct qualification *q)
{
	unsigned int tests = q->n_rows * q->n_candidates * judge_looks(q);

	return JUDGE_ALPHA / (tests ? tests : 1);
}

static unsigned int runs_from(const struct cell *cell, unsigned int level)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < cell->n_kinds; i++)
		if (kind_level(&cell->kinds[i]) >= level)
			n += cell->kinds[i].count;
	return n;
}

/* The smallest p for "more runs of a are as bad as this than of b", over the levels that a shows. */
static double worse_than(const struct cell *a, const struct cell *b,
			 unsigned int *ret_level)
{
	double least = 1, p;

	for (unsigned int i = 0; i < a->n_kinds; i++) {
		unsigned int level = kind_level(&a->kinds[i]);

		if (!level)
			continue;
		p = stats_fisher(runs_from(a, level), a->runs, runs_from(b, level),
				 b->runs);
		if (p >= least)
			continue;
		least = p;
		if (ret_level)
			*ret_level = level;
	}
	return least;
}

static bool one_level(const struct cell *a, const struct cell *b)
{
	unsigned int level = kind_level(&a->kinds[0]);

	for (unsigned int i = 0; i < a->n_kinds; i++)
		if (kind_level(&a->kinds[i]) != level)
			return false;
	for (unsigned int i = 0; i < b->n_kinds; i++)
		if (kind_level(&b->kinds[i]) != level)
			return false;
	return true;
}

static void contrast_cells(const struct cell *c, const struct cell *b,
			   struct contrast *ret)
{
	ret->worse = worse_than(c, b, &ret->level);
	ret->better = worse_than(b, c, NULL);
	ret->differs = !one_level(c, b);
}

static void contrast_expected(const struct cell *c, enum verdict expect,
			      struct contrast *ret)
{
	unsigned int least = level_of(expect, rungs_of[expect].least);
	unsigned int most = level_of(expect, rungs_of[expect].most);
	unsigned int worse = runs_from(c, most + 1),
		     better = c->runs - runs_from(c, least);

	ret->worse = stats_binomial(worse, c->runs, JUDGE_FLAKE_RATE);
	ret->better = stats_binomial(better, c->runs, JUDGE_FLAKE_RATE);
	ret->level = most + 1;
	ret->differs = worse || better;
}

/* Runs that show no root in common, though as bad: the reason is another one. */
static bool other_roots(const struct cell *c, const struct cell *b)
{
	for (unsigned int i = 0; i < c->n_kinds; i++)
		for (unsigned int j = 0; j < b->n_kinds; j++)
			if (c->kinds[i].verdict == b->kinds[j].verdict &&
			    c->kinds[i].signature == b->kinds[j].signature)
				return false;
	return true;
}

/* A kernel that broke once has broken: no rate excuses that. */
static bool broke(const struct cell *c, const struct cell *b)
{
	static const enum verdict fatal[] = {VERDICT_KERNEL, VERDICT_UNREAPABLE};

	for (unsigned int f = 0; f < 2; f++) {
		bool now = false, before = false;

		for (unsigned int i = 0; i < c->n_kinds; i++)
			now |= c->kinds[i].verdict == fatal[f];
		for (unsigned int i = 0; b && i < b->n_kinds; i++)
			before |= b->kinds[i].verdict == fatal[f];
		if (now && !before)
			return true;
	}
	return false;
}

/* "pinned (abort) 9/9, clean 1/9" */
static void describe(const struct cell *cell, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned int i = 0; i < cell->n_kinds && len < size; i++) {
		const struct kind *kind = &cell->kinds[i];

		len += snprintf(out + len, size - len, "%s%s%s%s%s %u/%u", i ? ", " : "",
				verdict_table[kind->verdict].name,
				kind_level(kind) ? " (rung " : "",
				kind_level(kind) ? rung_names[kind->rung] : "",
				kind_level(kind) ? ")" : "", kind->count, cell->runs);
	}
	if (!cell->n_kinds)
		snprintf(out, size, "no runs");
}

static void say(struct judgement *out, enum finding_state state, double p,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
static void say(struct judgement *out, enum finding_state state, double p,
		const char *format, ...)
{
	va_list ap;

	out->state = state;
	out->p = p;
	va_start(ap, format);
	vsnprintf(out->sentence, sizeof(out->sentence), format, ap);
	va_end(ap);
}

/* A difference for the worse may be one that somebody has accepted. */
static void excuse(const struct row *row, const struct cell *c, const struct judge *judge,
		   struct judgement *out)
{
	const struct known_issue *issue = NULL, *expired = NULL;
	size_t len = strlen(out->sentence);
	char signature[40];

	for (unsigned int i = 0; i < c->n_kinds && !issue; i++) {
		signature[0] = '\0';
		if (c->kinds[i].signature)
			signature_format(c->kinds[i].verdict, c->kinds[i].signature,
					 signature);
		issue = known_find(judge->known, row->name, signature, judge->today,
				   &expired);
	}
	if (issue) {
		out->state = STATE_KNOWN;
		snprintf(out->sentence + len, sizeof(out->sentence) - len,
			 "; known until %s: %s", issue->until, issue->reason);
	} else if (expired) {
		snprintf(out->sentence + len, sizeof(out->sentence) - len,
			 "; it was accepted until %s (%s)", expired->until,
			 expired->reason);
	}
}

static void judge_difference(const struct qualification *q, const struct cell *c,
			     const struct cell *b, const struct contrast *contrast,
			     const char *what, bool *ret_open, struct judgement *out)
{
	double alpha = judge_alpha(q), suspect = JUDGE_SUSPECT;

	if (contrast->worse <= alpha) {
		say(out, STATE_WORSE, contrast->worse, "worse: %s (p = %.1e)", what,
		    contrast->worse);
	} else if (contrast->better <= alpha) {
		say(out, STATE_BETTER, contrast->better, "better: %s (p = %.1e)", what,
		    contrast->better);
	} else {
		*ret_open = c->runs < q->repeat_max || (b && b->runs < q->repeat_max);
		/* What the baseline shows, too, needs a stronger suspicion. */
		if (b && runs_from(b, contrast->level))
			suspect = JUDGE_SUSPECT_BOTH;
		if (contrast->worse < suspect || broke(c, b))
			say(out, STATE_UNDECIDED, contrast->worse,
			    "too few runs to tell: %s (p = %.2g)", what, contrast->worse);
		else
			say(out, STATE_FLAKY, contrast->worse,
			    "not always the same, no proof of a difference: %s (p = "
			    "%.2g)",
			    what, contrast->worse);
	}
}

static void judge_equal(const struct qualification *q, const struct row *row,
			const struct cell *c, const struct cell *b, const char *what,
			struct judgement *out)
{
	const struct kind *now = cell_main(c);
	bool other = b ? other_roots(c, b)
		       : now->verdict != (enum verdict)(row->scn.config.expect - 1);

	if (!other)
		say(out, STATE_SAME, 1, "%s", what);
	else
		say(out, q->strict ? STATE_WORSE : STATE_CHANGED, 1,
		    "as bad, for another reason: %s: %.300s%s%.300s", what, now->reason,
		    b ? "; before: " : "", b ? cell_main(b)->reason : "");
}

/* Found by fuzzing, and nothing to compare it with: only what nobody promised is worth a word. */
static void judge_alone(const struct cell *c, const char *what, struct judgement *out)
{
	const struct kind *now = cell_main(c);

	if (verdict_table[now->verdict].severity < SEVERITY_BUG)
		say(out, STATE_SAME, 1, "%s", what);
	else
		say(out, STATE_UNDECIDED, 1,
		    "found by fuzzing, and no baseline to tell whether it is new: %s: "
		    "%.300s",
		    what, now->reason);
}

bool judge_row(const struct qualification *q, struct row *row, unsigned int candidate,
	       const struct judge *judge)
{
	const struct cell *c = &row->cells[candidate];
	const struct cell *b = row_baseline(q, row, candidate);
	struct judgement *out = &row->judged[candidate];
	struct contrast contrast = {0};
	char what[400], now[150], then[150];
	bool open = false;

	describe(c, now, sizeof(now));
	if (b)
		describe(b, then, sizeof(then));
	else
		snprintf(then, sizeof(then), "%s expected",
			 row->scn.config.expect
				 ? verdict_table[row->scn.config.expect - 1].name
				 : "nothing");
	snprintf(what, sizeof(what), "%s; %s%s", now, b ? "baseline " : "", then);
	if (2 * c->runs < q->repeat || (b && 2 * b->runs < q->repeat) || !c->runs ||
	    (b && !b->runs)) {
		const struct cell *poor = 2 * c->runs < q->repeat ? c : b;

		say(out, STATE_UNTESTED, 1, "only %u of %u runs gave an answer%s%s",
		    poor->runs, q->repeat, poor->infra_reason[0] ? ": " : "",
		    poor->infra_reason);
		return false;
	}
	if (!b && !row->scn.config.expect) {
		judge_alone(c, what, out);
		if (out->state == STATE_UNDECIDED)
			excuse(row, c, judge, out);
		return false;
	}
	if (b)
		contrast_cells(c, b, &contrast);
	else
		contrast_expected(c, row->scn.config.expect - 1, &contrast);
	if (contrast.differs)
		judge_difference(q, c, b, &contrast, what, &open, out);
	else
		judge_equal(q, row, c, b, what, out);
	if (out->state == STATE_WORSE || out->state == STATE_UNDECIDED)
		excuse(row, c, judge, out);
	return open;
}
