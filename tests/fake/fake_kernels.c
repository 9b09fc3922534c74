/* SPDX-License-Identifier: MIT */
/*
 * A test double of targets/target.c with the commands qualify, report, fuzz, nightly and fleet: kernels that do as
 * their name says, to show that a qualification tells a regression from a flake. A scenario gives its expect: line's verdict, except
 *
 *	good		nothing else
 *	bad		every expected "lost" is "pinned"
 *	fixed		every expected "lost" is clean
 *	flaky, flaky2	expected "lost" is clean in three of ten runs, by different random numbers
 *	rare		expected "lost" is "pinned" once in all runs of the program
 *	other		as good, with other roots
 *	broken		every answer is infra
 *	slow		good, 50 ms a run
 *	rules		what the file FAKE_RULES says: lines "STEPS VERDICT", for scenarios with so many steps; else clean
 *	any other	cannot be opened
 */

#include <argp.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/cli/commands.h"
#include "harness/util/rng.h"
#include "targets/target.h"

const struct target_ops *const target_backends[] = {NULL};

struct fake {
	struct target target;
	char name[40];
	struct rng rng;
};

static atomic_uint rare_runs;

static const char *fake_hello(const struct target *target)
{
	(void)target;
	return "{\"version\":1,\"release\":\"0.0-fake "
	       "<&>\",\"cpus\":1,\"features\":[\"none\"]}";
}

static const struct target_ops fake_ops = {.name = "fake", .hello = fake_hello};

static const char *const names[] = {"good", "bad",   "fixed",  "flaky", "flaky2",
				    "rare", "other", "broken", "slow",	"rules"};

int target_open(const struct target_options *opt, struct target **ret_target, char *err)
{
	const char *spec = opt->spec;
	struct fake *fake;

	if (!strncmp(spec, "qemu:", 5))
		spec += 5;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(spec, names[i]))
			continue;
		fake = calloc(1, sizeof(*fake));
		if (!fake)
			return -ENOMEM;
		fake->target.ops = &fake_ops;
		snprintf(fake->name, sizeof(fake->name), "%s", spec);
		rng_init(&fake->rng, i + 100);
		*ret_target = &fake->target;
		return 0;
	}
	snprintf(err, 300, "there is no kernel '%s'", opt->spec);
	return -ENODEV;
}

static enum verdict by_rules(unsigned int n_steps)
{
	FILE *file = fopen(getenv("FAKE_RULES") ? getenv("FAKE_RULES") : "", "re");
	enum verdict verdict = VERDICT_CLEAN;
	char name[32];
	unsigned int n;

	while (file && fscanf(file, "%u %31s", &n, name) == 2)
		if (n == n_steps && verdict_by_name(name) >= 0)
			verdict = verdict_by_name(name);
	if (file)
		fclose(file);
	return verdict;
}

static enum verdict decide(struct fake *fake, enum verdict expect)
{
	if (!strcmp(fake->name, "broken"))
		return VERDICT_INFRA;
	if (expect != VERDICT_LOST)
		return expect;
	if (!strcmp(fake->name, "bad"))
		return VERDICT_PINNED;
	if (!strcmp(fake->name, "fixed"))
		return VERDICT_CLEAN;
	if (!strncmp(fake->name, "flaky", 5) && rng_below(&fake->rng, 10) < 3)
		return VERDICT_CLEAN;
	if (!strcmp(fake->name, "rare") && atomic_fetch_add(&rare_runs, 1) == 1)
		return VERDICT_PINNED;
	return expect;
}

static enum rung rung_of(enum verdict verdict)
{
	static const enum rung rungs[VERDICT_COUNT] = {
		[VERDICT_HELD] = RUNG_REPLY,	  [VERDICT_LOST] = RUNG_DAEMON,
		[VERDICT_DEAF] = RUNG_DAEMON,	  [VERDICT_PINNED] = RUNG_ABORT,
		[VERDICT_STUCK] = RUNG_ABORT,	  [VERDICT_LEAK] = RUNG_UMOUNT,
		[VERDICT_UNREAPABLE] = RUNG_NONE,
	};

	return rungs[verdict];
}

int target_run(struct target *target, const struct scenario *scn, uint32_t flags,
	       struct result *ret_res)
{
	struct fake *fake = (struct fake *)target;
	unsigned int expect = scn->config.expect;

	(void)flags;
	usleep(!strcmp(fake->name, "slow") ? 50000 : 200);
	result_init(ret_res);
	ret_res->verdict = decide(fake, expect ? expect - 1 : VERDICT_CLEAN);
	if (!strcmp(fake->name, "rules"))
		ret_res->verdict = by_rules(scn->n_steps);
	ret_res->rung = rung_of(ret_res->verdict);
	ret_res->total_us = 200;
	if (ret_res->verdict == VERDICT_INFRA)
		snprintf(ret_res->reason, sizeof(ret_res->reason), "it is broken");
	if (verdict_table[ret_res->verdict].severity < SEVERITY_CONTRACT)
		return 0;
	ret_res->signature = 0x1000u + ret_res->verdict + 256u * scn->n_steps;
	if (!strcmp(fake->name, "other"))
		ret_res->signature++;
	snprintf(ret_res->reason, sizeof(ret_res->reason),
		 "</td><script>alert(1)</script> & \"# SKIP\"");
	if (asprintf(&ret_res->json, "{\"reason\":\"<b>\",\"kmsg\":[\"<4>fake\"]}") > 0)
		ret_res->json_len = strlen(ret_res->json);
	return 0;
}

void target_next(struct target *target, const struct scenario *scn, uint32_t flags)
{
	(void)target, (void)scn, (void)flags;
}

int target_reset(struct target *target, char *err)
{
	(void)target;
	(void)err;
	return 0;
}

void target_close(struct target *target)
{
	free(target);
}

int main(int argc, char **argv)
{
	argp_err_exit_status = EXIT_USAGE;
	/* What "auto" finds here is not to be remembered for others. */
	setenv("XDG_CACHE_HOME", "/dev/null", 1);
	if (argc > 1 && !strcmp(argv[1], "qualify"))
		return cmd_qualify(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "report"))
		return cmd_report(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "fuzz"))
		return cmd_fuzz(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "nightly"))
		return cmd_nightly(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "fleet"))
		return cmd_fleet(argc - 1, argv + 1);
	fprintf(stderr,
		"usage: shortfuse-fake-kernels qualify|report|fuzz|nightly|fleet ...\n");
	return EXIT_USAGE;
}
