/* SPDX-License-Identifier: MIT */
/* Lists of names, and the nearest of them to a misspelt word. */

#include "names.h"

#include <stdio.h>
#include <string.h>
#include <sys/param.h>

#define MAX_LISTED 9  /* a longer list helps nobody */
#define MAX_WORD   32 /* no name is longer */

void names_add(struct names *names, const char *name)
{
	if (names->n < NAMES_MAX)
		names->name[names->n++] = name;
}

void names_add_table(struct names *names, const struct name_value *table)
{
	for (; table->name; table++)
		names_add(names, table->name);
}

void names_add_strings(struct names *names, const char *const *strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		names_add(names, strings[i]);
}

void names_add_ops(struct names *names)
{
	for (size_t i = 0; i < OP_COUNT; i++)
		names_add(names, op_table[i].name);
}

void names_add_faults(struct names *names)
{
	for (size_t i = 0; i < FAULT_COUNT; i++)
		names_add(names, fault_table[i].name);
}

int names_find(const struct names *names, struct word word)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strlen(names->name[i]) == word.len &&
		    !memcmp(names->name[i], word.s, word.len))
			return i;
	}
	return -1;
}

/* Levenshtein distance, letters of either case alike. */
static unsigned int distance(const char *name, struct word word)
{
	unsigned int row[MAX_WORD + 1];
	size_t len = strlen(name);

	if (len > MAX_WORD || word.len > MAX_WORD)
		return MAX_WORD;
	for (size_t i = 0; i <= len; i++)
		row[i] = i;
	for (size_t j = 1; j <= word.len; j++) {
		unsigned int diagonal = row[0];

		row[0] = j;
		for (size_t i = 1; i <= len; i++) {
			unsigned int same = (name[i - 1] | 32) == (word.s[j - 1] | 32);
			unsigned int best =
				MIN(diagonal + !same, MIN(row[i], row[i - 1]) + 1);

			diagonal = row[i];
			row[i] = best;
		}
	}
	return row[len];
}

void names_suggest(const struct names *names, struct word word, char *buf, size_t size)
{
	unsigned int best = MIN(word.len / 3 + 1, 3u) + 1;
	const char *near = NULL;
	size_t len = strlen(buf);

	for (size_t i = 0; i < names->n; i++) {
		unsigned int d = distance(names->name[i], word);

		if (d < best && d < strlen(names->name[i])) {
			best = d;
			near = names->name[i];
		}
	}
	if (near) {
		snprintf(buf + len, size - len, "; did you mean \"%s\"?", near);
		return;
	}
	if (names->n > MAX_LISTED)
		return;
	for (size_t i = 0; i < names->n && len < size - 1; i++) {
		snprintf(buf + len, size - len, "%s%s", i ? ", " : "; expected one of ",
			 names->name[i]);
		len += strlen(buf + len);
	}
}
