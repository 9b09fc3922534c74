/* SPDX-License-Identifier: MIT */
/* Words of scenario text, and messages that point at them. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text_parser.h"

int text_fail(struct parser *ps, struct place place, const char *format, ...)
{
	va_list ap;

	ps->error->line = place.line;
	ps->error->column = place.column;
	va_start(ap, format);
	vsnprintf(ps->error->message, sizeof(ps->error->message), format, ap);
	va_end(ap);
	return -EINVAL;
}

struct place text_place(const struct parser *ps, const char *at)
{
	return (struct place){ps->line_no, at - ps->line + 1};
}

bool text_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

void text_skip_blanks(struct parser *ps)
{
	while (ps->at < ps->eol && text_is_blank(*ps->at))
		ps->at++;
}

/* Nothing but blanks and a comment is left in the line. */
bool text_at_end(struct parser *ps)
{
	text_skip_blanks(ps);
	return ps->at == ps->eol || *ps->at == '#';
}

/* The next word, or one of length 0 at the end of the line and before a colon. */
struct word text_word(struct parser *ps)
{
	struct word word;

	text_skip_blanks(ps);
	word.s = ps->at;
	while (ps->at < ps->eol && !text_is_blank(*ps->at) && *ps->at != ':' &&
	       *ps->at != '#')
		ps->at++;
	word.len = ps->at - word.s;
	return word;
}

/* "expected WHAT, found ..." at the cursor. */
int text_fail_expected(struct parser *ps, const char *what)
{
	const char *at;
	struct word found;

	if (text_at_end(ps))
		return text_fail(ps, text_place(ps, ps->at),
				 "expected %s, found the end of the line", what);
	at = ps->at;
	found = text_word(ps);
	if (!found.len)
		found.len = 1;
	return text_fail(ps, text_place(ps, at), "expected %s, found \"%.*s\"", what,
			 SHOWN(found));
}

int text_expect_colon(struct parser *ps, const char *after)
{
	char what[60];

	text_skip_blanks(ps);
	if (ps->at < ps->eol && *ps->at == ':') {
		ps->at++;
		return 0;
	}
	snprintf(what, sizeof(what), "\":\" after %s", after);
	return text_fail_expected(ps, what);
}

/* A word that must be one of the names; its index, or -EINVAL. */
int text_expect_name(struct parser *ps, const struct names *names, const char *what,
		     struct place *ret_place)
{
	char hint[150] = "";
	struct word word;
	int index;

	text_skip_blanks(ps);
	word = text_word(ps);
	*ret_place = text_place(ps, word.s);
	if (!word.len)
		return text_fail_expected(ps, what);
	index = names_find(names, word);
	if (index >= 0)
		return index;
	names_suggest(names, word, hint, sizeof(hint));
	return text_fail(ps, *ret_place, "unknown %s \"%.*s\"%s", what, SHOWN(word),
			 hint);
}
