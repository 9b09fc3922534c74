/* SPDX-License-Identifier: MIT */
/* shortfuse fleet: one campaign on many machines, through Slurm or GNU parallel. */

#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "commands.h"
#include "finding_options.h"
#include "fuzzer/fleet/fleet.h"
#include "fuzzer/merge/merge.h"
#include "fuzzer/report/report.h"
#include "fuzzer/util/duration.h"

enum {
	OPT_KERNEL = 256,
	OPT_WORKERS,
	OPT_TIME,
	OPT_ENGINE,
	OPT_SEED,
	OPT_STAGE,
	OPT_SSHLOGIN,
	OPT_ARG,
	OPT_DRY_RUN,
	OPT_JSON
};

static const struct argp_option option_list[] = {
	{NULL, 'o', "DIR", 0, "the fleet's folder; every machine sees it at this path",
	 0},
	{NULL, 0, NULL, 0, "submit:", 1},
	{"kernel", OPT_KERNEL, "TARGET", 0,
	 "qemu:KERNEL, uml, host; may be given often (default auto)", 1},
	{"workers", OPT_WORKERS, "N", 0, "tasks for each kernel (default 1)", 1},
	{"time", OPT_TIME, "TIME", 0, "of each task (default 1h)", 1},
	{"jobs", 'j', "N", 0, "as for fuzz", 1},
	{"engine", OPT_ENGINE, "NAME", 0, "slurm (default) or parallel", 1},
	{"sshlogin", OPT_SSHLOGIN, "LOGIN", 0, "parallel: a machine, as [N/]USER@HOST",
	 1},
	{"stage", OPT_STAGE, "DIR", 0,
	 "work in this folder of each machine, copy the results at the end", 1},
	{"seed", OPT_SEED, "N", 0, "of the first task (default: random)", 1},
	{"arg", OPT_ARG, "ARG", 0, "passed on to sbatch or parallel; may be given often",
	 1},
	{"dry-run", OPT_DRY_RUN, NULL, 0, "write the folder, start nothing", 1},
	{NULL, 0, NULL, 0, "status:", 2},
	{"json", OPT_JSON, NULL, 0, "for machines", 2},
	{0},
};

