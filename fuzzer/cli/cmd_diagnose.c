/* SPDX-License-Identifier: MIT */
/* shortfuse diagnose: stuck FUSE tasks of this very machine, explained. */

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "diagnose.h"

enum { OPT_JSON = 256, OPT_DOT, OPT_UNWEDGE, OPT_WATCH, OPT_FROM, OPT_AGE, OPT_INTERVAL };

static const struct argp_option options[] = {
	{"pid", 'p', "PID", 0, "only what this process, or a child of it, hangs on", 0},
	{"connection", 'c', "N", 0, "only this FUSE connection", 0},
	{"age", OPT_AGE, "SECONDS", 0,
	 "a wait this old is stuck even if a living server may still answer (default 10)",
	 0},
	{"json", OPT_JSON, NULL, 0, "JSON instead of text", 0},
	{"dot", OPT_DOT, NULL, 0, "the wait-for graphs as Graphviz source", 0},
	{"unwedge", OPT_UNWEDGE, NULL, 0,
	 "abort each stuck connection that is known for certain, or the one named by "
	 "--connection (with --pid, if nothing ties that process to a connection)",
	 0},
	{"watch", OPT_WATCH, NULL, 0,
	 "look again and again; one JSON line for each change", 0},
	{"interval", OPT_INTERVAL, "SECONDS", 0,
	 "between two looks of --watch (default 5)", 0},
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
		if (opt->live.age_s < opt->live.killed_s)
			opt->live.killed_s = opt->live.age_s;
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
	       "Exit status: 0 nothing is stuck (or --unwedge freed all of it), 1 "
	       "something is stuck, "
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

/*
 * Tasks of an unknown connection may be on this one, if it has requests and no tasks that are known. Two facts
 * from the user, process and connection, are taken for it: by the connection alone a healthy one would be hit.
 */
static bool may_be(const struct live *live, uint32_t number)
{
	for (size_t i = 0; i < live->n_conns; i++)
		if (live->conns[i].number == number)
			return false;
	for (size_t i = 0; i < live->n_numbers; i++)
		if (live->numbers[i] == number)
			return live->waiting_min[i] > 0;
	return false;
}

bool diagnose_wants(const struct live *live, const struct diagnose_options *opt,
		    const struct live_conn *conn)
{
	if (opt->connection && conn->number != opt->connection &&
	    (conn->number || !opt->pid || !may_be(live, opt->connection)))
		return false;
	if (!opt->pid)
		return true;
	for (size_t i = 0; i < conn->snap.n_tasks; i++)
		if (in_family(&conn->snap, &conn->snap.tasks[i], opt->pid))
			return true;
	return false;
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

static int print_dot(const struct live *live, const struct diagnose_options *opt)
{
	int ret = 0;

	for (size_t i = 0; i < live->n_conns; i++)
		if (diagnose_wants(live, opt, &live->conns[i]) && !ret)
			ret = explain_dot(&live->conns[i].snap, &live->conns[i].ex,
					  stdout);
	return ret;
}

static int print(const struct live *live, const struct diagnose_options *opt)
{
	json_t *json;
	int ret;

	if (opt->dot)
		return print_dot(live, opt);
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

static int diagnose(struct live *live, const struct diagnose_options *opt)
{
	int status = EXIT_CLEAN, ret;

	ret = diagnose_look(live, opt);
	if (!ret)
		ret = print(live, opt);
	if (ret < 0) {
		fprintf(stderr, "shortfuse diagnose: %s\n", strerror(-ret));
		return EXIT_INFRA;
	}
	for (size_t i = 0; i < live->n_conns; i++)
		if (live->conns[i].state == LIVE_STUCK &&
		    diagnose_wants(live, opt, &live->conns[i]))
			status = EXIT_FLAGGED;
	fflush(stdout);
	return opt->unwedge ? diagnose_unwedge(live, opt) : status;
}

int cmd_diagnose(int argc, char **argv)
{
	static struct live live;
	struct diagnose_options opt = {
		.live = {.age_s = 10, .killed_s = 1, .look_ms = 60},
		.interval_s = 5,
	};
	char err[200] = "";
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	if (opt.from)
		return diagnose_from(&opt);
	if (live_open(&live, err) < 0 && !live.no_fuse) {
		fprintf(stderr, "shortfuse diagnose: %s\n", err);
		return EXIT_INFRA;
	}
	status = opt.watch ? diagnose_watch(&live, &opt) : diagnose(&live, &opt);
	live_close(&live);
	return status;
}
