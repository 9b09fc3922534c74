/* SPDX-License-Identifier: MIT */
/* What each operation of a step is in C: one row each. */

#include <linux/fuse.h>
#include <stdarg.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "parts.h"

#define BIT(name)  OPCODE_BIT(FUSE_##name)
#define OPENED	   (BIT(OPEN) | BIT(FLUSH) | BIT(RELEASE))
#define OPENED_DIR (BIT(OPENDIR) | BIT(RELEASEDIR))

/*
 * $F $G descriptor slots a, b    $P $Q paths a, b       $A $V numbers a, v  $B byte offset of page b
 * $O open flags c                $M mapping a           $N its length      $R protection, flags c
 * $I id of actor a               $S $T signals a, b     $L lock type b     $K flock type b
 * $X image                       $U unshare flags       \n one more line
 */
static const struct op_code codes[OP_COUNT] = {
	[OP_nop] = {"", 0, 0},
	[OP_open] = {"TRY($F = open($Q, $O));", OPENED, 0},
	[OP_creat] = {"TRY($F = open($Q, $O | O_CREAT, 0644));", OPENED | BIT(CREATE), 0},
	[OP_close] = {"TRY(close($F));", 0, 0},
	[OP_read] = {"TRY(read($F, buffer, $V));", BIT(READ), 0},
	[OP_write] = {"TRY(write($F, buffer, $V));", BIT(WRITE) | BIT(READ), 0},
	[OP_pread] = {"TRY(pread($F, buffer, $V, $B));", BIT(READ), 0},
	[OP_pwrite] = {"TRY(pwrite($F, buffer, $V, $B));", BIT(WRITE) | BIT(READ), 0},
	[OP_fsync] = {"TRY(fsync($F));", BIT(FSYNC) | BIT(FSYNCDIR), 0},
	[OP_fdatasync] = {"TRY(fdatasync($F));", BIT(FSYNC) | BIT(FSYNCDIR), 0},
	[OP_sync_range] = {"TRY(sync_file_range($F, 0, 0, SYNC_FILE_RANGE_WRITE));", 0,
			   0},
	[OP_ftruncate] = {"TRY(ftruncate($F, $V));", BIT(SETATTR), 0},
	[OP_truncate] = {"TRY(truncate($P, $V));", BIT(SETATTR), 0},
	[OP_stat] = {"TRY(stat($P, &st));", 0, 0},
	[OP_access] = {"TRY(access($P, R_OK));", BIT(ACCESS), 0},
	[OP_readdir] = {"int dir = open($P, O_RDONLY | O_DIRECTORY);\n"
			"TRY(syscall(SYS_getdents64, dir, buffer, sizeof(buffer)));\n"
			"close(dir);",
			OPENED_DIR | BIT(READDIR) | BIT(READDIRPLUS), 0},
	[OP_mkdir] = {"TRY(mkdir($P, 0755));", BIT(MKDIR), 0},
	[OP_rmdir] = {"TRY(rmdir($P));", BIT(RMDIR), 0},
	[OP_unlink] = {"TRY(unlink($P));", BIT(UNLINK), 0},
	[OP_mknod] = {"TRY(mknod($P, S_IFREG | 0644, 0));", BIT(MKNOD), 0},
	[OP_rename] = {"TRY(rename($P, $Q));", BIT(RENAME) | BIT(RENAME2), 0},
	[OP_link] = {"TRY(link($P, $Q));", BIT(LINK), 0},
	[OP_symlink] = {"TRY(symlink($P, $Q));", BIT(SYMLINK), 0},
	[OP_readlink] = {"TRY(readlink($P, buffer, sizeof(buffer)));", BIT(READLINK), 0},
	[OP_chmod] = {"TRY(chmod($P, 0755));", BIT(SETATTR), 0},
	[OP_chdir] = {"TRY(chdir($P));", BIT(ACCESS), 0},
	[OP_statfs] = {"TRY(statfs($P, &(struct statfs){0}));", BIT(STATFS),
		       HEADER_STATFS},
	[OP_dup2] = {"TRY(dup2($F, $G));", 0, 0},
	[OP_dup3] = {"TRY(dup3($F, $G, O_CLOEXEC));", 0, 0},
	[OP_close_range] = {"TRY(syscall(SYS_close_range, $F, $G, 0));", 0, 0},
	[OP_flock] = {"TRY(flock($F, $K));", BIT(SETLK) | BIT(SETLKW), HEADER_FILE},
	[OP_setlk] = {"TRY(fcntl($F, F_SETLK, &(struct flock){.l_type = $L}));",
		      BIT(SETLK), 0},
	[OP_setlkw] = {"TRY(fcntl($F, F_SETLKW, &(struct flock){.l_type = $L}));",
		       BIT(SETLK) | BIT(SETLKW), 0},
	[OP_mmap] = {"$M = mmap(NULL, $N, $R, $G, 0);\n"
		     "TRY($M == MAP_FAILED ? -1 : 0);",
		     BIT(READ), 0},
	[OP_touch] = {"", BIT(READ) | BIT(WRITE), 0}, /* see emit_touch() */
	[OP_munmap] = {"TRY(munmap((void *)$M, $N));", BIT(WRITE), 0},
	[OP_msync] = {"TRY(msync((void *)$M, $N, MS_SYNC));", BIT(WRITE) | BIT(FSYNC), 0},
	[OP_epoll_add] = {"if (epoll < 0)\n"
			  "\tepoll = epoll_create1(0);\n"
			  "TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, $F,\n"
			  "\t      &(struct epoll_event){.events = EPOLLIN}));",
			  BIT(POLL), HEADER_EPOLL},
	[OP_epoll_wait] = {"TRY(epoll_wait(epoll, &(struct epoll_event){0}, 1, $V));",
			   BIT(POLL), HEADER_EPOLL},
	[OP_poll] = {"TRY(poll(&(struct pollfd){.fd = $F, .events = POLLIN}, 1, $V));",
		     BIT(POLL), HEADER_POLL},
	[OP_exec] = {"TRY(execl($X, \"pause\", NULL));", OPENED | BIT(READ), 0},
	[OP_vfork_exec] = {"if (!vfork()) {\n"
			   "\texecl($X, \"pause\", NULL);\n"
			   "\t_exit(127);\n"
			   "}",
			   OPENED | BIT(READ), 0},
	[OP_fork_exit] = {"if (!fork())\n\t_exit(0);", 0, 0},
	[OP_spawn] = {"", 0, 0}, /* see op_code_emit() */
	[OP_exit] = {"syscall(SYS_exit, $V); /* this thread only */", 0, 0},
	[OP_exit_group] = {"_exit($V);", 0, 0},
	[OP_kill] = {"TRY(kill($I, $T));", 0, 0},
	[OP_tgkill] = {"TRY(syscall(SYS_tkill, $I, $T));", 0, 0},
	[OP_stop] = {"TRY(kill($I, SIGSTOP));", 0, 0},
	[OP_cont] = {"TRY(kill($I, SIGCONT));", 0, 0},
	[OP_wait] = {"TRY(waitpid($I, NULL, __WALL));", 0, 0},
	[OP_wait_any] = {"TRY(waitpid(-1, NULL, WNOHANG | __WALL));", 0, 0},
	[OP_alarm] = {"sigaction(SIGALRM, &(struct sigaction){.sa_handler = handler}, "
		      "NULL);\n"
		      "TRY(setitimer(ITIMER_REAL, &(struct itimerval){\n"
		      "\t.it_value = {$V / 1000, $V % 1000 * 1000}}, NULL));",
		      0, HEADER_TIME},
	[OP_handle] = {"TRY(sigaction($S, &(struct sigaction){.sa_handler = handler}, "
		       "NULL));",
		       0, 0},
	[OP_ignore] = {"signal($S, SIG_IGN);", 0, 0},
	[OP_block] = {"sigset_t set;\n"
		      "sigemptyset(&set);\n"
		      "sigaddset(&set, $S);\n"
		      "sigprocmask(SIG_BLOCK, &set, NULL);",
		      0, 0},
	[OP_unshare] = {"TRY(unshare($U));", 0, 0},
	[OP_ptrace_attach] = {"TRY(ptrace(PTRACE_SEIZE, $I, 0, 0));\n"
			      "TRY(ptrace(PTRACE_INTERRUPT, $I, 0, 0));",
			      0, HEADER_PTRACE},
	[OP_ptrace_detach] = {"TRY(ptrace(PTRACE_DETACH, $I, 0, 0));", 0, HEADER_PTRACE},
	[OP_getxattr] = {"TRY(getxattr($P, \"user.sf\", buffer, sizeof(buffer)));",
			 BIT(GETXATTR), HEADER_XATTR},
	[OP_setxattr] = {"TRY(setxattr($P, \"user.sf\", buffer, $V, 0));", BIT(SETXATTR),
			 HEADER_XATTR},
	[OP_listxattr] = {"TRY(listxattr($P, buffer, sizeof(buffer)));", BIT(LISTXATTR),
			  HEADER_XATTR},
	[OP_removexattr] = {"TRY(removexattr($P, \"user.sf\"));", BIT(REMOVEXATTR),
			    HEADER_XATTR},
	[OP_fallocate] = {"TRY(fallocate($F, 0, $B, $V));", BIT(FALLOCATE), 0},
	[OP_lseek] = {"TRY(lseek($F, $V, SEEK_DATA));", BIT(LSEEK), 0},
	[OP_copy_range] = {"TRY(copy_file_range($F, NULL, $G, NULL, $V, 0));",
			   BIT(COPY_FILE_RANGE) | BIT(READ) | BIT(WRITE), 0},
	[OP_ioctl] = {"TRY(ioctl($F, FS_IOC_GETFLAGS, &(long){0}));", BIT(IOCTL),
		      HEADER_IOCTL},
	[OP_aio_read] = {"aio(IOCB_CMD_PREAD, $F, $V, $B);", BIT(READ), HEADER_AIO},
	[OP_aio_write] = {"aio(IOCB_CMD_PWRITE, $F, $V, $B);", BIT(WRITE) | BIT(READ),
			  HEADER_AIO},
	[OP_steal_dev] = {"int pidfd = syscall(SYS_pidfd_open, $I, 0);\n"
			  "TRY($F = syscall(SYS_pidfd_getfd, pidfd, dev, 0));\n"
			  "close(pidfd);",
			  0, 0},
	[OP_read_nowait] =
		{"TRY(preadv2($F, &(struct iovec){buffer, $V}, 1, $B, RWF_NOWAIT));",
		 BIT(READ), 0},
	[OP_write_dsync] =
		{"TRY(pwritev2($F, &(struct iovec){buffer, $V}, 1, $B, RWF_DSYNC));",
		 BIT(WRITE) | BIT(READ) | BIT(FSYNC), 0},
	[OP_write_append] =
		{"TRY(pwritev2($F, &(struct iovec){buffer, $V}, 1, $B, RWF_APPEND));",
		 BIT(WRITE) | BIT(READ), 0},
	[OP_write_nowait] =
		{"TRY(pwritev2($F, &(struct iovec){buffer, $V}, 1, $B, RWF_NOWAIT));",
		 BIT(WRITE) | BIT(READ), 0},
	[OP_sendfile] = {"TRY(syscall(SYS_sendfile, $F, $G, &(off_t){0}, $V));",
			 BIT(WRITE) | BIT(READ), 0},
	[OP_readahead] = {"TRY(readahead($F, $B, $V));", BIT(READ), 0},
	[OP_fadvise_need] = {"TRY(posix_fadvise($F, $B, $V, POSIX_FADV_WILLNEED));",
			     BIT(READ), 0},
	[OP_fadvise_drop] = {"TRY(posix_fadvise($F, 0, 0, POSIX_FADV_DONTNEED));", 0, 0},
	[OP_sync_wait] = {"TRY(sync_file_range($F, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE "
			  "|\n\tSYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));",
			  0, 0},
	[OP_syncfs] = {"TRY(syncfs($F));", 0, 0},
	[OP_punch_hole] = {"TRY(fallocate($F, FALLOC_FL_PUNCH_HOLE | "
			   "FALLOC_FL_KEEP_SIZE, $B, $V));",
			   BIT(FALLOCATE), 0},
	[OP_zero_range] = {"TRY(fallocate($F, FALLOC_FL_ZERO_RANGE, $B, $V));",
			   BIT(FALLOCATE), 0},
	[OP_keep_size] = {"TRY(fallocate($F, FALLOC_FL_KEEP_SIZE, $B, $V));",
			  BIT(FALLOCATE), 0},
	[OP_lseek_hole] = {"TRY(lseek($F, $V, SEEK_HOLE));", BIT(LSEEK), 0},
	[OP_lseek_end] = {"TRY(lseek($F, 0, SEEK_END));", BIT(LSEEK), 0},
	[OP_setflags] = {"TRY(ioctl($F, FS_IOC_SETFLAGS, &(long){FS_NOATIME_FL}));",
			 BIT(IOCTL), HEADER_IOCTL},
	[OP_fsgetxattr] = {"TRY(ioctl($F, FS_IOC_FSGETXATTR, &(struct fsxattr){0}));",
			   BIT(IOCTL), HEADER_IOCTL},
	[OP_statx_sync] = {"TRY(syscall(SYS_statx, AT_FDCWD, $P, AT_STATX_FORCE_SYNC, "
			   "0xfff, buffer));",
			   0, 0},
	[OP_statx_cached] = {"TRY(syscall(SYS_statx, AT_FDCWD, $P, AT_STATX_DONT_SYNC, "
			     "0xfff, buffer));",
			     0, 0},
	[OP_lstat] = {"TRY(lstat($P, &st));", 0, 0},
	[OP_fstat] = {"TRY(fstat($F, &st));", 0, 0},
	[OP_utimens] = {"TRY(utimensat(AT_FDCWD, $P, NULL, 0));", BIT(SETATTR), 0},
	[OP_futimens] = {"TRY(futimens($F, NULL));", BIT(SETATTR), 0},
	[OP_chown] = {"TRY(chown($P, 0, 0));", BIT(SETATTR), 0},
	[OP_fchown] = {"TRY(fchown($F, 0, 0));", BIT(SETATTR), 0},
	[OP_fchmod] = {"TRY(fchmod($F, 0755));", BIT(SETATTR), 0},
	[OP_access_write] = {"TRY(access($P, W_OK));", BIT(ACCESS), 0},
	[OP_rename_noreplace] =
		{"TRY(syscall(SYS_renameat2, AT_FDCWD, $P, AT_FDCWD, $Q, 1));",
		 BIT(RENAME2), 0},
	[OP_rename_exchange] =
		{"TRY(syscall(SYS_renameat2, AT_FDCWD, $P, AT_FDCWD, $Q, 2));",
		 BIT(RENAME2), 0},
	[OP_rename_whiteout] =
		{"TRY(syscall(SYS_renameat2, AT_FDCWD, $P, AT_FDCWD, $Q, 4));",
		 BIT(RENAME2), 0},
	[OP_mkfifo] = {"TRY(mkfifo($P, 0644));", BIT(MKNOD), 0},
	[OP_getacl] = {"TRY(getxattr($P, \"system.posix_acl_access\", buffer, "
		       "sizeof(buffer)));",
		       BIT(GETXATTR), HEADER_XATTR},
	[OP_fchdir] = {"TRY(fchdir($F));", BIT(ACCESS), 0},
	[OP_open_path] = {"TRY($F = open($Q, O_PATH));", 0, 0},
	[OP_getlk] = {"TRY(fcntl($F, F_GETLK, &(struct flock){.l_type = $L}));",
		      BIT(GETLK), 0},
	[OP_ofd_setlk] = {"TRY(fcntl($F, F_OFD_SETLK, &(struct flock){.l_type = $L}));",
			  BIT(SETLK), 0},
	[OP_ofd_setlkw] = {"TRY(fcntl($F, F_OFD_SETLKW, &(struct flock){.l_type = $L}));",
			   BIT(SETLK) | BIT(SETLKW), 0},
	[OP_flock_try] = {"TRY(flock($F, $K | LOCK_NB));", BIT(SETLK), HEADER_FILE},
	[OP_lease] = {"TRY(fcntl($F, F_SETLEASE, $L));", 0, 0},
	[OP_madvise_need] = {"TRY(madvise((void *)$M, $N, MADV_WILLNEED));", BIT(READ),
			     0},
	[OP_madvise_drop] = {"TRY(madvise((void *)$M, $N, MADV_DONTNEED));", 0, 0},
	[OP_pageout] = {"TRY(madvise((void *)$M, $N, MADV_PAGEOUT));", BIT(WRITE), 0},
	[OP_populate_read] =
		{"TRY(madvise((void *)$M, $N, 22 /* MADV_POPULATE_READ */));", BIT(READ),
		 0},
	[OP_populate_write] =
		{"TRY(madvise((void *)$M, $N, 23 /* MADV_POPULATE_WRITE */));", BIT(READ),
		 0},
	[OP_mlock] = {"TRY(mlock((void *)$M, $N));", BIT(READ), 0},
	[OP_munlock] = {"TRY(munlock((void *)$M, $N));", 0, 0},
	[OP_mprotect] = {"TRY(mprotect((void *)$M, $N, PROT_READ));", 0, 0},
	[OP_msync_async] = {"TRY(msync((void *)$M, $N, MS_ASYNC));", BIT(WRITE), 0},
	[OP_msync_drop] = {"TRY(msync((void *)$M, $N, MS_SYNC | MS_INVALIDATE));",
			   BIT(WRITE) | BIT(FSYNC), 0},
	[OP_unshare_pid] = {"TRY(unshare(CLONE_NEWPID));", 0, HEADER_SCHED},
	[OP_unshare_user] = {"TRY(unshare(CLONE_NEWUSER));", 0, HEADER_SCHED},
	[OP_unblock] =
		{"TRY(sigprocmask(SIG_UNBLOCK, &(sigset_t){{1ul << ($S - 1)}}, NULL));",
		 0, 0},
	[OP_pause] = {"TRY(pause());", 0, 0},
	[OP_setsid] = {"TRY(setsid());", 0, 0},
	[OP_sleep] = {"usleep($V * 1000);", 0, 0},
	[OP_release] = {"", 0, 0}, /* see special_code() */
	[OP_close_dev] = {"shared->close_dev = 1;", 0, 0},
	[OP_gate] = {"", 0, 0}, /* see op_code_emit() */
	[OP_barrier] = {"", 0, 0},
	[OP_abort] = {"TRY(write(abort_fd, \"1\", 1));", 0, 0},
	[OP_detach] = {"TRY(umount2(MNT, MNT_DETACH));", 0, 0},
};

