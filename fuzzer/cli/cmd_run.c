/* SPDX-License-Identifier: MIT */
/* shortfuse run: scenarios on a target, one verdict each. */

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "fuzzer/campaign/file.h"
#include "fuzzer/campaign/findings.h"
#include "harness/protocol/proto.h"
#include "fuzzer/finding/outcome.h"
#include "fuzzer/finding/scenario_file.h"
#include "targets/auto.h"
#include "targets/spec.h"
#include "targets/target.h"

#define INFRA_TRIES 3

enum { OPT_VIRTUAL_TIME = 256, OPT_SERVER };

struct run_options {
	struct target_options target;
	unsigned int repeat;
	bool json, check, virtual_time;
	enum severity flag_at;
	const char *out_dir, *server;
	struct findings store; /* in out_dir, if there is one */
	char **files;
	int n_files;
};

struct tally {
	unsigned int runs, flagged, different;
	unsigned int infra,
		unanswered; /* tries that our own trouble spoiled; runs without any other */
	bool stop;
};

static const struct argp_option options[] = {
	{"target", 't', "TARGET", 0, "host (default), auto, uml[:IMAGE] or qemu:KERNEL",
	 0},
	{"repeat", 'n', "N", 0, "run each scenario N times", 0},
	{"json", 'j', NULL, 0, "print one JSON array", 0},
	{"check", 'c', NULL, 0, "compare with each scenario's expect: line", 0},
	{"flag-at", 'f', "SEVERITY", 0, "contract (default), bug or poison", 0},
	{"output", 'o', "DIR", 0, "keep the evidence of flagged runs in DIR", 0},
	{"virtual-time", OPT_VIRTUAL_TIME, NULL, 0,
	 "waits cost nothing: --target uml:IMAGE, built with time travel", 0},
	{"server", OPT_SERVER, "CMD", 0,
	 "a FUSE server to test, as 'bindfs {src} {mnt}': faults are put between it and "
	 "the kernel (--target host)",
	 0},
	{"verbose", 'v', NULL, 0, "show the guest's console", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_options *opt = state->input;
	char *end;
	long n;

	switch (key) {
	case 't':
		opt->target.spec = arg;
		return 0;
	case 'n':
		n = strtol(arg, &end, 10);
		if (*end || end == arg || n < 1 || n > 100000000)
			argp_error(state, "-n wants a number from 1, not '%s'", arg);
		opt->repeat = (unsigned int)n;
		return 0;
	case 'j':
		opt->json = true;
		return 0;
	case 'c':
		opt->check = true;
		return 0;
	case 'f':
		n = severity_by_name(arg);
		if (n < SEVERITY_CONTRACT)
			argp_error(state,
				   "--flag-at wants contract, bug or poison, not '%s'",
				   arg);
		opt->flag_at = (enum severity)n;
		return 0;
	case 'o':
		opt->out_dir = arg;
		return 0;
	case OPT_VIRTUAL_TIME:
		opt->virtual_time = true;
		return 0;
	case OPT_SERVER:
		opt->server = arg;
		return 0;
	case 'v':
		opt->target.verbose = true;
		return 0;
	case ARGP_KEY_ARGS:
		opt->files = state->argv + state->next;
		opt->n_files = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which scenario? FILE is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* A run that our own trouble spoiled says nothing: it is tried again. */
static int run_once(struct target *target, const struct scenario *scn, uint32_t flags,
		    struct result *res, struct tally *tally)
{
	int ret = 0;

	for (int i = 0; i < INFRA_TRIES && !interrupted; i++) {
		char err[300] = "";

		result_init(res);
		ret = target_run(target, scn, flags, res);
		if (ret < 0 || res->verdict == VERDICT_KERNEL || res->poisoned) {
			if (target_reset(target, err) < 0) {
				fprintf(stderr,
					"shortfuse: the target cannot be used any more: "
					"%s\n",
					err[0] ? err : "poisoned");
				tally->stop = true;
				return ret;
			}
		}
		if (!ret && res->verdict != VERDICT_INFRA)
			return 0;
		tally->infra++;
		if (i + 1 < INFRA_TRIES)
			result_release(res);
	}
	return ret;
}

static void count(const struct run_options *opt, const struct scenario *scn,
		  const struct result *res, struct tally *tally)
{
	unsigned int expect = scn->config.expect;

	tally->runs++;
	if (res->verdict == VERDICT_INFRA) {
		tally->unanswered++;
		return;
	}
	if (verdict_table[res->verdict].severity >= opt->flag_at)
		tally->flagged++;
	if (opt->check && expect && res->verdict != expect - 1)
		tally->different++;
}

static void tell(const struct run_options *opt, const char *file,
		 const struct scenario *scn, const struct result *res, bool first)
{
	if (opt->json) {
		outcome_print_json(stdout, file, scn, res, first);
		return;
	}
	outcome_print_line(stdout, file, scn, res, opt->check);
	if (opt->n_files == 1 && opt->repeat == 1 && !opt->check &&
	    verdict_table[res->verdict].severity > SEVERITY_NONE)
		outcome_print_text(stdout, scn, res);
	fflush(stdout);
}

static int load(const struct run_options *opt, const char *file, struct scenario *ret_scn)
{
	char err[SCENARIO_FILE_ERROR];

	if (scenario_file_load(file, ret_scn, err) < 0) {
		fprintf(stderr, "%s\n", err);
		return EXIT_USAGE;
	}
	if (opt->check && !ret_scn->config.expect) {
		fprintf(stderr, "%s: no 'expect:' line to check against\n", file);
		return EXIT_USAGE;
	}
	return 0;
}

static int run_file(struct run_options *opt, struct target *target, const char *file,
		    struct tally *tally, bool *first)
{
	struct outcome_rates rates = {0};
	struct scenario scn;
	int status = load(opt, file, &scn);

	if (status)
		return status;
	for (unsigned int i = 0; i < opt->repeat && !interrupted && !tally->stop; i++) {
		bool details = opt->json || (opt->n_files == 1 && opt->repeat == 1);
		uint32_t flags = details ? RUN_DETAILS : 0;
		struct result res;

		if (i + 1 < opt->repeat)
			target_next(target, &scn, flags);
		if (run_once(target, &scn, flags, &res, tally) < 0) {
			result_release(&res);
			return EXIT_INFRA;
		}
		count(opt, &scn, &res, tally);
		outcome_rates_add(&rates, &res);
		if (opt->repeat == 1 || opt->json ||
		    (opt->check && res.verdict != scn.config.expect - 1))
			tell(opt, file, &scn, &res, *first);
		*first = false;
		if (opt->out_dir)
			findings_add(&opt->store, &scn, &res, tally->runs, NULL);
		result_release(&res);
	}
	if (opt->repeat > 1 && !opt->json)
		outcome_rates_print(stdout, file, &scn, &rates);
	return 0;
}

static int open_store(struct run_options *opt)
{
	int fd, ret;

	if (!opt->out_dir)
		return 0;
	fd = file_make_dir(AT_FDCWD, opt->out_dir);
	ret = fd < 0 ? fd
		     : findings_open(&opt->store, fd, opt->flag_at, opt->target.spec);
	if (ret < 0) {
		fprintf(stderr, "shortfuse: %s: %s\n", opt->out_dir, strerror(-ret));
		return EXIT_INFRA;
	}
	return 0;
}

/* What could not be written is an error of the command, whatever the verdicts were. */
static int close_store(struct run_options *opt)
{
	unsigned int unsaved;

	if (!opt->out_dir)
		return 0;
	unsaved = findings_flush(&opt->store);
	if (unsaved)
		fprintf(stderr, "shortfuse: %s: %u findings could not be written: %s\n",
			opt->out_dir, unsaved, strerror(-opt->store.error));
	else if (opt->store.n && !opt->json)
		printf("evidence of %u findings is in %s/findings/\n", opt->store.n,
		       opt->out_dir);
	findings_close(&opt->store);
	return unsaved ? EXIT_INFRA : 0;
}

static int verdict_status(const struct run_options *opt, const struct tally *tally,
			  int worst)
{
	if (worst)
		return worst;
	if (opt->check ? tally->different : tally->flagged)
		return EXIT_FLAGGED;
	/* No answer is never "nothing found". */
	return tally->stop || tally->unanswered ? EXIT_INFRA : EXIT_CLEAN;
}

static void summary(const struct run_options *opt, const struct tally *tally)
{
	if (opt->json || (opt->n_files == 1 && opt->repeat == 1))
		return;
	if (opt->check)
		printf("%u runs, %u as expected, %u different, %u retried for infra\n",
		       tally->runs, tally->runs - tally->different - tally->unanswered,
		       tally->different, tally->infra);
	else
		printf("%u runs, %u flagged, %u retried for infra\n", tally->runs,
		       tally->flagged, tally->infra);
}

static void say(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static int run_all(struct run_options *opt)
{
	static char spec[SPEC_MAX];
	struct sigaction on_interrupt = {.sa_handler = interrupt,
					 .sa_flags = (int)SA_RESETHAND};
	struct tally tally = {0};
	struct target *target;
	char err[300] = "", why[AUTO_ERROR];
	bool first = true;
	int worst = 0, ret;

	/* Bad input is told before anything is booted. */
	for (int i = 0; i < opt->n_files && !worst; i++) {
		struct scenario scn;

		worst = load(opt, opt->files[i], &scn);
	}
	if (!worst)
		worst = open_store(opt);
	if (worst)
		return worst;
	sigaction(SIGINT, &on_interrupt, NULL);
	sigaction(SIGTERM, &on_interrupt, NULL);
	ret = target_resolve(opt->target.spec, spec, say, why);
	if (ret < 0) {
		fprintf(stderr, "shortfuse: %s\n", why);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	}
	opt->target.spec = spec;
	ret = target_open(&opt->target, &target, err);
	if (ret < 0) {
		fprintf(stderr, "shortfuse: %s: %s\n", opt->target.spec, err);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	}
	if (opt->json)
		printf("[");
	for (int i = 0; i < opt->n_files && !interrupted && !tally.stop; i++) {
		int status = run_file(opt, target, opt->files[i], &tally, &first);

		worst = status > worst ? status : worst;
	}
	if (opt->json)
		printf("]\n");
	summary(opt, &tally);
	target_close(target);
	if (close_store(opt))
		worst = EXIT_INFRA;
	return interrupted ? 128 + SIGINT : verdict_status(opt, &tally, worst);
}

int cmd_run(int argc, char **argv)
{
	static const struct argp argp = {options,
					 parse,
					 "FILE...",
					 "Run scenarios (text, bytes or a finding's "
					 "folder) and tell their verdicts.\v"
					 "Exit status: 0 nothing flagged (with --check: "
					 "all as expected), 1 flagged (a "
					 "difference), 2 bad input, 3 infrastructure.",
					 NULL,
					 NULL,
					 NULL};
	struct run_options opt = {.repeat = 1, .flag_at = SEVERITY_CONTRACT};
	char *spec = NULL, *whole = NULL;
	int status = EXIT_INFRA;

	opt.target.spec = "host";
	opt.target.cpu = -1;
	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	/* A property of the target: so the evidence says it, and repro.sh asks for it. */
	if (opt.virtual_time)
		opt.target.spec = spec = spec_with(opt.target.spec, "virtual-time");
	if (opt.target.spec && opt.server)
		opt.target.spec = whole = spec_with_server(opt.target.spec, opt.server);
	if (opt.target.spec)
		status = run_all(&opt);
	free(spec);
	free(whole);
	return status;
}
