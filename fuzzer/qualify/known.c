/* SPDX-License-Identifier: MIT */
/* Reads the file of known issues and answers from it. */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzzer/campaign/file.h"
#include "known.h"

#define FILE_MAX (1 << 20) /* bytes */

static const char blanks[] = " \t\r";

__attribute__((format(printf, 3, 4))) static int wrong(char *err, unsigned int line,
						       const char *format, ...)
{
	va_list ap;
	int n = snprintf(err, 300, "line %u: ", line);

	va_start(ap, format);
	vsnprintf(err + n, 300 - n, format, ap);
	va_end(ap);
	return -EINVAL;
}

/* "YYYY-MM-DD", as such dates compare like text. */
static bool is_date(const char *text)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int month, day;

	for (int i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
			return false;
	month = (text[5] - '0') * 10 + text[6] - '0';
	day = (text[8] - '0') * 10 + text[9] - '0';
	return !text[10] && month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1];
}

/* Cuts the next word off *text. */
static bool word(char **text, char *out, size_t size)
{
	char *at = *text + strspn(*text, blanks);
	size_t len = strcspn(at, blanks);

	*text = at + len;
	snprintf(out, size, "%.*s", (int)len, at);
	return len > 0 && len < size;
}

static int parse_line(char *text, unsigned int line, struct known *known, char *err)
{
	struct known_issue *issue = &known->issues[known->n];
	char until[20];
	size_t len;

	text += strspn(text, blanks);
	if (!*text || *text == '#')
		return 0;
	if (known->n == KNOWN_MAX) {
		wrong(err, line, "more than %d issues", KNOWN_MAX);
		return -E2BIG;
	}
	if (!word(&text, issue->pattern, sizeof(issue->pattern)))
		return wrong(err, line, "the pattern is too long");
	if (!word(&text, until, sizeof(until)) || !is_date(until))
		return wrong(err, line, "'%s': expected a date, YYYY-MM-DD", until);
	memcpy(issue->until, until, 11);
	text += strspn(text, blanks);
	for (len = strlen(text); len && strchr(blanks, text[len - 1]); len--)
		;
	if (!len)
		return wrong(err, line, "no reason: why is '%s' accepted?",
			     issue->pattern);
	snprintf(issue->reason, sizeof(issue->reason), "%.*s", (int)len, text);
	known->n++;
	return 0;
}

int known_parse(const char *text, size_t len, struct known *ret_known, char *err)
{
	unsigned int line = 0;
	char buf[700];

	ret_known->n = 0;
	for (const char *end = text + len, *next; text < end; text = next) {
		const char *stop = memchr(text, '\n', end - text);
		size_t n = (stop ? stop : end) - text;
		int ret;

		line++;
		next = text + n + 1;
		if (memchr(text, '\0', n))
			return wrong(err, line, "a NUL byte");
		if (n >= sizeof(buf))
			return wrong(err, line, "longer than %zu bytes", sizeof(buf) - 1);
		memcpy(buf, text, n);
		buf[n] = '\0';
		ret = parse_line(buf, line, ret_known, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int known_load(const char *path, struct known *ret_known, char *err)
{
	char *text;
	size_t len;
	int ret;

	ret_known->n = 0;
	if (!path)
		return 0;
	ret = file_read(AT_FDCWD, path, FILE_MAX, &text, &len);
	if (ret < 0) {
		snprintf(err, 300, "%s", strerror(-ret));
		return ret;
	}
	ret = known_parse(text, len, ret_known, err);
	free(text);
	return ret;
}

const struct known_issue *known_find(const struct known *known, const char *name,
				     const char *signature, const char *today,
				     const struct known_issue **ret_expired)
{
	for (unsigned int i = 0; known && i < known->n; i++) {
		const struct known_issue *issue = &known->issues[i];

		if (fnmatch(issue->pattern, name, 0) &&
		    (!signature[0] || fnmatch(issue->pattern, signature, 0)))
			continue;
		if (strcmp(today, issue->until) <= 0)
			return issue;
		if (ret_expired)
			*ret_expired = issue;
	}
	return NULL;
}
