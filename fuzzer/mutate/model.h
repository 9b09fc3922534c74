/* SPDX-License-Identifier: MIT */
/*
 * A guess of what a scenario does, made without a kernel: which tasks exist, which are
 * blocked or gone, which descriptors are open. It need not be right, only right often
 * enough that generated steps reach the kernel.
 */
#ifndef SF_MODEL_H
#define SF_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/scenario/scenario.h"
#include "harness/scenario/tables.h"

#define MODEL_ACTORS (SCN_MAX_TASKS + 2) /* tasks, ACTOR_CTL, ACTOR_DAEMON */

enum model_state {
	MODEL_ABSENT,  /* not declared, or late and not spawned yet */
	MODEL_READY,   /* takes a step */
	MODEL_BLOCKED, /* in a step that does not return, or stopped */
	MODEL_GONE,    /* exited, executed something, or killed */
};

struct model {
	const struct scenario *scn;
	uint8_t state[MODEL_ACTORS];   /* enum model_state */
	uint8_t process[MODEL_ACTORS]; /* actor that leads its thread group */
	uint8_t files[MODEL_ACTORS];   /* row of fds: its file table */
	uint8_t mm[MODEL_ACTORS];      /* row of maps: its address space */
	uint8_t fds[MODEL_ACTORS];     /* bit n: fd n is open */
	uint8_t foreign[MODEL_ACTORS]; /* bit n: it is no regular file of the mount */
	uint8_t cloexec[MODEL_ACTORS]; /* bit n: execve(2) closes it */
	uint8_t maps[MODEL_ACTORS];    /* bit n: map n is mapped */
	uint8_t hits[SCN_MAX_FAULTS];  /* matches of each rule so far */
	uint16_t exist, dirs;	       /* bit n: path n is there, is a directory */
	bool daemon_gone;
};

/* State before the first step. The scenario must outlive the model. */
void model_init(struct model *model, const struct scenario *scn);
/* The state after this step. False: its actor cannot take it, nothing changed. */
bool model_step(struct model *model, const struct scn_step *step);
/* model_init() and the first n steps. */
void model_at(struct model *model, const struct scenario *scn, unsigned int n_steps);
/* Steps of the scenario whose actor can take them, as far as the model knows. */
unsigned int model_executable(const struct scenario *scn);

static inline bool model_ready(const struct model *model, unsigned int actor)
{
	return actor < MODEL_ACTORS && model->state[actor] == MODEL_READY;
}

/* Of model_files.c: names and descriptors. */
void model_init_paths(struct model *model);
/* What a child with a file table of its own begins with. */
void model_copy_files(struct model *model, unsigned int from, unsigned int to);
/* Once its name was looked up: is there, or is there not, what the operation wants? */
bool model_name_fits(const struct model *model, const struct scn_step *step);
/* Does this open or creat give a descriptor, if the daemon answers as it should? */
bool model_opens(const struct model *model, const struct scn_step *step);
/* What the step does to names, descriptors and mappings where it succeeds. */
void model_change_files(struct model *model, const struct scn_step *step);

/* FUSE opcodes that an operation is likely to send, most telling first; ends with 0. */
const uint8_t *op_emits(unsigned int op);
/* Does it put a new descriptor into slot a? */
bool op_fills_slot(unsigned int op);
/* Does it write to the file of slot a, in this call? */
bool op_writes(unsigned int op);
/* True if a rule with this action keeps its requester waiting, at least for a while. */
bool fault_withholds(unsigned int action);

#endif
