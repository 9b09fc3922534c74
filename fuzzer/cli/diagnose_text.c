/* SPDX-License-Identifier: MIT */
/* A diagnosis as text for a person, root cause first, and as JSON. */

#include <string.h>

#include "diagnose.h"
#include "harness/snapshot/json.h"

#define SHOWN_TASKS 8 /* of one connection; the rest is counted */

void diagnose_task_line(const struct snap_task *task, FILE *out)
{
	char frame[SNAP_NAME];
	const char *phase = exit_phase(task);

	wait_frame(task, frame, sizeof(frame));
	fprintf(out, "    %7d %-16s %c  %s%s%s%s\n", task->tid, task->comm, task->state,
		frame[0] ? frame : "-", phase[0] ? ", " : "", phase,
		(task->sigpnd | task->shdpnd) & (1ull << 8) ? ", SIGKILL pending" : "");
}

static void put_indented(const char *lines, FILE *out)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		fprintf(out, "  %.*s\n", (int)len, lines);
		lines += len + (lines[len] == '\n');
	}
}

static bool is_root(const struct explanation *ex, pid_t tid)
{
	for (size_t i = 0; i < ex->n_roots; i++)
		if (ex->roots[i] == tid)
			return true;
	return false;
}

static void put_tasks(const struct live_conn *conn, FILE *out)
{
	size_t shown = 0;

	fprintf(out, "  tasks (roots first):\n");
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < conn->snap.n_tasks; i++) {
			if (is_root(&conn->ex, conn->snap.tasks[i].tid) != !pass ||
			    shown == SHOWN_TASKS)
				continue;
			diagnose_task_line(&conn->snap.tasks[i], out);
			shown++;
		}
	if (conn->snap.n_tasks > shown)
		fprintf(out, "    and %zu more; --json lists them all\n",
			conn->snap.n_tasks - shown);
}

static const char *server_state(const struct live_server *sv)
{
	if (sv->dying)
		return "dying";
	if (sv->stopped)
		return "stopped";
	if (sv->does[THREAD_READS])
		return "alive, reads requests";
	if (sv->does[THREAD_BLOCKED])
		return sv->does[THREAD_BLOCKED] == sv->n_threads
			       ? "every thread of it waits for FUSE"
			       : "threads of it wait for FUSE, none reads requests";
	return "alive, does not read requests now";
}

static void put_server(const struct live *live, const struct live_conn *conn, FILE *out)
{
	for (size_t i = 0; i < live->n_servers; i++) {
		const struct live_server *sv = &live->servers[i];

		if (!conn->number || sv->conn != conn->number)
			continue;
		fprintf(out, "  server: process %d (%s), %s%s\n", sv->pid, sv->comm,
			server_state(sv),
			sv->sure == SURE_YES ? ""
					     : "; presumably, this kernel does not tell");
	}
}

static void put_conn(const struct live *live, const struct live_conn *conn, FILE *out)
{
	static const char *const words[] = {"quiet", "slow", "STALLED", "WEDGED"};
	/* Its own account of who would free it knows nothing of the others. */
	bool elsewhere = conn->behind && conn->behind != conn->number;

	if (conn->number)
		fprintf(out, "connection %u: ", conn->number);
	else
		fprintf(out, "connection unknown: ");
	fprintf(out, "%s, %zu tasks", words[conn->state], conn->n_tasks);
	if (conn->waiting_max >= 0)
		fprintf(out, ", %d requests unanswered", conn->waiting_max);
	fprintf(out, "%s%s\n", conn->mount[0] ? ", " : "", conn->mount);
	fprintf(out, "  %s\n", conn->reason);
	if (conn->number && !elsewhere && conn->n_tasks)
		put_indented(conn->ex.chain, out);
	else if (elsewhere && !conn->in_cycle)
		fprintf(out, "  freed by whatever frees connection %u\n", conn->behind);
	else if (elsewhere)
		fprintf(out, "  freed by aborting any one connection of the cycle\n");
	if (conn->why[0])
		fprintf(out, "  %s: %s\n", live_state_names[conn->state], conn->why);
	if (conn->n_tasks && conn->unseen)
		fprintf(out, "  %d more requests that no task waits for\n", conn->unseen);
	put_server(live, conn, out);
	if (conn->number && conn->n_tasks)
		fprintf(out, "  connection %s: %s\n",
			conn->named || conn->state == LIVE_WEDGED ? "certain"
								  : "not certain",
			conn->sure_by[0] ? conn->sure_by : "its tasks wait for others");
	if (conn->snap.n_tasks)
		put_tasks(conn, out);
}

