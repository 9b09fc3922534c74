/* SPDX-License-Identifier: MIT */
/* The longer answer: "because" lines with their evidence, victims folded, and what would free it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "roots.h"

#define SIGKILL_BIT (1ull << 8)

static void line_root(const struct view *view, const struct task_view *tv, FILE *out)
{
	const struct snap_task *task = tv->task;
	char name[64], stack[300];

	view_task_name(view, task, name, sizeof(name));
	wait_stack_text(task, 6, stack, sizeof(stack));
	fprintf(out, "because %s sleeps in %s (state %c%s%s%s)\n", name, stack,
		task->state, tv->phase[0] ? ", " : "", tv->phase,
		(task->sigpnd | task->shdpnd) & SIGKILL_BIT ? ", SIGKILL pending" : "");
}

static void line_request(const struct view *view, const struct task_view *tv, FILE *out)
{
	const struct snap_request *req = tv->req;

	if (!req) {
		if (tv->wait == WAIT_REPLY && view->snap->conn.ledger)
			fprintf(out,
				"because nobody has read that request from /dev/fuse\n");
		return;
	}
	fprintf(out, "because %s #%llu (node %llu, of ", opcode_name(req->opcode),
		(unsigned long long)req->unique, (unsigned long long)req->nodeid);
	if (req->pid)
		fprintf(out, "task %d", req->pid);
	else
		fprintf(out, "the kernel");
	fprintf(out, ") was read by thread %d", req->server);
	if (req->read_us >= 0)
		fprintf(out, " at %.1f ms", (double)req->read_us / 1000.0);
	fprintf(out, " and %s",
		req->state == LEDGER_HELD      ? "is withheld"
		: req->state == LEDGER_DROPPED ? "was dropped"
					       : "has not been answered");
	if (req->rule)
		fprintf(out, " by fault rule %u", req->rule);
	fputc('\n', out);
}

/* Why the connection outlives its server: close(2) of /dev/fuse comes last, fuse_dev_release(). */
static void line_pin(const struct view *view, FILE *out)
{
	const struct snap_conn *conn = &view->snap->conn;
	const struct task_view *pin = NULL;
	unsigned int holders = 0;
	char name[64];

	for (size_t i = 0; i < view->n; i++) {
		const struct task_view *tv = &view->t[i];

		if (tv->task->dev_fd < 0)
			continue;
		holders++;
		if (!pin && tv->stuck)
			pin = tv;
	}
	if (!conn->exists || view->daemon == DAEMON_ALIVE ||
	    view->daemon == DAEMON_STOPPED || !view->n_stuck)
		return;
	if (pin) {
		view_task_name(view, pin->task, name, sizeof(name));
		fprintf(out, "because %s holds /dev/fuse (descriptor %d) and %s\n", name,
			pin->task->dev_fd,
			view_exiting(pin) || (pin->task->sigpnd | pin->task->shdpnd) &
						     SIGKILL_BIT
				? "cannot die: the connection lives on"
				: "is stuck itself");
	} else if (!holders && conn->waiting > 0) {
		fprintf(out,
			"because connection %u stays alive (%d requests waiting) though "
			"nobody visible "
			"holds /dev/fuse: a dying process with an empty fd table still "
			"pins it\n",
			conn->number, conn->waiting);
	}
}

static void line_daemon(const struct view *view, FILE *out)
{
	const struct snap_conn *conn = &view->snap->conn;
	unsigned int threads = 0, stuck = 0, zombies = 0;

	for (size_t i = 0; i < view->n; i++) {
		const struct snap_task *task = view->t[i].task;

		if (!conn->daemon_pid || task->pid != conn->daemon_pid)
			continue;
		threads++;
		zombies += task->state == 'Z';
		stuck += view->t[i].stuck && task->state != 'Z';
	}
	if (view->daemon == DAEMON_DYING) {
		fprintf(out, "because process %d is dying", conn->daemon_pid);
		if (zombies)
			fprintf(out, ": %u of its threads %s", zombies,
				zombies > 1 ? "are zombies" : "is a zombie");
		if (stuck > 1)
			fprintf(out, "%s %u wait themselves", zombies ? "," : ":", stuck);
		fputc('\n', out);
	}
	if (view->daemon == DAEMON_BUSY && threads == 1)
		fprintf(out, "because the only thread of process %d waits itself\n",
			conn->daemon_pid);
	else if (view->daemon == DAEMON_BUSY)
		fprintf(out, "because all %u threads of process %d wait themselves\n",
			threads, conn->daemon_pid);
	else if (view->daemon == DAEMON_STOPPED)
		fprintf(out, "because process %d is stopped\n", conn->daemon_pid);
}

