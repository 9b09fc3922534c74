/* SPDX-License-Identifier: MIT */
/* From a kernel stack to what it waits for: the table of frames, and the questions asked of it. */

#include <stdio.h>
#include <string.h>

#include "waits.h"

/*
 * A row applies if `frame` is the innermost frame that is not generic and, where `under` is named,
 * that one is further out. First match wins. `name` replaces the frame in signatures, where kernels
 * from 5.10 on call the same place differently.
 */
struct wait_row {
	enum wait_kind kind;
	const char *frame, *under, *name;
};

static const struct wait_row rows[] = {
	/* fs/fuse/dev.c: phases 1 to 3 are all inside request_wait_answer(), which may be inlined. */
	{WAIT_REPLY, "request_wait_answer", NULL, NULL},
	{WAIT_REPLY, "__fuse_request_send", NULL, NULL},
	{WAIT_REPLY, "fuse_request_send", NULL, NULL},
	{WAIT_REPLY, "__fuse_simple_request", NULL, NULL},
	{WAIT_REPLY, "fuse_simple_request", NULL, NULL},
	/* The stack could not be read: it hangs in execve() while it closes files or maps its image, see procfs.h. */
	{WAIT_REPLY, "exec_update_lock_held", NULL, NULL},
	/* Asynchronous requests of its own: fuse_direct_IO() and exit_aio() wait for their completion. */
	{WAIT_REPLY, "fuse_direct_IO", NULL, "fuse_direct_IO"},
	{WAIT_REPLY, "exit_aio", NULL, "exit_aio"},
	/* fuse_get_req(): fc->initialized is not set, or fc->blocked by too many background requests. */
	{WAIT_INIT_REPLY, "fuse_get_req", NULL, NULL},
	{WAIT_INIT_REPLY, "__fuse_get_req", NULL, "fuse_get_req"},
	{WAIT_INIT_REPLY, "fuse_block_alloc", NULL, "fuse_get_req"},

	{WAIT_WRITEBACK, "folio_wait_writeback", NULL, NULL},
	{WAIT_WRITEBACK, "folio_wait_writeback_killable", NULL, "folio_wait_writeback"},
	{WAIT_WRITEBACK, "wait_on_page_writeback", NULL, "folio_wait_writeback"},
	{WAIT_WRITEBACK, "__filemap_fdatawait_range", NULL, "folio_wait_writeback"},
	{WAIT_WRITEBACK, "folio_wait_stable", NULL, "folio_wait_writeback"},
	{WAIT_WRITEBACK, "wait_for_stable_page", NULL, "folio_wait_writeback"},
	{WAIT_WRITEBACK, "fuse_wait_on_page_writeback", NULL,
	 "fuse_wait_on_page_writeback"},
	{WAIT_WRITEBACK, "fuse_wait_on_folio_writeback", NULL,
	 "fuse_wait_on_page_writeback"},
	/* fs/fuse/dir.c: waits until no WRITE of the inode is under way (fi->writectr). */
	{WAIT_WRITEBACK, "fuse_set_nowrite", NULL, NULL},
	{WAIT_WRITEBACK, "fuse_sync_fs_writes", NULL, NULL},
	{WAIT_WRITEBACK, "fuse_sync_fs", NULL, "fuse_sync_fs_writes"},
	{WAIT_WRITEBACK, "__inode_wait_for_writeback", NULL, "inode_wait_for_writeback"},
	{WAIT_WRITEBACK, "inode_wait_for_writeback", NULL, NULL},
	{WAIT_WRITEBACK, "wb_wait_for_completion", NULL, NULL},
	{WAIT_WRITEBACK, "wait_sb_inodes", NULL, NULL},
	{WAIT_WRITEBACK, "balance_dirty_pages", NULL, NULL},

	{WAIT_FOLIO_LOCK, "__folio_lock", NULL, NULL},
	{WAIT_FOLIO_LOCK, "__lock_page", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "__folio_lock_killable", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "__lock_page_killable", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "__folio_lock_or_retry", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "__lock_page_or_retry", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "__folio_lock_async", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "lock_folio_maybe_drop_mmap", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "folio_put_wait_locked", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "put_and_wait_on_page_locked", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "migration_entry_wait_on_locked", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "filemap_update_page", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "filemap_get_pages", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "filemap_read_folio", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "filemap_read", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "generic_file_buffered_read", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "do_read_cache_folio", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "do_read_cache_page", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "filemap_fault", NULL, "folio_wait_locked"},
	{WAIT_FOLIO_LOCK, "invalidate_inode_pages2_range", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "truncate_inode_pages_range", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "write_cache_pages", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "writeback_iter", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "__filemap_get_folio", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "__filemap_get_folio_mpol", NULL, "__folio_lock"},
	{WAIT_FOLIO_LOCK, "pagecache_get_page", NULL, "__folio_lock"},

	/* fs/dcache.c: d_wait_lookup() is static and inlined into d_alloc_parallel(). */
	{WAIT_IN_LOOKUP, "d_wait_lookup", NULL, "d_alloc_parallel"},
	{WAIT_IN_LOOKUP, "d_alloc_parallel", NULL, NULL},
	{WAIT_IN_LOOKUP, "__d_wait_in_lookup", NULL, "d_alloc_parallel"},

	{WAIT_MMAP_LOCK, "do_user_addr_fault", NULL, NULL},
	{WAIT_MMAP_LOCK, "exc_page_fault", NULL, "do_user_addr_fault"},
	{WAIT_MMAP_LOCK, "do_page_fault", NULL, "do_user_addr_fault"},
	{WAIT_MMAP_LOCK, "lock_mm_and_find_vma", NULL, "do_user_addr_fault"},
	{WAIT_MMAP_LOCK, "get_mmap_lock_carefully", NULL, "do_user_addr_fault"},
	{WAIT_MMAP_LOCK, "vm_mmap_pgoff", NULL, NULL},
	{WAIT_MMAP_LOCK, "__vm_munmap", NULL, NULL},
	{WAIT_MMAP_LOCK, "__vma_start_write", NULL, NULL},
	{WAIT_MMAP_LOCK, "__vma_enter_locked", NULL, "__vma_start_write"},
	{WAIT_MMAP_LOCK, "do_mprotect_pkey", NULL, NULL},
	{WAIT_MMAP_LOCK, "do_madvise", NULL, NULL},
	{WAIT_MMAP_LOCK, "madvise_lock", NULL, "do_madvise"},
	{WAIT_MMAP_LOCK, "__mm_populate", NULL, NULL},
	{WAIT_MMAP_LOCK, "dup_mmap", NULL, NULL},
	{WAIT_MMAP_LOCK, "dup_mm", NULL, "dup_mmap"},
	{WAIT_MMAP_LOCK, "__x64_sys_brk", NULL, NULL},
	{WAIT_MMAP_LOCK, "__do_sys_brk", NULL, "__x64_sys_brk"},
	{WAIT_MMAP_LOCK, "__do_sys_mremap", NULL, NULL},
	{WAIT_MMAP_LOCK, "exit_mmap", NULL, NULL},
	{WAIT_MMAP_LOCK, "exit_mm", NULL, NULL},
	{WAIT_MMAP_LOCK, "__access_remote_vm", NULL, NULL},
	{WAIT_MMAP_LOCK, "__get_user_pages_remote", NULL, "__access_remote_vm"},
	{WAIT_MMAP_LOCK, "m_start", NULL, NULL},

	/* kernel/pid_namespace.c: TASK_INTERRUPTIBLE, in zap_pid_ns_processes() itself or its wait4. */
	{WAIT_MEMBERS, "zap_pid_ns_processes", NULL, NULL},
	{WAIT_MEMBERS, "do_wait", "zap_pid_ns_processes", "zap_pid_ns_processes"},
	{WAIT_MEMBERS, "kernel_wait4", "zap_pid_ns_processes", "zap_pid_ns_processes"},
	{WAIT_CHILD, "do_wait", NULL, NULL},
	{WAIT_CHILD, "kernel_wait4", NULL, "do_wait"},
	{WAIT_CHILD, "kernel_waitid", NULL, "do_wait"},
	{WAIT_CHILD, "__do_sys_waitid", NULL, "do_wait"},
	{WAIT_CHILD, "__do_sys_wait4", NULL, "do_wait"},
	/* kernel/fork.c: static wait_for_vfork_done(), mostly inlined into kernel_clone(). */
	{WAIT_VFORK, "wait_for_vfork_done", NULL, NULL},
	{WAIT_VFORK, "kernel_clone", NULL, "wait_for_vfork_done"},
	{WAIT_VFORK, "_do_fork", NULL, "wait_for_vfork_done"},
	{WAIT_THREADS, "de_thread", NULL, NULL},
	{WAIT_THREADS, "begin_new_exec", NULL, "de_thread"},
	{WAIT_THREADS, "coredump_wait", NULL, NULL},
	{WAIT_THREADS, "do_coredump", NULL, "coredump_wait"},
	{WAIT_THREADS, "vfs_coredump", NULL, "coredump_wait"},
	{WAIT_STOPPED, "do_signal_stop", NULL, NULL},
	{WAIT_STOPPED, "ptrace_stop", NULL, NULL},
	{WAIT_STOPPED, "ptrace_notify", NULL, "ptrace_stop"},
	{WAIT_STOPPED, "ptrace_do_notify", NULL, "ptrace_stop"},
	{WAIT_STOPPED, "do_freezer_trap", NULL, NULL},
	{WAIT_STOPPED, "do_jobctl_trap", NULL, NULL},
	{WAIT_DEV_READ, "fuse_dev_do_read", NULL, NULL},
	{WAIT_DEV_READ, "fuse_dev_read", NULL, "fuse_dev_do_read"},

	/* i_rwsem of a directory: fs/namei.c, fs/readdir.c. From 6.18 on start_dirop() and its kin. */
	{WAIT_INODE_LOCK, "fuse_lock_inode", NULL, NULL},
	{WAIT_INODE_LOCK, "do_unlinkat", NULL, NULL},
	{WAIT_INODE_LOCK, "filename_unlinkat", NULL, "do_unlinkat"},
	{WAIT_INODE_LOCK, "do_rmdir", NULL, NULL},
	{WAIT_INODE_LOCK, "filename_rmdir", NULL, "do_rmdir"},
	{WAIT_INODE_LOCK, "filename_create", NULL, NULL},
	{WAIT_INODE_LOCK, "__filename_create", NULL, "filename_create"},
	{WAIT_INODE_LOCK, "start_dirop", NULL, NULL},
	{WAIT_INODE_LOCK, "__start_dirop", NULL, "start_dirop"},
	{WAIT_INODE_LOCK, "start_creating", NULL, "start_dirop"},
	{WAIT_INODE_LOCK, "start_removing", NULL, "start_dirop"},
	{WAIT_INODE_LOCK, "__start_renaming", NULL, "lock_rename"},
	{WAIT_INODE_LOCK, "start_renaming", NULL, "lock_rename"},
	{WAIT_INODE_LOCK, "lock_rename", NULL, NULL},
	{WAIT_INODE_LOCK, "lock_two_directories", NULL, "lock_rename"},
	{WAIT_INODE_LOCK, "lock_two_nondirectories", NULL, NULL},
	{WAIT_INODE_LOCK, "do_renameat2", NULL, "lock_rename"},
	{WAIT_INODE_LOCK, "filename_renameat2", NULL, "lock_rename"},
	{WAIT_INODE_LOCK, "vfs_rename", NULL, NULL},
	{WAIT_INODE_LOCK, "vfs_unlink", NULL, NULL},
	{WAIT_INODE_LOCK, "vfs_rmdir", NULL, NULL},
	{WAIT_INODE_LOCK, "vfs_link", NULL, NULL},
	{WAIT_INODE_LOCK, "open_last_lookups", NULL, NULL},
	{WAIT_INODE_LOCK, "path_openat", NULL, "open_last_lookups"},
	{WAIT_INODE_LOCK, "lookup_slow", NULL, NULL},
	{WAIT_INODE_LOCK, "walk_component", NULL, "lookup_slow"},
	{WAIT_INODE_LOCK, "path_lookupat", NULL, "lookup_slow"},
	{WAIT_INODE_LOCK, "link_path_walk", NULL, "lookup_slow"},
	{WAIT_INODE_LOCK, "lookup_one_unlocked", NULL, "lookup_slow"},
	{WAIT_INODE_LOCK, "iterate_dir", NULL, NULL},
	{WAIT_INODE_LOCK, "wrap_directory_iterator", NULL, "iterate_dir"},
	/* i_rwsem of a file: fs/open.c, fs/attr.c, fs/xattr.c, fs/fuse/file.c. */
	{WAIT_INODE_LOCK, "do_truncate", NULL, NULL},
	{WAIT_INODE_LOCK, "chmod_common", NULL, NULL},
	{WAIT_INODE_LOCK, "chown_common", NULL, NULL},
	{WAIT_INODE_LOCK, "vfs_utimes", NULL, NULL},
	{WAIT_INODE_LOCK, "vfs_setxattr", NULL, NULL},
	{WAIT_INODE_LOCK, "vfs_removexattr", NULL, NULL},
	{WAIT_INODE_LOCK, "file_remove_privs_flags", NULL, NULL},
	{WAIT_INODE_LOCK, "generic_file_write_iter", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_file_write_iter", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_cache_write_iter", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_direct_write_iter", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_dio_lock", NULL, "fuse_direct_write_iter"},
	{WAIT_INODE_LOCK, "fuse_direct_io", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_fsync", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_dir_fsync", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_flush", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_open", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_open_common", NULL, "fuse_open"},
	{WAIT_INODE_LOCK, "fuse_file_fallocate", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_file_llseek", NULL, NULL},
	{WAIT_INODE_LOCK, "__fuse_copy_file_range", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_copy_file_range", NULL, "__fuse_copy_file_range"},
	{WAIT_INODE_LOCK, "fuse_reverse_inval_entry", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_file_cached_io_open", NULL, NULL},
	{WAIT_INODE_LOCK, "fuse_file_cached_io_get", NULL, "fuse_file_cached_io_open"},

	/* Asleep by its own will, and woken by any signal: nothing that FUSE holds up. */
	{WAIT_NONE, "futex_wait_queue", NULL, NULL},
	{WAIT_NONE, "futex_wait_queue_me", NULL, NULL},
	{WAIT_NONE, "futex_do_wait", NULL, NULL},
	{WAIT_NONE, "futex_wait", NULL, NULL},
	{WAIT_NONE, "futex_wait_multiple", NULL, NULL},
	{WAIT_NONE, "do_nanosleep", NULL, NULL},
	{WAIT_NONE, "hrtimer_nanosleep", NULL, NULL},
	{WAIT_NONE, "poll_schedule_timeout", NULL, NULL},
	{WAIT_NONE, "do_poll", NULL, NULL},
	{WAIT_NONE, "do_sys_poll", NULL, NULL},
	{WAIT_NONE, "do_select", NULL, NULL},
	{WAIT_NONE, "ep_poll", NULL, NULL},
	{WAIT_NONE, "do_epoll_wait", NULL, NULL},
	{WAIT_NONE, "__do_sys_pause", NULL, NULL},
	{WAIT_NONE, "__x64_sys_pause", NULL, NULL},
	{WAIT_NONE, "sigsuspend", NULL, NULL},
	{WAIT_NONE, "do_sigtimedwait", NULL, NULL},
	{WAIT_NONE, "signalfd_dequeue", NULL, NULL},
	{WAIT_NONE, "signalfd_read", NULL, NULL},
	{WAIT_NONE, "eventfd_read", NULL, NULL},
	{WAIT_NONE, "pipe_read", NULL, NULL},
	{WAIT_NONE, "anon_pipe_read", NULL, NULL},
	{WAIT_NONE, "pipe_wait_readable", NULL, NULL},
	{WAIT_NONE, "unix_stream_read_generic", NULL, NULL},
	{WAIT_NONE, "__skb_wait_for_more_packets", NULL, NULL},
	{WAIT_NONE, "sk_wait_data", NULL, NULL},
	{WAIT_NONE, "inet_csk_accept", NULL, NULL},
	{WAIT_NONE, "n_tty_read", NULL, NULL},
	{WAIT_NONE, "worker_thread", NULL, NULL},
	{WAIT_NONE, "rescuer_thread", NULL, NULL},
	{WAIT_NONE, "kthread_worker_fn", NULL, NULL},
	{WAIT_NONE, "smpboot_thread_fn", NULL, NULL},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static bool stack_has(const struct snap_task *task, unsigned int from, const char *name)
{
	char frame[SNAP_NAME];

	for (unsigned int i = from; i < task->n_frames && i < SNAP_FRAMES; i++) {
		frame_normalise(task->frames[i].name, frame, sizeof(frame));
		if (!strcmp(frame, name))
			return true;
	}
	return false;
}

/* The innermost telling frame. Its index, or -1: wchan, or nothing at all, had to do. */
static int top_frame(const struct snap_task *task, char out[SNAP_NAME])
{
	for (unsigned int i = 0; i < task->n_frames && i < SNAP_FRAMES; i++) {
		frame_normalise(task->frames[i].name, out, SNAP_NAME);
		if (!frame_is_generic(out))
			return (int)i;
	}
	out[0] = '\0';
	if (strcmp(task->wchan, "0"))
		frame_normalise(task->wchan, out, SNAP_NAME);
	return -1;
}

/* Whether a word of the list, which blanks separate. */
static bool is_word(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	for (; len && *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && !memcmp(list, word, n))
			return true;
	}
	return false;
}

static bool find_names(const struct snap_task *task, const struct wait_names *table,
		       const char *top, int at, struct wait_row *ret)
{
	for (; table->frames; table++) {
		if (!is_word(table->frames, top) ||
		    (table->under &&
		     !stack_has(task, (unsigned int)(at + 1), table->under)))
			continue;
		*ret = (struct wait_row){table->kind, top, table->under, table->name};
		return true;
	}
	return false;
}

/* The index of the frame that decides goes to ret_index, see top_frame(). False: no row fits. */
static bool find_row(const struct snap_task *task, char top[SNAP_NAME], int *ret_index,
		     struct wait_row *ret)
{
	int at = *ret_index = top_frame(task, top);

	for (size_t i = 0; i < N_ROWS; i++) {
		if (strcmp(rows[i].frame, top) ||
		    (rows[i].under &&
		     !stack_has(task, (unsigned int)(at + 1), rows[i].under)))
			continue;
		*ret = rows[i];
		return true;
	}
	return find_names(task, wait_names_fs, top, at, ret) ||
	       find_names(task, wait_names_core, top, at, ret);
}

enum wait_kind wait_of_task(const struct snap_task *task)
{
	struct wait_row row;
	char top[SNAP_NAME];
	int at;

	if (task->vanished || task->state == 'X' || task->state == 'R')
		return WAIT_NONE;
	if (task->state == 'Z')
		return task->n_threads > 1 ? WAIT_THREADS : WAIT_NONE;
	if (task->state == 'T' || task->state == 't')
		return WAIT_STOPPED;
	if (!find_row(task, top, &at, &row))
		return WAIT_UNKNOWN;
	/* A server that polls /dev/fuse, or a sibling of it, has no work; others sleep. */
	if (row.kind == WAIT_NONE && task->dev_fd >= 0 &&
	    (strstr(top, "poll") || strstr(top, "select") || strstr(top, "cqring")))
		return WAIT_DEV_READ;
	return row.kind;
}

bool wait_to_write(const struct snap_task *task)
{
	static const char *const writers[] = {
		"write_cache_pages", "writeback_iter",	  "writeback_get_folio",
		"fuse_writepages",   "fuse_page_mkwrite", "do_page_mkwrite",
	};

	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
		if (stack_has(task, 0, writers[i]))
			return true;
	return false;
}

bool wait_for_migration(const struct snap_task *task)
{
	for (unsigned int i = 0; i < task->n_frames && i < SNAP_FRAMES; i++)
		if (strstr(task->frames[i].name, "migrat") ||
		    strstr(task->frames[i].name, "softleaf"))
			return true;
	return false;
}

/* Frames between the wait and the function that names the request: they carry any request. */
static const char *const carriers[] = {
	"exec_update_lock_held",
	"request_wait_answer",
	"__fuse_request_send",
	"fuse_request_send",
	"__fuse_simple_request",
	"fuse_simple_request",
	"fuse_simple_idmap_request",
	"fuse_simple_idmap_request_fn",
	"fuse_get_req",
	"__fuse_get_req",
	"fuse_block_alloc",
	"fuse_simple_background",
	"fuse_chan_send",
	"fuse_chan_send_bg",
};

/* The same request under the names of other kernels, and of functions that are inlined at will. */
static const struct {
	const char *frame, *name;
} renames[] = {
	{"fuse_send_readpages", "fuse_readahead"},
	{"fuse_readpages", "fuse_readahead"},
	{"fuse_readpages_fill", "fuse_readahead"},
	{"fuse_iomap_read_folio_range", "fuse_readahead"},
	{"fuse_do_readpage", "fuse_do_readfolio"},
	{"fuse_do_readpage_common", "fuse_do_readfolio"},
	{"fuse_readpage", "fuse_do_readfolio"},
	{"fuse_read_folio", "fuse_do_readfolio"},
	{"fuse_writepage_locked", "fuse_writepages"},
	{"fuse_lookup", "fuse_lookup_name"},
	{"fuse_send_open", "fuse_file_open"},
	{"fuse_do_open", "fuse_file_open"},
	{"fuse_create_open", "fuse_atomic_open"},
	{"fuse_send_write_pages", "fuse_perform_write"},
	{"fuse_do_statx", "fuse_do_getattr"},
	{"fuse_readdir_uncached", "fuse_readdir"},
	{"fuse_rename2", "fuse_rename_common"},
	{"fuse_readlink_page", "fuse_readlink_folio"},
	{"fuse_readlink", "fuse_readlink_folio"},
	{"fuse_copy_file_range", "__fuse_copy_file_range"},
	{"fuse_file_flock", "fuse_setlk"},
	{"fuse_file_lock", "fuse_setlk"},
};

static bool is_carrier(const char *frame)
{
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (!strcmp(carriers[i], frame))
			return true;
	return false;
}

/* The first frame outside the request machinery, under its common name. */
static void request_frame(const struct snap_task *task, int from, char *out, size_t size)
{
	char frame[SNAP_NAME];

	for (unsigned int i = (unsigned int)(from < 0 ? 0 : from);
	     i < task->n_frames && i < SNAP_FRAMES; i++) {
		frame_normalise(task->frames[i].name, frame, sizeof(frame));
		if (frame_is_generic(frame) || is_carrier(frame))
			continue;
		for (size_t j = 0; j < sizeof(renames) / sizeof(renames[0]); j++)
			if (!strcmp(renames[j].frame, frame)) {
				snprintf(out, size, "%s", renames[j].name);
				return;
			}
		snprintf(out, size, "%s", frame);
		return;
	}
	snprintf(out, size, "request_wait_answer");
}

void wait_frame(const struct snap_task *task, char *out, size_t size)
{
	struct wait_row row = {0};
	char top[SNAP_NAME];
	int at;

	find_row(task, top, &at, &row);
	if (!row.name && (row.kind == WAIT_REPLY || row.kind == WAIT_INIT_REPLY))
		request_frame(task, at, out, size);
	else
		snprintf(out, size, "%s", row.name ? row.name : top);
}

/* First match wins: exec and fork close a copied file table with the frames of an exit. */
static const struct {
	const char *frame, *under, *phase;
} phases[] = {
	{"de_thread", NULL, "exec"},
	{"begin_new_exec", NULL, "exec"},
	{"bprm_execve", NULL, "exec"},
	{"load_elf_binary", NULL, "exec"},
	{"do_execveat_common", NULL, "exec"},
	{"__do_execve_file", NULL, "exec"},
	{"copy_process", NULL, "fork"},
	{"zap_pid_ns_processes", NULL, "exit_notify"},
	{"exit_mm", NULL, "exit_mm"},
	{"exit_mmap", "do_exit", "exit_mm"},
	{"exit_aio", "do_exit", "exit_mm"},
	{"mmput", "do_exit", "exit_mm"},
	{"exit_files", NULL, "exit_files"},
	{"put_files_struct", "do_exit", "exit_files"},
	{"exit_fs", NULL, "exit_fs"},
	{"task_work_run", "do_exit", "exit_task_work"},
	{"exit_task_namespaces", NULL, "exit_task_namespaces"},
	{"switch_task_namespaces", "do_exit", "exit_task_namespaces"},
	{"exit_notify", NULL, "exit_notify"},
	{"do_coredump", NULL, "coredump"},
	{"vfs_coredump", NULL, "coredump"},
	{"do_exit", NULL, "exit"},
};

const char *exit_phase(const struct snap_task *task)
{
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		if (stack_has(task, 0, phases[i].frame) &&
		    (!phases[i].under || stack_has(task, 0, phases[i].under)))
			return phases[i].phase;
	return "";
}

void wait_stack_text(const struct snap_task *task, unsigned int n, char *out, size_t size)
{
	char frame[SNAP_NAME];
	size_t used = 0;

	out[0] = '\0';
	for (unsigned int i = 0; i < task->n_frames && i < SNAP_FRAMES && n; i++) {
		frame_normalise(task->frames[i].name, frame, sizeof(frame));
		if (frame_is_generic(frame))
			continue;
		n--;
		used += (size_t)snprintf(out + used, size - used, "%s%s",
					 used ? " < " : "", frame);
		if (used >= size)
			return;
	}
	if (!used)
		snprintf(out, size, "%s",
			 task->wchan[0] ? task->wchan : "no kernel stack");
}
