/* SPDX-License-Identifier: MIT */
/* Scores candidates by what is new in them. */

#include "choose.h"
#include "generate.h"

#define MS_FREE 4 /* waiting that costs nothing beside the run itself */
/* Parts at which a scenario is worth half: long ones run longer and tell less. */
#define HALF 128

uint64_t choose_score(const struct archive *archive, const struct scenario *scn,
		      enum archive_goal goal, struct traits *ret_traits)
{
	struct outlook outlook;
	unsigned int ms = scenario_wait_ms(scn);
	uint64_t score;

	outlook_init(&outlook, scn);
	traits_init(ret_traits, scn, &outlook);
	score = archive_novelty(archive, ret_traits, goal);
	/* Steps that nobody takes are promises that are not kept. */
	score = score * (outlook.n_runs + 1u) / (scn->n_steps + 1u);
	score = score * HALF / (HALF + mutate_parts(scn));
	return ms > MS_FREE ? score * 32 / (32 + ms - MS_FREE) : score;
}

/* What a mutation starts from: what afl-fuzz wants, a finding, or a stepping stone to what is wanted. */
static const struct scenario *base(const struct choose_env *env, enum archive_goal goal)
{
	const struct archive *archive = env->archive;

	if (archive && archive->n_stones &&
	    rng_chance(env->rng, goal == GOAL_ENDS ? 2 : 1, 4))
		return &archive->stone[rng_below(env->rng, archive->n_stones)];
	if (env->n_pool && rng_chance(env->rng, 1, 3))
		return &env->pool[rng_below(env->rng, env->n_pool)];
	return env->entry;
}

static const char *make(const struct choose_env *env, enum archive_goal goal,
			struct scenario *scn)
{
	struct mutate_env mutate = {
		.rng = env->rng, .donor = env->donor, .archive = env->archive};
	const struct mutation *row;

	if (!env->entry || rng_chance(env->rng, 1, goal == GOAL_ENDS ? 8 : 3)) {
		generate_scenario(env->rng, scn);
		return "generate";
	}
	*scn = *base(env, goal);
	if (env->n_pool && rng_chance(env->rng, 1, 4))
		mutate.donor = &env->pool[rng_below(env->rng, env->n_pool)];
	row = mutate_scenario(scn, &mutate);
	return row ? row->name : "same";
}

const char *choose_scenario(const struct choose_env *env, unsigned int n,
			    struct scenario *ret_scn)
{
	struct traits traits, best_traits = {0};
	const char *how, *best_how = "same";
	enum archive_goal goal = rng_chance(env->rng, 2, 5) ? GOAL_ENDS : GOAL_ROOTS;
	struct scenario scn;
	uint64_t score, best = 0;

	for (unsigned int i = 0; i < n || i == 0; i++) {
		how = make(env, goal, &scn);
		score = choose_score(env->archive, &scn, goal, &traits);
		if (i && score <= best)
			continue;
		best = score;
		best_how = how;
		best_traits = traits;
		*ret_scn = scn;
	}
	if (env->archive)
		archive_keep(env->archive, ret_scn, &best_traits);
	return best_how;
}
