/* SPDX-License-Identifier: MIT */
/* The ranges of arguments, one case per class. */

#include "args.h"

#include <errno.h>

#include "scenario.h"

#define MAX_MS 5000

const struct arg_info arg_table[ARG_CLASS_COUNT] = {
	[ARG_FD] = {"FD", "fd0 .. fd7"},
	[ARG_MAP] = {"MAP", "map0 .. map3"},
	[ARG_PATH] = {"PATH", "a path of the daemon's tree, or out"},
	[ARG_IMAGE] = {"IMAGE", "outside or mount"},
	[ARG_OFLAGS] = {"OFLAGS",
			"rdonly, wronly or rdwr, then append, trunc, ... joined by bars"},
	[ARG_MFLAGS] = {"MFLAGS", "ro or rw, then shared, populate, joined by bars"},
	[ARG_RW] = {"RW", "load or store"},
	[ARG_PAGE] = {"PAGE", "p0 .. p15"},
	[ARG_LOCK] = {"LOCK", "read, write or unlock"},
	[ARG_TASK] = {"TASK", "t0 .. t7"},
	[ARG_ACTOR] = {"ACTOR", "t0 .. t7 or daemon"},
	[ARG_SIG] = {"SIG", "a signal such as SIGKILL"},
	[ARG_UNSHARE] = {"UNSHARE", "files, fs, mount, joined by bars"},
	[ARG_GATE] = {"GATE", "closed or open"},
	[ARG_SIZE] = {"SIZE", "bytes, 0 .. 65535"},
	[ARG_MS] = {"MS", "milliseconds, 0 .. 5000"},
	[ARG_CODE] = {"CODE", "0 .. 255"},
	[ARG_COUNT] = {"COUNT", "0 .. 65535"},
	[ARG_STEP] = {"STEP", "number of a step, 1 .. 48"},
	[ARG_ERRNO] = {"ERRNO", "an error such as ENOENT"},
};

static unsigned int canonical_oflags(unsigned int v)
{
	v &= 0xff;
	return (v & OFLAG_ACCMODE) == 3 ? v & ~1u : v;
}

static unsigned int canonical_errno(unsigned int v)
{
	v %= 134;
	for (const struct name_value *e = errno_table; e->name; e++) {
		if (e->value == v)
			return v;
	}
	return EIO;
}

unsigned int arg_canonical(enum arg_class class, unsigned int v)
{
	switch (class) {
	case ARG_FD:
		return v % SCN_FD_SLOTS;
	case ARG_MAP:
		return v % SCN_MAP_SLOTS;
	case ARG_PATH:
		return v % PATH_COUNT;
	case ARG_IMAGE:
	case ARG_RW:
	case ARG_GATE:
		return v % 2;
	case ARG_OFLAGS:
		return canonical_oflags(v);
	case ARG_MFLAGS:
		return v & (MFLAG_WRITE | MFLAG_SHARED | MFLAG_POPULATE);
	case ARG_PAGE:
		return v % SCN_PAGES;
	case ARG_LOCK:
		return v % 3;
	case ARG_TASK:
		return v % SCN_MAX_TASKS;
	case ARG_ACTOR:
		return v == ACTOR_DAEMON ? v : v % SCN_MAX_TASKS;
	case ARG_SIG:
		return v % name_value_count(signal_table);
	case ARG_UNSHARE:
		v &= UNSHARE_FILES | UNSHARE_FS | UNSHARE_MOUNT;
		return v ? v : UNSHARE_FILES;
	case ARG_MS:
		return v % (MAX_MS + 1);
	case ARG_CODE:
		return v & 0xff;
	case ARG_SIZE:
	case ARG_COUNT:
		return v & 0xffff;
	case ARG_STEP:
		return v ? (v - 1) % SCN_MAX_STEPS + 1 : 1;
	case ARG_ERRNO:
		return canonical_errno(v);
	case ARG_NONE:
	case ARG_CLASS_COUNT:
		break;
	}
	return 0;
}

unsigned int opcode_canonical(unsigned int opcode)
{
	opcode %= 53; /* one more than the last opcode */
	for (const struct name_value *o = opcode_table; o->name; o++) {
		if (o->value == opcode)
			return opcode;
	}
	return 0;
}

bool fault_is_interrupt(unsigned int action)
{
	return action == FAULT_intr_ignore || action == FAULT_intr_enosys ||
	       action == FAULT_intr_again || action == FAULT_intr_honour;
}

unsigned int op_actor(unsigned int op, unsigned int actor)
{
	unsigned int who = op_table[op].who;

	if (actor == ACTOR_CTL)
		return who & WHO_CTL ? actor : who & WHO_TASK ? 0 : ACTOR_DAEMON;
	if (actor == ACTOR_DAEMON)
		return who & WHO_DAEMON ? actor : ACTOR_CTL;
	return who & WHO_TASK ? actor : who & WHO_CTL ? ACTOR_CTL : ACTOR_DAEMON;
}