/* A request under way that nobody waits for and that is not old is no news, unless asked for. */
static bool is_shown(const struct live *live, const struct diagnose_options *opt,
		     const struct live_conn *conn)
{
	return diagnose_wants(live, opt, conn) &&
	       (diagnose_flags(conn) || conn->n_tasks || conn->number == opt->connection);
}

void diagnose_text(const struct live *live, const struct diagnose_options *opt, FILE *out)
{
	size_t n[LIVE_WEDGED + 1] = {0};

	for (size_t i = 0; i < live->n_conns; i++) {
		if (!is_shown(live, opt, &live->conns[i]))
			continue;
		put_conn(live, &live->conns[i], out);
		n[live->conns[i].state]++;
	}
	if (live->n_left_out)
		fprintf(out, "%zu more tasks wait, not looked at one by one\n",
			live->n_left_out);
	if (!live->whole_machine)
		fprintf(out, "seen from inside a pid namespace: servers and tasks "
			     "outside of it are invisible\n");
	if (!n[LIVE_SLOW] && !n[LIVE_STALLED] && !n[LIVE_WEDGED])
		fprintf(out, "nothing waits for FUSE (%zu connections%s)\n",
			live->n_numbers,
			live->no_fuse ? "; this kernel has no FUSE loaded" : "");
	else
		fprintf(out, "%zu connections wedged, %zu stalled, %zu slow, of %zu\n",
			n[LIVE_WEDGED], n[LIVE_STALLED], n[LIVE_SLOW], live->n_numbers);
}

static json_t *roots_json(const struct explanation *ex)
{
	json_t *roots = json_array();

	for (size_t i = 0; i < ex->n_roots; i++)
		json_array_append_new(roots, json_integer(ex->roots[i]));
	return roots;
}

static json_t *conn_json(const struct live *live, const struct live_conn *conn)
{
	json_t *json = snapshot_json(&conn->snap), *servers = json_array();
	char hash[20];

	if (!json)
		return NULL;
	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)conn->ex.root_hash);
	json_object_set_new(json, "state", json_string(live_state_names[conn->state]));
	json_object_set_new(json, "number",
			    conn->number ? json_integer(conn->number) : json_null());
	json_object_set_new(json, "certain",
			    json_boolean(conn->named || conn->state == LIVE_WEDGED));
	json_object_set_new(json, "behind",
			    conn->behind ? json_integer(conn->behind) : json_null());
	json_object_set_new(json, "cycle", json_boolean(conn->in_cycle));
	json_object_set_new(json, "moves", json_boolean(conn->moves));
	json_object_set_new(json, "waiting", json_integer(conn->waiting_max));
	json_object_set_new(json, "unseen", json_integer(conn->unseen));
	json_object_set_new(json, "certain_by", json_string(conn->sure_by));
	json_object_set_new(json, "mount", json_string(conn->mount));
	json_object_set_new(json, "waiting_tasks",
			    json_integer((json_int_t)conn->n_tasks));
	json_object_set_new(json, "oldest_s",
			    conn->oldest_s < 0 ? json_null() : json_real(conn->oldest_s));
	json_object_set_new(json, "reason", json_string(conn->reason));
	json_object_set_new(json, "chain", json_string(conn->ex.chain));
	json_object_set_new(json, "why", json_string(conn->why));
	json_object_set_new(json, "roots", roots_json(&conn->ex));
	json_object_set_new(json, "roots_text", json_string(conn->ex.roots_text));
	json_object_set_new(json, "root_hash", json_string(hash));
	for (size_t i = 0; i < live->n_servers; i++)
		if (conn->number && live->servers[i].conn == conn->number)
			json_array_append_new(
				servers, json_pack("{s:i,s:s,s:b,s:b}", "pid",
						   (int)live->servers[i].pid, "comm",
						   live->servers[i].comm, "certain",
						   live->servers[i].sure == SURE_YES,
						   "stopped", live->servers[i].stopped));
	json_object_set_new(json, "servers", servers);
	return json;
}

json_t *diagnose_json(const struct live *live, const struct diagnose_options *opt)
{
	json_t *conns = json_array(), *json, *one;

	for (size_t i = 0; i < live->n_conns; i++) {
		if (!is_shown(live, opt, &live->conns[i]))
			continue;
		one = conn_json(live, &live->conns[i]);
		if (!one || json_array_append_new(conns, one)) {
			json_decref(conns);
			return NULL;
		}
	}
	json = json_pack("{s:s,s:b,s:i,s:i,s:o}", "release", live->release,
			 "whole_machine", live->whole_machine, "connections_alive",
			 (int)live->n_numbers, "left_out", (int)live->n_left_out,
			 "connections", conns);
	if (!json)
		json_decref(conns);
	return json;
}
