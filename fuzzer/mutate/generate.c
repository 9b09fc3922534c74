/* SPDX-License-Identifier: MIT */
/* Makes random parts of a scenario that are likely to be executable where they are put.
 */

#include <linux/fuse.h>
#include <string.h>

#include "generate.h"

struct weight {
	uint8_t id, weight;
};

/* Operations not named here have weight 2. */
static const struct weight op_weights[] = {
	{OP_nop, 0},	    {OP_open, 14},	   {OP_creat, 4},	  {OP_close, 8},
	{OP_read, 6},	    {OP_write, 8},	   {OP_stat, 4},	  {OP_readdir, 3},
	{OP_dup2, 3},	    {OP_mmap, 4},	   {OP_touch, 5},	  {OP_exit, 6},
	{OP_exit_group, 6}, {OP_exec, 2},	   {OP_spawn, 4},	  {OP_kill, 5},
	{OP_stop, 1},	    {OP_cont, 1},	   {OP_unshare, 4},	  {OP_sleep, 0},
	{OP_epoll_wait, 1}, {OP_alarm, 1},	   {OP_ptrace_attach, 1}, {OP_barrier, 0},
	{OP_wait_any, 1},   {OP_steal_dev, 1},	   {OP_release, 3},	  {OP_abort, 1},
	{OP_poll, 1},	    {OP_ptrace_detach, 1},
};

/* Actions not named here have weight 2. */
static const struct weight action_weights[] = {
	{FAULT_none, 0},	{FAULT_hold, 8},       {FAULT_drop, 14},
	{FAULT_hold_ms, 1},	{FAULT_hold_step, 4},  {FAULT_hold_kill, 3},
	{FAULT_error, 3},	{FAULT_noread, 4},     {FAULT_self_open, 3},
	{FAULT_self_read, 3},	{FAULT_self_stat, 3},  {FAULT_intr_ignore, 1},
	{FAULT_intr_enosys, 1}, {FAULT_intr_again, 1}, {FAULT_intr_honour, 1},
	{FAULT_thread_exit, 4},
};

static const struct weight opcode_weights[] = {
	{FUSE_FLUSH, 14},    {FUSE_LOOKUP, 6},	{FUSE_OPEN, 6},	    {FUSE_READ, 8},
	{FUSE_WRITE, 8},     {FUSE_GETATTR, 4}, {FUSE_SETATTR, 3},  {FUSE_CREATE, 3},
	{FUSE_RELEASE, 3},   {FUSE_READDIR, 3}, {FUSE_OPENDIR, 2},  {FUSE_FSYNC, 3},
	{FUSE_UNLINK, 2},    {FUSE_MKDIR, 2},	{FUSE_SETLKW, 3},   {FUSE_SETLK, 2},
	{FUSE_POLL, 2},	     {FUSE_RENAME, 1},	{FUSE_GETXATTR, 1}, {FUSE_STATFS, 1},
	{FUSE_ACCESS, 1},    {FUSE_INIT, 1},	{FUSE_READLINK, 1}, {FUSE_INTERRUPT, 4},
	{FUSE_FALLOCATE, 1},
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

static unsigned int weight_of(const struct weight *table, size_t n, unsigned int id)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].id == id)
			return table[i].weight;
	return 2;
}

static bool takes(unsigned int op, unsigned int arg_class)
{
	for (int i = 0; i < 4; i++)
		if (op_table[op].arg[i] == arg_class)
			return true;
	return false;
}

static unsigned int pick_bit(struct rng *rng, unsigned int mask, unsigned int limit)
{
	unsigned int n = rng_below(rng, __builtin_popcount(mask));

	if (!mask)
		return rng_below(rng, limit);
	for (unsigned int i = 0; i < limit; i++)
		if (mask & 1u << i && !n--)
			return i;
	return 0;
}

static unsigned int generate_size(struct rng *rng)
{
	static const uint16_t sizes[] = {0, 1, 100, 4096, 4096, 8192, 65535};

	return sizes[rng_below(rng, N(sizes))];
}

static unsigned int generate_oflags(struct rng *rng)
{
	static const uint8_t modes[] = {0, 1, 2, 2};
	unsigned int flags = modes[rng_below(rng, N(modes))];

	if (rng_chance(rng, 1, 3))
		flags |= OFLAG_APPEND << rng_below(rng, 6);
	return flags;
}

static unsigned int generate_path(struct rng *rng)
{
	/* Few names, so that tasks meet at the same file. */
	static const uint8_t common[] = {PATH_F0, PATH_F0, PATH_F0,
					 PATH_F1, PATH_D0, PATH_F3};

	if (rng_chance(rng, 2, 3))
		return common[rng_below(rng, N(common))];
	return rng_below(rng, PATH_COUNT);
}

/* A task for ARG_TASK or ARG_ACTOR, one that exists where there is one. */
static unsigned int generate_target(struct rng *rng, const struct model *model,
				    bool daemon)
{
	const struct scenario *scn = model->scn;

	if (daemon && rng_chance(rng, 1, 5))
		return ACTOR_DAEMON;
	return scn->n_tasks ? scn->tasks[rng_below(rng, scn->n_tasks)].id : 0;
}

