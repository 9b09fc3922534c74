/* SPDX-License-Identifier: MIT */
/*
 * BULK: large arrays that mostly stay untouched. They lie behind all other data, on pages of their own, so that what
 * is used in each run stays close together: every page, and every 2 MiB that one is in, costs each new process.
 */
#ifndef SF_BULK_H
#define SF_BULK_H

/* .lbss, zeros as .bss, is the last section that ld's own script places. */
#define BULK __attribute__((section(".lbss"), aligned(4096)))

#endif
