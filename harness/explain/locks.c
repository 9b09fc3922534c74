/* SPDX-License-Identifier: MIT */
/* Which locks a stack holds or wants, and which requests a frame sends: to match waiters with owners. */

#include <linux/fuse.h>
#include <string.h>

#include "waits.h"

/* Callers that hold a lock while they wait for a reply, from fs/namei.c, fs/fuse, mm/filemap.c. */
static const struct {
	const char *frame;
	unsigned int holds;
} holders[] = {
	{"fuse_lookup", HOLDS_INODE | HOLDS_LOOKUP},
	{"fuse_lookup_name", HOLDS_INODE | HOLDS_LOOKUP},
	{"fuse_create_open", HOLDS_INODE | HOLDS_LOOKUP},
	{"fuse_atomic_open", HOLDS_INODE | HOLDS_LOOKUP},
	{"__lookup_slow", HOLDS_INODE | HOLDS_LOOKUP},
	{"lookup_open", HOLDS_INODE | HOLDS_LOOKUP},
	{"open_last_lookups", HOLDS_INODE},
	{"iterate_dir", HOLDS_INODE},
	{"fuse_readdir", HOLDS_INODE},
	{"fuse_readdir_uncached", HOLDS_INODE},
	{"vfs_mkdir", HOLDS_INODE},
	{"vfs_create", HOLDS_INODE},
	{"vfs_mknod", HOLDS_INODE},
	{"vfs_symlink", HOLDS_INODE},
	{"vfs_link", HOLDS_INODE},
	{"vfs_unlink", HOLDS_INODE},
	{"vfs_rmdir", HOLDS_INODE},
	{"vfs_rename", HOLDS_INODE},
	{"lookup_one_qstr_excl", HOLDS_INODE},
	{"__lookup_hash", HOLDS_INODE},
	{"filename_create", HOLDS_INODE},
	{"do_unlinkat", HOLDS_INODE},
	{"do_rmdir", HOLDS_INODE},
	{"do_renameat2", HOLDS_INODE},
	{"notify_change", HOLDS_INODE},
	{"do_truncate", HOLDS_INODE},
	{"vfs_setxattr", HOLDS_INODE},
	{"vfs_removexattr", HOLDS_INODE},
	{"fuse_file_write_iter", HOLDS_INODE | HOLDS_FOLIO},
	{"fuse_cache_write_iter", HOLDS_INODE | HOLDS_FOLIO},
	{"fuse_perform_write", HOLDS_INODE | HOLDS_FOLIO},
	{"fuse_direct_write_iter", HOLDS_INODE},
	{"fuse_fsync", HOLDS_INODE},
	{"fuse_dir_fsync", HOLDS_INODE},
	{"fuse_file_fallocate", HOLDS_INODE},
	{"__fuse_copy_file_range", HOLDS_INODE},
	{"fuse_file_llseek", HOLDS_INODE},
	{"fuse_readahead", HOLDS_FOLIO},
	{"fuse_readpages", HOLDS_FOLIO},
	{"fuse_do_readfolio", HOLDS_FOLIO},
	{"fuse_do_readpage", HOLDS_FOLIO},
	{"fuse_read_folio", HOLDS_FOLIO},
	{"fuse_readpage", HOLDS_FOLIO},
	{"read_pages", HOLDS_FOLIO},
	{"fuse_symlink_read_folio", HOLDS_FOLIO},
	{"fuse_write_begin", HOLDS_FOLIO | HOLDS_INODE},
	{"fuse_launder_folio", HOLDS_FOLIO},
	{"fuse_launder_page", HOLDS_FOLIO},
	{"do_epoll_ctl", HOLDS_EP},
	{"ep_send_events", HOLDS_EP},
	{"ep_item_poll", HOLDS_EP},
	{"do_user_addr_fault", HOLDS_MMAP},
	{"handle_mm_fault", HOLDS_MMAP},
	{"filemap_fault", HOLDS_MMAP | HOLDS_FOLIO},
	{"vm_mmap_pgoff", HOLDS_MMAP},
	{"__vm_munmap", HOLDS_MMAP},
	{"exit_mmap", HOLDS_MMAP},
	{"fuse_vma_close", HOLDS_MMAP},
	{"fuse_sb_destroy", HOLDS_SUPER},
	{"generic_shutdown_super", HOLDS_SUPER},
	{"deactivate_locked_super", HOLDS_SUPER},
	{"__iterate_supers", HOLDS_SUPER},
	{"iterate_supers", HOLDS_SUPER},
	{"sync_filesystem", HOLDS_SUPER},
	{"writeback_sb_inodes", HOLDS_SUPER},
	{"super_cache_scan", HOLDS_SUPER},
	{"vfs_get_tree", HOLDS_SUPER},
	{"reconfigure_super", HOLDS_SUPER},
	{"fuse_fill_super", HOLDS_SUPER},
	{"show_mountinfo", HOLDS_MOUNTS},
	{"show_vfsmnt", HOLDS_MOUNTS},
	{"attach_recursive_mnt", HOLDS_MOUNTS},
	{"fuse_dev_do_write", HOLDS_DRIVER},
	{"fuse_notify", HOLDS_DRIVER},
	{"fuse_conn_destroy", HOLDS_DRIVER},
	{"ovl_copy_up_one", HOLDS_OVL},
	{"ovl_copy_up_flags", HOLDS_OVL},
	{"ovl_do_copy_up", HOLDS_OVL},
	{"ovl_do_remove", HOLDS_OVL},
	{"ovl_rename", HOLDS_OVL},
	{"ovl_link", HOLDS_OVL},
	{"ksys_read", HOLDS_POS},
	{"ksys_write", HOLDS_POS},
	{"ksys_lseek", HOLDS_POS},
	{"iterate_dir", HOLDS_POS},
	{"splice_file_to_pipe", HOLDS_PIPE},
	{"splice_from_pipe", HOLDS_PIPE},
	{"iter_file_splice_write", HOLDS_PIPE},
	{"bprm_execve", HOLDS_EXEC},
	{"begin_new_exec", HOLDS_EXEC},
	{"do_execveat_common", HOLDS_EXEC},
	{"__do_execve_file", HOLDS_EXEC},
	{"io_submit_sqes", HOLDS_RING},
	{"io_issue_sqe", HOLDS_RING},
};

