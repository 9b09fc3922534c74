/* SPDX-License-Identifier: MIT */
/* One class of hang, one number: a hash of the set of roots, and its mix with the verdict. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roots.h"

#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

static uint64_t fnv(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * FNV_PRIME;
	return hash;
}

#define DESCRIPTOR 128 /* role, frame (64) and phase of one root */

static const char *phase_of(const struct task_view *tv)
{
	if (tv->phase[0])
		return tv->phase;
	return view_exiting(tv) ? "exit" : "running";
}

void root_descriptor(const struct task_view *tv, char *out, size_t size)
{
	snprintf(out, size, "%s/%s/%s", role_names[tv->task->role], tv->frame,
		 phase_of(tv));
}

/* Its stack could not be read (procfs_read_task(), in_exec), and no request tells why it is in execve(2). */
static bool in_some_exec(const struct task_view *tv)
{
	static const char mark[] = "exec_update_lock_held";

	return !tv->req && tv->task->n_frames &&
	       !strncmp(tv->task->frames[0].name, mark, sizeof(mark) - 1);
}

uint64_t root_kind(const struct task_view *tv)
{
	const char *phase = phase_of(tv);
	uint8_t state = tv->req ? (uint8_t)(1 + tv->req->state) : 0;

	if (!tv->req && tv->wait != WAIT_REPLY && !wait_needs(tv->wait))
		return 0;
	if (in_some_exec(tv))
		return 0;
	return fnv(fnv(fnv(FNV_BASIS, tv->frame, strlen(tv->frame) + 1), phase,
		       strlen(phase)),
		   &state, 1);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int roots_hash(const struct view *view, uint64_t *ret_hash, char *text, size_t size)
{
	char(*set)[DESCRIPTOR] = calloc(view->n_roots + 1, DESCRIPTOR);
	uint64_t hash = FNV_BASIS;
	const char *last = "", *notify = view_notify(view, NULL);
	size_t n = 0, used = 0;

	if (!set)
		return -ENOMEM;
	for (size_t i = 0; i < view->n; i++) {
		if (!view->t[i].root)
			continue;
		root_descriptor(&view->t[i], set[n], DESCRIPTOR);
		/* Another cause than a request that is just dropped: the server holds the connection itself. */
		if (notify)
			snprintf(set[n] + strlen(set[n]), DESCRIPTOR - strlen(set[n]),
				 "/server in %s", notify);
		n++;
	}
	qsort(set, n, DESCRIPTOR, by_text);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(set[i], last))
			continue;
		last = set[i];
		hash = fnv(hash, last, strlen(last) + 1);
		if (used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used ? "; " : "", last);
	}
	for (char *p = text; *p; p++)
		*p = *p == '/' ? ' ' : *p;
	free(set);
	*ret_hash = hash;
	return 0;
}

uint64_t explain_signature(enum verdict verdict, const struct explanation *ex)
{
	uint8_t byte = (uint8_t)verdict;

	if (verdict == VERDICT_CLEAN || verdict == VERDICT_INFRA)
		return 0;
	return fnv(fnv(FNV_BASIS, &byte, 1), &ex->root_hash, sizeof(ex->root_hash));
}

void signature_format(enum verdict verdict, uint64_t signature, char out[40])
{
	snprintf(out, 40, "%s-%016llx",
		 verdict < VERDICT_COUNT ? verdict_table[verdict].name : "unknown",
		 (unsigned long long)signature);
}
