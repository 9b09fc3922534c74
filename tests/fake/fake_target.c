/* SPDX-License-Identifier: MIT */
/*
 * A test double of targets/target.c with the commands fuzz and serve: answers are worked out from the
 * scenario by the mutator's model, no kernel is touched. So AFL++, the proxy, the mutator and the
 * store of findings can be tested without root and without /dev/fuse.
 *
 * A withheld request is "lost"; withheld in an exiting task "pinned"; sleep 13 ms is "infra", 14 ms loses
 * the target.
 */

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/cli/commands.h"
#include "fuzzer/mutate/model.h"
#include "targets/target.h"

const struct target_ops *const target_backends[] = {NULL};

static const char *fake_hello(const struct target *target)
{
	(void)target;
	return "{\"release\":\"fake\"}";
}

static const struct target_ops fake_ops = {.name = "fake", .hello = fake_hello};

int target_open(const struct target_options *opt, struct target **ret_target, char *err)
{
	struct target *target;

	if (strcmp(opt->spec, "host")) {
		snprintf(err, 300, "the fake target has no '%s'", opt->spec);
		return -ENODEV;
	}
	target = calloc(1, sizeof(*target));
	if (!target)
		return -ENOMEM;
	target->ops = &fake_ops;
	*ret_target = target;
	return 0;
}

static uint32_t hash(uint32_t a, uint32_t b, uint32_t c)
{
	uint64_t x = a * 0x9e3779b97f4a7c15u + b * 0xbf58476d1ce4e5b9u +
		     c * 0x94d049bb133111ebu;

	return (x ^ x >> 29) >> 16;
}

static void add_cell(struct result *res, uint32_t cell)
{
	unsigned int at = 0;

	while (at < res->n_cells && res->cells[at] < cell)
		at++;
	if (res->n_cells == RESULT_MAX_CELLS ||
	    (at < res->n_cells && res->cells[at] == cell))
		return;
	memmove(&res->cells[at + 1], &res->cells[at], (res->n_cells - at) * sizeof(cell));
	res->cells[at] = cell;
	res->n_cells++;
}

static void judge(struct result *res, enum verdict verdict, unsigned int op, uint32_t how)
{
	if (res->verdict >= verdict)
		return;
	res->verdict = verdict;
	res->rung = verdict == VERDICT_PINNED ? RUNG_ABORT : RUNG_DAEMON;
	res->signature = res->root_hash = hash(verdict, op, how) + 1u;
	snprintf(res->reason, sizeof(res->reason), "fake: %s waits for ever",
		 op_table[op].name);
}

/* The model does not say whether an exiting task waits: it is gone either way. */
static bool exit_waits(const struct scenario *scn, const struct scn_step *step)
{
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (scn->faults[i].opcode == *op_emits(step->op) &&
		    fault_withholds(scn->faults[i].action))
			return true;
	return false;
}

int target_run(struct target *target, const struct scenario *scn, uint32_t flags,
	       struct result *ret_res)
{
	struct model model;

	(void)target;
	(void)flags;
	usleep(200);
	result_init(ret_res);
	ret_res->n_steps = scn->n_steps;
	model_init(&model, scn);
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct scn_step *step = &scn->steps[i];
		bool ends = op_table[step->op].flags & OPF_ENDS;

		if (step->op == OP_sleep && step->v == 14)
			return -ECONNRESET;
		if (step->op == OP_sleep && step->v == 13) {
			ret_res->verdict = VERDICT_INFRA;
			return 0;
		}
		if (!model_step(&model, step))
			continue;
		ret_res->steps[i].status = STEP_DONE;
		add_cell(ret_res, hash(step->op, model.state[step->actor], 0));
		if (step->actor == ACTOR_CTL ||
		    (model.state[step->actor] != MODEL_BLOCKED &&
		     !(ends && exit_waits(scn, step))))
			continue;
		add_cell(ret_res, hash(step->op, scn->config.placement, 1));
		judge(ret_res, ends ? VERDICT_PINNED : VERDICT_LOST, step->op,
		      scn->config.placement);
	}
	if (ret_res->verdict &&
	    asprintf(&ret_res->json, "{\"reason\":\"%s\",\"kmsg\":[\"<4>fake\"]}",
		     ret_res->reason) > 0)
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
	if (argc > 1 && !strcmp(argv[1], "fuzz"))
		return cmd_fuzz(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "serve"))
		return cmd_serve(argc - 1, argv + 1);
	fprintf(stderr, "usage: shortfuse-fake fuzz|serve ...\n");
	return EXIT_USAGE;
}
