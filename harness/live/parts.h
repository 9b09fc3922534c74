/* SPDX-License-Identifier: MIT */
/* The steps of live_look(), in order. Each 0 or -errno. */
#ifndef SF_LIVE_PARTS_H
#define SF_LIVE_PARTS_H

#include "live.h"

int live_survey(struct live *live,
		const struct live_options *opt); /* tasks, servers, two looks, waiting */
void live_ages(struct live *live);		 /* tasks[].age_s, threads[].age_s */
int live_attribute(struct live *live);		 /* tasks[].conn, .sure */
int live_prove_full(struct live *live);		 /* proved_full[], where it matters */
void live_judge_threads(struct live *live);	 /* threads[].does, servers[].does */
int live_group(struct live *live);		 /* conns, snapshots */
void live_decide(struct live *live, const struct live_options *opt); /* conns[].state */
void live_say(struct live *live,
	      const struct live_options *opt); /* conns[].reason, .why */

/* Of live_survey(): the holders of /dev/fuse with their threads; the threads a second time. */
int live_find_servers(struct live *live);
void live_servers_again(struct live *live);
void live_name_servers(
	struct live *live); /* servers[].conn, where the kernel does not tell */
/* Whether a descriptor of /dev/fuse may be on its way between processes, or kept by io_uring, and so be nobody's. */
bool live_in_transit(const struct live *live);

/* A wait that is over when a server answers. */
bool live_is_request(const struct live_task *lt);
/* One request is counted in `waiting` for it. */
bool live_is_counted(const struct live_task *lt);
int live_index(const struct live *live, uint32_t number); /* in numbers[], or -1 */
int live_task_index(const struct live *live, pid_t tid);  /* in tasks[], or -1 */
/* The process that answers for a connection, for a sentence: one that reads, else one that is blocked, ...; or NULL. */
const struct live_server *live_server_of(const struct live *live, uint32_t number);

#endif
