/* SPDX-License-Identifier: MIT */
/* Puts an explanation together from its parts. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "roots.h"

static int list_roots(const struct view *view, struct explanation *ex)
{
	ex->roots = calloc(view->n_roots + 1, sizeof(*ex->roots));
	ex->kinds = calloc(view->n_roots + 1, sizeof(*ex->kinds));
	if (!ex->roots || !ex->kinds)
		return -ENOMEM;
	for (size_t i = 0; i < view->n; i++) {
		const struct task_view *tv = &view->t[i];

		if (!tv->root)
			continue;
		ex->kinds[ex->n_roots] = root_kind(tv);
		ex->roots[ex->n_roots++] = tv->task->tid;
		if (tv->req) {
			ex->root_held |= tv->req->state == LEDGER_HELD;
			ex->root_dropped |= tv->req->state == LEDGER_DROPPED;
			ex->root_served |= tv->req->state == LEDGER_READ;
		} else if (tv->wait == WAIT_REPLY || tv->wait == WAIT_INIT_REPLY) {
			bool own = view_serves(view, tv->task);

			/* A server that is stuck in its own mount never had the chance to read it. */
			ex->root_own |= view->snap->conn.ledger && own;
			ex->root_unread |= view->snap->conn.ledger && !own &&
					   view->daemon != DAEMON_BUSY;
		}
	}
	return 0;
}

int explain_snapshot(const struct snapshot *snap, struct explanation *ret_ex)
{
	struct explanation ex = {0};
	struct view view;
	int ret;

	ret = view_init(&view, snap);
	if (ret < 0)
		return ret;
	ret = list_roots(&view, &ex);
	if (!ret)
		ret = roots_hash(&view, &ex.root_hash, ex.roots_text,
				 sizeof(ex.roots_text));
	if (!ret)
		ret = graph_build(&view, &ex);
	if (!ret)
		ret = chain_write(&view, &ex.chain);
	if (!ret) {
		reason_write(&view, ex.reason, sizeof(ex.reason));
		*ret_ex = ex;
	} else {
		explanation_release(&ex);
	}
	view_release(&view);
	return ret;
}

void explanation_release(struct explanation *ex)
{
	free(ex->nodes);
	free(ex->edges);
	free(ex->roots);
	free(ex->kinds);
	free(ex->chain);
	memset(ex, 0, sizeof(*ex));
}
