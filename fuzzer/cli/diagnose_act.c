/* SPDX-License-Identifier: MIT */
/* What diagnose does beside printing: unwedge, watch, and explain a saved snapshot. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "diagnose.h"
#include "harness/snapshot/json.h"

#define FREED_MS 3000 /* tasks get this long to go on after an abort */

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}

/* Tasks of the snapshot that are where they were. */
static size_t count_unmoved(const struct live *live, const struct live_conn *conn)
{
	struct snap_task *now = malloc(sizeof(*now));
	size_t n = 0;

	for (size_t i = 0; now && i < conn->snap.n_tasks; i++) {
		const struct snap_task *was = &conn->snap.tasks[i];
		enum wait_kind wait = wait_of_task(was);

		if (wait == WAIT_NONE || wait == WAIT_DEV_READ || wait == WAIT_CHILD ||
		    wait == WAIT_STOPPED)
			continue;
		memset(now, 0, sizeof(*now));
		if (procfs_read_task(&live->pf, was->pid, was->tid, now) < 0 ||
		    now->vanished)
			continue;
		n += now->switches == was->switches && !strcmp(now->wchan, was->wchan) &&
		     now->state == was->state;
	}
	free(now);
	return n;
}

/* 0: all tasks went on. */
static int unwedge_one(struct live *live, const struct live_conn *conn, uint32_t number)
{
	size_t left = conn->n_tasks;
	bool sure = conn->sure && conn->number == number;
	int ret;

	printf("aborting connection %u: writing 1 to /sys/fs/fuse/connections/%u/abort; "
	       "every request on "
	       "it fails with ECONNABORTED, and %s%s is dead until it is mounted again\n",
	       number, number, conn->mount[0] ? conn->mount : "its mount",
	       sure ? "" : " (the connection was named by you: it is not certain)");
	fflush(stdout);
	ret = fusectl_abort(&live->ctl, number);
	if (ret < 0) {
		printf("connection %u: abort: %s\n", number, strerror(-ret));
		return -1;
	}
	for (int ms = 0; ms < FREED_MS && left; ms += 20) {
		left = count_unmoved(live, conn);
		if (left)
			sleep_ms(20);
	}
	printf("connection %u: %zu of %zu tasks went on\n", number,
	       conn->n_tasks - (left < conn->n_tasks ? left : conn->n_tasks),
	       conn->n_tasks);
	return left ? -1 : 0;
}

/* A server that is alive and stopped needs SIGCONT, not an abort. 0: none. */
static pid_t stopped_server(const struct live *live, uint32_t number)
{
	for (size_t i = 0; i < live->n_servers; i++)
		if (live->servers[i].conn == number && live->servers[i].stopped)
			return live->servers[i].pid;
	return 0;
}

int diagnose_unwedge(struct live *live, const struct diagnose_options *opt)
{
	int status = EXIT_CLEAN;

	for (size_t i = 0; i < live->n_conns; i++) {
		const struct live_conn *conn = &live->conns[i];

		if (conn->state != LIVE_STUCK || !diagnose_wants(live, opt, conn))
			continue;
		if (!opt->connection && (!conn->number || !conn->sure)) {
			if (conn->number)
				printf("not aborted: connection %u is a guess; give "
				       "--connection %u if "
				       "you know better\n",
				       conn->number, conn->number);
			else
				printf("not aborted: which connection it is cannot be "
				       "told; give --pid "
				       "and --connection if you know\n");
			status = EXIT_FLAGGED;
		} else if (!opt->connection && stopped_server(live, conn->number)) {
			printf("not aborted: process %d, the server of connection %u, is "
			       "stopped: continue it, or "
			       "give --connection %u\n",
			       stopped_server(live, conn->number), conn->number,
			       conn->number);
			status = EXIT_FLAGGED;
		} else if (unwedge_one(live, conn,
				       opt->connection ? opt->connection : conn->number) <
			   0) {
			status = EXIT_FLAGGED;
		}
	}
	return status;
}

/* What was last said of a connection. */
struct said {
	uint32_t number;
	enum live_state state;
	uint64_t root_hash;
	bool seen;
};

struct watch {
	struct said *said;
	size_t n;
};

static int emit(const char *event, uint32_t number, const struct live_conn *conn)
{
	struct timespec now;
	json_t *json;
	char *line;

	clock_gettime(CLOCK_REALTIME, &now);
	json = json_pack("{s:f,s:s,s:I}", "time",
			 (double)now.tv_sec + (double)now.tv_nsec / 1e9, "event", event,
			 "connection", (json_int_t)number);
	if (json && conn) {
		json_object_set_new(json, "tasks",
				    json_integer((json_int_t)conn->n_tasks));
		json_object_set_new(json, "certain", json_boolean(conn->sure));
		json_object_set_new(json, "mount", json_string(conn->mount));
		json_object_set_new(json, "roots", json_string(conn->ex.roots_text));
		json_object_set_new(json, "reason", json_string(conn->ex.reason));
		json_object_set_new(json, "why", json_string(conn->why));
	}
	line = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!line)
		return -ENOMEM;
	puts(line);
	fflush(stdout);
	free(line);
	return 0;
}

static struct said *said_of(struct watch *watch, uint32_t number)
{
	struct said *said;

