/* SPDX-License-Identifier: MIT */
/*
 * Readers of proc(5) that do not block, however badly a task hangs.
 *
 * Never add cmdline, environ, maps, exe or cwd: they wait for the task's mmap_lock or for the file system that
 * hangs. {syscall,stack,io} take exec_update_lock on all kernels, {stat,wchan,fd,ns} too on recent ones (measured on
 * 6.18.44): they wait for ever for a task that hangs inside execve() behind exec_mmap(), e.g. in the FLUSH of a
 * close-on-exec file (begin_new_exec() holds the lock; so does every reader's killer: the wait is killable only).
 * {status,statm,schedstat} and the list of threads never block. Such a task ("in_exec") is known by statm: it has memory and no
 * code, as its new mm is still empty. Everything here looks at statm first and then leaves it alone; what is left is the moment
 * between the two reads. So where the caller knows that a task is about to call execve(), it uses
 * procfs_sample_safe() until that is over (the step has ended, or comm has changed).
 *
 * All functions: 0 or more is good, -ESRCH: the task is gone (or went while it was read), else -errno.
 */
#ifndef SF_PROCFS_H
#define SF_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/snapshot/snapshot.h"

#ifndef PF_EXITING
#define PF_EXITING 0x00000004 /* include/linux/sched.h */
#define PF_KTHREAD 0x00200000
#endif

/* A proc mount; pids are those of the pid namespace that it was mounted in. */
struct procfs {
	int fd;	    /* directory, close-on-exec; -1: not open */
	bool blind; /* wchan is "0" for whoever sleeps, too: procfs_calibrate() */
};

int procfs_open(struct procfs *pf,
		const char *root); /* root: e.g. "/proc"; 0 or -errno */
void procfs_close(struct procfs *pf);

/*
 * Looks at a child that is known to sleep. Up to 5.15 wchan is always "0" on x86 with the ORC unwinder (mended in 5.16, and by
 * some who ship older ones): there pf->blind is set, and syscall tells instead, which says "running" of a task on the run
 * queue. That costs 5 us more for each look. Needs a proc mount that shows the caller's own children. Waits 0.2 to 300 ms.
 */
void procfs_calibrate(struct procfs *pf);

/*
 * Fills every field of *task that proc knows (not actor, role, uframes; unote only if the kernel stack could
 * not be read). dev_fd is looked up too. What was read stays when the task goes away in the middle: then
 * vanished is set and the result is -ESRCH. Needs root for the stack. About 60 us.
 * in_exec: a disposable child reads what the kernel lets it, and is killed after 20 ms. If that leaves no stack, the frames are
 * {wchan if readable, else "exec_update_lock_held"; "begin_new_exec"}: the lock was seen held, so the task is in there, and
 * behind de_thread(); unote says so.
 */
int procfs_read_task(const struct procfs *pf, pid_t pid, pid_t tid,
		     struct snap_task *task);

/* Called for each thread; not 0 ends the walk and becomes its result. */
typedef int procfs_thread_fn(void *ctx, pid_t pid, pid_t tid);
int procfs_each_thread(const struct procfs *pf, procfs_thread_fn *fn,
		       void *ctx); /* of all processes */
int procfs_each_thread_of(const struct procfs *pf, pid_t pid, procfs_thread_fn *fn,
			  void *ctx);

/* What the oracle compares. One open, read, close of statm, status, stat, wchan and (not for a zombie) stack. */
struct task_sample {
	pid_t tid, pid, ppid;
	char state;	   /* as in snap_task */
	uint32_t flags;	   /* PF_*; 0 if limited */
	uint64_t switches; /* voluntary + involuntary */
	uint64_t
		stack_hash; /* FNV-1a of the kernel stack's text; 0: empty or not readable */
	uint32_t n_threads;
	bool running; /* wchan is "0" (blind: by syscall): on the run queue, or a zombie; false if limited */
	bool sigkill_pending; /* private or shared */
	bool exiting;	      /* PF_EXITING; a zombie if limited */
	bool in_exec;	      /* hangs in, or just passes, begin_new_exec() */
	bool limited; /* from statm and status only: in_exec, or procfs_sample_safe() */
	char comm[20];
};

int procfs_sample(const struct procfs *pf, pid_t pid, pid_t tid, struct task_sample *ret);
/* Never blocks, also not for a task that is about to call execve(). Always limited. */
int procfs_sample_safe(const struct procfs *pf, pid_t pid, pid_t tid,
		       struct task_sample *ret);
/* The same thread, and nothing moved between a and b: not on the run queue (a zombie may
 * be), the same switches, state and stack. */
bool task_sample_same(const struct task_sample *a, const struct task_sample *b);

/*
 * The cheap question "is it asleep, and has it been since I last looked?" with files kept
 * open. A probe belongs to one thread: after its death reads give -ESRCH, even if the tid
 * is used again.
 */
struct procfs_probe {
	pid_t pid, tid;
	int schedstat, statm, status, wchan, stat,
		stack; /* fds; blind: wchan is one of syscall */
};

struct probe_sample {
	uint64_t runs; /* times it was scheduled in: third number of schedstat, 0.8 us */
	bool asleep; /* wchan is not "0", syscall not "running": off the run queue, 1.8 us; in_exec: status is not R */
	bool in_exec;
};

#define PROCFS_PROBE_INIT                                                                \
	{                                                                                \
		-1, -1, -1, -1, -1, -1, -1, -1                                           \
	}

int procfs_probe_open(const struct procfs *pf, pid_t pid, pid_t tid,
		      struct procfs_probe *ret);
void procfs_probe_close(struct procfs_probe *probe);
/* schedstat, statm and wchan. Quiescent = asleep in two looks with the same runs. A zombie is
 * never asleep. */
int procfs_probe_read(const struct procfs_probe *probe, struct probe_sample *ret);
/* Letter of stat ('Z': a zombie), or -errno. */
int procfs_probe_state(const struct procfs_probe *probe);
/* FNV-1a of the kernel stack, 8.6 us; -EAGAIN: in execve(), reading it could block. */
int procfs_probe_stack(const struct procfs_probe *probe, uint64_t *ret_hash);

/* A descriptor of /dev/fuse. Told by the link's text alone ("/dev/fuse", or a path that
 * ends in it): following the link could lead into a hung mount. */
struct dev_holder {
	pid_t pid, tid; /* a thread of its own: it may have a file table of its own */
	int fd;
	uint32_t conn; /* "fuse_connection:" of fdinfo; 0: this kernel does not tell */
};

/* Descriptors of one thread; up to max are stored. Returns how many were stored. A zombie
 * or an exiting task shows none, though the kernel may not have closed them yet. */
int procfs_dev_fds(const struct procfs *pf, pid_t pid, pid_t tid, struct dev_holder *ret,
		   size_t max);
/* Of all threads of all processes. A thread's descriptor is left out where its main
 * thread shows the same one: they share a table (kcmp(2) would tell, but takes
 * exec_update_lock). */
int procfs_dev_holders(const struct procfs *pf, struct dev_holder *ret, size_t max);

#endif
