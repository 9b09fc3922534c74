/* SPDX-License-Identifier: MIT */
/* Prints a snapshot for people. */
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "harness/scenario/verdict.h"
#include "harness/snapshot/names.h"

#define SIGNALS_SIZE 1024 /* all 64 names */

/* Each line of text behind an indent; escape sequences of a comm or a log line do not reach the terminal. */
static void print_block(FILE *out, const char *indent, const char *text)
{
	bool start = true;

	for (; *text; text++) {
		if (start)
			fputs(indent, out);
		start = *text == '\n';
		fputc((*text >= 0 && *text < ' ' && *text != '\n' && *text != '\t')
			      ? '?'
			      : *text,
		      out);
	}
	if (!start)
		fputc('\n', out);
}

/* NULL and "" are both "unknown". */
static bool given(const char *s)
{
	return s && *s;
}

static void print_head(const struct snapshot *snap, const struct snapshot_head *head,
		       FILE *out)
{
	if (given(head->verdict))
		fprintf(out, "%s", head->verdict);
	if (given(head->severity))
		fprintf(out, " (%s)", head->severity);
	if (given(head->rung))
		fprintf(out, "%srung %s", given(head->verdict) ? ", " : "", head->rung);
	if (snap->release[0])
		fprintf(out, "%sLinux %s",
			given(head->verdict) || given(head->rung) ? ", " : "",
			snap->release);
	fputc('\n', out);
	if (given(head->signature))
		fprintf(out, "signature %s\n", head->signature);
	if (given(head->reason))
		print_block(out, "", head->reason);
	if (given(head->chain)) {
		fprintf(out, "\nWHY\n");
		print_block(out, "  ", head->chain);
	}
}

static bool is_root(const struct snapshot_head *head, pid_t tid)
{
	for (size_t i = 0; i < head->n_roots; i++)
		if (head->roots[i] == tid)
			return true;
	return false;
}

static void print_state(const struct snap_task *task, bool root, FILE *out)
{
	char flags[256], comm[64];

	snprintf(comm, sizeof(comm), "%s", task->comm);
	for (char *p = comm; *p; p++)
		if (*p > 0 && *p < ' ')
			*p = '?';
	fprintf(out, "%s %d", root ? "*" : "-", task->tid);
	if (task->actor[0])
		fprintf(out, " %s", task->actor);
	fprintf(out, " %s \"%s\": %c (%s)",
		role_names[task->role < ROLE_COUNT ? task->role : 0], comm,
		task->state ? task->state : '?', snap_state_name(task->state));
	if (task->state == 'Z' && task->n_threads > 1)
		fprintf(out, ", not reapable: its other threads live");
	if (task->flags & PF_EXITING && task->state != 'Z')
		fprintf(out, ", exiting");
	if (task->vanished)
		fprintf(out, ", vanished while it was read");
	fprintf(out, "%s\n", root ? ", ROOT" : "");

	fprintf(out, "    process %d, parent %d, %u thread%s", task->pid, task->ppid,
		task->n_threads, task->n_threads == 1 ? "" : "s");
	if (task->inner_tid && task->inner_tid != task->tid)
		fprintf(out, ", %d in its pid namespace", task->inner_tid);
	if (task->pidns)
		fprintf(out, " %" PRIu64, task->pidns);
	if (task->tracer)
		fprintf(out, ", traced by %d", task->tracer);
	snap_flag_names(task->flags, flags, sizeof(flags));
	fprintf(out, ", flags 0x%x%s%s\n", task->flags, flags[0] ? " " : "", flags);
}

static void print_mask(FILE *out, const char *what, uint64_t mask)
{
	char names[SIGNALS_SIZE];

	if (!mask)
		return;
	snap_signal_names(mask, names, sizeof(names));
	fprintf(out, "    %s: %s\n", what, mask == UINT64_MAX ? "all" : names);
}

static void print_call(const struct snap_task *task, FILE *out)
{
	const char *name = snap_syscall_name(task->syscall);

	if (task->syscall < 0)
		return;
	if (name)
		fprintf(out, "    in %s(", name);
	else
		fprintf(out, "    in system call %d(", task->syscall);
	for (int i = 0; i < 6; i++)
		fprintf(out, "%s0x%" PRIx64, i ? ", " : "", task->args[i]);
	fprintf(out, ")\n");
}

static void print_task(const struct snap_task *task, bool root, FILE *out)
{
	print_state(task, root, out);
	print_mask(out, "pending, this thread", task->sigpnd);
	print_mask(out, "pending, process", task->shdpnd);
	print_mask(out, "blocked", task->sigblk);
	print_call(task, out);
	if (task->dev_fd >= 0)
		fprintf(out, "    holds /dev/fuse as descriptor %d\n", task->dev_fd);
	if (task->n_frames)
		fprintf(out, "    kernel stack\n");
	else if (task->wchan[0] && strcmp(task->wchan, "0"))
		fprintf(out, "    kernel stack unknown, waits in %s\n", task->wchan);
	for (int i = 0; i < task->n_frames; i++)
		print_block(out, "        ", task->frames[i].name);
	if (task->n_uframes)
		fprintf(out, "    user stack\n");
	for (int i = 0; i < task->n_uframes; i++)
		fprintf(out, "        %016" PRIx64 " %s\n", task->uframes[i].pc,
			task->uframes[i].name);
	if (task->unote[0])
		fprintf(out, "    %s%s\n",
			task->n_uframes ? "" : "no user stack: ", task->unote);
	fputc('\n', out);
}

