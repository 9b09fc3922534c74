/* SPDX-License-Identifier: MIT */
/* A diagnosis as a picture, as metrics, and as a file that may be sent away. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "diagnose.h"

#define DOT_TASKS 8 /* of one connection; the rest is one node */

static void dot_tasks(const struct live_conn *conn, const char *id, FILE *out)
{
	char frame[SNAP_NAME];

	for (size_t i = 0; i < conn->n_tasks && i < DOT_TASKS; i++) {
		const struct snap_task *task = &conn->snap.tasks[i];

		wait_frame(task, frame, sizeof(frame));
		fprintf(out,
			"\tt%d [label=\"%s %d\\n%c\"];\n\tt%d -> %s [label=\"%s\"];\n",
			task->tid, task->comm, task->tid, task->state, task->tid, id,
			frame);
	}
	if (conn->n_tasks > DOT_TASKS)
		fprintf(out, "\tm%s [label=\"%zu more tasks\"];\n\tm%s -> %s;\n", id,
			conn->n_tasks - DOT_TASKS, id, id);
	if (conn->unseen)
		fprintf(out,
			"\tu%s [label=\"%d requests\\nof no task\"];\n\tu%s -> %s;\n", id,
			conn->unseen, id, id);
}

static void dot_servers(const struct live *live, const struct live_conn *conn,
			const char *id, FILE *out)
{
	for (size_t i = 0; i < live->n_servers; i++) {
		const struct live_server *sv = &live->servers[i];

		if (sv->conn != conn->number)
			continue;
		fprintf(out,
			"\ts%d [shape=component, label=\"%s %d\\n%s\"];\n\t%s -> s%d;\n",
			sv->pid, sv->comm, sv->pid,
			sv->dying     ? "dying"
			: sv->stopped ? "stopped"
				      : "alive",
			id, sv->pid);
		for (size_t j = 0; j < sv->n_threads; j++) {
			const struct live_thread *th =
				&live->threads[sv->first_thread + j];

			if (th->does == THREAD_BLOCKED)
				fprintf(out, "\ts%d -> t%d [label=\"thread %d\"];\n",
					sv->pid, live->tasks[th->task].task.tid, th->tid);
		}
	}
}

int diagnose_dot(const struct live *live, const struct diagnose_options *opt, FILE *out)
{
	char id[32];

	fprintf(out, "digraph waits {\n\trankdir=LR;\n");
	for (size_t i = 0; i < live->n_conns; i++) {
		const struct live_conn *conn = &live->conns[i];

		if (!diagnose_wants(live, opt, conn))
			continue;
		if (conn->number)
			snprintf(id, sizeof(id), "c%u", conn->number);
		else
			snprintf(id, sizeof(id), "x%d", conn->owner);
		fprintf(out, "\t%s [shape=box%s, label=\"connection ", id,
			diagnose_flags(conn) ? ", color=red" : "");
		if (conn->number)
			fprintf(out, "%u", conn->number);
		else
			fprintf(out, "unknown");
		fprintf(out, "\\n%s\"];\n", live_state_names[conn->state]);
		dot_tasks(conn, id, out);
		if (conn->number)
			dot_servers(live, conn, id, out);
	}
	fprintf(out, "}\n");
	return ferror(out) ? -EIO : 0;
}

/* Label values of the exposition format: backslash, quote and newline are escaped. */
static void put_label(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text, out);
	}
}

static void put_metrics(const struct live *live, const struct diagnose_options *opt,
			double look_s, FILE *out)
{
	size_t n[LIVE_WEDGED + 1] = {0};

	for (size_t i = 0; i < live->n_conns; i++)
		if (diagnose_wants(live, opt, &live->conns[i]))
			n[live->conns[i].state]++;
	fprintf(out, "# HELP shortfuse_connections FUSE connections by state.\n"
		     "# TYPE shortfuse_connections gauge\n");
	for (int state = LIVE_SLOW; state <= LIVE_WEDGED; state++)
		fprintf(out, "shortfuse_connections{state=\"%s\"} %zu\n",
			live_state_names[state], n[state]);
	fprintf(out, "# HELP shortfuse_oldest_request_seconds Longest wait on a "
		     "connection that "
		     "is stalled or wedged.\n"
		     "# TYPE shortfuse_oldest_request_seconds gauge\n");
	for (size_t i = 0; i < live->n_conns; i++) {
		const struct live_conn *conn = &live->conns[i];

		if (!diagnose_flags(conn) || !conn->number ||
		    !diagnose_wants(live, opt, conn))
			continue;
		fprintf(out,
			"shortfuse_oldest_request_seconds{connection=\"%u\",state=\"%s\","
			"mount=\"",
			conn->number, live_state_names[conn->state]);
		put_label(conn->mount, out);
		fprintf(out, "\"} %.1f\n", conn->oldest_s);
	}
	fprintf(out,
		"# HELP shortfuse_look_seconds How long the last look took.\n"
		"# TYPE shortfuse_look_seconds gauge\nshortfuse_look_seconds %.3f\n"
		"# HELP shortfuse_last_look_timestamp_seconds When it was.\n"
		"# TYPE shortfuse_last_look_timestamp_seconds gauge\n"
		"shortfuse_last_look_timestamp_seconds %lld\n",
		look_s, (long long)time(NULL));
}

static int complain(const char *file, int err)
{
	fprintf(stderr, "shortfuse diagnose: %s: %s\n", file, strerror(-err));
	return err;
}

/* A reader sees the old file or the new one. */
static FILE *open_beside(const char *file, char temp[4096])
{
	snprintf(temp, 4096, "%s.%d.tmp", file, getpid());
	return fopen(temp, "we");
}

static int put_in_place(FILE *out, const char *temp, const char *file)
{
	int err = ferror(out) ? -EIO : 0;

	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(temp, file))
		err = -errno;
	if (err)
		unlink(temp);
	return err ? complain(file, err) : 0;
}

int diagnose_textfile(const struct live *live, const struct diagnose_options *opt,
		      double look_s)
{
	char temp[4096];
	FILE *out = open_beside(opt->textfile, temp);

	if (!out)
		return complain(opt->textfile, -errno);
	put_metrics(live, opt, look_s, out);
	return put_in_place(out, temp, opt->textfile);
}

/* Names of files and machines, and addresses, stay here. */
static void scrub(struct live_conn *conn)
{
	char *at = strstr(conn->mount, " on "), *path = strchr(conn->sure_by, '(');

	if (at)
		*at = '\0';
	if (path)
		strcpy(path, "(...)");
	for (size_t i = 0; i < conn->snap.n_tasks; i++) {
		struct snap_task *task = &conn->snap.tasks[i];

		memset(task->args, 0, sizeof(task->args));
		task->sp = task->pc = 0;
		for (unsigned int j = 0; j < task->n_uframes; j++)
			task->uframes[j].pc = 0;
	}
}

int diagnose_snapshot(struct live *live, const struct diagnose_options *opt)
{
	char temp[4096];
	FILE *out = open_beside(opt->snapshot, temp);
	json_t *json;

	if (!out)
		return complain(opt->snapshot, -errno);
	for (size_t i = 0; i < live->n_conns; i++)
		scrub(&live->conns[i]);
	json = diagnose_json(live, opt);
	if (!json || json_dumpf(json, out, JSON_INDENT(1)) || fputc('\n', out) < 0) {
		json_decref(json);
		fclose(out);
		unlink(temp);
		return complain(opt->snapshot, -EIO);
	}
	json_decref(json);
	return put_in_place(out, temp, opt->snapshot);
}
