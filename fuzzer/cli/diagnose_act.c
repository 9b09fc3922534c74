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

/* Gone, or only to be reaped by its parent, or it ran. */
static bool went_on(const struct live *live, const struct snap_task *was)
{
	struct task_sample now;

	return procfs_sample_safe(&live->pf, was->pid, was->tid, &now) < 0 ||
	       (now.state == 'Z' && now.n_threads <= 1) || now.switches != was->switches;
}

/* Of the tasks that waited: how many are where they were. */
static size_t count_unmoved(const struct live *live, const struct snap_task *tasks,
			    size_t n_tasks)
{
	size_t n = 0;

	for (size_t i = 0; i < n_tasks; i++) {
		enum wait_kind wait = wait_of_task(&tasks[i]);

		/* A parent goes on when its child wants it to. */
		n += wait != WAIT_VFORK && !went_on(live, &tasks[i]);
	}
	return n;
}

/* 0: all tasks went on. */
static int unwedge_one(struct live *live, const struct live_conn *conn)
{
	size_t left = conn->n_tasks;
	int ret;

	printf("aborting connection %u: writing 1 to /sys/fs/fuse/connections/%u/abort; "
	       "every request on "
	       "it fails with ECONNABORTED, and %s is dead until it is mounted again\n",
	       conn->number, conn->number, conn->mount[0] ? conn->mount : "its mount");
	fflush(stdout);
	ret = fusectl_abort(&live->ctl, conn->number);
	if (ret < 0) {
		printf("connection %u: abort: %s\n", conn->number, strerror(-ret));
		return -1;
	}
	for (int ms = 0; ms < FREED_MS && left; ms += 20) {
		left = count_unmoved(live, conn->snap.tasks, conn->n_tasks);
		if (left)
			sleep_ms(20);
	}
	printf("connection %u: %zu of %zu tasks went on\n", conn->number,
	       conn->n_tasks - left, conn->n_tasks);
	return left ? -1 : 0;
}

static int64_t born(const struct live *live, uint32_t number)
{
	for (size_t i = 0; i < live->n_numbers; i++)
		if (live->numbers[i] == number)
			return live->born[i];
	return -1;
}

/* Wanted, and an abort is in order. */
static const struct live_conn *next_culprit(const struct live *live,
					    const struct diagnose_options *opt,
					    const uint32_t *done, size_t n_done)
{
	for (size_t i = 0; i < live->n_conns; i++) {
		const struct live_conn *conn = &live->conns[i];
		bool seen = false;

		for (size_t j = 0; j < n_done; j++)
			seen |= done[j] == conn->number;
		if (!seen && live_is_culprit(live, conn) &&
		    diagnose_wants(live, opt, conn) &&
		    (!opt->connection || conn->number == opt->connection))
			return conn;
	}
	return NULL;
}

static int tell_rest(const struct live *live, const struct diagnose_options *opt)
{
	int status = EXIT_CLEAN;

	for (size_t i = 0; i < live->n_conns; i++) {
		const struct live_conn *conn = &live->conns[i];

		if (!diagnose_flags(conn) || !diagnose_wants(live, opt, conn))
			continue;
		status = EXIT_FLAGGED;
		if (!conn->number)
			printf("not aborted: which connection process %d waits for "
			       "cannot "
			       "be told; give --connection N --anyway if you know\n",
			       conn->owner);
		else if (conn->state == LIVE_WEDGED)
			printf("not aborted: connection %u is still wedged\n",
			       conn->number);
		else
			printf("not aborted: connection %u is not wedged: %s; "
			       "--connection %u --anyway aborts it all the same\n",
			       conn->number, conn->why, conn->number);
	}
	return status;
}

static int unwedge_anyway(struct live *live, const struct diagnose_options *opt)
{
	const struct live_conn *conn = live_conn_find(live, opt->connection);

	if (!conn) {
		printf("not aborted: connection %u %s\n", opt->connection,
		       born(live, opt->connection) < 0 ? "does not exist"
						       : "has no request");
		return EXIT_FLAGGED;
	}
	return unwedge_one(live, conn) < 0 ? EXIT_FLAGGED : EXIT_CLEAN;
}

#define MAX_ABORTS 64

int diagnose_unwedge(struct live *live, const struct diagnose_options *opt)
{
	const struct live_conn *conn;
	uint32_t done[MAX_ABORTS];
	size_t n_done = 0;
	int status;

	if (opt->anyway)
		return unwedge_anyway(live, opt);
	while (n_done < MAX_ABORTS && (conn = next_culprit(live, opt, done, n_done))) {
		uint32_t number = conn->number;
		int64_t was_born = born(live, number);

		/* It must be so in another look, made right before; and no newer connection may have got its number. */
		if (diagnose_look(live, opt) < 0)
			return EXIT_INFRA;
		done[n_done++] = number;
		conn = live_conn_find(live, number);
		if (conn && live_is_culprit(live, conn) && born(live, number) == was_born)
			unwedge_one(live, conn);
		/* What waited for it may be free now. */
		if (diagnose_look(live, opt) < 0)
			return EXIT_INFRA;
	}
	status = tell_rest(live, opt);
	return status;
}

/* What was last said of a connection. */
struct said {
	uint32_t number;
	pid_t owner; /* of number 0 */
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
		json_object_set_new(
			json, "certain",
			json_boolean(conn->named || conn->state == LIVE_WEDGED));
		json_object_set_new(json, "mount", json_string(conn->mount));
		json_object_set_new(json, "roots", json_string(conn->ex.roots_text));
		json_object_set_new(json, "reason", json_string(conn->reason));
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

static struct said *said_of(struct watch *watch, uint32_t number, pid_t owner)
{
	struct said *said;

	for (size_t i = 0; i < watch->n; i++)
		if (watch->said[i].number == number && watch->said[i].owner == owner)
			return &watch->said[i];
	said = realloc(watch->said, (watch->n + 1) * sizeof(*said));
	if (!said)
		return NULL;
	watch->said = said;
	watch->said[watch->n] = (struct said){.number = number, .owner = owner};
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

		/* What is slow comes and goes with every request: no news. */
		if (!diagnose_flags(conn) || !diagnose_wants(live, opt, conn))
			continue;
		said = said_of(watch, conn->number, conn->owner);
		if (!said)
			return -ENOMEM;
		said->seen = true;
		if (said->state != conn->state)
			ret = emit(live_state_names[conn->state], conn->number, conn);
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
	struct timespec begin, end;
	struct watch watch = {0};
	int ret = 0, status;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!interrupted && !ret) {
		clock_gettime(CLOCK_MONOTONIC, &begin);
		ret = diagnose_look(live, opt);
		clock_gettime(CLOCK_MONOTONIC, &end);
		if (!ret && opt->textfile)
			ret = diagnose_textfile(
				live, opt,
				(double)(end.tv_sec - begin.tv_sec) +
					(double)(end.tv_nsec - begin.tv_nsec) / 1e9);
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

/* What was found where all connections were seen goes before what this one tells. */
static void put_saved(const json_t *json, const struct snapshot *snap,
		      const struct explanation *ex)
{
	const char *state = json_string_value(json_object_get(json, "state"));
	const char *reason = json_string_value(json_object_get(json, "reason"));
	const char *why = json_string_value(json_object_get(json, "why"));

	printf("connection %u: %s%s%s\n", snap->conn.number, state ? state : "",
	       state ? ": " : "", reason ? reason : ex->reason);
	printf("%s", ex->chain);
	if (why)
		printf("%s: %s\n", state ? state : "why", why);
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
		put_saved(json, &snap, &ex);
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
