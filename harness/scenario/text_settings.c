/* SPDX-License-Identifier: MIT */
/* The statements that set the run up: expect, config, mount, init, open, cache. */

#include <string.h>

#include "args.h"
#include "text_parser.h"
#include "verdict.h"

/* "key=2", or "daemon=word" where strings are given: the value is their index. */
struct setting {
	const char *key;
	unsigned int min, max;
	uint8_t *value;
	const char *const *strings;
};

static int parse_value(struct parser *ps, const struct setting *s, struct word text)
{
	struct names names = {0};
	struct place place;
	unsigned int v;
	int index;

	if (s->strings) {
		names_add_strings(&names, s->strings, s->max + 1);
		ps->at = text.s;
		index = text_expect_name(ps, &names, s->key, &place);
		if (index < 0)
			return index;
		v = index;
	} else if (number_parse(text, s->max, &v) < 0 || v < s->min) {
		return text_fail(ps, text_place(ps, text.s),
				 "expected %s=%u .. %u, found \"%.*s\"", s->key, s->min,
				 s->max, SHOWN(text));
	}
	*s->value = v;
	return 1;
}

/* 1: it was one of the settings, 0: it was not, or -EINVAL. */
static int parse_setting(struct parser *ps, struct word word,
			 const struct setting *settings, unsigned int *seen)
{
	const char *equals = memchr(word.s, '=', word.len);
	struct word key = {word.s, equals ? (size_t)(equals - word.s) : word.len};
	struct word text = {word.s + word.len, 0};

	if (equals)
		text = (struct word){equals + 1, word.len - key.len - 1};
	for (unsigned int i = 0; settings[i].key; i++) {
		if (!word_is(key, settings[i].key))
			continue;
		if (*seen & 1u << i)
			return text_fail(ps, text_place(ps, word.s),
					 "\"%s\" is given twice", settings[i].key);
		if (settings[i].strings)
			ps->placement = text_place(ps, word.s);
		*seen |= 1u << i;
		return parse_value(ps, &settings[i], text);
	}
	return 0;
}

static int parse_flag(struct parser *ps, struct word word, const struct name_value *table,
		      const struct setting *settings, unsigned int *bits)
{
	struct names names = {0};
	char hint[150] = "";
	int index;

	names_add_table(&names, table);
	index = names_find(&names, word);
	if (index < 0) {
		for (; settings->key; settings++)
			names_add(&names, settings->key);
		names_suggest(&names, word, hint, sizeof(hint));
		return text_fail(ps, text_place(ps, word.s), "unknown setting \"%.*s\"%s",
				 SHOWN(word), hint);
	}
	if (*bits & table[index].value)
		return text_fail(ps, text_place(ps, word.s), "\"%s\" is given twice",
				 table[index].name);
	*bits |= table[index].value;
	return 0;
}

static const struct setting no_settings[] = {{0}};

/* Flags of a table and settings, in any order, to the end of the line. */
static int parse_settings(struct parser *ps, const struct name_value *table,
			  const struct setting *settings, unsigned int *bits)
{
	unsigned int seen = 0;

	while (!text_at_end(ps)) {
		struct word word = text_word(ps);
		int ret;

		if (!word.len)
			return text_fail_expected(ps, "a setting");
		ret = parse_setting(ps, word, settings, &seen);
		if (ret == 0)
			ret = parse_flag(ps, word, table, settings, bits);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int text_parse_expect(struct parser *ps)
{
	struct names names = {0};
	struct place place;
	int verdict;

	for (int i = 0; i < VERDICT_COUNT; i++)
		names_add(&names, verdict_table[i].name);
	verdict = text_expect_name(ps, &names, "verdict", &place);
	if (verdict < 0)
		return verdict;
	ps->scn.config.expect = verdict + 1;
	return 0;
}

int text_parse_config(struct parser *ps)
{
	struct scn_config *config = &ps->scn.config;
	const struct setting settings[] = {
		{"daemon", 0, PLACE_COUNT - 1, &config->placement, placement_names},
		{"threads", 1, 4, &config->threads, NULL},
		{"cpus", 1, 2, &config->cpus, NULL},
		{0},
	};
	unsigned int bits = 0;
	int ret;

	ret = parse_settings(ps, daemon_table, settings, &bits);
	config->daemon = bits;
	return ret;
}

int text_parse_mount(struct parser *ps)
{
	unsigned int bits = 0;
	int ret = parse_settings(ps, mount_table, no_settings, &bits);

	ps->scn.config.mount = bits;
	return ret;
}

int text_parse_init(struct parser *ps)
{
	const struct setting settings[] = {
		{"max_background", 0, 255, &ps->scn.config.max_background, NULL},
		{0},
	};
	unsigned int bits = 0;
	int ret = parse_settings(ps, init_table, settings, &bits);

	ps->scn.config.init = bits;
	return ret;
}

int text_parse_open(struct parser *ps)
{
	unsigned int bits = 0;
	int ret = parse_settings(ps, open_table, no_settings, &bits);

	ps->scn.config.open = bits;
	return ret;
}

int text_parse_cache(struct parser *ps)
{
	static const char *const names_of[] = {"none", "hour"};
	struct names names = {0};
	struct place place;
	int ret;

	names_add_strings(&names, names_of, 2);
	ret = text_expect_name(ps, &names, "cache time", &place);
	if (ret >= 0)
		ps->scn.config.timeout = ret;
	return ret < 0 ? ret : 0;
}
