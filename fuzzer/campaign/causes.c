/* SPDX-License-Identifier: MIT */
/* Takes the causes out of a result. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "causes.h"
#include "harness/explain/explain.h"

#define IN_NAMESPACE ", a pid namespace waits for it"

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

/*
 * Does a namespace die that a root holds up? The same root alone is another hang for who has to repair it: with the
 * namespace go all its tasks, and a container that cannot be removed is left.
 */
static bool namespace_dies(const json_t *details)
{
	const json_t *task, *frame;
	size_t i, k;

	json_array_foreach(json_object_get(details, "tasks"), i, task)
	{
		const char *state = json_string_value(json_object_get(task, "state"));

		if (!state || *state == 'Z')
			continue;
		json_array_foreach(json_object_get(task, "kstack"), k, frame)
		{
			const char *name = json_string_value(frame);

			if (name && !strncmp(name, "zap_pid_ns_processes", 20))
				return true;
		}
	}
	return false;
}

static void add_namespace(struct causes *causes)
{
	for (unsigned int i = 0; i < causes->n; i++) {
		struct cause *cause = &causes->list[i];
		size_t len = strlen(cause->text);

		snprintf(cause->text + len, sizeof(cause->text) - len, "%s",
			 IN_NAMESPACE);
		cause->signature =
			fnv(cause->signature, IN_NAMESPACE, sizeof(IN_NAMESPACE));
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
	/* One cause is the run's own: the signature comes from where the run was made. */
	if (ret->n < 2)
		ret->list[0].signature = res->signature;
	ret->n = ret->n ? ret->n : 1;
	if (ret->list[0].text[0] && namespace_dies(details))
		add_namespace(ret);
	json_decref(details);
}

void causes_sign(struct result *res, const struct causes *causes)
{
	if (causes->n == 1)
		res->signature = causes->list[0].signature;
}

int causes_find(const struct causes *causes, const char *text)
{
	for (unsigned int i = 0; i < causes->n; i++)
		if (!strcmp(causes->list[i].text, text))
			return (int)i;
	return -1;
}

void causes_format(const struct causes *causes, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < causes->n; i++) {
		const char *text = causes->list[i].text;

		if (used + strlen(text) + 3 > size)
			return;
		used += (size_t)snprintf(buf + used, size - used, "%s%s",
					 used ? "; " : "", text);
	}
}