unsigned int wait_holds(const struct snap_task *task)
{
	char frame[SNAP_NAME];
	unsigned int holds = 0;

	for (unsigned int i = 0; i < task->n_frames && i < SNAP_FRAMES; i++) {
		frame_normalise(task->frames[i].name, frame, sizeof(frame));
		for (size_t j = 0; j < sizeof(holders) / sizeof(holders[0]); j++)
			if (!strcmp(holders[j].frame, frame))
				holds |= holders[j].holds;
	}
	return holds;
}

unsigned int wait_needs(enum wait_kind kind)
{
	static const unsigned int needs[WAIT_KIND_COUNT] = {
		[WAIT_INODE_LOCK] = HOLDS_INODE,
		[WAIT_IN_LOOKUP] = HOLDS_LOOKUP,
		[WAIT_FOLIO_LOCK] = HOLDS_FOLIO,
		[WAIT_EP_MUTEX] = HOLDS_EP,
		[WAIT_MMAP_LOCK] = HOLDS_MMAP,
		[WAIT_SUPER_LOCK] = HOLDS_SUPER,
		[WAIT_MOUNT_LOCK] = HOLDS_MOUNTS | HOLDS_INODE,
		[WAIT_DRIVER_LOCK] = HOLDS_DRIVER,
		[WAIT_OVL_LOCK] = HOLDS_OVL,
		[WAIT_POS_LOCK] = HOLDS_POS,
		[WAIT_PIPE_LOCK] = HOLDS_PIPE,
		[WAIT_EXEC_LOCK] = HOLDS_EXEC,
		[WAIT_RING_LOCK] = HOLDS_RING,
	};

	return kind < WAIT_KIND_COUNT ? needs[kind] : 0;
}

