/* SPDX-License-Identifier: MIT */
/*
 * What --sweep can vary: rows of a table in settings.c. A guest's CPUs and memory are options of its target; sysctls
 * and module parameters are files of this machine, written once the host target has made its own settings.
 */
#ifndef SF_SETTINGS_H
#define SF_SETTINGS_H

#include "qualification.h"
#include "targets/target.h"

#define SWEEP_VALUES 16

struct sweep {
	char key[64];
	unsigned int n;
	char values[SWEEP_VALUES][64];
};

/* "KEY=A,B". 0, or -EINVAL with a line in err[300]. */
int sweep_parse(const char *arg, struct sweep *ret_sweep, char *err);

/* 0; -EINVAL with err[300]: this target has no such setting, or not this value. */
int settings_check(const struct column *column, char *err);
void settings_options(const struct column *column, struct target_options *options);

/*
 * How long the kernel's own request timeouts may take to end a hang under these settings, 0: they are off, or take
 * longer than SETTINGS_WAIT_MAX_MS. The kernel looks every 15 s for requests that are older (FUSE_TIMEOUT_TIMER_FREQ).
 */
#define SETTINGS_WAIT_MAX_MS 120000
unsigned int settings_wait_ms(const struct column *column);

struct settings_saved {
	char values[SETTINGS_MAX][64];
};

/* Before the target is opened. */
void settings_save(const struct column *column, struct settings_saved *ret_saved);
/* 0, or -errno with err[300]. */
int settings_apply(const struct column *column, char *err);
/* While a target is still open: what that one sets itself goes back to its value, and it restores the machine's. */
void settings_restore(const struct column *column, const struct settings_saved *saved);

#endif