	for (size_t i = 0; i < watch->n; i++)
		if (watch->said[i].number == number)
			return &watch->said[i];
	said = realloc(watch->said, (watch->n + 1) * sizeof(*said));
	if (!said)
		return NULL;
	watch->said = said;
	watch->said[watch->n] = (struct said){.number = number};
	return &watch->said[watch->n++];
}

static int tell_changes(const struct live *live, const struct diagnose_options *opt,
			struct watch *watch)
{
	size_t kept = 0;
	int ret = 0;

	for (size_t i = 0; i < watch->n; i++)
		watch->said[i].seen = false;
	for (size_t i = 0; i < live->n_conns && !ret; i++) {
		const struct live_conn *conn = &live->conns[i];
		struct said *said;

		/* What only waits comes and goes with every request of a slow server: no news. */
		if (conn->state != LIVE_STUCK || !diagnose_wants(live, opt, conn))
			continue;
		said = said_of(watch, conn->number);
		if (!said)
			return -ENOMEM;
		said->seen = true;
		if (said->state != conn->state)
			ret = emit("stuck", conn->number, conn);
		else if (said->root_hash != conn->ex.root_hash)
			ret = emit("changed", conn->number, conn);
		said->state = conn->state;
		said->root_hash = conn->ex.root_hash;
	}
	for (size_t i = 0; i < watch->n; i++) {
		if (watch->said[i].seen)
			watch->said[kept++] = watch->said[i];
		else if (!ret)
			ret = emit("freed", watch->said[i].number, NULL);
	}
	watch->n = kept;
	return ret;
}

int diagnose_watch(struct live *live, const struct diagnose_options *opt)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct watch watch = {0};
	int ret = 0, status;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!interrupted && !ret) {
		ret = diagnose_look(live, opt);
		if (!ret)
			ret = tell_changes(live, opt, &watch);
		if (!ret && !interrupted)
			sleep_ms((long)(opt->interval_s * 1000));
	}
	if (ret < 0)
		fprintf(stderr, "shortfuse diagnose: %s\n", strerror(-ret));
	status = ret < 0 ? EXIT_INFRA : watch.n ? EXIT_FLAGGED : EXIT_CLEAN;
	free(watch.said);
	return status;
}

static int put_explanation_json(const struct snapshot *snap, const struct explanation *ex)
{
	char hash[20];
	json_t *json;
	int ret;

	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)ex->root_hash);
	json = json_pack("{s:I,s:s,s:s,s:s,s:s}", "connection",
			 (json_int_t)snap->conn.number, "reason", ex->reason, "chain",
			 ex->chain, "roots_text", ex->roots_text, "root_hash", hash);
	if (!json)
		return -ENOMEM;
	ret = json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
	return ret ? -EIO : 0;
}

/* One saved snapshot, explained again. 1: it has roots, 0: none, -EINVAL. */
static int explain_saved(const json_t *json, const struct diagnose_options *opt,
			 char *err)
{
	struct explanation ex;
	struct snapshot snap;
	int ret;

	snapshot_init(&snap);
	ret = snapshot_from_json(json, &snap, err);
	if (!ret)
		ret = explain_snapshot(&snap, &ex);
	if (ret < 0) {
		snapshot_release(&snap);
		return ret;
	}
	if (opt->dot) {
		ret = explain_dot(&snap, &ex, stdout);
	} else if (opt->json) {
		ret = put_explanation_json(&snap, &ex);
	} else {
		printf("connection %u: %s\n%s", snap.conn.number, ex.reason, ex.chain);
		for (size_t i = 0; i < snap.n_tasks && i < 20; i++)
			diagnose_task_line(&snap.tasks[i], stdout);
	}
	ret = ret < 0 ? ret : ex.n_roots > 0;
	explanation_release(&ex);
	snapshot_release(&snap);
	return ret;
}

/* A snapshot, a diagnosis of several connections, or the output of "run --json". */
static int explain_any(const json_t *json, const struct diagnose_options *opt, char *err)
{
	const json_t *list =
		json_is_array(json) ? json : json_object_get(json, "connections");
	int ret = 0, one;
	const json_t *item;
	size_t i;

	if (!json_is_array(list)) {
		item = json_object_get(json, "snapshot");
		return explain_saved(item ? item : json, opt, err);
	}
	json_array_foreach(list, i, item)
	{
		one = explain_any(item, opt, err);
		if (one < 0)
			return one;
		ret |= one;
	}
	return ret;
}

int diagnose_from(const struct diagnose_options *opt)
{
	char err[200] = "";
	json_error_t where;
	json_t *json;
	int ret;

	json = json_load_file(opt->from, 0, &where);
	if (!json) {
		fprintf(stderr, "%s:%d:%d: %s\n", opt->from, where.line, where.column,
			where.text);
		return EXIT_USAGE;
	}
	ret = explain_any(json, opt, err);
	json_decref(json);
	if (ret < 0) {
		fprintf(stderr, "%s: %s\n", opt->from, err[0] ? err : strerror(-ret));
		return ret == -ENOMEM ? EXIT_INFRA : EXIT_USAGE;
	}
	return ret ? EXIT_FLAGGED : EXIT_CLEAN;
}
