/* SPDX-License-Identifier: MIT */
/* Takes the causes out of a result. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "causes.h"
#include "harness/explain/explain.h"

#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

static uint64_t fnv(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * FNV_PRIME;
	return hash;
}

/* As explain_signature() has it for a run with this root alone: "min" and "replay" get the same number. */
static uint64_t signature_of(enum verdict verdict, const char *text)
{
	char descriptor[CAUSE_TEXT];
	uint8_t byte = (uint8_t)verdict;
	uint64_t hash;

	snprintf(descriptor, sizeof(descriptor), "%s", text);
	for (char *p = descriptor; *p; p++)
		*p = *p == ' ' ? '/' : *p;
	hash = fnv(FNV_BASIS, descriptor, strlen(descriptor) + 1);
	return fnv(fnv(FNV_BASIS, &byte, 1), &hash, sizeof(hash));
}

/* The list of the evidence: "worker fuse_flush exit_files; init fuse_file_open running". */
static void split(const char *text, enum verdict verdict, struct causes *ret)
{
	/* The evidence has room for so much; half a name is none. */
	bool torn = strlen(text) + 1 >= EXPLAIN_ROOTS_MAX;

	while (*text && ret->n < CAUSES_MAX) {
		size_t len = strcspn(text, ";");
		struct cause *cause = &ret->list[ret->n];

		if (torn && !text[len])
			break;
		snprintf(cause->text, sizeof(cause->text), "%.*s", (int)len, text);
		cause->signature = signature_of(verdict, cause->text);
		ret->n += len > 0;
		text += len;
		text += strspn(text, "; ");
	}
}

void causes_of(const struct result *res, struct causes *ret)
{
	json_t *details = NULL;
	const char *text;

	memset(ret, 0, sizeof(*ret));
	if (verdict_table[res->verdict].severity < SEVERITY_CONTRACT)
		return;
	details = res->json ? json_loads(res->json, 0, NULL) : NULL;
	text = json_string_value(json_object_get(details, "roots"));
	if (text)
		split(text, res->verdict, ret);
	json_decref(details);
	/* One cause is the run's own: the signature comes from where the run was made. */
	if (ret->n < 2)
		ret->list[0].signature = res->signature;
	ret->n = ret->n ? ret->n : 1;
}

int causes_find(const struct causes *causes, const char *text)
{
	for (unsigned int i = 0; i < causes->n; i++)
		if (!strcmp(causes->list[i].text, text))
			return (int)i;
	return -1;
}
