/* SPDX-License-Identifier: MIT */
/*
 * One campaign on many machines: an array of tasks, kernels x workers, run by Slurm or by GNU parallel over ssh.
 *
 *	DIR/fleet.json    what was asked for, and the job's number
 *	DIR/worker.sh     one task: what the engine runs, on any machine that sees DIR at this path
 *	DIR/seeds/N       taken seeds: mkdir(2) takes each once, also of tasks that run twice
 *	DIR/runs/TASK-X/  one incarnation of a task: campaign, log, status
 *	DIR/merged/       what collect made of them
 *
 * Nodes die, and a controller may start a task twice: so each incarnation has a folder and a seed of its own, and the
 * merge counts each campaign once.
 */
#ifndef SF_FLEET_H
#define SF_FLEET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define FLEET_KERNELS_MAX 64
#define FLEET_EXTRA_MAX	  32 /* arguments passed on to the engine, logins included */
#define FLEET_ERROR	  5000
#define FLEET_TASKS_MAX	  100000

struct fleet_options {
	const char *dir, *program;
	const char *engine; /* "slurm" or "parallel" */
	const char *kernels[FLEET_KERNELS_MAX];
	unsigned int n_kernels, workers; /* workers: tasks a kernel */
	long seconds;
	uint64_t seed; /* of the first task */
	const char *jobs, *stage;
	const char *extra[FLEET_EXTRA_MAX], *logins[FLEET_EXTRA_MAX];
	unsigned int n_extra, n_logins;
	bool dry_run; /* write everything, start nothing */
};

/* Makes DIR and hands it to the engine. 0; -EINVAL; -errno. With a line in err[FLEET_ERROR]. */
int fleet_submit(const struct fleet_options *options, char *err);

/* worker.sh of these options, malloc()ed, or NULL. dir and program are absolute paths. */
char *fleet_worker(const struct fleet_options *options, const char *dir,
		   const char *program);

/* fleet.json of DIR; NULL with a line in err. */
json_t *fleet_load(const char *dir, char *err);

/*
 * Each task by its incarnations: {"tasks": [{"task", "kernel", "state", "incarnations", "runs"}], "done", ...}, a new
 * reference. States: done, failed, running, waiting. NULL with a line in err.
 */
json_t *fleet_status(const char *dir, char *err);

#endif
