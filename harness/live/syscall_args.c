/* SPDX-License-Identifier: MIT */
/* The table of system calls that name files. */

#include <stddef.h>
#include <sys/syscall.h>

#include "syscall_args.h"

#define FD(name, arg)                                                                    \
	{                                                                                \
		SYS_##name, arg, -1, -1                                                  \
	}
#define PATH(name, arg)                                                                  \
	{                                                                                \
		SYS_##name, -1, -1, arg                                                  \
	}
#define AT(name, dirfd, path)                                                            \
	{                                                                                \
		SYS_##name, dirfd, dirfd, path                                           \
	}

static const struct syscall_args table[] = {
	FD(read, 0),
	FD(write, 0),
	FD(pread64, 0),
	FD(pwrite64, 0),
	FD(readv, 0),
	FD(writev, 0),
	FD(preadv, 0),
	FD(pwritev, 0),
	FD(preadv2, 0),
	FD(pwritev2, 0),
	FD(fstat, 0),
	FD(fsync, 0),
	FD(fdatasync, 0),
	FD(ftruncate, 0),
	FD(getdents, 0),
	FD(getdents64, 0),
	FD(fallocate, 0),
	FD(flock, 0),
	FD(fcntl, 0),
	FD(ioctl, 0),
	FD(lseek, 0),
	FD(fchmod, 0),
	FD(fchown, 0),
	FD(fchdir, 0),
	FD(fstatfs, 0),
	FD(syncfs, 0),
	FD(fgetxattr, 0),
	FD(fsetxattr, 0),
	FD(flistxattr, 0),
	FD(fremovexattr, 0),
	FD(sync_file_range, 0),
	FD(fadvise64, 0),
	FD(readahead, 0),
	FD(mmap, 4),
	FD(epoll_ctl, 2),
	FD(sendfile, 1),
	FD(copy_file_range, 0),
	FD(splice, 0),
	PATH(open, 0),
	PATH(creat, 0),
	PATH(stat, 0),
	PATH(lstat, 0),
	PATH(access, 0),
	PATH(chdir, 0),
	PATH(chroot, 0),
	PATH(mkdir, 0),
	PATH(rmdir, 0),
	PATH(unlink, 0),
	PATH(rename, 0),
	PATH(link, 0),
	PATH(symlink, 1),
	PATH(readlink, 0),
	PATH(chmod, 0),
	PATH(chown, 0),
	PATH(lchown, 0),
	PATH(truncate, 0),
	PATH(mknod, 0),
	PATH(statfs, 0),
	PATH(utime, 0),
	PATH(utimes, 0),
	PATH(getxattr, 0),
	PATH(lgetxattr, 0),
	PATH(setxattr, 0),
	PATH(lsetxattr, 0),
	PATH(listxattr, 0),
	PATH(llistxattr, 0),
	PATH(removexattr, 0),
	PATH(lremovexattr, 0),
	PATH(execve, 0),
	PATH(inotify_add_watch, 1),
	PATH(umount2, 0),
	AT(openat, 0, 1),
	AT(openat2, 0, 1),
	AT(newfstatat, 0, 1),
	AT(statx, 0, 1),
	AT(faccessat, 0, 1),
	AT(faccessat2, 0, 1),
	AT(mkdirat, 0, 1),
	AT(unlinkat, 0, 1),
	AT(readlinkat, 0, 1),
	AT(fchmodat, 0, 1),
	AT(fchownat, 0, 1),
	AT(mknodat, 0, 1),
	AT(utimensat, 0, 1),
	AT(futimesat, 0, 1),
	AT(execveat, 0, 1),
	AT(renameat, 0, 1),
	AT(renameat2, 0, 1),
	AT(linkat, 0, 1),
	AT(symlinkat, 1, 2),
	AT(name_to_handle_at, 0, 1),
};

/* Of calls that work on two files: the other one. */
static const struct syscall_args seconds[] = {
	FD(copy_file_range, 2), FD(sendfile, 0), FD(splice, 2),	     FD(tee, 1),
	PATH(rename, 1),	PATH(link, 1),	 AT(renameat, 2, 3), AT(renameat2, 2, 3),
	AT(linkat, 2, 3),
};

const struct syscall_args *syscall_args_second(int32_t number)
{
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		if (seconds[i].number == number)
			return &seconds[i];
	return NULL;
}

const struct syscall_args *syscall_args_find(int32_t number)
{
	for (size_t i = 0; number >= 0 && i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].number == number)
			return &table[i];
	return NULL;
}
