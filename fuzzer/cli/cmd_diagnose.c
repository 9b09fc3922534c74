/* SPDX-License-Identifier: MIT */
/* shortfuse diagnose: stuck FUSE tasks of this very machine, explained. */

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "diagnose.h"

enum {
	OPT_JSON = 256,
	OPT_DOT,
	OPT_UNWEDGE,
	OPT_ANYWAY,
	OPT_WATCH,
	OPT_FROM,
	OPT_AGE,
	OPT_PATIENCE,
	OPT_INTERVAL,
	OPT_TEXTFILE,
	OPT_SNAPSHOT
};

static const struct argp_option options[] = {
	{"pid", 'p', "PID", 0, "only what this process, or a child of it, hangs on", 0},
	{"connection", 'c', "N", 0, "only this FUSE connection, and what it waits for",
	 0},
	{"age", OPT_AGE, "SECONDS", 0,
	 "a request that a living server has not answered for this long is stalled "
	 "(default "
	 "10)",
	 0},
	{"patience", OPT_PATIENCE, "SECONDS", 0,
	 "after this long, threads of a deadlocked server that only tick on a timer are "
	 "no "
	 "hope any more (default 120)",
	 0},
	{"json", OPT_JSON, NULL, 0, "JSON instead of text", 0},
	{"dot", OPT_DOT, NULL, 0, "the wait-for graph as Graphviz source", 0},
	{"unwedge", OPT_UNWEDGE, NULL, 0,
	 "abort each connection that is wedged: that nobody can answer", 0},
	{"anyway", OPT_ANYWAY, NULL, 0,
	 "with --unwedge --connection N: abort it though somebody might still answer", 0},
	{"watch", OPT_WATCH, NULL, 0,
	 "look again and again; one JSON line for each change", 0},
	{"interval", OPT_INTERVAL, "SECONDS", 0,
	 "between two looks of --watch (default 5)", 0},
	{"textfile", OPT_TEXTFILE, "FILE", 0,
	 "write metrics for Prometheus' node_exporter there (NAME.prom), at each look",
	 0},
	{"snapshot", OPT_SNAPSHOT, "FILE", 0,
	 "save what was seen, without paths and addresses, for --from on another machine",
	 0},
	{"from", OPT_FROM, "FILE", 0,
	 "explain a saved snapshot (JSON) instead of this machine", 0},
	{0},
};

static double seconds(const char *arg, struct argp_state *state)
{
	char *end;
	double value = strtod(arg, &end);

	if (end == arg || *end || value < 0 || value > 1e6)
		argp_error(state, "'%s' is not a number of seconds", arg);
	return value;
}

