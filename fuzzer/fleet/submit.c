/* SPDX-License-Identifier: MIT */
/* Makes the folder of a fleet and starts its engine. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleet.h"
#include "fuzzer/campaign/file.h"

#define ARGS_MAX (FLEET_EXTRA_MAX * 3 + 40)
/* What a task needs beside fuzzing: booting guests, ending them, the signal ahead of the limit. */
#define LIMIT_EXTRA_MINUTES 10

static int fail(char *err, const char *what, int ret)
{
	snprintf(err, FLEET_ERROR, "%.3000s: %s", what, strerror(-ret));
	return ret;
}

static json_t *describe(const struct fleet_options *o)
{
	json_t *kernels = json_array();

	for (unsigned int i = 0; i < o->n_kernels; i++)
		json_array_append_new(kernels, json_string(o->kernels[i]));
	return json_pack("{s:i, s:s, s:o, s:i, s:I, s:I, s:s}", "version", 1, "engine",
			 o->engine, "kernels", kernels, "workers", (int)o->workers,
			 "seconds", (json_int_t)o->seconds, "seed", (json_int_t)o->seed,
			 "job", "");
}

static int write_json(int fd, const json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	int ret = text ? file_printf(fd, "fleet.json", "%s\n", text) : -ENOMEM;

	free(text);
	return ret;
}

/* Refused where there is a fleet already: its tasks may still run. */
static int make_folder(const struct fleet_options *o, char *dir, json_t *json, char *err)
{
	static const char *const folders[] = {"runs", "seeds", "logs"};
	char *script;
	int fd = file_make_dir(AT_FDCWD, o->dir), ret = 0;

	if (fd < 0)
		return fail(err, o->dir, fd);
	if (!faccessat(fd, "fleet.json", F_OK, 0)) {
		close(fd);
		snprintf(err, FLEET_ERROR,
			 "%.3000s: it holds a fleet already; choose another -o", o->dir);
		return -EINVAL;
	}
	for (int i = 0; i < 3 && !ret; i++)
		if (mkdirat(fd, folders[i], 0755) && errno != EEXIST)
			ret = -errno;
	if (!realpath(o->dir, dir))
		ret = -errno;
	script = ret ? NULL : fleet_worker(o, dir, o->program);
	if (!ret)
		ret = script ? file_write(fd, "worker.sh", script, strlen(script))
			     : -ENOMEM;
	if (!ret && fchmodat(fd, "worker.sh", 0755, 0))
		ret = -errno;
	if (!ret)
		ret = write_json(fd, json);
	free(script);
	close(fd);
	return ret < 0 ? fail(err, o->dir, ret) : 0;
}

/* Runs argv with its output in buf if there is one. Exit status or -errno. */
static int run(char *const *argv, char *buf, size_t size)
{
	int pipe_fd[2] = {-1, -1}, status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (buf && pipe2(pipe_fd, O_CLOEXEC))
		return -errno;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (buf)
			dup2(pipe_fd[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (buf) {
		close(pipe_fd[1]);
		while (pid > 0 && len + 1 < size &&
		       (n = read(pipe_fd[0], buf + len, size - 1 - len)) > 0)
			len += n;
		buf[len] = '\0';
		close(pipe_fd[0]);
	}
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

static int start_slurm(const struct fleet_options *o, const char *dir, char *job,
		       size_t size, char *err)
{
	char array[40], limit[60], output[PATH_MAX + 40], script[PATH_MAX + 20];
	const char *argv[ARGS_MAX] = {
		"sbatch",      "--parsable",	    array,
		limit,	       "--requeue",	    "--open-mode=append",
		output,	       "--signal=B:INT@60", "--job-name=shortfuse",
		"--export=ALL"};
	unsigned int n = 10;
	int ret;

	snprintf(array, sizeof(array), "--array=0-%u", o->n_kernels * o->workers - 1);
	snprintf(limit, sizeof(limit), "--time=%ld",
		 o->seconds / 60 + LIMIT_EXTRA_MINUTES);
	snprintf(output, sizeof(output), "--output=%s/logs/%%A_%%a.log", dir);
	snprintf(script, sizeof(script), "%s/worker.sh", dir);
	for (unsigned int i = 0; i < o->n_extra; i++)
		argv[n++] = o->extra[i];
	argv[n] = script;
	ret = run((char *const *)argv, job, size);
	job[strcspn(job, ";\n")] = '\0';
	if (ret == 0 && job[0])
		return 0;
	snprintf(err, FLEET_ERROR, "sbatch: %s",
		 ret == 127 ? "not installed (Debian package slurm-client)"
			    : "it did not take the job");
	return -EIO;
}

/* The numbers of the tasks, a line each. */
static int write_tasks(const char *dir, unsigned int n)
{
	char path[PATH_MAX + 20];
	FILE *out;

	snprintf(path, sizeof(path), "%s/tasks", dir);
	out = fopen(path, "we");
	if (!out)
		return -errno;
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%u\n", i);
	return fclose(out) ? -errno : 0;
}

/* In the foreground: parallel's own log says which tasks are done, --resume-failed goes on after a break. */
static int start_parallel(const struct fleet_options *o, const char *dir, char *err)
{
	char log[PATH_MAX + 20], script[PATH_MAX + 20], tasks[PATH_MAX + 20];
	const char *argv[ARGS_MAX] = {"parallel", "--retries", "3",
				      "--joblog", log,	       "--line-buffer"};
	unsigned int n = 6;
	int ret;

	snprintf(log, sizeof(log), "%s/joblog", dir);
	snprintf(script, sizeof(script), "%s/worker.sh", dir);
	snprintf(tasks, sizeof(tasks), "%s/tasks", dir);
	for (unsigned int i = 0; i < o->n_logins; i++) {
		argv[n++] = "--sshlogin";
		argv[n++] = o->logins[i];
	}
	for (unsigned int i = 0; i < o->n_extra; i++)
		argv[n++] = o->extra[i];
	argv[n++] = "--arg-file";
	argv[n++] = tasks;
	argv[n] = script;
	ret = write_tasks(dir, o->n_kernels * o->workers);
	ret = ret < 0 ? ret : run((char *const *)argv, NULL, 0);
	if (ret == 0)
		return 0;
	snprintf(err, FLEET_ERROR, "parallel: %s",
		 ret == 127 ? "not installed (Debian package parallel)"
			    : "some tasks failed; see joblog and runs/*/log");
	return -EIO;
}

int fleet_submit(const struct fleet_options *o, char *err)
{
	json_t *json = describe(o);
	char dir[PATH_MAX], job[200] = "";
	int fd, ret = json ? make_folder(o, dir, json, err) : fail(err, "fleet", -ENOMEM);

	if (!ret && !o->dry_run) {
		ret = strcmp(o->engine, "slurm")
			      ? start_parallel(o, dir, err)
			      : start_slurm(o, dir, job, sizeof(job), err);
	}
	if (!ret && job[0]) {
		json_object_set_new(json, "job", json_string(job));
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ret = fd < 0 ? -errno : write_json(fd, json);
		if (fd >= 0)
			close(fd);
		if (ret < 0)
			fail(err, o->dir, ret);
		printf("Job %s: %u tasks\n", job, o->n_kernels * o->workers);
	}
	json_decref(json);
	return ret;
}