static void print_tasks(const struct snapshot *snap, const struct snapshot_head *head,
			FILE *out)
{
	if (!snap->n_tasks)
		return;
	fprintf(out, "\nTASKS (%zu)\n", snap->n_tasks);
	for (int roots = 1; roots >= 0; roots--)
		for (size_t i = 0; i < snap->n_tasks; i++)
			if (is_root(head, snap->tasks[i].tid) == (roots == 1))
				print_task(&snap->tasks[i], roots, out);
}

static void print_request(const struct snap_request *req, FILE *out)
{
	fprintf(out, "  #%" PRIu64 " %s node %" PRIu64 " of task %d, read by %d: %s",
		req->unique, opcode_name(req->opcode), req->nodeid, req->pid, req->server,
		req->state < REQUEST_STATES ? request_state_names[req->state] : "?");
	if (req->rule && req->action < FAULT_COUNT && fault_table[req->action].name)
		fprintf(out, " (rule %u: %s)", req->rule, fault_table[req->action].name);
	if (req->error)
		fprintf(out, ", error %s", strerrorname_np(-req->error) ?: "?");
	if (req->read_us >= 0)
		fprintf(out, ", read at %" PRId64 " us", req->read_us);
	if (req->done_us >= 0)
		fprintf(out, ", %s at %" PRId64 " us",
			req->state == LEDGER_ANSWERED ? "answered" : "decided",
			req->done_us);
	fputc('\n', out);
}

/* Answered as it should be: counted only. */
static void print_requests(const struct snapshot *snap, FILE *out)
{
	size_t quiet = 0;

	if (!snap->n_requests)
		return;
	fprintf(out, "REQUESTS (%zu, unanswered ones first)\n", snap->n_requests);
	for (size_t i = 0; i < snap->n_requests; i++) {
		const struct snap_request *req = &snap->requests[i];

		if (req->state == LEDGER_ANSWERED && !req->rule)
			quiet++;
		else
			print_request(req, out);
	}
	if (quiet)
		fprintf(out, "  %zu answered without a fault\n", quiet);
	fputc('\n', out);
}

static void print_conn(const struct snap_conn *conn, FILE *out)
{
	if (!conn->number)
		return;
	fprintf(out, "CONNECTION %u: %s", conn->number, conn->exists ? "exists" : "gone");
	if (conn->waiting >= 0)
		fprintf(out, ", %d waiting", conn->waiting);
	if (conn->daemon_pid)
		fprintf(out, ", daemon %d is %s", conn->daemon_pid,
			conn->daemon_alive ? "alive" : "dead");
	fprintf(out, "%s\n\n", conn->ledger ? "" : ", requests not recorded");
}

static void print_holders(const struct snapshot *snap, const struct snapshot_head *head,
			  FILE *out)
{
	bool any = head->n_holders > 0;

	for (size_t i = 0; i < snap->n_tasks; i++)
		any |= snap->tasks[i].dev_fd >= 0;
	if (!any)
		return;
	fprintf(out, "HOLDERS of /dev/fuse\n");
	for (size_t i = 0; i < snap->n_tasks; i++)
		if (snap->tasks[i].dev_fd >= 0)
			fprintf(out, "  %d (process %d) fd %d\n", snap->tasks[i].tid,
				snap->tasks[i].pid, snap->tasks[i].dev_fd);
	for (size_t i = 0; i < head->n_holders; i++) {
		const struct dev_holder *h = &head->holders[i];

		if (snapshot_task(snap, h->tid) &&
		    snapshot_task(snap, h->tid)->dev_fd == h->fd)
			continue;
		fprintf(out, "  %d (process %d) fd %d", h->tid, h->pid, h->fd);
		if (h->conn)
			fprintf(out, ", connection %u", h->conn);
		fprintf(out, "%s\n",
			snapshot_task(snap, h->tid) ? "" : ", not of this run");
	}
	fputc('\n', out);
}

int snapshot_text(const struct snapshot *snap, const struct snapshot_head *head,
		  FILE *out)
{
	static const struct snapshot_head none;

	if (!head)
		head = &none;
	print_head(snap, head, out);
	print_tasks(snap, head, out);
	print_requests(snap, out);
	print_conn(&snap->conn, out);
	print_holders(snap, head, out);
	if (snap->n_kmsg)
		fprintf(out, "KERNEL LOG\n");
	for (size_t i = 0; i < snap->n_kmsg; i++)
		print_block(out, "  ", snap->kmsg[i]);
	if (given(head->scenario)) {
		fprintf(out, "%sSCENARIO\n", snap->n_kmsg ? "\n" : "");
		print_block(out, "  ", head->scenario);
	}
	return ferror(out) ? -EIO : 0;
}
