/* SPDX-License-Identifier: MIT */
/* Wake and wait on words of the arena: shared futexes, the only signalling inside a run.
 */
#include "arena.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <time.h>

#include "harness/util/sys.h"

/* Without FUTEX_PRIVATE_FLAG: the waiter may be another process. */
static long futex(_Atomic uint32_t *word, int op, uint32_t value,
		  const struct timespec *timeout, uint32_t mask)
{
	return sys_call(SYS_futex, word, op, value, timeout, NULL, mask);
}

void arena_wake(_Atomic uint32_t *word)
{
	futex(word, FUTEX_WAKE, INT_MAX, NULL, 0);
}

void arena_bump(_Atomic uint32_t *word)
{
	atomic_fetch_add(word, 1);
	arena_wake(word);
}

/* Sequentially consistent on both sides: either the teller sees who listens, or futex(2) sees the new event. */
void arena_tell(struct arena *arena)
{
	atomic_fetch_add(&arena->event, 1);
	if (atomic_load(&arena->listening))
		arena_wake(&arena->event);
}

int arena_listen(struct arena *arena, uint32_t seen, int64_t timeout_ns)
{
	int ret;

	atomic_store(&arena->listening, 1);
	ret = arena_wait(&arena->event, seen, timeout_ns);
	atomic_store(&arena->listening, 0);
	return ret;
}

int arena_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns)
{
	struct timespec until;

	if (timeout_ns >= 0) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		timeout_ns += until.tv_nsec;
		until.tv_sec += timeout_ns / 1000000000;
		until.tv_nsec = timeout_ns % 1000000000;
	}
	while (atomic_load(word) == seen) {
		/* FUTEX_WAIT_BITSET takes an absolute time: a spurious wake-up costs
		 * nothing. */
		long ret = futex(word, FUTEX_WAIT_BITSET, seen,
				 timeout_ns < 0 ? NULL : &until, FUTEX_BITSET_MATCH_ANY);

		if (ret == -ETIMEDOUT || ret == -EINTR)
			return atomic_load(word) != seen ? 0 : (int)ret;
	}
	return 0;
}