static unsigned int generate_signal(struct rng *rng)
{
	size_t n = name_value_count(signal_table);

	/* SIGKILL is what recovery uses: it must be common. */
	for (size_t i = 0; i < n && rng_chance(rng, 1, 2); i++)
		if (signal_table[i].value == 9)
			return i;
	return rng_below(rng, n);
}

static unsigned int generate_errno(struct rng *rng)
{
	return errno_table[rng_below(rng, name_value_count(errno_table))].value;
}

unsigned int generate_arg(struct rng *rng, const struct model *model, unsigned int actor,
			  unsigned int arg_class)
{
	unsigned int fds = model->fds[model->files[actor]];
	unsigned int maps = model->maps[model->mm[actor]];

	switch (arg_class) {
	case ARG_FD:
		return pick_bit(rng, rng_chance(rng, 15, 16) ? fds : 0, SCN_FD_SLOTS);
	case ARG_MAP:
		return pick_bit(rng, rng_chance(rng, 15, 16) ? maps : 0, SCN_MAP_SLOTS);
	case ARG_PATH:
		return generate_path(rng);
	case ARG_OFLAGS:
		return generate_oflags(rng);
	case ARG_IMAGE:
	case ARG_RW:
	case ARG_GATE:
		return rng_below(rng, 2);
	case ARG_MFLAGS:
		return rng_chance(rng, 1, 2) ? MFLAG_WRITE | MFLAG_SHARED
					     : rng_below(rng, 8);
	case ARG_PAGE:
		return rng_chance(rng, 2, 3) ? 0 : rng_below(rng, SCN_PAGES);
	case ARG_LOCK:
		return rng_below(rng, 3);
	case ARG_TASK:
		return generate_target(rng, model, false);
	case ARG_ACTOR:
		return generate_target(rng, model, true);
	case ARG_SIG:
		return generate_signal(rng);
	case ARG_UNSHARE:
		return rng_chance(rng, 2, 3) ? UNSHARE_FILES : 1 + rng_below(rng, 7);
	case ARG_SIZE:
		return generate_size(rng);
	case ARG_MS:
		return rng_below(rng, 10);
	case ARG_COUNT:
		return rng_below(rng, 4);
	case ARG_STEP:
		return 1 + rng_below(rng, model->scn->n_steps + 1u);
	case ARG_ERRNO:
		return generate_errno(rng);
	default:
		return 0;
	}
}

void generate_args(struct rng *rng, const struct model *model, struct scn_step *step)
{
	const struct op_info *info = &op_table[step->op];
	unsigned int fds = model->fds[model->files[step->actor]];

	step->a = generate_arg(rng, model, step->actor, info->arg[0]);
	step->b = generate_arg(rng, model, step->actor, info->arg[1]);
	step->c = generate_arg(rng, model, step->actor, info->arg[2]);
	step->v = generate_arg(rng, model, step->actor, info->arg[3]);
	/* What opens a file or makes a mapping wants a slot, most often a free one. */
	if (op_fills_slot(step->op) && step->op != OP_steal_dev && rng_chance(rng, 7, 8))
		step->a = (fds & 0xff) == 0xff ? 0 : __builtin_ctz(~fds);
	/* An open that fails takes along the steps that want its file. */
	while ((step->op == OP_open || step->op == OP_creat) &&
	       !model_opens(model, step) && rng_chance(rng, 7, 8)) {
		step->b = generate_path(rng);
		step->c = generate_oflags(rng);
		if (fds & 1u << step->a)
			break;
	}
	if (step->op == OP_mmap)
		step->a = rng_below(rng, SCN_MAP_SLOTS);
	if (step->op == OP_mmap && step->v == 0)
		step->v = 4096;
	if ((step->op == OP_kill || step->op == OP_stop || step->op == OP_tgkill) &&
	    step->a == step->actor && rng_chance(rng, 3, 4))
		step->a = generate_target(rng, model, true);
}

static bool has_late_child(const struct model *model, unsigned int actor)
{
	const struct scenario *scn = model->scn;

	for (unsigned int i = 0; i < scn->n_tasks; i++)
		if (scn->tasks[i].late && scn->tasks[i].parent == actor &&
		    model->state[scn->tasks[i].id] == MODEL_ABSENT)
			return true;
	return false;
}

static unsigned int op_weight(const struct model *model, unsigned int actor,
			      unsigned int op)
{
	unsigned int who = actor == ACTOR_CTL	   ? WHO_CTL
			   : actor == ACTOR_DAEMON ? WHO_TASK | WHO_DAEMON
						   : WHO_TASK;

	if (!(op_table[op].who & who))
		return 0;
	if (takes(op, ARG_FD) && !op_fills_slot(op) && !model->fds[model->files[actor]])
		return 0;
	if (takes(op, ARG_MAP) && op != OP_mmap && !model->maps[model->mm[actor]])
		return 0;
	if (op == OP_spawn && !has_late_child(model, actor))
		return 0;
	return weight_of(op_weights, N(op_weights), op);
}

