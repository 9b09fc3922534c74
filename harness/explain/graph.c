/* SPDX-License-Identifier: MIT */
/* The wait-for graph: tasks, requests, the daemon, locks and namespaces, and who waits for whom. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "roots.h"

#define MAX_NODES 60000 /* indices are 16 bits wide */

struct builder {
	const struct view *view;
	struct explanation *ex;
	size_t cap_nodes, cap_edges;
	int *of_task; /* node of each task, -1: none */
	int *lock_of; /* node of the lock that this task owns, by the waiters' kind: last one only */
	uint8_t *lock_kind;
	int daemon;
	bool failed;
};

/* Index of a new node, or -1. */
static int __attribute__((format(printf, 5, 6)))
add_node(struct builder *b, enum edge_kind kind, pid_t tid, uint64_t unique,
	 const char *fmt, ...)
{
	struct explanation *ex = b->ex;
	struct graph_node *node;
	va_list ap;

	if (b->failed || ex->n_nodes >= MAX_NODES)
		return -1;
	if (ex->n_nodes == b->cap_nodes) {
		b->cap_nodes = b->cap_nodes ? b->cap_nodes * 2 : 32;
		node = realloc(ex->nodes, b->cap_nodes * sizeof(*node));
		if (!node) {
			b->failed = true;
			return -1;
		}
		ex->nodes = node;
	}
	node = &ex->nodes[ex->n_nodes];
	node->kind = kind;
	node->tid = tid;
	node->unique = unique;
	va_start(ap, fmt);
	vsnprintf(node->label, sizeof(node->label), fmt, ap);
	va_end(ap);
	return (int)ex->n_nodes++;
}

static void __attribute__((format(printf, 4, 5)))
add_edge(struct builder *b, int from, int to, const char *fmt, ...)
{
	struct explanation *ex = b->ex;
	struct graph_edge *edge;
	va_list ap;

	if (b->failed || from < 0 || to < 0)
		return;
	if (ex->n_edges == b->cap_edges) {
		b->cap_edges = b->cap_edges ? b->cap_edges * 2 : 32;
		edge = realloc(ex->edges, b->cap_edges * sizeof(*edge));
		if (!edge) {
			b->failed = true;
			return;
		}
		ex->edges = edge;
	}
	edge = &ex->edges[ex->n_edges++];
	edge->from = (uint16_t)from;
	edge->to = (uint16_t)to;
	va_start(ap, fmt);
	vsnprintf(edge->why, sizeof(edge->why), fmt, ap);
	va_end(ap);
}

static int task_node(struct builder *b, size_t at)
{
	const struct task_view *tv = &b->view->t[at];
	char name[64];

	if (b->of_task[at] >= 0)
		return b->of_task[at];
	view_task_name(b->view, tv->task, name, sizeof(name));
	b->of_task[at] = add_node(b, EDGE_TASK, tv->task->tid, 0, "%s, %c%s%s", name,
				  tv->task->state, tv->phase[0] ? ", " : "", tv->phase);
	return b->of_task[at];
}

static const char *daemon_words(enum daemon_state state)
{
	static const char *const words[] = {
		[DAEMON_UNKNOWN] = "unknown", [DAEMON_ALIVE] = "alive",
		[DAEMON_STOPPED] = "stopped", [DAEMON_BUSY] = "alive, every thread stuck",
		[DAEMON_DYING] = "dying",     [DAEMON_GONE] = "gone",
	};

	return words[state];
}

/* The node of the daemon, with edges to those of its threads that are stuck. */
static int daemon_node(struct builder *b)
{
	const struct view *view = b->view;
	pid_t pid = view->snap->conn.daemon_pid;

	if (b->daemon >= 0)
		return b->daemon;
	if (view->daemon == DAEMON_GONE || view->daemon == DAEMON_UNKNOWN)
		return b->daemon =
			       add_node(b, EDGE_NOBODY, pid, 0, "no server: %s",
					view->daemon == DAEMON_GONE
						? "the daemon is gone"
						: "nobody is known to hold /dev/fuse");
	b->daemon = add_node(b, EDGE_DAEMON, pid, 0, "daemon process %d: %s", pid,
			     daemon_words(view->daemon));
	if (view->daemon != DAEMON_ALIVE)
		for (size_t i = 0; i < view->n; i++)
			if (view->t[i].stuck && view_serves(view, view->t[i].task) &&
			    (!pid || view->t[i].task->pid == pid))
				add_edge(b, b->daemon, task_node(b, i),
					 "its thread is stuck");
	return b->daemon;
}

static const char *ledger_words(uint8_t state)
{
	switch (state) {
	case LEDGER_READ:
		return "read, being handled";
	case LEDGER_HELD:
		return "read and withheld";
	case LEDGER_DROPPED:
		return "read and dropped";
	default:
		return "answered";
	}
}

