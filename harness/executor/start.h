/* SPDX-License-Identifier: MIT */
/* The body of the daemon process, see actor_env.daemon_body. */
#ifndef SF_START_H
#define SF_START_H

#include "harness/tree/actor.h"

void daemon_body(const struct actor_env *env);
/* Before the first run: what every daemon needs. 0 or -ENOMEM. */
int daemon_body_prepare(const struct actor_env *env, bool server);

#endif