const struct op_code *op_code_of(const struct scn_step *step)
{
	return &codes[step->op];
}

void op_code_id(char *buf, size_t size, unsigned int actor, const char *field)
{
	if (actor == ACTOR_DAEMON)
		snprintf(buf, size, "shared->server%s", field);
	else
		snprintf(buf, size, "shared->t%u%s", actor, field);
}

static void emit_path(struct emitter *em, unsigned int path)
{
	if (path == PATH_OUT)
		emit(em, "\"/tmp\"");
	else if (path == PATH_ROOT)
		emit(em, "MNT");
	else
		emit(em, "MNT \"/%s\"", path_table[path]);
}

struct flag {
	unsigned int bit;
	const char *name;
};

static void emit_flags(struct emitter *em, unsigned int value, const char *base,
		       const struct flag *flags)
{
	const char *separator = base ? " | " : "";

	emit(em, "%s", base ? base : "");
	for (; flags->name; flags++) {
		if (!(value & flags->bit))
			continue;
		emit(em, "%s%s", separator, flags->name);
		separator = " | ";
	}
	if (!*separator)
		emit(em, "0");
}

static void emit_open_flags(struct emitter *em, unsigned int value)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR"};
	static const struct flag flags[] = {{OFLAG_APPEND, "O_APPEND"},
					    {OFLAG_TRUNC, "O_TRUNC"},
					    {OFLAG_DIRECT, "O_DIRECT"},
					    {OFLAG_SYNC, "O_SYNC"},
					    {OFLAG_NONBLOCK, "O_NONBLOCK"},
					    {OFLAG_CLOEXEC, "O_CLOEXEC"},
					    {0, NULL}};

	emit_flags(em, value, modes[value & OFLAG_ACCMODE], flags);
}

