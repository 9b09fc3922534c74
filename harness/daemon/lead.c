/* SPDX-License-Identifier: MIT */
/* Hands the lead from one serving thread to another. */
#include "lead.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic uint32_t taken = 1; /* by the main thread, at first */
static _Atomic uint32_t turn; /* futex: changes whenever a waiter should look again */
static _Atomic uint32_t n_waiting;

static void wake(int n)
{
	atomic_fetch_add(&turn, 1);
	if (atomic_load(&n_waiting))
		syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

void lead_pass(void)
{
	atomic_store(&taken, 0);
	wake(1);
}

void lead_wake(void)
{
	wake(INT_MAX);
}

bool lead_take(bool (*stop)(void))
{
	bool mine;

	atomic_fetch_add(&n_waiting, 1);
	for (;;) {
		uint32_t seen = atomic_load(&turn), nobody = 0;

		mine = !(stop && stop()) &&
		       atomic_compare_exchange_strong(&taken, &nobody, 1);
		if (mine || (stop && stop()))
			break;
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
	}
	atomic_fetch_sub(&n_waiting, 1);
	/* The wake-up may have been meant for a thread that would lead. */
	if (!mine && !atomic_load(&taken))
		wake(1);
	return mine;
}
