/* SPDX-License-Identifier: MIT */
/* Runs subcommands of shortfuse as children: what goes wrong in one is told and does not end the night. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nightly.h"

#define ARGS_MAX 40

static volatile sig_atomic_t stop;
static volatile pid_t child;

static void on_signal(int sig)
{
	stop = 1;
	if (child > 0)
		kill(child, sig);
}

void nightly_interrupt_catch(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool nightly_interrupted(void)
{
	return stop;
}

static void exec_child(const char *program, char *const *argv, int log)
{
	int null = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execv(program, argv);
	_exit(3);
}

int nightly_child(const struct nightly *n, const char *log, const char *const *args)
{
	const char *argv[ARGS_MAX] = {n->options->program};
	int fd, status;

	for (unsigned int i = 0; args[i] && i + 2 < ARGS_MAX; i++)
		argv[i + 1] = args[i];
	if (stop)
		return -EINTR;
	fd = openat(n->night_fd, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	child = fork();
	if (child == 0)
		exec_child(n->options->program, (char *const *)argv, fd);
	close(fd);
	if (child < 0)
		return -errno;
	/* A signal that came between fork and the assignment reached nobody. */
	if (stop)
		kill(child, SIGTERM);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	child = 0;
	if (stop)
		return -EINTR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}
