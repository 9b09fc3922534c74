/* SPDX-License-Identifier: MIT */
/* Arguments as text: each class is a number, an indexed name, a name of a table or joined
 * flags. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "scenario.h"

static const char *const image_names[] = {"outside", "mount"};
static const char *const rw_names[] = {"load", "store"};
static const char *const lock_names[] = {"read", "write", "unlock"};
static const char *const gate_names[] = {"closed", "open"};

/* "fd" and 8 for fd0 .. fd7; NULL for a class that is written otherwise. */
static const char *index_prefix(enum arg_class class, unsigned int *ret_limit)
{
	switch (class) {
	case ARG_FD:
		*ret_limit = SCN_FD_SLOTS;
		return "fd";
	case ARG_MAP:
		*ret_limit = SCN_MAP_SLOTS;
		return "map";
	case ARG_PAGE:
		*ret_limit = SCN_PAGES;
		return "p";
	case ARG_TASK:
	case ARG_ACTOR:
		*ret_limit = SCN_MAX_TASKS;
		return "t";
	default:
		return NULL;
	}
}

/* The names of a class whose value is an index into them; false for other classes. */
static bool indexed_names(enum arg_class class, struct names *names)
{
	names->n = 0;
	switch (class) {
	case ARG_PATH:
		names_add_strings(names, path_table, PATH_COUNT);
		return true;
	case ARG_IMAGE:
		names_add_strings(names, image_names, 2);
		return true;
	case ARG_RW:
		names_add_strings(names, rw_names, 2);
		return true;
	case ARG_LOCK:
		names_add_strings(names, lock_names, 3);
		return true;
	case ARG_GATE:
		names_add_strings(names, gate_names, 2);
		return true;
	case ARG_SIG:
		names_add_table(names, signal_table);
		return true;
	default:
		return false;
	}
}

static const struct name_value *flag_table(enum arg_class class)
{
	return class == ARG_OFLAGS    ? oflag_table
	       : class == ARG_MFLAGS  ? mflag_table
	       : class == ARG_UNSHARE ? unshare_table
				      : NULL;
}

/* Flags of one group exclude each other: rdonly wronly rdwr; ro rw; private shared. */
static unsigned int flag_group(enum arg_class class, unsigned int index)
{
	if (class == ARG_OFLAGS && index < 3)
		return 0;
	if (class == ARG_MFLAGS && index < 4)
		return index / 2;
	return index;
}

/* What a group of two or three names stands for: the bits that they share. */
static unsigned int flag_mask(enum arg_class class, unsigned int index)
{
	if (class == ARG_OFLAGS && index < 3)
		return OFLAG_ACCMODE;
	if (class == ARG_MFLAGS && index < 2)
		return MFLAG_WRITE;
	return flag_table(class)[index].value;
}

static int format_flags(enum arg_class class, unsigned int v, char *buf, size_t size)
{
	const struct name_value *table = flag_table(class);
	int len = 0;

	for (unsigned int i = 0; table[i].name; i++) {
		/* "private" is not said: its mask is empty. */
		if (!flag_mask(class, i) || (v & flag_mask(class, i)) != table[i].value)
			continue;
		len += snprintf(len < (int)size ? buf + len : NULL,
				len < (int)size ? size - len : 0, "%s%s", len ? "|" : "",
				table[i].name);
	}
	return len;
}

int arg_format(enum arg_class class, unsigned int v, char *buf, size_t size)
{
	unsigned int limit;
	const char *prefix = index_prefix(class, &limit);
	struct names names;

	if (class == ARG_ACTOR && v == ACTOR_DAEMON)
		return snprintf(buf, size, "daemon");
	if (prefix)
		return snprintf(buf, size, "%s%u", prefix, v);
	if (indexed_names(class, &names))
		return snprintf(buf, size, "%s", v < names.n ? names.name[v] : "?");
	if (flag_table(class))
		return format_flags(class, v, buf, size);
	if (class == ARG_ERRNO) {
		for (const struct name_value *e = errno_table; e->name; e++) {
			if (e->value == v)
				return snprintf(buf, size, "%s", e->name);
		}
	}
	return snprintf(buf, size, "%u", v);
}

