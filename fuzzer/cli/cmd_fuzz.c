/* SPDX-License-Identifier: MIT */
/* shortfuse fuzz: runs a campaign and says what it found. */

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzzer/campaign/campaign.h"
#include "commands.h"
#include "fuzzer/util/duration.h"
#include "targets/auto.h"
#include "targets/spec.h"

enum {
	OPT_TIME = 256,
	OPT_EMPTY,
	OPT_SEED,
	OPT_RESUME,
	OPT_BLIND,
	OPT_NO_MUTATOR,
	OPT_FLAG_AT,
	OPT_QUIET,
	OPT_CORPUS,
	OPT_RESET_EVERY,
	OPT_VIRTUAL_TIME,
	OPT_SERVER
};

static const struct argp_option option_list[] = {
	{"target", 't', "TARGET", 0,
	 "auto (default): the first scratch kernel that boots here; uml[:IMAGE], "
	 "qemu:KERNEL, host",
	 0},
	{"time", OPT_TIME, "TIME", 0, "end after 60s, 10m, 8h (default: on Ctrl-C)", 0},
	{"jobs", 'j', "N", 0,
	 "executors, each with its afl-fuzz (default auto: as many as keep the CPUs "
	 "busy)",
	 0},
	{"reset-every", OPT_RESET_EVERY, "N", 0,
	 "a fresh guest after N runs (default: after a death or a poison)", 0},
	{"virtual-time", OPT_VIRTUAL_TIME, NULL, 0,
	 "waits cost nothing: --target uml:IMAGE, built with time travel", 0},
	{"corpus", OPT_CORPUS, "DIR", 0,
	 "seeds: scenarios as text or .bin (default: corpus)", 0},
	{"empty", OPT_EMPTY, NULL, 0, "start without seeds", 0},
	{"seed", OPT_SEED, "N", 0, "of every random choice (default: random)", 0},
	{NULL, 'o', "DIR", 0, "results (default: results/fuzz-DATE-TIME)", 0},
	{"resume", OPT_RESUME, NULL, 0, "go on with the campaign in -o DIR", 0},
	{"blind", OPT_BLIND, NULL, 0, "no afl-fuzz: generated scenarios, no feedback", 0},
	{"no-mutator", OPT_NO_MUTATOR, NULL, 0, "AFL++'s own byte mutations", 0},
	{"flag-at", OPT_FLAG_AT, "SEVERITY", 0, "contract (default), bug or poison", 0},
	{"quiet", OPT_QUIET, NULL, 0,
	 "status lines, not AFL++'s screen, on a terminal too", 0},
	{"server", OPT_SERVER, "CMD", 0,
	 "a FUSE server to test, as 'bindfs {src} {mnt}': faults are put between it and "
	 "the kernel (--target host)",
	 0},
	{"verbose", 'v', NULL, 0, "what the executor says", 0},
	{0},
};

struct arguments {
	struct campaign_options campaign;
	bool empty, quiet, seeded, virtual_time;
	const char *server;
};