static bool is_shown(const struct view *view, size_t at, bool roots)
{
	const struct task_view *tv = &view->t[at];

	return (tv->stuck || tv->holder >= 0) && tv->root == roots &&
	       (int)at != view->main_root;
}

static bool is_alike(const struct task_view *a, const struct task_view *b)
{
	if (a->wait != b->wait)
		return false;
	return a->root ? !strcmp(a->frame, b->frame) : a->holder == b->holder;
}

/* ", frame" if it is not in the list yet; three at most, then "...". */
static void add_frame(char *list, size_t size, const char *frame, unsigned int *n)
{
	size_t len = strlen(list);

	if (!frame[0] || strstr(list, frame))
		return;
	if (++*n <= 3)
		snprintf(list + len, size - len, "%s%s", len ? ", " : "", frame);
	else if (*n == 4)
		snprintf(list + len, size - len, ", ...");
}

/* The line for all tasks that wait like this one, which are marked as done. */
static void line_alike(const struct view *view, size_t first, bool roots, bool *done,
		       FILE *out)
{
	const struct task_view *tv = &view->t[first];
	char name[64], frames[4 * SNAP_NAME] = "";
	unsigned int same = 0, n_frames = 0;

	for (size_t i = first; i < view->n; i++) {
		if (done[i] || !is_shown(view, i, roots) || !is_alike(tv, &view->t[i]))
			continue;
		done[i] = true;
		same++;
		add_frame(frames, sizeof(frames), view->t[i].frame, &n_frames);
	}
	view_task_name(view, tv->task, name, sizeof(name));
	if (same > 1)
		fprintf(out, "%s%u more tasks wait for %s", roots ? "also " : "", same,
			wait_needs(tv->wait) && !roots ? "the same lock"
			: tv->wait == WAIT_REPLY       ? "replies to their own requests"
						       : wait_noun(tv->wait));
	else
		fprintf(out, "%s%s waits for %s", roots ? "also " : "", name,
			wait_noun(tv->wait));
	if (frames[0])
		fprintf(out, " (%s)", frames);
	if (same > 1)
		fprintf(out, ", e.g. %s", name);
	if (tv->holder >= 0) {
		view_task_name(view, view->t[tv->holder].task, name, sizeof(name));
		fprintf(out, ": behind %s", name);
	}
	fputc('\n', out);
}

static void fold(const struct view *view, bool roots, FILE *out)
{
	bool *done = calloc(view->n + 1, sizeof(*done));

	for (size_t i = 0; done && i < view->n; i++)
		if (!done[i] && is_shown(view, i, roots))
			line_alike(view, i, roots, done, out);
	free(done);
}

static void line_cure(const struct view *view, FILE *out)
{
	const struct snap_conn *conn = &view->snap->conn;
	const struct task_view *tv;
	bool reply;

	if (view->main_root < 0)
		return;
	tv = &view->t[view->main_root];
	if (tv->wait == WAIT_UNKNOWN || tv->wait == WAIT_MEMBERS ||
	    tv->wait >= WAIT_SUPER_LOCK ||
	    (tv->wait == WAIT_FOLIO_LOCK && !tv->req &&
	     (wait_to_write(tv->task) || wait_for_migration(tv->task))))
		return; /* what is behind it is not known */
	reply = view->daemon == DAEMON_ALIVE || view->daemon == DAEMON_STOPPED;
	fprintf(out, "freed by ");
	if (view->daemon == DAEMON_STOPPED)
		fprintf(out, "continuing process %d, ", conn->daemon_pid);
	else if (reply && !view_serves(view, tv->task))
		fprintf(out, "a reply of the server, by its end if nobody else holds its "
			     "/dev/fuse, ");
	if (conn->number)
		fprintf(out, "%saborting connection %u", reply ? "or by " : "",
			conn->number);
	else
		fprintf(out, "%saborting the connection", reply ? "or by " : "");
	if (view_exiting(tv))
		fprintf(out, "; not by SIGKILL: an exiting task hears no signal");
	else if ((tv->task->sigpnd | tv->task->shdpnd) & SIGKILL_BIT)
		fprintf(out, "; not by SIGKILL");
	if (view->daemon == DAEMON_DYING)
		fprintf(out, "; not by killing process %d: it is dying already",
			conn->daemon_pid);
	fputc('\n', out);
}

int chain_write(const struct view *view, char **ret_chain)
{
	const struct task_view *tv;
	size_t size;
	FILE *out = open_memstream(ret_chain, &size);

	if (!out)
		return -ENOMEM;
	if (view->main_root >= 0) {
		tv = &view->t[view->main_root];
		line_root(view, tv, out);
		line_request(view, tv, out);
		line_daemon(view, out);
		line_pin(view, out);
	}
	fold(view, true, out);
	fold(view, false, out);
	line_cure(view, out);
	return fclose(out) ? -ENOMEM : 0;
}
