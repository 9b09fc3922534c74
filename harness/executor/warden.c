/* SPDX-License-Identifier: MIT */
/* Notices that the executor does not get the CPU, and gives it back. */

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "priority.h"
#include "run.h"
#include "warden.h"

#define PERIOD_MS 200
#define RESCUE_MS 4000
/* Children keep it (no MADV_DONTFORK): glibc's list of threads runs through it, and they start threads, too. */
#define STACK_SIZE (256 * 1024)

static void *watch(void *arg)
{
	struct executor *ex = arg;
	unsigned int still = 0;
	uint32_t seen = 0;

	for (;;) {
		const struct timespec period = {0, PERIOD_MS * 1000000l};

		nanosleep(&period, NULL);
		still = ex->busy && ex->beat == seen ? still + 1 : 0;
		if (still == 1)
			priority_give_up(ex);
		if (still * PERIOD_MS == RESCUE_MS) {
			ex->rescued = true;
			run_abort(ex->run);
		}
		seen = ex->beat;
	}
	return NULL;
}

int warden_start(struct executor *ex)
{
	const struct sched_param param = {.sched_priority = PRIORITY_WARDEN};
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	if (ex->realtime) {
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &param);
	}
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, watch, ex);
	pthread_attr_destroy(&attr);
	return -err;
}
