/* SPDX-License-Identifier: MIT */
/* The steps of live_look(), in order. Each 0 or -errno. */
#ifndef SF_LIVE_PARTS_H
#define SF_LIVE_PARTS_H

#include "live.h"

int live_survey(struct live *live,
		const struct live_options *opt); /* tasks, two looks, waiting */
void live_ages(struct live *live);		 /* tasks[].age_s */
int live_find_servers(struct live *live);
void live_name_servers(struct live *live); /* servers[].conn */
int live_attribute(struct live *live);	   /* tasks[].conn, .sure */
int live_prove_full(struct live *live);	   /* proved_full[], where it matters */
int live_group(struct live *live);	   /* conns, snapshots */
void live_decide(struct live *live, const struct live_options *opt);

/* A wait that is over when a server answers. */
bool live_is_request(const struct live_task *lt);
int live_index(const struct live *live, uint32_t number); /* in numbers[], or -1 */

#endif