static long number(const char *arg, struct argp_state *state)
{
	char *end;
	long value = strtol(arg, &end, 10);

	if (end == arg || *end || value < 1 || value > INT32_MAX)
		argp_error(state, "'%s' is not a number from 1 on", arg);
	return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct diagnose_options *opt = state->input;

	switch (key) {
	case 'p':
		opt->pid = (pid_t)number(arg, state);
		break;
	case 'c':
		opt->connection = (uint32_t)number(arg, state);
		break;
	case OPT_AGE:
		opt->live.age_s = seconds(arg, state);
		break;
	case OPT_PATIENCE:
		opt->live.patience_s = seconds(arg, state);
		break;
	case OPT_ANYWAY:
		opt->anyway = true;
		break;
	case OPT_TEXTFILE:
		opt->textfile = arg;
		break;
	case OPT_SNAPSHOT:
		opt->snapshot = arg;
		break;
	case OPT_JSON:
		opt->json = true;
		break;
	case OPT_DOT:
		opt->dot = true;
		break;
	case OPT_UNWEDGE:
		opt->unwedge = true;
		break;
	case OPT_WATCH:
		opt->watch = true;
		break;
	case OPT_INTERVAL:
		opt->interval_s = seconds(arg, state);
		break;
	case OPT_FROM:
		opt->from = arg;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is one argument too many", arg);
		break;
	case ARGP_KEY_END:
		if (opt->json + opt->dot + opt->watch > 1 || (opt->unwedge && opt->watch))
			argp_error(state, "--json, --dot and --watch exclude each other, "
					  "--unwedge and --watch too");
		if (opt->anyway && (!opt->unwedge || !opt->connection))
			argp_error(state, "--anyway needs --unwedge and --connection N");
		if (opt->from && (opt->unwedge || opt->watch || opt->pid))
			argp_error(state,
				   "--from reads a file: no --unwedge, --watch or --pid");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Finds tasks of this machine that hang on FUSE, tells why, and which "
	       "connection to abort. "
	       "Changes nothing unless --unwedge is given.\v"
	       "Exit status: 0 nothing is wedged or stalled (or --unwedge freed all of "
	       "it), 1 something is, "
	       "2 usage, 3 this machine could not be examined.",
};

static bool in_family(const struct snapshot *snap, const struct snap_task *task,
		      pid_t pid)
{
	for (int depth = 0; task && depth < 32; depth++) {
		if (task->pid == pid || task->tid == pid || task->ppid == pid)
			return true;
		task = snapshot_task(snap, task->ppid);
	}
	return false;
}

static bool is_asked_for(const struct live *live, const struct diagnose_options *opt,
			 const struct live_conn *conn)
{
	if (opt->connection && conn->number != opt->connection)
		return false;
	if (!opt->pid)
		return true;
	for (size_t i = 0; i < conn->snap.n_tasks; i++)
		if (in_family(&conn->snap, &conn->snap.tasks[i], opt->pid))
			return true;
	for (size_t i = 0; i < live->n_servers; i++)
		if (conn->number && live->servers[i].conn == conn->number &&
		    live->servers[i].pid == opt->pid)
			return true;
	return false;
}

bool diagnose_wants(const struct live *live, const struct diagnose_options *opt,
		    const struct live_conn *conn)
{
	for (size_t i = 0; i < live->n_conns; i++) {
		const struct live_conn *at = &live->conns[i];

		if (!is_asked_for(live, opt, at))
			continue;
		for (unsigned int steps = 0; at && steps < 64; steps++) {
			if (at == conn)
				return true;
			at = at->behind == at->number ? NULL
						      : live_conn_find(live, at->behind);
		}
	}
	return false;
}

bool diagnose_flags(const struct live_conn *conn)
{
	return conn->state == LIVE_STALLED || conn->state == LIVE_WEDGED;
}

#define LOOK_LIMIT_S 60

int diagnose_look(struct live *live, const struct diagnose_options *opt)
{
	int ret;

	alarm(LOOK_LIMIT_S);
	ret = live_look(live, &opt->live);
	alarm(0);
	return ret;
}

static int print(const struct live *live, const struct diagnose_options *opt)
{
	json_t *json;
	int ret;

	if (opt->dot)
		return diagnose_dot(live, opt, stdout);
	if (!opt->json) {
		diagnose_text(live, opt, stdout);
		return 0;
	}
	json = diagnose_json(live, opt);
	ret = json ? json_dumpf(json, stdout, JSON_INDENT(1)) : -ENOMEM;
	putchar('\n');
	json_decref(json);
	return ret ? -ENOMEM : 0;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int diagnose(struct live *live, const struct diagnose_options *opt)
{
	double begin = now_s();
	int status = EXIT_CLEAN, ret;

	ret = diagnose_look(live, opt);
	if (!ret && opt->textfile)
		ret = diagnose_textfile(live, opt, now_s() - begin);
	if (!ret)
		ret = print(live, opt);
	if (ret < 0) {
		fprintf(stderr, "shortfuse diagnose: %s\n", strerror(-ret));
		return EXIT_INFRA;
	}
	for (size_t i = 0; i < live->n_conns; i++)
		if (diagnose_flags(&live->conns[i]) &&
		    diagnose_wants(live, opt, &live->conns[i]))
			status = EXIT_FLAGGED;
	fflush(stdout);
	if (opt->snapshot && diagnose_snapshot(live, opt) < 0)
		return EXIT_INFRA;
	return opt->unwedge ? diagnose_unwedge(live, opt) : status;
}

int cmd_diagnose(int argc, char **argv)
{
	static struct live live;
	struct diagnose_options opt = {
		.live = {.age_s = 10, .settle_s = 1, .patience_s = 120, .look_ms = 60},
		.interval_s = 5,
	};
	char err[200] = "";
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	if (opt.from)
		return diagnose_from(&opt);
	if (opt.pid && kill(opt.pid, 0) && errno == ESRCH) {
		fprintf(stderr, "shortfuse diagnose: --pid %d: no such process\n",
			opt.pid);
		return EXIT_USAGE;
	}
	if (live_open(&live, err) < 0 && !live.no_fuse) {
		fprintf(stderr, "shortfuse diagnose: %s\n", err);
		return EXIT_INFRA;
	}
	status = opt.watch ? diagnose_watch(&live, &opt) : diagnose(&live, &opt);
	live_close(&live);
	return status;
}
