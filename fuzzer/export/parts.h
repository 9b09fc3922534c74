/* SPDX-License-Identifier: MIT */
/* The parts of an exported C file, in the order in which they are written. Private to fuzzer/export. */
#ifndef SF_EXPORT_PARTS_H
#define SF_EXPORT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "export.h"

#define OPCODE_BIT(opcode) (1ull << (opcode))
#define ERROR_SIZE	   200

/* Further headers, beside those that every exported file has. */
enum {
	HEADER_EPOLL = 1 << 0,
	HEADER_POLL = 1 << 1,
	HEADER_PTRACE = 1 << 2,
	HEADER_TIME = 1 << 3,
	HEADER_XATTR = 1 << 4,
	HEADER_AIO = 1 << 5,
	HEADER_FILE = 1 << 6,
	HEADER_STATFS = 1 << 7,
	HEADER_IOCTL = 1 << 8,
	HEADER_WAIT = 1 << 9,
	HEADER_THREAD = 1 << 10,
	HEADER_SCHED = 1 << 11, /* pthread.h includes it */
	HEADER_STDLIB = 1 << 12,
};

/* What held requests of the server wait for. */
enum {
	HOLD_STEP = 1 << 0,
	HOLD_MORE = 1 << 1,
	HOLD_MS = 1 << 2,
	HOLD_KILL = 1 << 3,
	HOLD_RELEASE = 1 << 4, /* a step */
	HOLD_GROUP = 1 << 5,   /* others of the same rule */
	HOLD_INTR = 1 << 6,    /* an INTERRUPT */
	/* It is looked at them again and again. */
	HOLD_WATCHED = HOLD_STEP | HOLD_MORE | HOLD_MS | HOLD_KILL | HOLD_RELEASE,
};

/* What the scenario makes necessary. */
struct needs {
	uint64_t
		opcodes; /* OPCODE_BIT: requests that the server must know how to answer */
	uint32_t paths;	 /* bits of enum path_id */
	uint32_t headers; /* HEADER_* */
	uint32_t
		published; /* actors whose ids others must know: bits of task ids, ACTOR_DAEMON */
	uint8_t fds, maps; /* slots that are used; descriptors: more than filled */
	bool nested;	   /* some actor lives in a pid namespace of its own */
	bool shared_files; /* processes share a file table: slots live in shared memory */
	bool buffer, st, epoll, handler; /* variables of the steps */
	unsigned int max_write;		 /* of one request */
	bool server_pid, abort_step;	 /* what main() knows must be known to others */
	bool one_file; /* f0 is all there is: its name is not looked at */
	bool answers; /* some rule answers by itself: answering is a function of its own */
	bool names_change; /* files are created, removed or renamed */
	bool threads;	   /* the server has more than its main thread */
	bool inner; /* tasks in a nested namespace signal each other: other numbers there */
	bool server_ids; /* a rule names the daemon as requester */
	bool polling;	 /* the server watches more than /dev/fuse */
	uint32_t holds;	 /* HOLD_*; 0: no request is kept */
	bool hold_plain; /* a request that is simply held may be answered later */
	bool gate, close_dev, daemon_steps;
	bool execs; /* some task may be stuck in execve, where /proc cannot be read */
	bool image_mount,
		image_outside; /* exec of a binary on the mount, of one elsewhere */
	bool kill_daemon;      /* the tasks stay although the daemon is killed as well */
};

struct emitter {
	FILE *out;
	const struct scenario *whole; /* as it was given */
	const struct scenario *scn;   /* what of it can happen */
	const struct export_facts *facts;
	struct needs needs;
};

/* 0, or -EOPNOTSUPP with a line in err[ERROR_SIZE]. */
int needs_of(const struct scenario *scn, const struct export_facts *facts,
	     struct needs *ret_needs, char *err);

/* Of one operation: see ops_code.c. */
struct op_code {
	const char *code; /* C with $ placeholders; NULL: this operation has no C form */
	uint64_t opcodes; /* requests that it can cause, besides LOOKUP and GETATTR */
	uint32_t headers; /* HEADER_* */
};
const struct op_code *op_code_of(const struct scn_step *step);
/* The statements of a step, indented by one tab, with a last newline. */
void op_code_emit(struct emitter *em, const struct scn_step *step);
/* "shared->t1.tid", "0" for nobody. */
void op_code_id(char *buf, size_t size, unsigned int actor, const char *field);

/* What a fault is beyond its code. */
enum {
	FAULT_HITS_SERVER =
		1 << 0, /* a signal that the init of a pid namespace is deaf to */
	FAULT_OPENS = 1 << 1,
	FAULT_STATS = 1 << 2,
	FAULT_ANSWERS_INTR = 1 << 3, /* on the device that the target was read from */
};

/* Of one fault: see faults.c. */
struct fault_code {
	const char *code; /* C with $ placeholders; "": just read it; NULL: no C form */
	uint32_t holds;	  /* HOLD_* */
	uint32_t what;	  /* FAULT_* of the above */
};
const struct fault_code *fault_code_of(const struct scn_fault *fault);

/* Does the scenario need more shared memory than the number of the step? */
bool shares_more(const struct needs *needs);
/* The C expression for that number. */
const char *step_now(const struct emitter *em);

void emit_head(struct emitter *em);   /* comment, headers, variables */
void emit_server(struct emitter *em); /* file system and replies, and then the faults */
void emit_rules(struct emitter *em);  /* the fault plan, as statements of a function */
void emit_from_server(struct emitter *em);
void emit_holds(struct emitter *em);  /* what is answered later, and when */
void emit_faults(struct emitter *em); /* handle(): the fault plan, else answer() */
void emit_tasks(struct emitter *em);  /* one function for each task */
void emit_spawn(struct emitter *em, const struct scn_task *task); /* creates it */
void emit_heirs(struct emitter *em,
		unsigned int parent); /* creates those of this parent */
void emit_watch(struct emitter *em);  /* finds the stuck tasks, frees them; main() */

void emit(struct emitter *em, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