/* One node a request of the ledger; one a task where nobody ever read it. */
static int request_node(struct builder *b, size_t at)
{
	const struct task_view *tv = &b->view->t[at];
	char name[64];
	int node, server = -1;

	view_request_name(tv, name, sizeof(name));
	if (!tv->req) {
		node = add_node(b, EDGE_REQUEST, tv->task->tid, 0, "%s%s", name,
				b->view->snap->conn.ledger ? ", never read" : "");
		add_edge(b, node, daemon_node(b), "only it could answer");
		return node;
	}
	for (size_t i = 0; i < b->ex->n_nodes; i++)
		if (b->ex->nodes[i].kind == EDGE_REQUEST &&
		    b->ex->nodes[i].unique == tv->req->unique)
			return (int)i;
	node = add_node(b, EDGE_REQUEST, tv->req->pid, tv->req->unique, "%s, %s", name,
			ledger_words(tv->req->state));
	for (size_t i = 0; tv->req->state == LEDGER_READ && i < b->view->n; i++)
		if (b->view->t[i].task->tid == tv->req->server && b->view->t[i].stuck)
			server = (int)i;
	if (server >= 0)
		add_edge(b, node, task_node(b, (size_t)server), "it read the request");
	else
		add_edge(b, node, daemon_node(b), "%s", ledger_words(tv->req->state));
	return node;
}

/* A lock is one node for each owner and kind of wait. */
static int lock_node(struct builder *b, const struct task_view *tv)
{
	size_t owner = (size_t)tv->holder;
	int node;

	if (b->lock_of[owner] >= 0 && b->lock_kind[owner] == tv->wait)
		return b->lock_of[owner];
	node = add_node(b, tv->wait == WAIT_MEMBERS ? EDGE_NAMESPACE : EDGE_LOCK, 0, 0,
			"%s", wait_noun(tv->wait));
	add_edge(b, node, task_node(b, owner), "presumably held by it");
	b->lock_of[owner] = node;
	b->lock_kind[owner] = tv->wait;
	return node;
}

static void add_members(struct builder *b, size_t at)
{
	const struct view *view = b->view;
	const struct snap_task *self = view->t[at].task;
	int ns = add_node(b, EDGE_NAMESPACE, self->tid, self->pidns, "its pid namespace");

	add_edge(b, task_node(b, at), ns, "zap_pid_ns_processes");
	for (size_t i = 0; i < view->n; i++) {
		const struct snap_task *other = view->t[i].task;

		if (i != at && (view->t[i].stuck || other->state == 'Z') &&
		    (other->pidns == self->pidns || !other->pidns ||
		     other->ppid == self->pid))
			add_edge(b, ns, task_node(b, i), "a member that is left");
	}
}

static void add_task(struct builder *b, size_t at)
{
	const struct task_view *tv = &b->view->t[at];
	int self = task_node(b, at);

	if (tv->wait == WAIT_REPLY || tv->wait == WAIT_INIT_REPLY || tv->req) {
		add_edge(b, self, request_node(b, at), "%s", tv->frame);
	} else if (tv->wait == WAIT_MEMBERS) {
		add_members(b, at);
	} else if (tv->holder >= 0 && wait_needs(tv->wait)) {
		add_edge(b, self, lock_node(b, tv), "%s", tv->frame);
	} else if (tv->holder >= 0) {
		add_edge(b, self, task_node(b, (size_t)tv->holder), "%s",
			 tv->wait == WAIT_UNKNOWN ? "unknown wait" : wait_noun(tv->wait));
	} else {
		add_edge(b, self,
			 add_node(b, EDGE_NOBODY, 0, 0, "%s: nobody known holds it up",
				  wait_noun(tv->wait)),
			 "%s", tv->frame);
	}
}

int graph_build(const struct view *view, struct explanation *ex)
{
	struct builder b = {.view = view, .ex = ex, .daemon = -1};
	size_t n = view->n + 1;

	b.of_task = malloc(n * sizeof(*b.of_task));
	b.lock_of = malloc(n * sizeof(*b.lock_of));
	b.lock_kind = calloc(n, 1);
	b.failed = !b.of_task || !b.lock_of || !b.lock_kind;
	for (size_t i = 0; !b.failed && i < n; i++)
		b.of_task[i] = b.lock_of[i] = -1;
	for (size_t i = 0; !b.failed && i < view->n; i++) {
		const struct task_view *tv = &view->t[i];

		if (tv->stuck || tv->holder >= 0)
			add_task(&b, i);
	}
	free(b.of_task);
	free(b.lock_of);
	free(b.lock_kind);
	return b.failed ? -ENOMEM : 0;
}
