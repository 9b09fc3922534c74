/* SPDX-License-Identifier: MIT */
/* Prints a snapshot for a person. */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "procfs.h"
#include "text.h"

static void print_head(const struct snapshot_head *head, FILE *out)
{
	if (head->verdict && *head->verdict)
		fprintf(out, "verdict    %s (%s), rung %s\n", head->verdict,
			head->severity ? head->severity : "",
			head->rung ? head->rung : "");
	if (head->signature && *head->signature)
		fprintf(out, "signature  %s\n", head->signature);
	if (head->reason && *head->reason)
		fprintf(out, "reason     %s\n", head->reason);
	if (head->chain && *head->chain)
		fprintf(out, "\n%s%s", head->chain,
			head->chain[strlen(head->chain) - 1] == '\n' ? "" : "\n");
}

static void print_signals(uint64_t mask, const char *what, FILE *out)
{
	if (!mask)
		return;
	fprintf(out, ", %s", what);
	for (int sig = 1; sig <= 64; sig++)
		if (mask & 1ull << (sig - 1)) {
			if (sigabbrev_np(sig))
				fprintf(out, " SIG%s", sigabbrev_np(sig));
			else
				fprintf(out, " %d", sig);
		}
}

static void print_task(const struct snap_task *task, FILE *out)
{
	fprintf(out, "\n%s%s%s  pid %d tid %d", role_names[task->role],
		task->actor[0] ? " " : "", task->actor, (int)task->pid, (int)task->tid);
	if (task->inner_tid && task->inner_tid != task->tid)
		fprintf(out, " (%d in its namespace)", (int)task->inner_tid);
	fprintf(out, "  state %c%s", task->state,
		task->flags & PF_EXITING ? ", exiting" : "");
	print_signals(task->sigpnd | task->shdpnd, "pending", out);
	if (task->wchan[0] && strcmp(task->wchan, "0"))
		fprintf(out, ", in %s", task->wchan);
	fprintf(out, "\n");
	for (unsigned int i = 0; i < task->n_frames; i++)
		fprintf(out, "    kernel  %s\n", task->frames[i].name);
	for (unsigned int i = 0; i < task->n_uframes; i++)
		fprintf(out, "    user    %s\n", task->uframes[i].name);
	if (task->unote[0])
		fprintf(out, "    user    (%s)\n", task->unote);
}

static const char *const request_states[] = {"free", "being handled", "held", "dropped",
					     "answered"};

static void print_requests(const struct snapshot *snap, FILE *out)
{
	size_t answered = 0;

	for (size_t i = 0; i < snap->n_requests; i++) {
		const struct snap_request *req = &snap->requests[i];

		if (req->state == LEDGER_ANSWERED) {
			answered++;
			continue;
		}
		fprintf(out, "    #%llu %s node %llu from task %d, read by %d: %s\n",
			(unsigned long long)req->unique, opcode_name(req->opcode),
			(unsigned long long)req->nodeid, req->pid, req->server,
			request_states[req->state]);
	}
	fprintf(out, "    %zu answered\n", answered);
}

int snapshot_text(const struct snapshot *snap, const struct snapshot_head *head,
		  FILE *out)
{
	print_head(head, out);
	for (size_t i = 0; i < snap->n_tasks; i++)
		print_task(&snap->tasks[i], out);
	fprintf(out, "\nconnection %u%s, waiting %d, daemon pid %d %s\n",
		snap->conn.number, snap->conn.exists ? "" : " (gone)", snap->conn.waiting,
		snap->conn.daemon_pid,
		snap->conn.daemon_alive ? "alive" : "dead or dying");
	if (snap->conn.ledger) {
		fprintf(out, "\nrequests\n");
		print_requests(snap, out);
	}
	if (snap->n_kmsg)
		fprintf(out, "\nkernel log\n");
	for (size_t i = 0; i < snap->n_kmsg; i++)
		fprintf(out, "    %s\n", snap->kmsg[i]);
	if (head->scenario && *head->scenario)
		fprintf(out, "\nscenario\n%s", head->scenario);
	fprintf(out, "\nkernel %s\n", snap->release);
	return ferror(out) ? -EIO : 0;
}