bool wait_is_indirect(enum wait_kind kind)
{
	return kind >= WAIT_ENDED && kind < WAIT_KIND_COUNT;
}

static const char *const nouns[WAIT_KIND_COUNT] = {
	[WAIT_UNKNOWN] = "something unknown",
	[WAIT_NONE] = "nothing",
	[WAIT_REPLY] = "the reply to its own request",
	[WAIT_INIT_REPLY] = "permission to send a request",
	[WAIT_WRITEBACK] = "writeback of a page",
	[WAIT_FOLIO_LOCK] = "a locked page",
	[WAIT_INODE_LOCK] = "an inode lock",
	[WAIT_IN_LOOKUP] = "another task's lookup of the same name",
	[WAIT_EP_MUTEX] = "the mutex of an epoll set",
	[WAIT_MMAP_LOCK] = "the lock of its address space",
	[WAIT_MEMBERS] = "every member of its pid namespace",
	[WAIT_CHILD] = "a child",
	[WAIT_VFORK] = "its vfork child",
	[WAIT_THREADS] = "the other threads of its process",
	[WAIT_STOPPED] = "a signal or a tracer to continue it",
	[WAIT_DEV_READ] = "the next request",
	[WAIT_SUPER_LOCK] = "the lock of a superblock",
	[WAIT_MOUNT_LOCK] = "the lock of the mount tree",
	[WAIT_DRIVER_LOCK] = "a lock of the FUSE driver",
	[WAIT_OVL_LOCK] = "the lock of an overlayfs inode",
	[WAIT_POS_LOCK] = "the file position of an open file that another thread uses",
	[WAIT_PIPE_LOCK] = "the lock of a pipe",
	[WAIT_EXEC_LOCK] = "the lock of a process in execve",
	[WAIT_RING_LOCK] = "the lock of an io_uring",
	[WAIT_ENDED] = "the end of every request of a connection that is being aborted",
	[WAIT_RING_END] = "the end of the requests of its io_uring",
	[WAIT_DAX] = "a range of the DAX window",
	[WAIT_FROZEN_FS] = "the freezing or thawing of a file system",
	[WAIT_OBJECT] = "a dentry or inode that another task is making or dropping",
	[WAIT_DIO] = "the end of direct I/O on the inode",
	[WAIT_FILE_LOCK] = "a file lock that another owner has",
	[WAIT_DUMP] = "the core dump of its process to be written",
	[WAIT_DUMP_READER] = "the reader of its core dump to finish",
	[WAIT_BLOCK_IO] = "I/O of a block device",
	[WAIT_RECLAIM] = "a memory reclaim under way",
	[WAIT_LISTENER] = "a listener in user space, as for fanotify or autofs",
	[WAIT_NETWORK] = "the reply of a network file system",
	[WAIT_WORK] = "a kernel thread to finish its work",
	[WAIT_FREEZER] = "every task to freeze",
	[WAIT_RCU] = "an RCU grace period",
};

const char *wait_noun(enum wait_kind kind)
{
	return nouns[kind < WAIT_KIND_COUNT ? kind : WAIT_UNKNOWN];
}

