/* SPDX-License-Identifier: MIT */
/* Verdicts, severities and rungs of the recovery ladder: their numbers, names and meanings. */
#ifndef SF_VERDICT_H
#define SF_VERDICT_H

/* Wire ids: appended, never renumbered. */
enum verdict {
	VERDICT_CLEAN,
	VERDICT_HELD,
	VERDICT_LOST,
	VERDICT_DEAF,
	VERDICT_PINNED,
	VERDICT_STUCK,
	VERDICT_LEAK,
	VERDICT_KERNEL,
	VERDICT_UNREAPABLE,
	VERDICT_INFRA,
	VERDICT_COUNT
};

/* Ordered: --flag-at compares. */
enum severity {
	SEVERITY_NONE,
	SEVERITY_INFRA,
	SEVERITY_CONTRACT,
	SEVERITY_BUG,
	SEVERITY_POISON,
	SEVERITY_COUNT
};

enum rung {
	RUNG_EXIT,
	RUNG_SIGKILL,
	RUNG_REPLY,
	RUNG_DAEMON,
	RUNG_ABORT,
	RUNG_UMOUNT,
	RUNG_NONE, /* nothing helped */
	RUNG_COUNT
};

struct verdict_info {
	const char *name;
	enum severity severity;
	const char *meaning;
};

extern const struct verdict_info verdict_table[VERDICT_COUNT];
extern const char
	*const severity_names[SEVERITY_COUNT]; /* none infra contract bug poison */
extern const char
	*const rung_names[RUNG_COUNT]; /* exit sigkill reply daemon abort umount none */

/* -EINVAL for an unknown name. */
int verdict_by_name(const char *name);
int severity_by_name(const char *name);

#endif
