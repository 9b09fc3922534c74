/* SPDX-License-Identifier: MIT */
/* shortfuse serve: a target behind a socket, for afl-showmap, afl-cmin and afl-tmin by
 * hand. */

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fuzzer/campaign/address.h"
#include "fuzzer/campaign/broker.h"
#include "fuzzer/campaign/runner.h"
#include "commands.h"

static const struct argp_option option_list[] = {
	{"socket", 's', "PATH", 0, "where to listen; @NAME: abstract, leaves no file", 0},
	{"target", 't', "TARGET", 0, "host (default), uml[:IMAGE], qemu:KERNEL", 0},
	{"verbose", 'v', NULL, 0, "what the executor says", 0},
	{0},
};

struct arguments {
	const char *socket;
	struct target_options target;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 's':
		a->socket = arg;
		break;
	case 't':
		a->target.spec = arg;
		break;
	case 'v':
		a->target.verbose = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': serve takes no arguments", arg);
		break;
	case ARGP_KEY_END:
		if (!a->socket)
			argp_error(state, "--socket PATH is needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static volatile int stop_fd = -1;

static void on_signal(int sig)
{
	(void)sig;
	eventfd_write(stop_fd, 1);
}

static int serve_run(void *ctx, const struct scenario *scn, uint32_t flags,
		     struct result *res)
{
	return runner_run(ctx, scn, flags, res);
}

static int serve(struct broker *broker, struct runner *runner, const char *address)
{
	struct sigaction action = {.sa_handler = on_signal};
	int ret;

	broker->listen_fd = address_listen(address);
	if (broker->listen_fd < 0) {
		fprintf(stderr, "shortfuse serve: %s: %s\n", address,
			strerror(-broker->listen_fd));
		return EXIT_USAGE;
	}
	stop_fd = broker->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	printf("serving target %s; use it by: %s=%s afl-showmap -o MAP -- "
	       "build/shortfuse-afl < FILE\n",
	       runner->options.spec, SOCKET_ENV, address);
	fflush(stdout);
	ret = broker_loop(broker);
	close(broker->listen_fd);
	close(broker->stop_fd);
	if (address[0] != '@')
		unlink(address);
	if (ret < 0)
		fprintf(stderr, "shortfuse serve: target %s: %s\n", runner->options.spec,
			runner->error[0] ? runner->error : strerror(-ret));
	return ret < 0 ? EXIT_INFRA : EXIT_CLEAN;
}

int cmd_serve(int argc, char **argv)
{
	static const struct argp argp = {
		option_list, parse, NULL, "Run scenarios for clients of a unix socket.",
		NULL,	     NULL,  NULL};
	struct arguments a = {.target = {.spec = "host", .cpu = -1}};
	struct runner runner;
	struct broker broker = {.ctx = &runner, .run = serve_run};
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	signal(SIGPIPE, SIG_IGN);
	runner_init(&runner, &a.target);
	if (runner_open(&runner) < 0) {
		fprintf(stderr, "shortfuse serve: target %s: %s\n", a.target.spec,
			runner.error);
		return EXIT_INFRA;
	}
	ret = serve(&broker, &runner, a.socket);
	runner_release(&runner);
	return ret;
}
