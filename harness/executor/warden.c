/* SPDX-License-Identifier: MIT */
/* Notices that the executor does not get the CPU, and gives it back. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "priority.h"
#include "run.h"
#include "warden.h"

#define PERIOD_MS  200
#define RESCUE_MS  4000
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

/* No process of a run has a use for it: fork(2) leaves it out. */
static void *map_stack(void)
{
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return NULL;
	madvise(stack, STACK_SIZE, MADV_DONTFORK);
	return stack;
}

int warden_start(struct executor *ex)
{
	const struct sched_param param = {.sched_priority = PRIORITY_WARDEN};
	pthread_attr_t attr;
	void *stack = map_stack();
	pthread_t thread;
	int err;

	if (!stack)
		return -ENOMEM;
	pthread_attr_init(&attr);
	if (ex->realtime) {
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &param);
	}
	pthread_attr_setstack(&attr, stack, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, watch, ex);
	pthread_attr_destroy(&attr);
	return -err;
}