static void emit_map_flags(struct emitter *em, unsigned int value)
{
	emit(em, "PROT_READ%s, %s%s", value & MFLAG_WRITE ? " | PROT_WRITE" : "",
	     value & MFLAG_SHARED ? "MAP_SHARED" : "MAP_PRIVATE",
	     value & MFLAG_POPULATE ? " | MAP_POPULATE" : "");
}

/* The length that the last mmap step of this slot gave it. */
static unsigned int map_length(const struct scenario *scn, unsigned int map)
{
	unsigned int len = 0;

	for (unsigned int i = 0; i < scn->n_steps; i++)
		if (scn->steps[i].op == OP_mmap && scn->steps[i].a == map)
			len = scn->steps[i].v;
	return len ? (len + 4095) / 4096 * 4096 : 4096;
}

static void emit_id(struct emitter *em, const struct scn_step *step)
{
	bool inner = scenario_namespace(em->scn, step->actor) != ACTOR_CTL;
	char id[40];

	op_code_id(id, sizeof(id), step->op == OP_steal_dev ? ACTOR_DAEMON : step->a,
		   inner ? "_inner" : "");
	emit(em, "%s", id);
}

static void emit_unshare_flags(struct emitter *em, unsigned int value)
{
	static const struct flag flags[] = {{UNSHARE_FILES, "CLONE_FILES"},
					    {UNSHARE_FS, "CLONE_FS"},
					    {UNSHARE_MOUNT, "CLONE_NEWNS"},
					    {0, NULL}};

	emit_flags(em, value, NULL, flags);
}