static unsigned long number(struct argp_state *state, const char *arg, unsigned long max)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (errno || *end || end == arg || arg[0] == '-' || n > max)
		argp_error(state, "'%s': expected a number up to %lu", arg, max);
	return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	struct campaign_options *o = &a->campaign;
	int severity;

	switch (key) {
	case 't':
		o->target = arg;
		break;
	case OPT_TIME:
		o->seconds = duration_parse(arg);
		if (o->seconds <= 0)
			argp_error(state,
				   "--time %s: expected something like 60s, 10m or 8h",
				   arg);
		break;
	case 'j':
		o->jobs = strcmp(arg, "auto") ? number(state, arg, JOBS_MAX) : JOBS_AUTO;
		if (!o->jobs && strcmp(arg, "auto"))
			argp_error(state, "--jobs: at least 1");
		break;
	case OPT_RESET_EVERY:
		o->reset_every = number(state, arg, INT_MAX);
		break;
	case OPT_VIRTUAL_TIME:
		a->virtual_time = true;
		break;
	case OPT_CORPUS:
		o->corpus = arg;
		break;
	case OPT_EMPTY:
		a->empty = true;
		break;
	case OPT_SEED:
		o->seed = number(state, arg, INT_MAX);
		a->seeded = true;
		break;
	case 'o':
		o->dir = arg;
		break;
	case OPT_RESUME:
		o->resume = true;
		break;
	case OPT_BLIND:
		o->mode = MODE_BLIND;
		break;
	case OPT_NO_MUTATOR:
		o->mode = MODE_HAVOC;
		break;
	case OPT_FLAG_AT:
		severity = severity_by_name(arg);
		if (severity < SEVERITY_CONTRACT)
			argp_error(state,
				   "--flag-at %s: expected contract, bug or poison", arg);
		o->flag_at = severity;
		break;
	case OPT_QUIET:
		a->quiet = true;
		break;
	case OPT_SERVER:
		a->server = arg;
		break;
	case 'v':
		o->verbose = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': fuzz takes no arguments", arg);
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

static int missing_program(const struct campaign_options *o)
{
	const char *needed[] = {"shortfuse-afl", "shortfuse-mutator.so"};
	char path[600];

	if (o->mode == MODE_BLIND)
		return 0;
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", o->program_dir, needed[i]);
		if (!access(path, R_OK))
			continue;
		fprintf(stderr, "shortfuse fuzz: %s: %s; 'make' builds it\n", path,
			strerror(errno));
		return -1;
	}
	/* A shell's own search: execvp(3) would tell only after everything is started. */
	if (system("command -v afl-fuzz >/dev/null 2>&1") == 0)
		return 0;
	fprintf(stderr,
		"shortfuse fuzz: afl-fuzz is not installed (Debian package afl++); "
		"'make deps' installs it\n");
	return -1;
}

/* Machines of a fleet start at the same second, with the same pid. */
static uint64_t random_seed(void)
{
	uint32_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint32_t)(time(NULL) ^ getpid());
	return seed & 0x7fffffff;
}

/* A folder of its own, made here: another campaign may start in the same second. */
static const char *claim_dir(char *dir, size_t size)
{
	time_t now = time(NULL);
	size_t len = strftime(dir, size, "results/fuzz-%Y%m%d-%H%M%S", localtime(&now));

	mkdir("results", 0755);
	for (unsigned int i = 2; mkdir(dir, 0755) && errno == EEXIST && i < 1000; i++)
		snprintf(dir + len, size - len, "-%u", i);
	return dir;
}

static void fill_defaults(struct arguments *a, char *dir, size_t dir_size,
			  char *program_dir, char *corpus)
{
	struct campaign_options *o = &a->campaign;
	ssize_t n = readlink("/proc/self/exe", program_dir, 500);
	char *slash;

	program_dir[n < 0 ? 0 : n] = '\0';
	slash = strrchr(program_dir, '/');
	if (slash)
		*slash = '\0';
	o->program_dir = program_dir;
	/* The corpus is beside build/, wherever the command is given. */
	snprintf(corpus, 600, "%.500s/../corpus", program_dir);
	if (!o->corpus)
		o->corpus = corpus;
	if (a->empty)
		o->corpus = NULL;
	if (!a->seeded)
		o->seed = random_seed();
	if (!o->dir && !o->resume)
		o->dir = claim_dir(dir, dir_size);
	o->screen = !a->quiet && o->mode != MODE_BLIND && isatty(STDOUT_FILENO);
}

