/* SPDX-License-Identifier: MIT */
/* Lists of names: look one up, or tell a person which ones there are. */
#ifndef SF_NAMES_H
#define SF_NAMES_H

#include <stddef.h>

#include "tables.h"

#define NAMES_MAX 192

/* A word of text, not ended by NUL. */
struct word {
	const char *s;
	size_t len;
};

/* Borrowed strings, in the order of their index. */
struct names {
	size_t n;
	const char *name[NAMES_MAX];
};

void names_add(struct names *names, const char *name);
void names_add_table(struct names *names, const struct name_value *table);
void names_add_strings(struct names *names, const char *const *strings, size_t n);
void names_add_ops(struct names *names);
void names_add_faults(struct names *names);

/* Index, or -1. */
int names_find(const struct names *names, struct word word);

/*
 * Appends to buf (a string of at most size bytes with its NUL) what could have been meant:
 * `; did you mean "open"?` where a name is near, else "; expected one of a, b, c" where they are few.
 */
void names_suggest(const struct names *names, struct word word, char *buf, size_t size);

#endif