static void emit_placeholder(struct emitter *em, const struct scn_step *step, char c)
{
	static const char *const locks[] = {"F_RDLCK", "F_WRLCK", "F_UNLCK"};
	static const char *const flocks[] = {"LOCK_SH", "LOCK_EX", "LOCK_UN"};
	const char *slot = em->needs.shared_files ? "shared->" : "";

	switch (c) {
	case 'F':
	case 'G':
		emit(em, "%sfd%u", slot, c == 'F' ? step->a : step->b);
		break;
	case 'P':
	case 'Q':
		emit_path(em, c == 'P' ? step->a : step->b);
		break;
	case 'A':
		emit(em, "%u", step->a);
		break;
	case 'V':
		emit(em, "%u", step->v);
		break;
	case 'B':
		emit(em, "%u", step->b * 4096u);
		break;
	case 'O':
		emit_open_flags(em, step->c);
		break;
	case 'M':
		emit(em, "map%u", step->a);
		break;
	case 'N':
		emit(em, "%u", map_length(em->scn, step->a));
		break;
	case 'R':
		emit_map_flags(em, step->c);
		break;
	case 'I':
		emit_id(em, step);
		break;
	case 'S':
	case 'T':
		emit(em, "%s", signal_table[c == 'S' ? step->a : step->b].name);
		break;
	case 'L':
		emit(em, "%s", locks[step->b]);
		break;
	case 'K':
		emit(em, "%s", flocks[step->b]);
		break;
	case 'X':
		emit(em, "%s", step->a ? "MNT \"/bin\"" : "\"/proc/self/exe\"");
		break;
	case 'U':
		emit_unshare_flags(em, step->a);
		break;
	default:
		emit(em, "$%c", c);
	}
}