unsigned int generate_op(struct rng *rng, const struct model *model, unsigned int actor)
{
	unsigned int total = 0, at, w;

	for (unsigned int op = 0; op < OP_COUNT; op++)
		total += op_weight(model, actor, op);
	at = rng_below(rng, total);
	for (unsigned int op = 0; op < OP_COUNT; op++) {
		w = op_weight(model, actor, op);
		if (at < w)
			return op;
		at -= w;
	}
	return OP_nop;
}

static unsigned int generate_actor(struct rng *rng, const struct model *model)
{
	unsigned int ready[SCN_MAX_TASKS], n = 0;

	for (unsigned int i = 0; i < SCN_MAX_TASKS; i++)
		if (model_ready(model, i))
			ready[n++] = i;
	if (!n || rng_chance(rng, 1, 10))
		return ACTOR_CTL;
	if (model_ready(model, ACTOR_DAEMON) && rng_chance(rng, 1, 12))
		return ACTOR_DAEMON;
	return ready[rng_below(rng, n)];
}

void generate_step(struct rng *rng, const struct model *model, struct scn_step *step)
{
	memset(step, 0, sizeof(*step));
	step->actor = generate_actor(rng, model);
	step->op = generate_op(rng, model, step->actor);
	generate_args(rng, model, step);
	/* A late task is created by its parent. */
	for (unsigned int i = 0; step->op == OP_spawn && i < model->scn->n_tasks; i++) {
		const struct scn_task *task = &model->scn->tasks[i];

		if (task->late && task->parent == step->actor &&
		    model->state[task->id] == MODEL_ABSENT)
			step->a = task->id;
	}
}

static unsigned int pick_weighted(struct rng *rng, const struct weight *table, size_t n)
{
	unsigned int total = 0, at;

	for (size_t i = 0; i < n; i++)
		total += table[i].weight;
	at = rng_below(rng, total);
	for (size_t i = 0; i < n; i++) {
		if (at < table[i].weight)
			return table[i].id;
		at -= table[i].weight;
	}
	return table[0].id;
}

unsigned int generate_action(struct rng *rng)
{
	unsigned int action;

	if (rng_chance(rng, 3, 4))
		return pick_weighted(rng, action_weights, N(action_weights));
	action = rng_below(rng, FAULT_COUNT);
	return action == FAULT_none ? FAULT_drop : action;
}

unsigned int generate_opcode(struct rng *rng)
{
	if (rng_chance(rng, 15, 16))
		return pick_weighted(rng, opcode_weights, N(opcode_weights));
	return opcode_table[rng_below(rng, name_value_count(opcode_table))].value;
}

void generate_fault_value(struct rng *rng, const struct scenario *scn,
			  struct scn_fault *fault)
{
	struct model model;

	model_init(&model, scn);
	fault->value =
		generate_arg(rng, &model, ACTOR_DAEMON, fault_table[fault->action].arg);
}

static unsigned int generate_requester(struct rng *rng, const struct scenario *scn)
{
	if (scn->n_tasks && rng_chance(rng, 1, 3))
		return scn->tasks[rng_below(rng, scn->n_tasks)].id;
	if (rng_chance(rng, 1, 12))
		return rng_chance(rng, 1, 2) ? ACTOR_KERNEL : ACTOR_DAEMON;
	return ACTOR_ANY;
}

void generate_fault_for(struct rng *rng, const struct scenario *scn,
			const struct scn_step *step, struct scn_fault *fault)
{
	const uint8_t *op = op_emits(step->op);
	unsigned int n = 0;

	while (op[n])
		n++;
	memset(fault, 0, sizeof(*fault));
	fault->opcode = !n			? generate_opcode(rng)
			: rng_chance(rng, 2, 3) ? op[0]
						: op[rng_below(rng, n)];
	fault->nth = rng_chance(rng, 3, 4) ? 0 : 1 + rng_below(rng, 3);
	fault->requester = ACTOR_ANY;
	if (step->actor != ACTOR_CTL && rng_chance(rng, 1, 2))
		fault->requester = step->actor;
	do {
		fault->action = generate_action(rng);
	} while (fault->opcode != FUSE_INTERRUPT && fault->action >= FAULT_intr_ignore &&
		 fault->action <= FAULT_intr_honour);
	if (fault->opcode == FUSE_INTERRUPT)
		fault->action = FAULT_intr_ignore + rng_below(rng, 4);
	generate_fault_value(rng, scn, fault);
}

void generate_fault(struct rng *rng, const struct scenario *scn, struct scn_fault *fault)
{
	static const struct scn_step none = {.op = OP_nop, .actor = ACTOR_CTL};

	/* Mostly for something that some step sends; RELEASE, INIT and INTERRUPT come
	 * otherwise. */
	if (scn->n_steps && rng_chance(rng, 3, 4))
		generate_fault_for(rng, scn, &scn->steps[rng_below(rng, scn->n_steps)],
				   fault);
	else
		generate_fault_for(rng, scn, &none, fault);
	if (rng_chance(rng, 1, 4))
		fault->requester = generate_requester(rng, scn);
}
