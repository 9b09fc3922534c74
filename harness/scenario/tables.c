/* SPDX-License-Identifier: MIT */
/* Everything that a scenario can name, as tables. */

#include "tables.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "scenario.h"

/* The columns of ops.def: W stands for the daemon's main thread too. */
#define W	 (WHO_TASK | WHO_DAEMON)
#define C	 WHO_CTL
#define D	 WHO_DAEMON
#define F_RUNS	 OPF_RUNS
#define F_ENDS	 OPF_ENDS
#define F_SPAWNS OPF_SPAWNS

const struct op_info op_table[OP_COUNT] = {
#define OP(id, sym, name, who, a, b, c, v, flags, help)                                  \
	[id] = {name, who, {ARG_##a, ARG_##b, ARG_##c, ARG_##v}, flags, help},
#include "ops.def"
#undef OP
};

const struct fault_info fault_table[FAULT_COUNT] = {
#define FAULT(id, sym, name, arg, help) [id] = {name, ARG_##arg, help},
#include "faults.def"
#undef FAULT
};

/* Numbers of enum fuse_opcode; plain, because older headers lack the last ones. */
const struct name_value opcode_table[] = {
	{"LOOKUP", 1},	      {"FORGET", 2},	     {"GETATTR", 3},
	{"SETATTR", 4},	      {"READLINK", 5},	     {"SYMLINK", 6},
	{"MKNOD", 8},	      {"MKDIR", 9},	     {"UNLINK", 10},
	{"RMDIR", 11},	      {"RENAME", 12},	     {"LINK", 13},
	{"OPEN", 14},	      {"READ", 15},	     {"WRITE", 16},
	{"STATFS", 17},	      {"RELEASE", 18},	     {"FSYNC", 20},
	{"SETXATTR", 21},     {"GETXATTR", 22},	     {"LISTXATTR", 23},
	{"REMOVEXATTR", 24},  {"FLUSH", 25},	     {"INIT", 26},
	{"OPENDIR", 27},      {"READDIR", 28},	     {"RELEASEDIR", 29},
	{"FSYNCDIR", 30},     {"GETLK", 31},	     {"SETLK", 32},
	{"SETLKW", 33},	      {"ACCESS", 34},	     {"CREATE", 35},
	{"INTERRUPT", 36},    {"BMAP", 37},	     {"DESTROY", 38},
	{"IOCTL", 39},	      {"POLL", 40},	     {"NOTIFY_REPLY", 41},
	{"BATCH_FORGET", 42}, {"FALLOCATE", 43},     {"READDIRPLUS", 44},
	{"RENAME2", 45},      {"LSEEK", 46},	     {"COPY_FILE_RANGE", 47},
	{"SETUPMAPPING", 48}, {"REMOVEMAPPING", 49}, {"SYNCFS", 50},
	{"TMPFILE", 51},      {"STATX", 52},	     {NULL, 0},
};

const char *opcode_name(uint32_t opcode)
{
	static _Thread_local char unknown[24];

	for (const struct name_value *o = opcode_table; o->name; o++) {
		if (o->value == opcode)
			return o->name;
	}
	snprintf(unknown, sizeof(unknown), "OPCODE_%u", opcode);
	return unknown;
}

const char *const path_table[PATH_COUNT] = {
	[PATH_ROOT] = ".",    [PATH_F0] = "f0",	  [PATH_F1] = "f1",
	[PATH_F2] = "f2",     [PATH_D0] = "d0",	  [PATH_D1] = "d1",
	[PATH_F3] = "d0/f3",  [PATH_BIN] = "bin", [PATH_SYM] = "sym",
	[PATH_N0] = "n0",     [PATH_N1] = "n1",	  [PATH_N2] = "d0/n2",
	[PATH_GONE] = "gone", [PATH_OUT] = "out",
};

/* The index is a wire id: append only. */
const struct name_value signal_table[] = {
	{"SIGKILL", SIGKILL},
	{"SIGTERM", SIGTERM},
	{"SIGINT", SIGINT},
	{"SIGHUP", SIGHUP},
	{"SIGQUIT", SIGQUIT},
	{"SIGUSR1", SIGUSR1},
	{"SIGUSR2", SIGUSR2},
	{"SIGALRM", SIGALRM},
	{"SIGCHLD", SIGCHLD},
	{"SIGPIPE", SIGPIPE},
	{"SIGSTOP", SIGSTOP},
	{"SIGTSTP", SIGTSTP},
	{"SIGCONT", SIGCONT},
	{"SIGILL", SIGILL},
	{"SIGSEGV", SIGSEGV},
	{"SIGABRT", SIGABRT},
	{NULL, 0},
};

/* 1 .. 133 without the two holes of the ABI (41, 58) and the second names of a number. */
const struct name_value errno_table[] = {
	{"EPERM", EPERM},
	{"ENOENT", ENOENT},
	{"ESRCH", ESRCH},
	{"EINTR", EINTR},
	{"EIO", EIO},
	{"ENXIO", ENXIO},
	{"E2BIG", E2BIG},
	{"ENOEXEC", ENOEXEC},
	{"EBADF", EBADF},
	{"ECHILD", ECHILD},
	{"EAGAIN", EAGAIN},
	{"ENOMEM", ENOMEM},
	{"EACCES", EACCES},
	{"EFAULT", EFAULT},
	{"ENOTBLK", ENOTBLK},
	{"EBUSY", EBUSY},
	{"EEXIST", EEXIST},
	{"EXDEV", EXDEV},
	{"ENODEV", ENODEV},
	{"ENOTDIR", ENOTDIR},
	{"EISDIR", EISDIR},
	{"EINVAL", EINVAL},
	{"ENFILE", ENFILE},
	{"EMFILE", EMFILE},
	{"ENOTTY", ENOTTY},
	{"ETXTBSY", ETXTBSY},
	{"EFBIG", EFBIG},
	{"ENOSPC", ENOSPC},
	{"ESPIPE", ESPIPE},
	{"EROFS", EROFS},
	{"EMLINK", EMLINK},
	{"EPIPE", EPIPE},
	{"EDOM", EDOM},
	{"ERANGE", ERANGE},
	{"EDEADLK", EDEADLK},
	{"ENAMETOOLONG", ENAMETOOLONG},
	{"ENOLCK", ENOLCK},
	{"ENOSYS", ENOSYS},
	{"ENOTEMPTY", ENOTEMPTY},
	{"ELOOP", ELOOP},
	{"ENOMSG", ENOMSG},
	{"EIDRM", EIDRM},
	{"ECHRNG", ECHRNG},
	{"EL2NSYNC", EL2NSYNC},
	{"EL3HLT", EL3HLT},
	{"EL3RST", EL3RST},
	{"ELNRNG", ELNRNG},
	{"EUNATCH", EUNATCH},
	{"ENOCSI", ENOCSI},
	{"EL2HLT", EL2HLT},
	{"EBADE", EBADE},
	{"EBADR", EBADR},
	{"EXFULL", EXFULL},
	{"ENOANO", ENOANO},
	{"EBADRQC", EBADRQC},
	{"EBADSLT", EBADSLT},
	{"EBFONT", EBFONT},
	{"ENOSTR", ENOSTR},
	{"ENODATA", ENODATA},
	{"ETIME", ETIME},
	{"ENOSR", ENOSR},
	{"ENONET", ENONET},
	{"ENOPKG", ENOPKG},
	{"EREMOTE", EREMOTE},
	{"ENOLINK", ENOLINK},
	{"EADV", EADV},
	{"ESRMNT", ESRMNT},
	{"ECOMM", ECOMM},
	{"EPROTO", EPROTO},
	{"EMULTIHOP", EMULTIHOP},
	{"EDOTDOT", EDOTDOT},
	{"EBADMSG", EBADMSG},
	{"EOVERFLOW", EOVERFLOW},
	{"ENOTUNIQ", ENOTUNIQ},
	{"EBADFD", EBADFD},
	{"EREMCHG", EREMCHG},
	{"ELIBACC", ELIBACC},
	{"ELIBBAD", ELIBBAD},
	{"ELIBSCN", ELIBSCN},
	{"ELIBMAX", ELIBMAX},
	{"ELIBEXEC", ELIBEXEC},
	{"EILSEQ", EILSEQ},
	{"ERESTART", ERESTART},
	{"ESTRPIPE", ESTRPIPE},
	{"EUSERS", EUSERS},
	{"ENOTSOCK", ENOTSOCK},
	{"EDESTADDRREQ", EDESTADDRREQ},
	{"EMSGSIZE", EMSGSIZE},
	{"EPROTOTYPE", EPROTOTYPE},
	{"ENOPROTOOPT", ENOPROTOOPT},
	{"EPROTONOSUPPORT", EPROTONOSUPPORT},
	{"ESOCKTNOSUPPORT", ESOCKTNOSUPPORT},
	{"EOPNOTSUPP", EOPNOTSUPP},
	{"EPFNOSUPPORT", EPFNOSUPPORT},
	{"EAFNOSUPPORT", EAFNOSUPPORT},
	{"EADDRINUSE", EADDRINUSE},
	{"EADDRNOTAVAIL", EADDRNOTAVAIL},
	{"ENETDOWN", ENETDOWN},
	{"ENETUNREACH", ENETUNREACH},
	{"ENETRESET", ENETRESET},
	{"ECONNABORTED", ECONNABORTED},
	{"ECONNRESET", ECONNRESET},
	{"ENOBUFS", ENOBUFS},
	{"EISCONN", EISCONN},
	{"ENOTCONN", ENOTCONN},
	{"ESHUTDOWN", ESHUTDOWN},
	{"ETOOMANYREFS", ETOOMANYREFS},
	{"ETIMEDOUT", ETIMEDOUT},
	{"ECONNREFUSED", ECONNREFUSED},
	{"EHOSTDOWN", EHOSTDOWN},
	{"EHOSTUNREACH", EHOSTUNREACH},
	{"EALREADY", EALREADY},
	{"EINPROGRESS", EINPROGRESS},
	{"ESTALE", ESTALE},
	{"EUCLEAN", EUCLEAN},
	{"ENOTNAM", ENOTNAM},
	{"ENAVAIL", ENAVAIL},
	{"EISNAM", EISNAM},
	{"EREMOTEIO", EREMOTEIO},
	{"EDQUOT", EDQUOT},
	{"ENOMEDIUM", ENOMEDIUM},
	{"EMEDIUMTYPE", EMEDIUMTYPE},
	{"ECANCELED", ECANCELED},
	{"ENOKEY", ENOKEY},
	{"EKEYEXPIRED", EKEYEXPIRED},
	{"EKEYREVOKED", EKEYREVOKED},
	{"EKEYREJECTED", EKEYREJECTED},
	{"EOWNERDEAD", EOWNERDEAD},
	{"ENOTRECOVERABLE", ENOTRECOVERABLE},
	{"ERFKILL", ERFKILL},
	{"EHWPOISON", EHWPOISON},
	{NULL, 0},
};

const struct name_value oflag_table[] = {
	{"rdonly", 0},
	{"wronly", 1},
	{"rdwr", 2},
	{"append", OFLAG_APPEND},
	{"trunc", OFLAG_TRUNC},
	{"direct", OFLAG_DIRECT},
	{"sync", OFLAG_SYNC},
	{"nonblock", OFLAG_NONBLOCK},
	{"cloexec", OFLAG_CLOEXEC},
	{NULL, 0},
};

const struct name_value mflag_table[] = {
	{"ro", 0},
	{"rw", MFLAG_WRITE},
	{"private", 0},
	{"shared", MFLAG_SHARED},
	{"populate", MFLAG_POPULATE},
	{NULL, 0},
};

const struct name_value unshare_table[] = {
	{"files", UNSHARE_FILES},
	{"fs", UNSHARE_FS},
	{"mount", UNSHARE_MOUNT},
	{NULL, 0},
};

const struct name_value init_table[] = {
	{"async_read", INITF_ASYNC_READ},
	{"posix_locks", INITF_POSIX_LOCKS},
	{"flock_locks", INITF_FLOCK_LOCKS},
	{"atomic_o_trunc", INITF_ATOMIC_O_TRUNC},
	{"readdirplus", INITF_READDIRPLUS},
	{"readdirplus_auto", INITF_READDIRPLUS_AUTO},
	{"async_dio", INITF_ASYNC_DIO},
	{"writeback_cache", INITF_WRITEBACK_CACHE},
	{"parallel_dirops", INITF_PARALLEL_DIROPS},
	{"handle_killpriv", INITF_HANDLE_KILLPRIV},
	{"auto_inval_data", INITF_AUTO_INVAL_DATA},
	{"no_open", INITF_NO_OPEN},
	{"no_flush", INITF_NO_FLUSH},
	{"cache_symlinks", INITF_CACHE_SYMLINKS},
	{NULL, 0},
};

const struct name_value open_table[] = {
	{"direct_io", OPENF_DIRECT_IO},
	{"keep_cache", OPENF_KEEP_CACHE},
	{"nonseekable", OPENF_NONSEEKABLE},
	{"noflush", OPENF_NOFLUSH},
	{"parallel_direct_writes", OPENF_PARALLEL_DIRECT_WRITES},
	{NULL, 0},
};

const struct name_value mount_table[] = {
	{"default_permissions", MOUNT_DEFAULT_PERMISSIONS},
	{"max_read_4k", MOUNT_MAX_READ_4K},
	{"noatime", MOUNT_NOATIME},
	{"sync", MOUNT_SYNC},
	{NULL, 0},
};

const struct name_value daemon_table[] = {
	{"clone_fd", DAEMON_CLONE_FD},
	{"leak_fd", DAEMON_LEAK_FD},
	{"self_file", DAEMON_SELF_FILE},
	{NULL, 0},
};

const char *const placement_names[PLACE_COUNT] = {
	[PLACE_OUTSIDE] = "outside",
	[PLACE_INSIDE] = "inside",
	[PLACE_INIT] = "init",
};

const char *const task_kind_names[TASK_KIND_COUNT] = {
	[TASK_FORK] = "fork",	[TASK_PIDNS] = "pidns", [TASK_THREAD] = "thread",
	[TASK_FILES] = "files", [TASK_VFORK] = "vfork", [TASK_VM] = "vm",
};

size_t name_value_count(const struct name_value *table)
{
	size_t n = 0;

	while (table[n].name)
		n++;
	return n;
}
