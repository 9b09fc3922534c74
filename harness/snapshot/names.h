/* SPDX-License-Identifier: MIT */
/* Numbers of a snapshot as words. */
#ifndef SF_SNAPSHOT_NAMES_H
#define SF_SNAPSHOT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define REQUEST_STATES 5
extern const char *const request_state_names[REQUEST_STATES]; /* by enum ledger_state */

/* x86-64 system calls that touch files, tasks and signals; NULL: not in the table. */
const char *snap_syscall_name(int32_t number);
/* "sleeping", "disk sleep", ...; "?" for an unknown letter. */
const char *snap_state_name(char state);
/* "EXITING FORKNOEXEC": names of the known PF_* bits, without the prefix. */
void snap_flag_names(uint32_t flags, char *buf, size_t size);
/* "SIGKILL SIGUSR1": bit n - 1 is signal n. */
void snap_signal_names(uint64_t mask, char *buf, size_t size);

#endif
