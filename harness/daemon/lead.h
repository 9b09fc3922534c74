/* SPDX-License-Identifier: MIT */
/*
 * Leader and followers: one serving thread at a time reads requests and obeys the
 * executor, and passes the lead on before it does anything that can block. All that the
 * leader alone touches needs no lock.
 */
#ifndef SF_LEAD_H
#define SF_LEAD_H

#include <stdbool.h>

/* Waits for the lead. The first caller of all must be the one that starts with it. True:
 * it is ours. False: stop(arg) said that the caller has something else to do; stop may be
 * NULL. */
bool lead_take(bool (*stop)(void));
void lead_pass(void);
/* Makes all waiters ask their stop() again. */
void lead_wake(void);

#endif