int number_parse(struct word word, unsigned int max, unsigned int *ret_v)
{
	unsigned int v = 0;

	if (!word.len || word.len > 7)
		return -EINVAL;
	for (size_t i = 0; i < word.len; i++) {
		if (word.s[i] < '0' || word.s[i] > '9')
			return -EINVAL;
		v = v * 10 + (word.s[i] - '0');
	}
	if (v > max)
		return -EINVAL;
	*ret_v = v;
	return 0;
}

static int wrong(enum arg_class class, struct word word, const struct names *names,
		 char *message, size_t size)
{
	snprintf(message, size, "expected %s (%s), found \"%.*s\"", arg_table[class].name,
		 arg_table[class].values, (int)(word.len < 40 ? word.len : 40), word.s);
	if (names)
		names_suggest(names, word, message, size);
	return -EINVAL;
}

static int parse_flags(enum arg_class class, struct word word, unsigned int *ret_v,
		       char *message, size_t size)
{
	const struct name_value *table = flag_table(class);
	struct names names = {0};
	unsigned int groups = 0, v = 0;

	names_add_table(&names, table);
	for (;;) {
		const char *bar = memchr(word.s, '|', word.len);
		struct word one = {word.s, bar ? (size_t)(bar - word.s) : word.len};
		int index = names_find(&names, one);

		if (index < 0)
			return wrong(class, one, &names, message, size);
		if (groups & 1u << flag_group(class, index)) {
			snprintf(message, size,
				 "\"%s\" repeats or contradicts a flag before it",
				 table[index].name);
			return -EINVAL;
		}
		groups |= 1u << flag_group(class, index);
		v |= table[index].value;
		if (!bar)
			break;
		word.len -= one.len + 1;
		word.s = bar + 1;
	}
	*ret_v = v;
	return 0;
}

static int parse_indexed(struct word word, const char *prefix, unsigned int limit,
			 unsigned int *ret_v)
{
	size_t len = strlen(prefix);

	if (word.len <= len || memcmp(word.s, prefix, len))
		return -EINVAL;
	/* fd07 is no other way to say fd7 */
	if (word.s[len] == '0' && word.len > len + 1)
		return -EINVAL;
	return number_parse((struct word){word.s + len, word.len - len}, limit - 1,
			    ret_v);
}

static int parse_number(enum arg_class class, struct word word, unsigned int *ret_v)
{
	unsigned int v;

	if (number_parse(word, 0xffff, &v) < 0 || arg_canonical(class, v) != v)
		return -EINVAL;
	*ret_v = v;
	return 0;
}

int arg_parse(enum arg_class class, struct word word, unsigned int *ret_v, char *message,
	      size_t size)
{
	unsigned int limit;
	const char *prefix = index_prefix(class, &limit);
	struct names names;
	int index;

	if (class == ARG_ACTOR && word.len == 6 && !memcmp(word.s, "daemon", 6)) {
		*ret_v = ACTOR_DAEMON;
		return 0;
	}
	if (prefix)
		return parse_indexed(word, prefix, limit, ret_v) < 0
			       ? wrong(class, word, NULL, message, size)
			       : 0;
	if (flag_table(class))
		return parse_flags(class, word, ret_v, message, size);
	if (indexed_names(class, &names) || class == ARG_ERRNO) {
		if (class == ARG_ERRNO)
			names_add_table(&names, errno_table);
		index = names_find(&names, word);
		if (index < 0)
			return wrong(class, word, &names, message, size);
		*ret_v = class == ARG_ERRNO ? errno_table[index].value
					    : (unsigned int)index;
		return 0;
	}
	return parse_number(class, word, ret_v) < 0
		       ? wrong(class, word, NULL, message, size)
		       : 0;
}
