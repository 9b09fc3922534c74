/* SPDX-License-Identifier: MIT */
/*
 * What a scenario can name: operations, faults, opcodes, paths, flags, signals, errors, verdicts.
 * Each table serves parsing, printing, decoding and "shortfuse list" at once.
 */
#ifndef SF_TABLES_H
#define SF_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* Classes of arguments: how a value is canonicalised, printed and parsed. */
enum arg_class {
	ARG_NONE,   /* unused, always 0 */
	ARG_FD,	    /* fd0 .. fd7 */
	ARG_MAP,    /* map0 .. map3 */
	ARG_PATH,   /* index into path_table */
	ARG_IMAGE,  /* outside | mount: the binary to execute */
	ARG_OFLAGS, /* bits of oflag_table, joined by "|": rdonly wronly rdwr, append trunc direct sync nonblock cloexec */
	ARG_MFLAGS, /* bits: ro rw shared private populate, joined by "|" */
	ARG_RW,	    /* load | store */
	ARG_PAGE,   /* p0 .. p15 */
	ARG_LOCK,   /* read | write | unlock */
	ARG_TASK,   /* t0 .. t7: a task */
	ARG_ACTOR,  /* t0 .. t7 | daemon */
	ARG_SIG,    /* index into signal_table; text: SIGKILL, SIGUSR1, ... */
	ARG_UNSHARE, /* bits: files fs mount */
	ARG_GATE,    /* closed | open */
	ARG_SIZE,    /* bytes, 0 .. 65535 */
	ARG_MS,	     /* milliseconds, 0 .. 5000 */
	ARG_CODE,    /* exit code, 0 .. 255 */
	ARG_COUNT,   /* a number, 0 .. 65535 */
	ARG_STEP,    /* number of a step, from 1 */
	ARG_ERRNO,   /* ENOENT, EIO, ... */
	ARG_CLASS_COUNT
};

/* Who may be told an operation. */
enum { WHO_TASK = 1, WHO_CTL = 2, WHO_DAEMON = 4 };

/* Flags of an operation, see ops.def. */
enum { OPF_RUNS = 1, OPF_ENDS = 2, OPF_SPAWNS = 4 };

enum op {
#define OP(id, sym, name, who, a, b, c, v, flags, help) OP_##sym = id,
#include "ops.def"
#undef OP
	OP_COUNT
};

enum fault_action {
#define FAULT(id, sym, name, arg, help) FAULT_##sym = id,
#include "faults.def"
#undef FAULT
	FAULT_COUNT
};

struct op_info {
	const char *name;
	uint8_t who;	/* WHO_* */
	uint8_t arg[4]; /* enum arg_class of a, b, c, v */
	uint8_t flags;	/* OPF_* */
	const char *help;
};

struct fault_info {
	const char *name;
	uint8_t arg; /* enum arg_class of the value */
	const char *help;
};

struct name_value {
	const char *name;
	uint32_t value;
};

extern const struct op_info op_table[OP_COUNT];		 /* by wire id */
extern const struct fault_info fault_table[FAULT_COUNT]; /* by wire id */

/* Ends with a NULL name. Values: FUSE_* opcodes 1 .. 52 (no CUSE_INIT). Names without "FUSE_". */
extern const struct name_value opcode_table[];
/* "LOOKUP"; "OPCODE_99" in a static buffer for a number that the table has not. */
const char *opcode_name(uint32_t opcode);

/*
 * Paths below the mount point, by index; an argument of class ARG_PATH. The daemon's tree starts with:
 *   "." root  f0 f1 f2 (files, 64 KiB each)  d0 d1 (directories)  d0/f3 (file)  bin (executable)
 *   sym (symbolic link to f0); n0 n1 d0/n2 do not exist at the start; "gone" never exists.
 * "out" is a path outside the mount: a directory of the executor's private tmpfs.
 */
enum path_id {
	PATH_ROOT,
	PATH_F0,
	PATH_F1,
	PATH_F2,
	PATH_D0,
	PATH_D1,
	PATH_F3,
	PATH_BIN,
	PATH_SYM,
	PATH_N0,
	PATH_N1,
	PATH_N2,
	PATH_GONE,
	PATH_OUT,
	PATH_COUNT
};
extern const char *const path_table[PATH_COUNT];

extern const struct name_value
	signal_table[]; /* index is the argument; value the signal number */
extern const struct name_value
	errno_table[]; /* value: errno number; the argument is the errno number */
extern const struct name_value
	oflag_table[]; /* value: bit of the argument, see OFLAG_* */
extern const struct name_value mflag_table[];	/* MFLAG_* */
extern const struct name_value unshare_table[]; /* UNSHARE_* */
extern const struct name_value init_table[];	/* INITF_* */
extern const struct name_value open_table[];	/* OPENF_* */
extern const struct name_value mount_table[];	/* MOUNT_* */
extern const struct name_value daemon_table[];	/* DAEMON_* */
extern const char *const placement_names[]; /* by enum placement: outside inside init */
extern const char *const
	task_kind_names[]; /* by enum task_kind: fork pidns thread files vfork vm */

size_t name_value_count(const struct name_value *table);

/* Argument bits of ARG_OFLAGS: the two low bits are the access mode (0 rdonly, 1 wronly, 2 rdwr, 3 = rdwr). */
enum {
	OFLAG_ACCMODE = 3,
	OFLAG_APPEND = 1 << 2,
	OFLAG_TRUNC = 1 << 3,
	OFLAG_DIRECT = 1 << 4,
	OFLAG_SYNC = 1 << 5,
	OFLAG_NONBLOCK = 1 << 6,
	OFLAG_CLOEXEC = 1 << 7,
};

/* Argument bits of ARG_MFLAGS. */
enum { MFLAG_WRITE = 1 << 0, MFLAG_SHARED = 1 << 1, MFLAG_POPULATE = 1 << 2 };

/* Argument bits of ARG_UNSHARE. */
enum { UNSHARE_FILES = 1 << 0, UNSHARE_FS = 1 << 1, UNSHARE_MOUNT = 1 << 2 };

#endif
