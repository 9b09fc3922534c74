/* SPDX-License-Identifier: MIT */
/* From frames to waits: names of several kernels, phases, decorations of compilers. */

#include "explain_classes.h"

static void test_waits(void **state)
{
	static const struct {
		const char *stack;
		char st;
		enum wait_kind kind;
		const char *frame, *phase;
	} rows[] = {
		{"request_wait_answer fuse_simple_request fuse_flush filp_close "
		 "put_files_struct do_exit",
		 'S', WAIT_REPLY, "fuse_flush", "exit_files"},
		{"__fuse_request_send fuse_simple_request fuse_readpages read_pages", 'D',
		 WAIT_REPLY, "fuse_readahead", ""},
		{"wait_on_page_bit_common wait_on_page_writeback "
		 "__filemap_fdatawait_range exit_files do_exit",
		 'D', WAIT_WRITEBACK, "folio_wait_writeback", "exit_files"},
		{"__lock_page invalidate_inode_pages2_range fuse_open_common", 'D',
		 WAIT_FOLIO_LOCK, "__folio_lock", ""},
		{"fuse_get_req __fuse_simple_request fuse_lookup_name", 'D',
		 WAIT_INIT_REPLY, "fuse_lookup_name", ""},
		{"__start_dirop start_dirop filename_create", 'D', WAIT_INODE_LOCK,
		 "start_dirop", ""},
		{"filename_unlinkat __x64_sys_unlink", 'D', WAIT_INODE_LOCK,
		 "do_unlinkat", ""},
		{"path_openat do_filp_open", 'D', WAIT_INODE_LOCK, "open_last_lookups",
		 ""},
		{"open_last_lookups path_openat", 'D', WAIT_INODE_LOCK,
		 "open_last_lookups", ""},
		{"kernel_wait4 zap_pid_ns_processes exit_notify do_exit", 'S',
		 WAIT_MEMBERS, "zap_pid_ns_processes", "exit_notify"},
		{"do_wait kernel_wait4", 'S', WAIT_CHILD, "do_wait", ""},
		{"wait_for_completion kernel_clone __do_sys_vfork", 'D', WAIT_VFORK,
		 "wait_for_vfork_done", ""},
		{"begin_new_exec load_elf_binary bprm_execve", 'D', WAIT_THREADS,
		 "de_thread", "exec"},
		{"do_signal_stop get_signal", 'T', WAIT_STOPPED, "do_signal_stop", ""},
		{"fuse_dev_do_read fuse_dev_read vfs_read", 'S', WAIT_DEV_READ,
		 "fuse_dev_do_read", ""},
		{"wait_for_completion exit_aio mmput exit_mm do_exit", 'D', WAIT_REPLY,
		 "exit_aio", "exit_mm"},
		{"request_wait_answer fuse_flush filp_close put_files_struct "
		 "begin_new_exec",
		 'D', WAIT_REPLY, "fuse_flush", "exec"},
		{"request_wait_answer fuse_flush filp_close put_files_struct "
		 "copy_process kernel_clone",
		 'D', WAIT_REPLY, "fuse_flush", "fork"},
		{"request_wait_answer fuse_flush __fput task_work_run do_exit", 'D',
		 WAIT_REPLY, "fuse_flush", "exit_task_work"},
		{"request_wait_answer fuse_lookup_name", 'R', WAIT_NONE,
		 "fuse_lookup_name", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char frame[SNAP_NAME];
		struct snapshot snap;
		struct snap_task *task;

		snapshot_init(&snap);
		task = add(&snap, 7, 7, ROLE_WORKER, rows[i].st, 0, rows[i].stack);
		if (wait_of_task(task) != rows[i].kind)
			fail_msg("%s: kind %d", rows[i].stack, wait_of_task(task));
		wait_frame(task, frame, sizeof(frame));
		assert_string_equal(frame, rows[i].frame);
		assert_string_equal(exit_phase(task), rows[i].phase);
		snapshot_release(&snap);
	}
}

static void test_normalise(void **state)
{
	static const char *const pairs[][2] = {
		{"fuse_flush+0x12c/0x1d0 [fuse]", "fuse_flush"},
		{"[<0>] request_wait_answer+0x1/0x2", "request_wait_answer"},
		{"[<ffffffff81234567>] do_exit+0x1/0x2", "do_exit"},
		{"fuse_lookup_name.part.0+0x1/0x2 [fuse]", "fuse_lookup_name"},
		{"foo.constprop.0.isra.0.cold", "foo"},
		{"do_exit", "do_exit"},
		{"", ""},
	};
	char out[SNAP_NAME], small[4];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		frame_normalise(pairs[i][0], out, sizeof(out));
		assert_string_equal(out, pairs[i][1]);
	}
	frame_normalise("abcdefgh+0x1", small, sizeof(small));
	assert_string_equal(small, "abc");
	assert_true(frame_is_generic("schedule"));
	assert_true(frame_is_generic("down_write"));
	assert_true(frame_is_generic(""));
	assert_false(frame_is_generic("fuse_flush"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_normalise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