/* Which opcodes a frame sends; a frame that is not here may send any foreground request. */
static const struct {
	const char *frame;
	uint8_t opcode[3];
} sends[] = {
	{"fuse_flush", {FUSE_FLUSH}},
	{"fuse_lookup_name", {FUSE_LOOKUP}},
	{"fuse_dentry_revalidate", {FUSE_LOOKUP}},
	{"fuse_do_getattr", {FUSE_GETATTR, 52 /* FUSE_STATX */}},
	{"fuse_do_setattr", {FUSE_SETATTR}},
	{"fuse_file_open", {FUSE_OPEN, FUSE_OPENDIR}},
	{"fuse_atomic_open", {FUSE_CREATE}},
	{"fuse_readahead", {FUSE_READ}},
	{"fuse_do_readfolio", {FUSE_READ}},
	{"fuse_perform_write", {FUSE_WRITE}},
	{"fuse_direct_IO", {FUSE_READ, FUSE_WRITE}},
	{"fuse_direct_io", {FUSE_READ, FUSE_WRITE}},
	{"exit_aio", {FUSE_READ, FUSE_WRITE}},
	{"folio_wait_locked", {FUSE_READ}},
	{"__folio_lock", {FUSE_READ}},
	{"fuse_readdir", {FUSE_READDIR, FUSE_READDIRPLUS}},
	{"fuse_fsync_common", {FUSE_FSYNC, FUSE_FSYNCDIR}},
	{"fuse_setlk", {FUSE_SETLK, FUSE_SETLKW}},
	{"fuse_getlk", {FUSE_GETLK}},
	{"fuse_file_poll", {FUSE_POLL}},
	{"fuse_access", {FUSE_ACCESS}},
	{"fuse_statfs", {FUSE_STATFS}},
	{"fuse_readlink_folio", {FUSE_READLINK}},
	{"fuse_symlink", {FUSE_SYMLINK}},
	{"fuse_mkdir", {FUSE_MKDIR}},
	{"fuse_mknod", {FUSE_MKNOD}},
	{"fuse_unlink", {FUSE_UNLINK}},
	{"fuse_rmdir", {FUSE_RMDIR}},
	{"fuse_link", {FUSE_LINK}},
	{"fuse_rename_common", {FUSE_RENAME, FUSE_RENAME2}},
	{"fuse_getxattr", {FUSE_GETXATTR}},
	{"fuse_setxattr", {FUSE_SETXATTR}},
	{"fuse_listxattr", {FUSE_LISTXATTR}},
	{"fuse_removexattr", {FUSE_REMOVEXATTR}},
	{"fuse_lseek", {FUSE_LSEEK}},
	{"fuse_bmap", {FUSE_BMAP}},
	{"fuse_file_fallocate", {FUSE_FALLOCATE}},
	{"__fuse_copy_file_range", {FUSE_COPY_FILE_RANGE}},
	{"fuse_do_ioctl", {FUSE_IOCTL}},
	{"fuse_priv_ioctl", {FUSE_IOCTL}},
	{"fuse_send_ioctl", {FUSE_IOCTL}},
	{"fuse_send_read", {FUSE_READ}},
	{"fuse_send_write", {FUSE_WRITE}},
	{"fuse_flush_times", {FUSE_SETATTR}},
	{"fuse_send_init", {FUSE_INIT}},
	{"fuse_setup_one_mapping", {48 /* FUSE_SETUPMAPPING */}},
	{"fuse_send_removemapping", {49 /* FUSE_REMOVEMAPPING */}},
	{"fuse_send_destroy", {FUSE_DESTROY}},
	{"fuse_sync_fs", {50 /* FUSE_SYNCFS */}},
};

static const uint8_t *sends_of(const char *frame)
{
	for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]); i++)
		if (!strcmp(sends[i].frame, frame))
			return sends[i].opcode;
	return NULL;
}

bool wait_frame_sends(const char *frame, uint32_t opcode)
{
	const uint8_t *of = sends_of(frame);

	/* These are sent in the background or need no reply: nobody waits for them by name. */
	if (!of)
		return opcode != FUSE_RELEASE && opcode != FUSE_RELEASEDIR &&
		       opcode != FUSE_INTERRUPT && opcode != FUSE_FORGET &&
		       opcode != FUSE_BATCH_FORGET && opcode != FUSE_NOTIFY_REPLY &&
		       opcode != FUSE_INIT;
	return opcode && (opcode == of[0] || opcode == of[1] || opcode == of[2]);
}

uint32_t wait_frame_opcode(const char *frame)
{
	const uint8_t *of = sends_of(frame);

	return of && !of[1] ? of[0] : 0;
}

const char *wait_opcode_frame(uint32_t opcode)
{
	for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]); i++)
		if (sends[i].opcode[0] == opcode && !sends[i].opcode[1])
			return sends[i].frame;
	return NULL;
}