/* Was a file put into this slot before this step, by whoever? */
static bool slot_used(const struct scenario *scn, const struct scn_step *before,
		      unsigned int slot)
{
	for (const struct scn_step *step = scn->steps; step < before; step++) {
		bool second = step->op == OP_dup2 || step->op == OP_dup3;

		if ((op_table[step->op].arg[0] == ARG_FD && !second && step->a == slot) ||
		    (second && step->b == slot))
			return true;
	}
	return false;
}

/* The rows that depend on more than their arguments; NULL: take the row. */
static const char *special_code(struct emitter *em, const struct scn_step *step)
{
	switch (step->op) {
	case OP_touch:
		return step->b ? "$M[%] = 1;" : "(void)$M[%];";
	case OP_open: /* a file that nobody names again is just open */
		return em->needs.fds & 1u << step->a ? NULL : "TRY(open($Q, $O));";
	case OP_creat:
		return em->needs.fds & 1u << step->a
			       ? NULL
			       : "TRY(open($Q, $O | O_CREAT, 0644));";
	case OP_release:
		if (!(em->needs.holds & HOLD_RELEASE))
			return NULL;
		return step->a ? "shared->release = $A;"
			       : "shared->release = 64; /* all */";
	case OP_gate:
		return step->a ? "shared->gate_closed = 0;" : "shared->gate_closed = 1;";
	case OP_dup2:
	case OP_dup3: /* nothing is replaced: it is a plain dup(2) */
		return slot_used(em->scn, step, step->b) ? NULL : "TRY($G = dup($F));";
	default:
		return NULL;
	}
}

void op_code_emit(struct emitter *em, const struct scn_step *step)
{
	const char *code = special_code(em, step);
	bool block;

	if (!code)
		code = codes[step->op].code;
	if (step->op == OP_spawn) {
		emit_spawn(em, scenario_task(em->scn, step->a));
		return;
	}
	if (!*code)
		return;
	/* A declaration among statements gets a block of its own. */
	block = !strncmp(code, "int ", 4) || !strncmp(code, "sigset_t ", 9);
	emit(em, block ? "\t{\n\t\t" : "\t");
	for (; *code; code++) {
		if (*code == '$' && code[1])
			emit_placeholder(em, step, *++code);
		else if (*code == '%' && code[-1] == '[')
			emit(em, "%u", step->c * 4096u);
		else if (*code == '\n')
			emit(em, block ? "\n\t\t" : "\n\t");
		else
			emit(em, "%c", *code);
	}
	emit(em, block ? "\n\t}\n" : "\n");
}
