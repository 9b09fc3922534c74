/* SPDX-License-Identifier: MIT */
/* Graphviz source of a wait-for graph; tasks that wait alike are one node. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

#define SHOWN 3 /* alike tasks that are drawn before the rest is folded */

static void put_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text >= ' ' ? *text : ' ', out);
	}
	fputc('"', out);
}

static bool is_root(const struct explanation *ex, const struct graph_node *node)
{
	for (size_t i = 0; node->kind == EDGE_TASK && i < ex->n_roots; i++)
		if (ex->roots[i] == node->tid)
			return true;
	return false;
}

/* The only edge of a node that nobody points to, or NULL. */
static const struct graph_edge *only_edge(const struct explanation *ex,
					  const uint32_t *in, const uint32_t *first,
					  size_t node)
{
	if (in[node] || first[node] == UINT32_MAX || ex->nodes[node].kind != EDGE_TASK)
		return NULL;
	return &ex->edges[first[node]];
}

/* Where a task's wait ends, for telling that two wait alike. An unread request is nobody's but its
 * sender's: it counts as what it points to. */
static uint32_t goal_of(const struct explanation *ex, const uint32_t *in,
			const uint32_t *first, const struct graph_edge *edge)
{
	const struct graph_node *to = &ex->nodes[edge->to];

	if (to->kind == EDGE_REQUEST && !to->unique && in[edge->to] == 1 &&
	    first[edge->to] != UINT32_MAX)
		return 0x10000u + ex->edges[first[edge->to]].to;
	if (to->kind == EDGE_NOBODY && in[edge->to] == 1)
		return 0x20000u;
	return edge->to;
}

/* Marks nodes to leave out and counts them in more[] of the first node that is like them. */
static void fold(const struct explanation *ex, const uint32_t *in, const uint32_t *first,
		 bool *hidden, uint32_t *more)
{
	for (size_t i = 0; i < ex->n_nodes; i++) {
		const struct graph_edge *a = only_edge(ex, in, first, i);
		uint32_t alike = 0;

		if (!a || hidden[i] || more[i] == UINT32_MAX)
			continue;
		for (size_t j = i + 1; j < ex->n_nodes; j++) {
			const struct graph_edge *b = only_edge(ex, in, first, j);

			if (!b || hidden[j] || more[j] == UINT32_MAX ||
			    strcmp(a->why, b->why) ||
			    goal_of(ex, in, first, a) != goal_of(ex, in, first, b))
				continue;
			if (++alike < SHOWN) {
				more[j] = UINT32_MAX; /* drawn, not compared again */
				continue;
			}
			hidden[j] = true;
			if (a->to != b->to)
				hidden[b->to] = true;
		}
		more[i] = alike >= SHOWN ? alike - SHOWN + 1 : 0;
	}
}

static void put_node(const struct explanation *ex, size_t at, uint32_t more, FILE *out)
{
	static const char *const shapes[] = {
		[EDGE_TASK] = "box",	     [EDGE_REQUEST] = "ellipse",
		[EDGE_DAEMON] = "box3d",     [EDGE_LOCK] = "diamond",
		[EDGE_NAMESPACE] = "folder", [EDGE_NOBODY] = "octagon",
	};
	const struct graph_node *node = &ex->nodes[at];

	fprintf(out, "\tn%zu [shape=%s, label=", at, shapes[node->kind]);
	put_quoted(node->label, out);
	if (is_root(ex, node))
		fprintf(out, ", style=filled, fillcolor=\"#f4c7c3\"");
	fprintf(out, "];\n");
	if (more && more != UINT32_MAX) {
		fprintf(out, "\tm%zu [shape=box, style=dashed, label=\"%u more\"];\n", at,
			more);
		for (size_t i = 0; i < ex->n_edges; i++)
			if (ex->edges[i].from == at)
				fprintf(out, "\tm%zu -> n%u [style=dashed];\n", at,
					ex->edges[i].to);
	}
}

int explain_dot(const struct snapshot *snap, const struct explanation *ex,
		struct _IO_FILE *out)
{
	size_t n = ex->n_nodes + 1;
	uint32_t *in = calloc(n, sizeof(*in)), *first = malloc(n * sizeof(*first));
	uint32_t *more = calloc(n, sizeof(*more));
	bool *hidden = calloc(n, sizeof(*hidden));
	int ret = -ENOMEM;

	if (!in || !first || !more || !hidden)
		goto out;
	memset(first, 0xff, n * sizeof(*first));
	for (size_t i = 0; i < ex->n_edges; i++) {
		in[ex->edges[i].to]++;
		if (first[ex->edges[i].from] == UINT32_MAX)
			first[ex->edges[i].from] = (uint32_t)i;
	}
	fold(ex, in, first, hidden, more);
	fprintf(out,
		"digraph waits {\n\trankdir=LR;\n\tnode [fontname=\"sans-serif\", "
		"fontsize=10];\n"
		"\tedge [fontname=\"sans-serif\", fontsize=9];\n\tlabelloc=t;\n\tlabel=");
	put_quoted(ex->reason, out);
	fprintf(out, ";\n");
	if (snap->conn.number)
		fprintf(out, "\ttooltip=\"connection %u\";\n", snap->conn.number);
	for (size_t i = 0; i < ex->n_nodes; i++)
		if (!hidden[i])
			put_node(ex, i, more[i], out);
	for (size_t i = 0; i < ex->n_edges; i++) {
		const struct graph_edge *edge = &ex->edges[i];

		if (hidden[edge->from] || hidden[edge->to])
			continue;
		fprintf(out, "\tn%u -> n%u [label=", edge->from, edge->to);
		put_quoted(edge->why, out);
		fprintf(out, "];\n");
	}
	fprintf(out, "}\n");
	ret = ferror(out) ? -EIO : 0;
out:
	free(in);
	free(first);
	free(more);
	free(hidden);
	return ret;
}
