/* SPDX-License-Identifier: MIT */
/* Waits in rings, block devices, memory management, freezer and idle loops: names from 5.10 to 7.3. */

#include "waits.h"

const struct wait_names wait_names_core[] = {
	/* io_uring: a task that exits, execs or closes its ring waits for its requests; workers may be in FUSE. */
	{WAIT_RING_END, NULL, NULL, "io_sync_cancel"},
	{WAIT_RING_END, "io_uring_cancel_generic", NULL,
	 "io_uring_cancel_generic io_uring_clean_tctx io_uring_files_cancel "
	 "__io_uring_cancel __io_uring_task_cancel "
	 "io_uring_cancel_task_requests __io_uring_files_cancel"},
	{WAIT_RING_END, "io_wq_exit_workers", NULL,
	 "io_wq_exit_workers io_wq_put_and_exit io_wq_destroy io_wq_put "
	 "io_worker_exit"},
	{WAIT_RING_END, "io_ring_exit_work", NULL,
	 "io_ring_exit_work io_ring_ctx_wait_and_kill io_ring_ctx_free"},
	{WAIT_RING_END, "io_rsrc_ref_quiesce", NULL,
	 "io_rsrc_ref_quiesce io_wait_rsrc_data io_ctx_quiesce"},
	{WAIT_RING_END, "io_sq_thread_stop", NULL,
	 "io_sq_thread_stop io_sq_thread_finish io_put_sq_data"},
	/* ctx->uring_lock and sqd->lock, held over a request that is issued at once. */
	{WAIT_RING_LOCK, NULL, NULL,
	 "io_ring_submit_lock io_iopoll_check io_iopoll_try_reap_events "
	 "io_iopoll_req_issued __io_uring_register io_register_resize_rings "
	 "io_init_wq_offload __io_register_iowq_aff io_req_caches_free __io_sq_thread "
	 "io_sq_thread_park io_sqpoll_wait_sq "
	 "io_sqd_handle_event io_uring_del_tctx_node io_ringfd_register "
	 "io_run_local_work io_register_iowq_max_workers __io_async_cancel"},
	{WAIT_RING_LOCK, "__do_sys_io_uring_enter", NULL,
	 "__do_sys_io_uring_enter __x64_sys_io_uring_enter"},
	{WAIT_RING_LOCK, "__do_sys_io_uring_register", NULL,
	 "__do_sys_io_uring_register __x64_sys_io_uring_register"},
	{WAIT_RING_LOCK, "io_tw_lock", NULL,
	 "io_tw_lock tctx_task_work tctx_task_work_run ctx_flush_and_put"},
	{WAIT_RING_LOCK, "io_cqring_overflow_flush", NULL,
	 "io_cqring_overflow_flush __io_cqring_overflow_flush "
	 "io_cqring_do_overflow_flush"},
	{WAIT_RING_LOCK, "__io_uring_add_tctx_node", NULL,
	 "__io_uring_add_tctx_node io_tctx_install_node"},
	{WAIT_RING_LOCK, "io_uring_try_cancel_requests", NULL,
	 "io_uring_try_cancel_requests io_uring_try_cancel_iowq"},
	{WAIT_RING_LOCK, "io_double_lock_ctx", NULL,
	 "io_double_lock_ctx io_lock_external_ctx lock_two_rings"},
	/* Block I/O: behind a loop device or swap file on FUSE there may be a reply. */
	{WAIT_BLOCK_IO, NULL, NULL,
	 "rq_qos_wait wbt_wait md_flush_request dm_wait_for_completion"},
	{WAIT_BLOCK_IO, "__wait_on_buffer", NULL,
	 "__wait_on_buffer wait_on_buffer __sync_dirty_buffer "
	 "sync_dirty_buffer __bread_gfp bh_read __bh_read fsync_buffers_list "
	 "ext4_read_bh ext4_sb_bread sync_mapping_buffers"},
	{WAIT_BLOCK_IO, "__lock_buffer", NULL,
	 "__lock_buffer buffer_migrate_lock_buffers"},
	{WAIT_BLOCK_IO, "submit_bio_wait", NULL,
	 "submit_bio_wait bio_await blk_execute_rq blkdev_issue_flush "
	 "blk_io_schedule __blkdev_direct_IO __blkdev_direct_IO_simple "
	 "dio_await_completion"},
	{WAIT_BLOCK_IO, "blk_mq_get_tag", NULL, "blk_mq_get_tag __blk_mq_get_tag"},
	{WAIT_BLOCK_IO, "blk_mq_freeze_queue_wait", NULL,
	 "blk_mq_freeze_queue_wait blk_mq_freeze_queue"},
	{WAIT_BLOCK_IO, "__bio_queue_enter", NULL, "__bio_queue_enter blk_queue_enter"},
	{WAIT_BLOCK_IO, "jbd2_log_wait_commit", NULL,
	 "jbd2_log_wait_commit jbd2_complete_transaction "
	 "jbd2_journal_commit_transaction jbd2_log_do_checkpoint "
	 "__jbd2_log_wait_for_space do_get_write_access"},
	{WAIT_BLOCK_IO, "wait_transaction_locked", NULL,
	 "wait_transaction_locked start_this_handle add_transaction_credits"},
	{WAIT_BLOCK_IO, "xfs_buf_lock", NULL, "xfs_buf_lock xfs_buf_iowait"},
	{WAIT_BLOCK_IO, "xlog_wait_on_iclog", NULL,
	 "xlog_wait_on_iclog xfs_log_force_seq xlog_grant_head_wait"},
	{WAIT_BLOCK_IO, "btrfs_wait_ordered_range", NULL, "btrfs_wait_ordered_range"},
	{WAIT_BLOCK_IO, "wait_current_trans", NULL, "wait_current_trans wait_for_commit"},
	{WAIT_BLOCK_IO, "swap_read_folio", NULL,
	 "swap_read_folio swap_readpage swap_read_page"},
	{WAIT_BLOCK_IO, "__loop_clr_fd", NULL,
	 "__loop_clr_fd loop_clr_fd lo_ioctl lo_open lo_release loop_configure "
	 "loop_control_ioctl loop_change_fd loop_set_status"},
	{WAIT_BLOCK_IO, "bdev_open", NULL,
	 "bdev_open blkdev_get_by_dev blkdev_get __blkdev_get bdev_open_by_dev "
	 "blkdev_put bdev_release sync_bdevs"},
	/* mm/vmscan.c, mm/shrinker.c: direct reclaim and those who wait for a reclaim under way. */
	{WAIT_RECLAIM, "reclaim_throttle", NULL,
	 "reclaim_throttle throttle_direct_reclaim congestion_wait "
	 "wait_iff_congested shrink_inactive_list too_many_isolated "
	 "isolate_migratepages_block"},
	{WAIT_RECLAIM, "shrinker_free", NULL,
	 "shrinker_free unregister_shrinker register_shrinker "
	 "register_shrinker_prepared shrinker_register prealloc_shrinker "
	 "shrinker_alloc expand_shrinker_info alloc_shrinker_info"},
	{WAIT_RECLAIM, "mem_cgroup_oom", NULL,
	 "mem_cgroup_oom_synchronize mem_cgroup_out_of_memory"},
	{WAIT_RECLAIM, "lru_add_drain_all", NULL,
	 "lru_add_drain_all __lru_add_drain_all"},
	/* Migration, compaction, truncation and swap: more names of a locked folio. */
	{WAIT_FOLIO_LOCK, "__folio_lock", NULL,
	 "migrate_pages migrate_pages_batch migrate_folio_unmap "
	 "migrate_folios_move unmap_and_move __unmap_and_move "
	 "unmap_and_move_huge_page split_huge_pages_all collapse_file "
	 "filemap_page_mkwrite folio_mark_dirty_lock set_page_dirty_lock find_lock_entry "
	 "find_lock_entries find_get_entries mapping_evict_folio "
	 "truncate_inode_partial_folio writeback_get_folio "
	 "mpage_prepare_extent_to_map __folio_split lock_page folio_lock "
	 "find_lock_page fuse_page_mkwrite fuse_launder_folio do_page_mkwrite "
	 "do_shared_fault fault_dirty_shared_page do_swap_page "
	 "shmem_swapin_folio unuse_pte_range try_to_unuse memory_failure "
	 "ksm_scan_thread try_to_merge_one_page fuse_add_dirent_to_cache "
	 "read_swap_cache_async"},
	{WAIT_FOLIO_LOCK, "folio_wait_locked", NULL,
	 "softleaf_entry_wait_on_locked migration_entry_wait "
	 "__migration_entry_wait pmd_migration_entry_wait do_numa_page "
	 "wait_on_page_locked folio_wait_locked folio_wait_locked_killable "
	 "wait_on_page_read wait_on_page_locked_killable filemap_splice_read "
	 "page_cache_pipe_buf_confirm"},
	/* Writeback: more waiters. */
	{WAIT_WRITEBACK, "folio_wait_writeback", NULL,
	 "filemap_fdatawait_range filemap_fdatawait_keep_errors "
	 "shrink_folio_list shrink_page_list"},
	{WAIT_WRITEBACK, "inode_wait_for_writeback", NULL,
	 "inode_sleep_on_writeback writeback_single_inode"},
	{WAIT_WRITEBACK, "wb_wait_for_completion", NULL,
	 "bdi_split_work_to_wbs bdi_down_write_wb_switch_rwsem sync_inodes_sb "
	 "writeback_inodes_sb_nr "
	 "__writeback_inodes_sb_nr"},
	{WAIT_WRITEBACK, "balance_dirty_pages", NULL,
	 "balance_dirty_pages_ratelimited_flags "
	 "balance_dirty_pages_ratelimited"},
	{WAIT_WRITEBACK, "wb_shutdown", NULL,
	 "wb_shutdown bdi_unregister cgwb_bdi_unregister "
	 "cgroup_writeback_umount"},
	{WAIT_WRITEBACK, "wb_shutdown", "cgroup_writeback_umount",
	 "generic_shutdown_super"},
	/* mmap_lock and i_mmap_rwsem: more callers. */
	{WAIT_MMAP_LOCK, "vm_mmap_pgoff", NULL,
	 "ksys_mmap_pgoff vm_brk_flags setup_arg_pages do_shmat "
	 "__do_sys_remap_file_pages aio_setup_ring"},
	{WAIT_MMAP_LOCK, "do_user_addr_fault", NULL,
	 "expand_stack fixup_user_fault fault_in_user_writeable "
	 "lock_vma_under_rcu vma_start_read"},
	{WAIT_MMAP_LOCK, "__vma_start_write", NULL,
	 "__vma_start_exclude_readers vma_mark_detached"},
	{WAIT_MMAP_LOCK, NULL, NULL, "__gup_longterm_locked"},
	{WAIT_MMAP_LOCK, "__access_remote_vm", NULL,
	 "get_user_pages_unlocked gup_fast_fallback "
	 "internal_get_user_pages_fast __get_user_pages_locked "
	 "process_vm_rw_core access_remote_vm get_cmdline "
	 "proc_pid_cmdline_read get_task_cmdline environ_read"},
	{WAIT_MMAP_LOCK, "do_mlock", NULL, "do_mlock __do_sys_mlockall __do_sys_munlock"},
	{WAIT_MMAP_LOCK, "__do_sys_msync", NULL, "__do_sys_msync"},
	{WAIT_MMAP_LOCK, "__do_sys_mincore", NULL, "__do_sys_mincore do_mincore"},
	{WAIT_MMAP_LOCK, "do_mbind", NULL, "kernel_mbind do_mbind"},
	{WAIT_MMAP_LOCK, "prctl_set_mm", NULL, "__do_sys_prctl prctl_set_mm"},
	{WAIT_MMAP_LOCK, "task_numa_work", NULL, "task_numa_work"},
	{WAIT_MMAP_LOCK, "__vm_munmap", NULL, "ksys_shmdt vm_munmap"},
	{WAIT_MMAP_LOCK, "m_start", NULL,
	 "clear_refs_write pagemap_read show_smaps_rollup do_procmap_query "
	 "show_numa_map proc_map_files_lookup map_files_get_link "
	 "proc_map_files_readdir register_for_each_vma uprobe_mmap "
	 "khugepaged_scan_mm_slot collapse_huge_page oom_reap_task_mm"},
	{WAIT_MMAP_LOCK, "userfaultfd", NULL,
	 "userfaultfd_register userfaultfd_unregister userfaultfd_release"},
	{WAIT_MMAP_LOCK, "i_mmap_lock", NULL,
	 "unlink_file_vma unlink_file_vma_batch_process vma_link "
	 "unmap_mapping_pages unmap_mapping_folio unmap_mapping_range "
	 "rmap_walk_file vma_prepare"},
	{WAIT_MMAP_LOCK, "do_madvise", NULL, "madvise_collapse __do_sys_process_madvise"},
	/* A process in user space decides. */
	{WAIT_LISTENER, "fanotify_handle_event", NULL,
	 "fanotify_handle_event fanotify_get_response"},
	{WAIT_LISTENER, "handle_userfault", NULL,
	 "handle_userfault userfaultfd_event_wait_completion"},
	{WAIT_LISTENER, NULL, NULL,
	 "autofs_wait seccomp_do_user_notification cachefiles_ondemand_send_req"},
	/* The client side of a network file system, perhaps of what this machine serves of FUSE. */
	{WAIT_NETWORK, "rpc_wait_bit_killable", NULL,
	 "rpc_wait_bit_killable rpc_wait_for_completion_task nfs_wait_bit_killable "
	 "nfs_wait_on_request nfs_wait_client_init_complete nfs_iocounter_wait"},
	{WAIT_NETWORK, NULL, NULL,
	 "p9_client_rpc p9_virtio_request wait_for_response ceph_mdsc_do_request "
	 "ceph_mdsc_wait_request ceph_osdc_wait_request"},
	/* fs/notify: a group or a mark that is being taken down. */
	{WAIT_WORK, "fsnotify_destroy_group", NULL,
	 "fsnotify_destroy_group fsnotify_wait_marks_destroyed"},
	/* Work that a kernel thread does for it. */
	{WAIT_WORK, NULL, NULL,
	 "wait_for_unix_gc call_usermodehelper_exec devtmpfs_submit_req "
	 "async_synchronize_cookie_domain"},
	{WAIT_WORK, "__flush_work", NULL,
	 "__flush_work flush_work flush_delayed_work __flush_workqueue "
	 "flush_workqueue cancel_work_sync __cancel_work_sync "
	 "__cancel_work_timer drain_workqueue destroy_workqueue "
	 "flush_delayed_fput kthread_flush_work kthread_flush_worker"},
	{WAIT_WORK, "kthread_stop", NULL,
	 "kthread_stop kthread_park __kthread_create_on_node"},
	{WAIT_WORK, "nfsd_destroy_serv", NULL,
	 "nfsd_destroy_serv nfsd_file_cache_purge svc_exit_thread"},
	/* RCU: freed by every CPU and task that lets go, not by FUSE. */
	{WAIT_RCU, NULL, NULL, "rcu_barrier"},
	{WAIT_RCU, "synchronize_rcu", NULL,
	 "synchronize_rcu synchronize_rcu_normal synchronize_rcu_expedited "
	 "__wait_rcu_gp rcu_sync_enter"},
	{WAIT_RCU, "synchronize_srcu", NULL, "synchronize_srcu __synchronize_srcu"},
	{WAIT_RCU, "synchronize_rcu_tasks", NULL, "synchronize_rcu_tasks_generic"},
	/* kernel/power, kernel/freezer.c, kernel/cgroup: asleep until the thaw; and who freezes, until all are. */
	{WAIT_STOPPED, "__refrigerator", NULL, "__refrigerator freezing_slow_path"},
	{WAIT_FREEZER, "try_to_freeze_tasks", NULL,
	 "try_to_freeze_tasks freeze_processes freeze_kernel_threads "
	 "pm_suspend usermodehelper_read_trylock __usermodehelper_disable "
	 "cgroup_freeze freezer_write"},
	/* fs/eventpoll.c: ep->mtx, epnested_mutex. */
	{WAIT_EP_MUTEX, "do_epoll_ctl", NULL,
	 "do_epoll_ctl epoll_mutex_lock ep_modify ep_remove __ep_remove "
	 "ep_loop_check ep_loop_check_proc do_epoll_ctl_file"},
	{WAIT_EP_MUTEX, NULL, NULL, "ep_insert"},
	{WAIT_EP_MUTEX, "ep_start_scan", NULL,
	 "ep_start_scan ep_scan_ready_list ep_send_events ep_try_send_events "
	 "ep_show_fdinfo"},
	{WAIT_EP_MUTEX, "ep_item_poll", NULL, "ep_item_poll __ep_eventpoll_poll"},
	{WAIT_EP_MUTEX, "ep_clear_and_put", NULL,
	 "ep_clear_and_put ep_free ep_eventpoll_release"},
	{WAIT_EP_MUTEX, "eventpoll_release_file", NULL,
	 "eventpoll_release_file eventpoll_release"},
	/* Idle by its own will: a ring without completions, servers and kernel threads without work. */
	{WAIT_NONE, NULL, NULL,
	 "io_cqring_wait io_cqring_wait_schedule __io_cqring_wait_schedule "
	 "io_cqring_schedule_timeout io_run_loop __io_run_loop io_hybrid_iopoll_delay "
	 "io_loop_wait io_wq_worker "
	 "io_sq_thread read_events do_io_getevents pipe_write anon_pipe_write "
	 "pipe_wait_writable wait_for_partner fifo_open unix_stream_sendmsg "
	 "unix_wait_for_peer unix_dgram_sendmsg sock_alloc_send_pskb "
	 "unix_accept inet_wait_for_connect inet_stream_connect "
	 "__inet_stream_connect tcp_recvmsg tcp_sendmsg_locked "
	 "sk_stream_wait_memory vsock_connectible_wait_data netlink_recvmsg "
	 "packet_recvmsg skb_recv_datagram do_msgrcv do_msgsnd do_semtimedop "
	 "__do_semtimedop wq_sleep do_mq_timedreceive inotify_read "
	 "fanotify_read timerfd_read timerfd_read_iter userfaultfd_read_iter "
	 "do_syslog syslog_print devkmsg_read n_tty_write ring_buffer_wait "
	 "__do_sys_rt_sigsuspend __x64_sys_rt_sigsuspend "
	 "__do_sys_rt_sigtimedwait common_nsleep __do_sys_clock_nanosleep "
	 "__futex_wait futex_lock_pi futex_wait_requeue_pi __do_sys_epoll_wait "
	 "do_epoll_pwait core_sys_select svc_recv svc_get_next_xprt kjournald2 "
	 "kcompactd kswapd kswapd_try_to_sleep khugepaged khugepaged_wait_work "
	 "oom_reaper kauditd_thread kthreadd kthread rcu_gp_kthread "
	 "rcu_gp_fqs_loop rcu_tasks_kthread rcu_nocb_gp_kthread nocb_gp_wait "
	 "nocb_cb_wait rcu_tasks_one_gp irq_thread irq_wait_for_interrupt "
	 "devtmpfs_work_loop xfsaild loop_thread fsnotify_mark_destroy_workfn "
	 "vhost_worker vhost_run_work_list vhost_task_fn kvm_vcpu_block "
	 "cpu_stopper_thread cleaner_kthread transaction_kthread "
	 "scsi_error_handler"},
	{0},
};
