/* SPDX-License-Identifier: MIT */
/* The mutations behind mutation_table[]: row_NAME() in rows_*.c. */
#ifndef SF_ROWS_H
#define SF_ROWS_H

#include "mutate.h"

/*
 * ROW(name, weight, help): forget the implementation and the link fails. Weights were set
 * by what a mutation costs: small steps often, rebuilding seldom.
 */
#define MUTATION_ROWS                                                                    \
	ROW(insert_step, 10, "a new step that fits the state at its place")              \
	ROW(remove_step, 6, "one step less")                                             \
	ROW(move_step, 4, "a step elsewhere")                                            \
	ROW(duplicate_step, 3, "a step twice")                                           \
	ROW(swap_steps, 3, "two steps change places")                                    \
	ROW(change_actor, 4, "another actor does the step")                              \
	ROW(change_op, 4, "the actor does something else")                               \
	ROW(change_arg, 8, "another argument")                                           \
	ROW(end_actor, 8, "an actor exits, is killed, or executes something")            \
	ROW(hold_and_end, 6, "an actor opens a file, may unshare it, and ends")          \
	ROW(add_fault, 6, "a rule for a request that some step sends")                   \
	ROW(fault_and_step, 5, "a new step and a rule for what it sends")                \
	ROW(drop_fault, 4, "one rule less")                                              \
	ROW(retarget_fault, 6, "another opcode, match or requester")                     \
	ROW(change_action, 6, "the rule does something else, or by another value")       \
	ROW(swap_faults, 1, "two rules change places: the first match decides")          \
	ROW(move_daemon, 4, "outside, inside or init of a pid namespace")                \
	ROW(change_threads, 2, "number of serving threads")                              \
	ROW(change_flags, 5, "a mount, INIT, open or daemon flag")                       \
	ROW(add_task, 3, "a task, with a step for it")                                   \
	ROW(add_thread, 4, "a thread of a task or the daemon, with a step")              \
	ROW(add_namespace, 2, "a pid namespace with a task in it")                       \
	ROW(change_task, 4, "kind, parent or time of creation of a task")                \
	ROW(drop_task, 2, "a task goes with its steps")                                  \
	ROW(untried, 6, "a step, a rule or a flag that was seldom sent before")          \
	ROW(splice, 4, "first part of one scenario, last part of another")               \
	ROW(graft, 4, "some steps or rules of another scenario put in")                  \
	ROW(generate, 1, "a whole new scenario")

#define ROW(name, weight, help)                                                          \
	bool row_##name(struct scenario *scn, const struct mutate_env *env);
MUTATION_ROWS
#undef ROW

/* The actor opens a file, may unshare its table, and ends: up to three steps from "at" on. */
bool insert_hold_and_end(struct scenario *scn, const struct mutate_env *env,
			 unsigned int at, unsigned int actor);

#endif
