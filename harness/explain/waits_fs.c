/* SPDX-License-Identifier: MIT */
/* Waits in FUSE beyond a request, in the VFS, in overlayfs and in execve(): names from 5.10 to 7.3. */

#include "waits.h"

const struct wait_names wait_names_fs[] = {
	/* fs/fuse: an abort or umount waits until no request is under way. 7.x: fs/fuse/dev.c works on channels. */
	{WAIT_ENDED, "fuse_wait_aborted", NULL,
	 "fuse_wait_aborted fuse_chan_wait_aborted fuse_abort_conn "
	 "fuse_chan_abort fuse_sb_destroy"},
	{WAIT_ENDED, "fuse_uring_wait_stopped_queues", NULL,
	 "fuse_uring_wait_stopped_queues fuse_uring_abort "
	 "fuse_uring_stop_queues fuse_uring_abort_end_requests "
	 "fuse_uring_destruct"},
	{WAIT_ENDED, "virtio_fs_drain_queue", NULL,
	 "virtio_fs_drain_queue virtio_fs_drain_all_queues_locked "
	 "virtio_fs_drain_all_queues virtio_kill_sb"},
	/* fuse_mutex, fc->killsb, cuse_lock, virtio_fs_mutex, the locks of DAX. */
	{WAIT_DRIVER_LOCK, NULL, NULL,
	 "fuse_conn_destroy fuse_mount_remove fuse_get_tree_submount "
	 "fuse_dentry_automount fuse_epoch_work fuse_fill_super_common "
	 "fuse_ctl_file_conn_get fuse_ctl_fill_super fuse_ctl_kill_sb "
	 "fuse_conn_congestion_threshold_write fuse_dev_ioctl "
	 "fuse_dev_ioctl_clone fuse_notify_inval_inode fuse_notify_inval_entry "
	 "fuse_notify_delete fuse_notify_store fuse_notify_retrieve cuse_open "
	 "cuse_process_init_reply cuse_channel_release virtio_fs_put "
	 "virtio_fs_add_instance virtio_fs_remove virtio_fs_fill_super "
	 "virtio_fs_get_tree virtio_fs_conn_destroy fuse_iomap_begin "
	 "fuse_setup_new_dax_mapping fuse_upgrade_dax_mapping "
	 "inode_inline_reclaim_one_dmap lookup_and_reclaim_dmap "
	 "inode_lookup_first_dmap virtio_fs_find_instance virtio_fs_fiq_release"},
	{WAIT_DRIVER_LOCK, "fuse_notify", NULL,
	 "fuse_notify fuse_dev_do_write fuse_dev_write"},
	/* fs/fuse/dax.c: all ranges of the window are in use. */
	{WAIT_DAX, NULL, NULL, "__fuse_dax_fault alloc_dax_mapping_reclaim"},
	{WAIT_DAX, "fuse_wait_dax_page", NULL,
	 "fuse_wait_dax_page __fuse_dax_break_layouts fuse_dax_break_layouts "
	 "dax_break_layout"},
	/* 7.x: request_wait_answer() may be inlined into the channel's send. */
	{WAIT_REPLY, NULL, NULL, "fuse_chan_send"},
	/* fs/aio.c: io_destroy() waits like exit_aio() does. */
	{WAIT_REPLY, "exit_aio", NULL,
	 "__do_sys_io_destroy __x64_sys_io_destroy ioctx_alloc"},
	/* 7.x: a server in front of a device that is not mounted yet, fuse_get_dev(). */
	{WAIT_DEV_READ, "fuse_dev_do_read", NULL, "fuse_get_dev"},
	/* fs/super.c: s_umount. From 6.6 on super_lock() also waits for a mount or umount under way. */
	{WAIT_SUPER_LOCK, NULL, NULL,
	 "deactivate_super alloc_super reconfigure_super do_umount_root "
	 "freeze_super"},
	{WAIT_SUPER_LOCK, "super_lock", NULL,
	 "super_lock super_lock_excl super_lock_shared __super_lock "
	 "__iterate_supers iterate_supers iterate_supers_type get_super "
	 "__get_super get_active_super bdev_super_lock user_get_super "
	 "do_emergency_remount_callback do_thaw_all_callback mount_subtree get_tree_bdev "
	 "get_tree_bdev_flags mount_bdev "
	 "setup_bdev_super __fsnotify_vfsmount_delete writeback_inodes_wb "
	 "fs_bdev_sync fs_bdev_mark_dead quotactl_block drop_pagecache_sb"},
	{WAIT_SUPER_LOCK, "grab_super", NULL, "grab_super grab_super_dead sget sget_fc"},
	{WAIT_SUPER_LOCK, "do_remount", NULL,
	 "do_remount do_reconfigure_mnt ovl_remount ovl_reconfigure "
	 "ovl_sync_fs"},
	{WAIT_SUPER_LOCK, "thaw_super", NULL, "thaw_super thaw_super_locked"},
	/* fs/super.c: writers to a frozen file system, and a freeze behind its writers. */
	{WAIT_FROZEN_FS, NULL, NULL, "sb_wait_write wait_for_partially_frozen"},
	{WAIT_FROZEN_FS, "mnt_want_write", NULL,
	 "mnt_want_write mnt_want_write_file mnt_get_write_access "
	 "__sb_start_write sb_start_write vfs_write vfs_iter_write "
	 "vfs_fallocate do_sendfile aio_write io_write ovl_want_write "
	 "ovl_start_write do_wp_page __get_super_thawed"},
	/* fs/namespace.c: namespace_sem, and i_rwsem of the mount point before it. */
	{WAIT_MOUNT_LOCK, "lock_mount", NULL,
	 "lock_mount do_lock_mount lock_mount_exact do_add_mount do_move_mount "
	 "do_loopback do_new_mount_fc path_pivot_root finish_automount "
	 "attach_recursive_mnt graft_tree"},
	{WAIT_MOUNT_LOCK, "namespace_lock", NULL,
	 "namespace_lock do_umount path_umount __detach_mounts detach_mounts "
	 "collect_mounts collect_paths drop_collected_mounts dissolve_on_fput "
	 "clone_private_mount do_change_type open_detached_copy "
	 "get_detached_copy copy_mnt_ns put_mnt_ns mnt_set_expiry "
	 "mark_mounts_for_expiry do_mount_setattr do_set_group may_umount "
	 "mnt_already_visible __is_local_mountpoint mnt_cursor_del "
	 "__do_sys_statmount __do_sys_listmount"},
	/* fs/dcache.c, fs/inode.c: an object that another task is dropping or making. */
	{WAIT_OBJECT, NULL, NULL, "d_invalidate shrink_dentry_list"},
	{WAIT_OBJECT, "shrink_dcache_tree", NULL,
	 "shrink_dcache_tree shrink_dcache_parent shrink_dcache_for_umount "
	 "do_one_tree"},
	{WAIT_OBJECT, "wait_on_new_inode", NULL,
	 "wait_on_new_inode wait_on_inode __wait_on_inode inode_insert5 "
	 "iget5_locked iget_locked ilookup5 ilookup insert_inode_locked "
	 "insert_inode_locked4"},
	{WAIT_OBJECT, "__wait_on_freeing_inode", NULL,
	 "__wait_on_freeing_inode find_inode find_inode_fast"},
	{WAIT_OBJECT, "inode_wait_for_lru_isolating", NULL,
	 "inode_wait_for_lru_isolating evict"},
	{WAIT_OBJECT, "d_alloc_parallel", NULL, "d_add_ci"},
	/* fs/inode.c, mm: direct I/O of the inode that is under way. */
	{WAIT_DIO, "inode_dio_wait", NULL,
	 "inode_dio_wait __inode_dio_wait inode_dio_wait_interruptible"},
	{WAIT_DIO, "iomap_dio_rw", NULL, "iomap_dio_rw __iomap_dio_rw"},
	{WAIT_DIO, "netfs_wait_for_request", NULL,
	 "netfs_wait_for_request netfs_wait_for_read netfs_wait_for_write"},
	/* More that locks an inode: mapping->invalidate_lock, overlayfs, nfsd, swapon, fs/fuse. */
	{WAIT_INODE_LOCK, NULL, NULL,
	 "filemap_invalidate_lock_two fuse_passthrough_write_iter "
	 "fuse_passthrough_splice_write fuse_dax_read_iter fuse_dax_write_iter "
	 "lock_two_inodes default_llseek dcache_dir_lseek process_measurement "
	 "__generic_file_fsync do_blockdev_direct_IO nfsd_setattr nfsd_link "
	 "nfsd_symlink nfsd_unlink nfsd_rename nfsd_getxattr nfsd_setxattr "
	 "nfsd_listxattr nfsd_removexattr nfsd_lookup_dentry"},
	{WAIT_INODE_LOCK, "filemap_invalidate_lock", NULL,
	 "page_cache_ra_unbounded page_cache_ra_order force_page_cache_ra "
	 "filemap_create_folio fuse_do_setattr"},
	{WAIT_INODE_LOCK, "fuse_readdir", NULL, "fuse_readdir fuse_readdir_cached"},
	{WAIT_INODE_LOCK, "kern_path_locked", NULL,
	 "kern_path_locked __kern_path_locked"},
	{WAIT_INODE_LOCK, "lookup_slow", NULL,
	 "lookup_one_positive_unlocked lookup_noperm_unlocked"},
	{WAIT_INODE_LOCK, "open_last_lookups", NULL, "lookup_open"},
	{WAIT_INODE_LOCK, "generic_remap_file_range_prep", NULL,
	 "generic_remap_file_range_prep __generic_remap_file_range_prep"},
	{WAIT_INODE_LOCK, "chmod_common", NULL,
	 "vfs_fileattr_set fcntl_rw_hint bprm_fill_uid"},
	{WAIT_INODE_LOCK, "__do_sys_swapon", NULL, "__do_sys_swapon __do_sys_swapoff"},
	{WAIT_INODE_LOCK, "nfsd_create_file", NULL,
	 "nfsd_create_file nfsd4_create_file nfsd3_create_file"},
	{WAIT_INODE_LOCK, "nfsd_create", NULL, "nfsd_create fh_lock_nested"},
	/* fs/overlayfs: oi->lock, taken by a copy-up or a change of the link count; the upper's i_rwsem. */
	{WAIT_OVL_LOCK, NULL, NULL,
	 "ovl_nlink_start ovl_dir_cache ovl_do_copy_up ovl_copy_up_metadata "
	 "ovl_workdir_create ovl_lookup_or_create ovl_check_rename_whiteout "
	 "ovl_workdir_cleanup_recurse ovl_ioctl_set_flags ovl_copy_up_tmpfile "
	 "ovl_copy_up_workdir ovl_copy_up_inode ovl_link_up ovl_create_upper "
	 "ovl_create_over_whiteout ovl_clear_empty ovl_instantiate "
	 "ovl_remove_upper ovl_remove_and_whiteout ovl_rename ovl_setattr "
	 "ovl_write_iter ovl_splice_write ovl_fallocate ovl_fsync ovl_copyfile "
	 "ovl_llseek ovl_fiemap ovl_iterate ovl_dir_llseek ovl_dir_release "
	 "ovl_parent_lock ovl_lock_rename_workdir ovl_lookup_real_one "
	 "ovl_cleanup_index ovl_indexdir_cleanup ovl_workdir_cleanup "
	 "ovl_cleanup_whiteouts ovl_check_whiteouts ovl_maybe_lookup_lowerdata"},
	{WAIT_OVL_LOCK, "ovl_copy_up_start", NULL,
	 "ovl_copy_up_start ovl_inode_lock ovl_inode_lock_interruptible "
	 "ovl_copy_up_one ovl_copy_up_flags ovl_maybe_copy_up"},
	/* fs/locks.c */
	{WAIT_FILE_LOCK, NULL, NULL, "__break_lease"},
	{WAIT_FILE_LOCK, "locks_lock_inode_wait", NULL,
	 "locks_lock_inode_wait posix_lock_inode_wait flock_lock_inode_wait "
	 "flock_lock_file_wait fcntl_setlk do_lock_file_wait __do_sys_flock "
	 "fuse_file_flock nlmsvc_lock"},
	/* fs/file.c: f_pos_lock, behind another read(), write(), lseek() or getdents() on the same open file. */
	{WAIT_POS_LOCK, "__fdget_pos", NULL, "__fdget_pos fdget_pos"},
	/* fs/pipe.c */
	{WAIT_PIPE_LOCK, NULL, NULL,
	 "pipe_lock pipe_double_lock pipe_release pipe_fcntl "
	 "splice_file_to_pipe pipe_wait_writable"},
	/* fs/coredump.c: a thread until the dump is written, and the dump until its reader has gone. Up to 5.15 the wait is in exit_mm(). */
	{WAIT_DUMP, NULL, NULL, "coredump_task_exit"},
	{WAIT_DUMP, "coredump_task_exit", "get_signal", "do_exit"},
	{WAIT_DUMP_READER, NULL, NULL, "wait_for_dump_helpers"},
	{WAIT_DUMP_READER, "wait_for_dump_helpers", "do_coredump", "pipe_write"},
	{WAIT_DUMP_READER, "wait_for_dump_helpers", "vfs_coredump",
	 "pipe_write anon_pipe_write"},
	/* cred_guard_mutex and exec_update_lock, held over the reads of an execve(). */
	{WAIT_EXEC_LOCK, "exec_lock", NULL,
	 "ptrace_attach mm_access proc_mem_open lock_trace proc_pid_stack "
	 "proc_pid_syscall proc_pid_personality proc_pid_attr_write "
	 "do_io_accounting __pidfd_fget pidfd_getfd seccomp_set_mode_filter "
	 "kcmp_lock __do_sys_perf_event_open exec_mmap"},
	{WAIT_EXEC_LOCK, "prepare_bprm_creds", NULL, "prepare_bprm_creds bprm_execve"},
	{0},
};
