/* SPDX-License-Identifier: MIT */
/* Names of system calls, task states, PF_* flags and signals. */
#include "names.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "harness/arena/ledger.h"

const char *const request_state_names[REQUEST_STATES] = {
	[LEDGER_FREE] = "free",		[LEDGER_READ] = "read",
	[LEDGER_HELD] = "held",		[LEDGER_DROPPED] = "dropped",
	[LEDGER_ANSWERED] = "answered",
};

/* clang-format off */
#define CALLS(X) \
	X(read) X(write) X(open) X(close) X(stat) X(fstat) X(lstat) X(poll) X(lseek) X(mmap) \
	X(mprotect) X(munmap) X(ioctl) X(pread64) X(pwrite64) X(readv) X(writev) X(access) X(pipe) \
	X(select) X(mremap) X(msync) X(madvise) X(dup) X(dup2) X(dup3) X(pause) X(nanosleep) \
	X(sendfile) X(socket) X(connect) X(accept) X(accept4) X(sendto) X(recvfrom) X(sendmsg) \
	X(recvmsg) X(clone) X(clone3) X(fork) X(vfork) X(execve) X(execveat) X(exit) X(exit_group) \
	X(wait4) X(waitid) X(kill) X(tkill) X(tgkill) X(fcntl) X(flock) X(fsync) X(fdatasync) \
	X(truncate) X(ftruncate) X(getdents) X(getdents64) X(getcwd) X(chdir) X(fchdir) X(rename) \
	X(renameat) X(renameat2) X(mkdir) X(mkdirat) X(rmdir) X(creat) X(link) X(linkat) X(unlink) \
	X(unlinkat) X(symlink) X(symlinkat) X(readlink) X(readlinkat) X(chmod) X(fchmod) X(fchmodat) \
	X(chown) X(fchown) X(lchown) X(fchownat) X(ptrace) X(mknod) X(mknodat) X(statfs) X(fstatfs) \
	X(prctl) X(chroot) X(sync) X(syncfs) X(mount) X(umount2) X(pivot_root) X(futex) X(openat) \
	X(openat2) X(newfstatat) X(statx) X(utimensat) X(setxattr) X(getxattr) X(listxattr) \
	X(removexattr) X(fsetxattr) X(fgetxattr) X(flistxattr) X(fremovexattr) X(lsetxattr) \
	X(lgetxattr) X(llistxattr) X(lremovexattr) X(epoll_wait) X(epoll_pwait) X(epoll_ctl) \
	X(pselect6) X(ppoll) X(unshare) X(setns) X(splice) X(tee) X(vmsplice) X(sync_file_range) \
	X(fallocate) X(copy_file_range) X(preadv) X(pwritev) X(preadv2) X(pwritev2) X(close_range) \
	X(faccessat) X(faccessat2) X(clock_nanosleep) X(rt_sigsuspend) X(rt_sigtimedwait) \
	X(rt_sigprocmask) X(rt_sigaction) X(rt_sigreturn) X(restart_syscall) X(io_submit) \
	X(io_getevents) X(io_destroy) X(io_uring_enter) X(io_uring_setup) X(process_vm_readv) \
	X(pidfd_open) X(pidfd_send_signal) X(sched_yield) X(brk) X(inotify_add_watch) X(fsopen) \
	X(fsmount) X(move_mount)
/* clang-format on */

const char *snap_syscall_name(int32_t number)
{
	switch (number) {
#define X(name)                                                                          \
	case SYS_##name:                                                                 \
		return #name;
		CALLS(X)
#undef X
	}
	return NULL;
}

const char *snap_state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "disk sleep";
	case 'T':
		return "stopped";
	case 't':
		return "stopped by its tracer";
	case 'Z':
		return "zombie";
	case 'X':
		return "dead";
	case 'I':
		return "idle";
	}
	return "?";
}

static void append(char *buf, size_t size, const char *word)
{
	size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s%s", len ? " " : "", word);
}

void snap_flag_names(uint32_t flags, char *buf, size_t size)
{
	/* include/linux/sched.h; only bits that have kept their place since 5.10 */
	static const struct {
		uint32_t bit;
		const char *name;
	} table[] = {
		{0x00000002, "IDLE"},	   {0x00000004, "EXITING"},
		{0x00000020, "WQ_WORKER"}, {0x00000040, "FORKNOEXEC"},
		{0x00000100, "SUPERPRIV"}, {0x00000200, "DUMPCORE"},
		{0x00000400, "SIGNALED"},  {0x00000800, "MEMALLOC"},
		{0x00200000, "KTHREAD"},   {0x00400000, "RANDOMIZE"},
	};

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (flags & table[i].bit)
			append(buf, size, table[i].name);
}

void snap_signal_names(uint64_t mask, char *buf, size_t size)
{
	buf[0] = '\0';
	for (int sig = 1; sig <= 64; sig++) {
		const char *abbrev = sigabbrev_np(sig);
		char name[24];

		if (!(mask & (1ull << (sig - 1))))
			continue;
		if (abbrev)
			snprintf(name, sizeof(name), "SIG%s", abbrev);
		else
			snprintf(name, sizeof(name), "SIG%d", sig); /* real-time ones */
		append(buf, size, name);
	}
}