struct arguments {
	struct fleet_options o;
	const char *verb;
	bool json, seeded;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'o':
		a->o.dir = arg;
		return 0;
	case OPT_KERNEL:
		if (a->o.n_kernels == FLEET_KERNELS_MAX)
			argp_error(state, "more than %d kernels", FLEET_KERNELS_MAX);
		a->o.kernels[a->o.n_kernels++] = arg;
		return 0;
	case OPT_WORKERS:
		a->o.workers = option_number(state, arg, FLEET_TASKS_MAX);
		return 0;
	case OPT_TIME:
		a->o.seconds = duration_parse(arg);
		if (a->o.seconds <= 0)
			argp_error(state,
				   "--time %s: expected something like 60s, 10m or 8h",
				   arg);
		return 0;
	case 'j':
		if (strcmp(arg, "auto"))
			option_number(state, arg, 1024);
		a->o.jobs = arg;
		return 0;
	case OPT_ENGINE:
		if (strcmp(arg, "slurm") && strcmp(arg, "parallel"))
			argp_error(state, "--engine %s: expected slurm or parallel", arg);
		a->o.engine = arg;
		return 0;
	case OPT_SEED:
		a->o.seed = option_number(state, arg, INT_MAX);
		a->seeded = true;
		return 0;
	case OPT_STAGE:
		a->o.stage = arg;
		return 0;
	case OPT_SSHLOGIN:
		if (a->o.n_logins == FLEET_EXTRA_MAX)
			argp_error(state, "more than %d machines", FLEET_EXTRA_MAX);
		a->o.logins[a->o.n_logins++] = arg;
		return 0;
	case OPT_ARG:
		if (a->o.n_extra == FLEET_EXTRA_MAX)
			argp_error(state, "more than %d --arg", FLEET_EXTRA_MAX);
		a->o.extra[a->o.n_extra++] = arg;
		return 0;
	case OPT_DRY_RUN:
		a->o.dry_run = true;
		return 0;
	case OPT_JSON:
		a->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (a->verb)
			argp_error(state, "'%s': one of submit, status, collect", arg);
		a->verb = arg;
		return 0;
	case ARGP_KEY_END:
		if (!a->verb)
			argp_error(state, "what to do? submit, status or collect");
		if (!a->o.dir)
			argp_error(state, "-o DIR is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void complain(const char *what)
{
	fprintf(stderr, "shortfuse fleet: %s\n", what);
}

static int submit(struct arguments *a)
{
	char err[FLEET_ERROR];
	int ret;

	if (!a->o.n_kernels)
		a->o.kernels[a->o.n_kernels++] = "auto";
	if ((uint64_t)a->o.n_kernels * a->o.workers > FLEET_TASKS_MAX) {
		fprintf(stderr, "shortfuse fleet: more than %d tasks\n", FLEET_TASKS_MAX);
		return EXIT_USAGE;
	}
	/* Fleets on one timer have seeds of their own; room for every restart below 2^31. */
	if (!a->seeded) {
		uint32_t random = 0;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			complain("no random number: seeds begin at 0");
		a->o.seed = random % 1000000000;
	}
	ret = fleet_submit(&a->o, err);
	if (ret < 0) {
		complain(err);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	}
	printf("%s: 'shortfuse fleet status -o %s', then 'fleet collect'\n", a->o.dir,
	       a->o.dir);
	return EXIT_CLEAN;
}

static int status(const struct arguments *a)
{
	char err[FLEET_ERROR];
	json_t *json = fleet_status(a->o.dir, err), *counts, *tasks;
	bool failed;

	if (!json) {
		complain(err);
		return EXIT_USAGE;
	}
	counts = json_object_get(json, "counts");
	tasks = json_object_get(json, "tasks");
	failed = json_object_get(counts, "failed") || json_object_get(counts, "lost");
	if (a->json) {
		json_dumpf(json, stdout, JSON_INDENT(1));
		printf("\n");
	} else {
		for (size_t i = 0; i < json_array_size(tasks); i++) {
			const json_t *task = json_array_get(tasks, i);

			printf("%6lld  %-8s %-20s %lld incarnation(s), %lld runs\n",
			       json_integer_value(json_object_get(task, "task")),
			       json_string_value(json_object_get(task, "state")),
			       json_string_value(json_object_get(task, "kernel")),
			       json_integer_value(json_object_get(task, "incarnations")),
			       json_integer_value(json_object_get(task, "runs")));
		}
		for (void *at = json_object_iter(counts); at;
		     at = json_object_iter_next(counts, at))
			printf("%lld %s\n",
			       json_integer_value(json_object_iter_value(at)),
			       json_object_iter_key(at));
	}
	json_decref(json);
	return failed ? EXIT_INFRA : EXIT_CLEAN;
}

/* Every incarnation that has a campaign, also of tasks that were lost: what they found is found. */
static char **campaigns(const char *dir, unsigned int *ret_n)
{
	char path[PATH_MAX], **list = NULL, **more;
	struct dirent *entry;
	unsigned int n = 0;
	DIR *runs;

	snprintf(path, sizeof(path), "%.4000s/runs", dir);
	runs = opendir(path);
	while (runs && (entry = readdir(runs))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.3000s/runs/%.255s/campaign/campaign.json",
			 dir, entry->d_name);
		if (access(path, R_OK))
			continue;
		*strrchr(path, '/') = '\0';
		more = realloc(list, (n + 1) * sizeof(*list));
		if (!more)
			break;
		list = more;
		list[n] = strdup(path);
		n += list[n] != NULL;
	}
	if (runs)
		closedir(runs);
	*ret_n = n;
	return list;
}

static int collect_into(const char *out, char **dirs, unsigned int n)
{
	struct merge_counts counts;
	char err[MERGE_ERROR], line[PATH_MAX + 100];
	int ret = merge_run((const char *const *)dirs, n, out, complain, &counts, err);

	if (ret < 0) {
		complain(err);
		return EXIT_INFRA;
	}
	printf("%s: %u campaigns, %u findings, %u of them new\n", out, counts.campaigns,
	       counts.findings, counts.fresh);
	snprintf(line, sizeof(line), "%s/report.html", out);
	ret = report_campaign(out, line);
	if (ret < 0) {
		complain("the report could not be written");
		return EXIT_INFRA;
	}
	printf("%s\n", line);
	return counts.findings ? EXIT_FLAGGED : EXIT_CLEAN;
}

static int collect(const struct arguments *a)
{
	char err[FLEET_ERROR], out[PATH_MAX];
	json_t *fleet = fleet_load(a->o.dir, err);
	unsigned int n;
	char **dirs;
	int status;

	if (!fleet) {
		complain(err);
		return EXIT_USAGE;
	}
	json_decref(fleet);
	dirs = campaigns(a->o.dir, &n);
	snprintf(out, sizeof(out), "%.4000s/merged", a->o.dir);
	if (n) {
		status = collect_into(out, dirs, n);
	} else {
		complain("no task has a campaign yet");
		status = EXIT_INFRA;
	}
	for (unsigned int i = 0; i < n; i++)
		free(dirs[i]);
	free(dirs);
	return status;
}

int cmd_fleet(int argc, char **argv)
{
	static const struct argp argp = {
		option_list,
		parse,
		"submit|status|collect",
		"Fuzz on many machines: submit writes an array of tasks, kernels x "
		"workers, "
		"and hands it to Slurm or GNU parallel; status says how far they are; "
		"collect merges what they found into DIR/merged.\v"
		"Exit status: 0 done, 1 collect found something, 2 bad input, 3 "
		"infrastructure: the engine is missing, a task failed or was lost.",
		NULL,
		NULL,
		NULL};
	static struct arguments a = {
		.o = {.engine = "slurm", .workers = 1, .seconds = 3600}};
	static char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	a.o.program = n > 0 ? program : "shortfuse";
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (!strcmp(a.verb, "submit"))
		return submit(&a);
	if (!strcmp(a.verb, "status"))
		return status(&a);
	if (!strcmp(a.verb, "collect"))
		return collect(&a);
	fprintf(stderr, "shortfuse fleet: '%s': one of submit, status, collect\n",
		a.verb);
	return EXIT_USAGE;
}
