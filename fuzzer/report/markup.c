/* SPDX-License-Identifier: MIT */
/* Escapes text for XML, HTML and KTAP. */

#include <stdint.h>
#include <string.h>

#include "markup.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Length of the UTF-8 sequence at text with its code point, 0: it is none. No overlong forms, no surrogates. */
static size_t sequence(const unsigned char *text, uint32_t *ret_code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = text[0] < 0x80   ? 1
		     : text[0] < 0xc2 ? 0
		     : text[0] < 0xe0 ? 2
		     : text[0] < 0xf0 ? 3
		     : text[0] < 0xf5 ? 4
				      : 0;
	uint32_t code = len == 1 ? text[0] : text[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (!len || code < least[len] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret_code = code;
	return len;
}

/* Production Char of XML 1.0, without C1 controls. */
static int is_char(uint32_t code)
{
	if (code < 0x20)
		return code == '\t' || code == '\n' || code == '\r';
	return !(code >= 0x7f && code < 0xa0) && code != 0xfffe && code != 0xffff;
}

static const char *entity(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void markup_xml(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	uint32_t code;

	while (*at) {
		size_t len = sequence(at, &code);
		const char *name = len ? entity(code) : NULL;

		if (name)
			fputs(name, out);
		else if (len && is_char(code))
			fwrite(at, 1, len, out);
		else
			fputs(REPLACEMENT, out);
		at += len ? len : 1;
	}
}

static void one_line(FILE *out, const char *text, size_t n, int no_hash)
{
	const unsigned char *at = (const unsigned char *)text, *end = at + n;
	uint32_t code;

	while (at < end) {
		size_t len = sequence(at, &code);

		if (!len)
			fputs(REPLACEMENT, out);
		else if (!is_char(code) || code == '\n' || code == '\r' || code == '\t')
			fputc(' ', out);
		else if (no_hash && code == '#')
			fputc('_', out);
		else
			fwrite(at, 1, len, out);
		at += len ? len : 1;
	}
}

void markup_ktap_name(FILE *out, const char *text)
{
	one_line(out, text, strlen(text), 1);
}

void markup_ktap_note(FILE *out, const char *indent, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		fprintf(out, "%s# ", indent);
		one_line(out, text, n, 0);
		fputc('\n', out);
		text += n + (text[n] == '\n');
	}
}
