/* SPDX-License-Identifier: MIT */
/* A set of root causes by their names. */

#include <stdbool.h>
#include <string.h>

#include "roots.h"

static uint64_t hash(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3ull;
	return h ? h : 1;
}

static bool add(struct roots *roots, uint64_t key)
{
	unsigned int at = (unsigned int)(key ^ key >> 32) % ROOTS_MAX;

	for (; roots->seen[at]; at = (at + 1) % ROOTS_MAX)
		if (roots->seen[at] == key)
			return false;
	if (roots->n == ROOTS_MAX - 1)
		return false;
	roots->seen[at] = key;
	roots->n++;
	return true;
}

bool roots_has(const struct roots *roots, const char *root)
{
	uint64_t key = hash(root, strlen(root));
	unsigned int at = (unsigned int)(key ^ key >> 32) % ROOTS_MAX;

	for (; roots->seen[at]; at = (at + 1) % ROOTS_MAX)
		if (roots->seen[at] == key)
			return true;
	return roots->n == ROOTS_MAX - 1;
}

unsigned int roots_add(struct roots *roots, const char *text)
{
	unsigned int n = 0;

	for (;;) {
		size_t len = strcspn(text, ";");

		if (len)
			n += add(roots, hash(text, len));
		text += len;
		if (!*text)
			return n;
		text += strspn(text, "; ");
	}
}
