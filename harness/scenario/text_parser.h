/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the text parser share: words (text_lex.c), settings (text_settings.c), all other
 * statements (text_parse.c), the sense of the whole (text_check.c).
 */
#ifndef SF_TEXT_PARSER_H
#define SF_TEXT_PARSER_H

#include <stdbool.h>
#include <string.h>

#include "names.h"
#include "text.h"

/* A place in the text, to be pointed at later. */
struct place {
	unsigned int line, column;
};

struct parser {
	const char *at, *line, *eol; /* cursor; begin and end of the current line */
	unsigned int line_no;
	struct scenario scn;
	struct text_error *error;
	unsigned int seen
		[8]; /* line of the first statement of a kind that may come once, else 0 */
	struct place placement;
	struct place task_kind[SCN_MAX_TASKS], task_parent[SCN_MAX_TASKS];
	struct place fault_opcode[SCN_MAX_FAULTS], fault_from[SCN_MAX_FAULTS];
	struct place step[SCN_MAX_STEPS], step_arg[SCN_MAX_STEPS];
};

/* Fills the error; returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int text_fail(struct parser *ps, struct place place,
						    const char *format, ...);

/* For "%.*s": a word of the text in a message, cut where it is too long. */
#define SHOWN(word) (int)((word).len < 40 ? (word).len : 40), (word).s

static inline bool word_is(struct word word, const char *s)
{
	return word.len == strlen(s) && !memcmp(word.s, s, word.len);
}

struct place text_place(const struct parser *ps, const char *at);
bool text_is_blank(char c);
void text_skip_blanks(struct parser *ps);
/* Nothing but blanks and a comment is left in the line. */
bool text_at_end(struct parser *ps);
/* The next word, or one of length 0 at the end of the line and before a colon. */
struct word text_word(struct parser *ps);
/* "expected WHAT, found ..." at the cursor. Returns -EINVAL. */
int text_fail_expected(struct parser *ps, const char *what);
int text_expect_colon(struct parser *ps, const char *after);
/* A word that must be one of the names; its index, or -EINVAL. "unknown WHAT ..." */
int text_expect_name(struct parser *ps, const struct names *names, const char *what,
		     struct place *ret_place);

/* What follows the colon of a statement. 0 or -EINVAL. */
int text_parse_expect(struct parser *ps);
int text_parse_config(struct parser *ps);
int text_parse_mount(struct parser *ps);
int text_parse_init(struct parser *ps);
int text_parse_open(struct parser *ps);
int text_parse_cache(struct parser *ps);

/*
 * Does the whole make sense, that is: is it canonical? Text is written by people, so that what
 * scenario_canonicalise() would mend in bytes is an error here.
 */
int text_check(struct parser *ps);

#endif
