/* SPDX-License-Identifier: MIT */
/* The names, severities and meanings of verdicts and rungs. */

#include "verdict.h"

#include <errno.h>
#include <string.h>

const struct verdict_info verdict_table[VERDICT_COUNT] = {
	[VERDICT_CLEAN] = {"clean", SEVERITY_NONE,
			   "the tree ended by itself or by SIGKILL"},
	[VERDICT_HELD] = {"held", SEVERITY_CONTRACT,
			  "freed by a reply: the root request was read and withheld"},
	[VERDICT_LOST] =
		{"lost", SEVERITY_CONTRACT,
		 "freed by the daemon's death: the root request was read and dropped"},
	[VERDICT_DEAF] =
		{"deaf", SEVERITY_BUG,
		 "not reaped after SIGKILL, though the daemon never read the request"},
	[VERDICT_PINNED] =
		{"pinned", SEVERITY_BUG,
		 "the daemon was killed, but something that cannot die holds /dev/fuse"},
	[VERDICT_STUCK] = {"stuck", SEVERITY_BUG,
			   "every request was answered, or nobody holds /dev/fuse, yet "
			   "tasks stayed"},
	[VERDICT_LEAK] =
		{"leak", SEVERITY_BUG,
		 "the tree is gone, but a connection, mount or task of the run remains"},
	[VERDICT_KERNEL] = {"kernel", SEVERITY_BUG,
			    "the kernel log has a report of its own, or the kernel died"},
	[VERDICT_UNREAPABLE] = {"unreapable", SEVERITY_POISON,
				"tasks survived every rung: the kernel must be replaced"},
	[VERDICT_INFRA] = {"infra", SEVERITY_INFRA,
			   "trouble of our own: never a finding"},
};

const char *const severity_names[SEVERITY_COUNT] = {
	[SEVERITY_NONE] = "none",	  [SEVERITY_INFRA] = "infra",
	[SEVERITY_CONTRACT] = "contract", [SEVERITY_BUG] = "bug",
	[SEVERITY_POISON] = "poison",
};

const char *const rung_names[RUNG_COUNT] = {
	[RUNG_EXIT] = "exit",	  [RUNG_SIGKILL] = "sigkill", [RUNG_REPLY] = "reply",
	[RUNG_DAEMON] = "daemon", [RUNG_ABORT] = "abort",     [RUNG_UMOUNT] = "umount",
	[RUNG_NONE] = "none",
};

int verdict_by_name(const char *name)
{
	for (int i = 0; i < VERDICT_COUNT; i++) {
		if (!strcmp(verdict_table[i].name, name))
			return i;
	}
	return -EINVAL;
}

int severity_by_name(const char *name)
{
	for (int i = 0; i < SEVERITY_COUNT; i++) {
		if (!strcmp(severity_names[i], name))
			return i;
	}
	return -EINVAL;
}
