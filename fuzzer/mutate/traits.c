/* SPDX-License-Identifier: MIT */
/* Takes the traits of a scenario from its outlook. */

#include <linux/fuse.h>
#include <string.h>

#include "traits.h"

static uint32_t mix(uint32_t hash, uint32_t value)
{
	hash = (hash ^ value) * 0x9e3779b1u;
	return hash ^ hash >> 15;
}

static uint32_t start(enum trait_kind kind)
{
	return mix(0x6b43a9b5u, kind + 1u);
}

static void add(struct traits *traits, enum trait_kind kind, uint32_t hash)
{
	for (unsigned int i = 0; i < traits->n; i++)
		if (traits->trait[i].hash == hash)
			return;
	if (traits->n < TRAITS_MAX)
		traits->trait[traits->n++] = (struct trait){.hash = hash, .kind = kind};
}

uint32_t trait_of_step(enum outlook_role role, unsigned int op)
{
	return mix(mix(start(KIND_STEP), role), op);
}

uint32_t trait_of_rule(unsigned int opcode, unsigned int action)
{
	return mix(mix(start(KIND_RULE), opcode), action);
}

uint32_t trait_of_flag(unsigned int what, unsigned int bit)
{
	return mix(mix(start(KIND_FLAG), what), bit);
}

static void add_flags(struct traits *traits, unsigned int what, unsigned int flags)
{
	for (unsigned int bit = 0; flags >> bit; bit++)
		if (flags >> bit & 1)
			add(traits, KIND_FLAG, trait_of_flag(what, bit));
}

static void config_traits(struct traits *traits, const struct scn_config *c)
{
	add_flags(traits, 0, c->init);
	add_flags(traits, 1, c->mount);
	add_flags(traits, 2, c->open);
	add_flags(traits, 3, c->daemon);
	add(traits, KIND_FLAG, trait_of_flag(4, c->placement * 8u + c->threads));
}

/* INIT flags that decide how the kernel gets to this request, or waits for it. */
static unsigned int flags_for(unsigned int opcode)
{
	switch (opcode) {
	case FUSE_READ:
		return INITF_ASYNC_READ | INITF_ASYNC_DIO | INITF_AUTO_INVAL_DATA;
	case FUSE_WRITE:
	case FUSE_FSYNC:
	case FUSE_FLUSH:
		return INITF_WRITEBACK_CACHE | INITF_ASYNC_DIO;
	case FUSE_SETATTR:
		return INITF_HANDLE_KILLPRIV | INITF_WRITEBACK_CACHE;
	case FUSE_OPEN:
	case FUSE_CREATE:
		return INITF_ATOMIC_O_TRUNC;
	case FUSE_LOOKUP:
	case FUSE_OPENDIR:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		return INITF_PARALLEL_DIROPS | INITF_READDIRPLUS | INITF_READDIRPLUS_AUTO;
	case FUSE_READLINK:
		return INITF_CACHE_SYMLINKS;
	default:
		return 0;
	}
}

static uint32_t hash_wait(const struct outlook_wait *wait)
{
	uint32_t hash = mix(start(KIND_WAIT), wait->role);

	hash = mix(mix(hash, wait->phase), wait->opcode);
	return mix(mix(hash, wait->op), wait->again);
}

static void wait_traits(struct traits *traits, const struct scenario *scn,
			const struct outlook *outlook)
{
	const struct scn_config *c = &scn->config;
	uint32_t all = start(KIND_ENDING), last = 0;

	for (unsigned int i = 0; i < outlook->n_waits; i++) {
		uint32_t hash = hash_wait(&outlook->wait[i]);
		unsigned int flags = c->init & flags_for(outlook->wait[i].opcode);

		if (hash == last)
			continue;
		last = hash;
		add(traits, KIND_WAIT, hash);
		add(traits, KIND_WAIT_CONFIG,
		    mix(mix(mix(mix(hash, KIND_WAIT_CONFIG), flags), c->open),
			c->timeout + 2u * c->placement + 8u * outlook->wait[i].unread));
		for (unsigned int j = 0; j < i; j++)
			add(traits, KIND_WAITS,
			    mix(mix(hash, KIND_WAITS), hash_wait(&outlook->wait[j])));
		all = mix(all, hash);
	}
	if (outlook->n_waits)
		add(traits, KIND_ENDING, all);
}

static void end_traits(struct traits *traits, const struct scenario *scn,
		       const struct outlook *outlook)
{
	uint32_t before = 0, hash;
	bool stuck = false; /* the one that ended before still waits in its exit */

	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct outlook_step *step = &outlook->step[i];

		if (!step->ends)
			continue;
		hash = mix(mix(start(KIND_END), scn->config.placement), step->role);
		hash = mix(mix(hash, step->ends), step->holds);
		add(traits, KIND_END, hash);
		if (step->waits)
			add(traits, KIND_END_WAIT,
			    mix(mix(hash, KIND_END_WAIT), step->opcode));
		if (before)
			add(traits, stuck ? KIND_ENDS_STUCK : KIND_ENDS,
			    mix(mix(before, KIND_ENDS + stuck), hash));
		before = hash;
		stuck = step->waits;
	}
}

static void step_traits(struct traits *traits, const struct scenario *scn,
			const struct outlook *outlook)
{
	uint8_t last[MODEL_ACTORS] = {0};

	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct scn_step *step = &scn->steps[i];
		const struct outlook_step *out = &outlook->step[i];
		enum outlook_role role = outlook_role(scn, step->actor);

		if (!out->runs)
			continue;
		add(traits, KIND_STEP, trait_of_step(role, step->op));
		add(traits, KIND_STEPS,
		    mix(mix(start(KIND_STEPS), last[step->actor]), step->op));
		last[step->actor] = step->op;
		if (out->rule) {
			const struct scn_fault *f = &scn->faults[out->rule - 1];
			uint32_t hash = mix(mix(start(KIND_MET), f->action), out->opcode);

			add(traits, KIND_RULE, trait_of_rule(f->opcode, f->action));
			add(traits, KIND_MET, mix(mix(hash, step->op), role));
		}
	}
}

void traits_init(struct traits *traits, const struct scenario *scn,
		 const struct outlook *outlook)
{
	traits->n = 0;
	/* The dear ones first: the set is bounded. */
	wait_traits(traits, scn, outlook);
	end_traits(traits, scn, outlook);
	config_traits(traits, &scn->config);
	step_traits(traits, scn, outlook);
}