/* A campaign never goes to another kernel by itself: on the host it may cost a reboot. */
static void tell_why_not(const struct campaign *c, int err)
{
	fprintf(stderr, "shortfuse fuzz: %s\n", c->error);
	if (err == -ENODEV && strncmp(c->options.target, "host", 4) != 0)
		fprintf(stderr,
			"shortfuse fuzz: no scratch kernel, nothing was fuzzed; "
			"'--target "
			"host' ('make fuzz TARGET=host') fuzzes this machine's own "
			"kernel, which may need a reboot afterwards; 'shortfuse doctor' "
			"tells what can run here\n");
}

static void say(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
}

/* "auto" becomes what it stands for, so that the results name a kernel. 0 or an exit status. */
static int resolve_target(struct campaign_options *o, char *buf)
{
	char err[AUTO_ERROR];
	int ret = target_resolve(o->target, buf, say, err);

	if (ret < 0) {
		fprintf(stderr, "shortfuse fuzz: %s\n", err);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	}
	o->target = buf;
	return 0;
}

static int run_campaign(const struct campaign_options *o)
{
	static struct campaign campaign;
	struct sigaction action = {.sa_handler = on_signal};
	int ret, flagged;

	signal(SIGPIPE, SIG_IGN);
	ret = campaign_open(&campaign, o);
	if (ret < 0) {
		tell_why_not(&campaign, ret);
		campaign_close(&campaign);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	}
	stop_fd = campaign.stop_fd;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	printf("Fuzzing target %s (%s, seed %llu, %u job%s%s); results in %s\n",
	       o->target, mode_names[o->mode], (unsigned long long)o->seed,
	       campaign.crew.n, campaign.crew.n == 1 ? "" : "s",
	       o->jobs == JOBS_AUTO ? " at first" : "", o->dir);
	fflush(stdout);
	ret = campaign_run(&campaign);
	report_summary(&campaign);
	flagged = campaign.findings.n > 0;
	if (ret < 0)
		fprintf(stderr, "shortfuse fuzz: %s\n", campaign.error);
	campaign_close(&campaign);
	return ret < 0 ? EXIT_INFRA : flagged ? EXIT_FLAGGED : EXIT_CLEAN;
}

int cmd_fuzz(int argc, char **argv)
{
	static const struct argp argp = {
		option_list,
		parse,
		NULL,
		"Fuzz a kernel's FUSE with AFL++ until the time is over or Ctrl-C.\v"
		"Exit status: 0 nothing flagged, 1 flagged, 2 usage, 3 infrastructure.",
		NULL,
		NULL,
		NULL};
	struct arguments a = {.campaign = {.target = "auto",
					   .jobs = JOBS_AUTO,
					   .flag_at = SEVERITY_CONTRACT}};
	static char target[SPEC_MAX];
	char dir[64], program_dir[512], corpus[600], *spec = NULL, *whole = NULL;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	/* A property of the target: so the results say it, and repro.sh asks for it. */
	if (a.virtual_time)
		a.campaign.target = spec = spec_with(a.campaign.target, "virtual-time");
	/* Said by the user, as a finding may cost a reboot of it. */
	if (a.server && strcmp(a.campaign.target, "host") != 0) {
		fprintf(stderr, "shortfuse fuzz: --server runs on this machine, where "
				"the server is: it needs --target host\n");
		return EXIT_USAGE;
	}
	if (a.campaign.target && a.server)
		a.campaign.target = whole = spec_with_server(a.campaign.target, a.server);
	if (!a.campaign.target)
		return EXIT_INFRA;
	fill_defaults(&a, dir, sizeof(dir), program_dir, corpus);
	if (a.campaign.resume && !a.campaign.dir) {
		fprintf(stderr, "shortfuse fuzz: --resume needs -o DIR\n");
		status = EXIT_USAGE;
	} else {
		status = missing_program(&a.campaign)
				 ? EXIT_INFRA
				 : resolve_target(&a.campaign, target);
		if (!status)
			status = run_campaign(&a.campaign);
	}
	if (a.campaign.dir == dir)
		rmdir(dir); /* if it is as empty as it was made */
	free(spec);
	free(whole);
	return status;
}
