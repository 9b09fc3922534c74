/* SPDX-License-Identifier: MIT */
/* One kernel stack frame: its bare name, and whether it says anything of what is waited for. */

#include <string.h>

#include "explain.h"

void frame_normalise(const char *frame, char *out, size_t size)
{
	size_t len;

	/* "[<0>] " and, on old kernels, "[<ffffffff81234567>] " come before the name. */
	if (frame[0] == '[' && strchr(frame, ']')) {
		frame = strchr(frame, ']') + 1;
		frame += strspn(frame, " ");
	}
	/* A compiler's suffixes (.part.0, .constprop.0, .isra.0, .cold, .llvm.123) start with a dot. */
	len = strcspn(frame, "+. [\n");
	if (len >= size)
		len = size - 1;
	memcpy(out, frame, len);
	out[len] = '\0';
}

/*
 * Frames that any wait may have. Functions marked __sched (schedule, mutex_lock, down_read, ...) are
 * left out of /proc/PID/stack by stack_trace_consume_entry_nosched(), kernel/stacktrace.c, but
 * not by every unwinder and architecture.
 */
static const char *const generic[] = {
	"schedule",
	"__schedule",
	"schedule_timeout",
	"schedule_preempt_disabled",
	"schedule_hrtimeout_range",
	"schedule_hrtimeout_range_clock",
	"io_schedule",
	"io_schedule_timeout",
	"preempt_schedule_common",
	"__cond_resched",
	"context_switch",
	"__switch_to",
	"__switch_to_asm",
	"wait_for_completion",
	"wait_for_completion_killable",
	"wait_for_completion_interruptible",
	"wait_for_completion_state",
	"wait_for_common",
	"__wait_for_common",
	"wait_for_completion_io",
	"wait_for_completion_timeout",
	"wait_for_completion_interruptible_timeout",
	"schedule_timeout_interruptible",
	"schedule_timeout_killable",
	"schedule_timeout_uninterruptible",
	"schedule_timeout_idle",
	"schedule_hrtimeout",
	"bit_wait_timeout",
	"bit_wait_io_timeout",
	"out_of_line_wait_on_bit_timeout",
	"percpu_down_read",
	"percpu_down_write",
	"mutex_lock_io_nested",
	"__down_common",
	"___down_common",
	"prepare_to_wait_event",
	"prepare_to_wait",
	"finish_wait",
	"wait_woken",
	"bit_wait",
	"bit_wait_io",
	"__wait_on_bit",
	"__wait_on_bit_lock",
	"out_of_line_wait_on_bit",
	"out_of_line_wait_on_bit_lock",
	"wait_on_page_bit",
	"wait_on_page_bit_common",
	"wait_on_page_bit_killable",
	"__wait_on_page_locked_async",
	"folio_wait_bit",
	"folio_wait_bit_common",
	"folio_wait_bit_killable",
	"mutex_lock",
	"mutex_lock_nested",
	"mutex_lock_killable",
	"mutex_lock_interruptible",
	"__mutex_lock",
	"__mutex_lock_slowpath",
	"__mutex_lock_killable_slowpath",
	"__mutex_lock_interruptible_slowpath",
	"__mutex_lock_common",
	"mutex_lock_io",
	"__ww_mutex_lock",
	"rt_mutex_slowlock",
	"rt_mutex_slowlock_block",
	"__rt_mutex_lock",
	"rwbase_write_lock",
	"__rwbase_read_lock",
	"rwbase_read_lock",
	"down",
	"__down",
	"down_killable",
	"down_interruptible",
	"down_read",
	"down_read_nested",
	"down_read_killable",
	"down_read_interruptible",
	"down_write",
	"down_write_nested",
	"down_write_killable",
	"down_write_killable_nested",
	"__down_read",
	"__down_write",
	"__down_read_common",
	"__down_write_common",
	"rwsem_down_read_slowpath",
	"rwsem_down_write_slowpath",
	"rwsem_down_read_failed",
	"rwsem_down_write_failed",
	"call_rwsem_down_write_failed",
	"call_rwsem_down_read_failed",
	"percpu_rwsem_wait",
	"__percpu_down_read",
	"inode_lock",
	"inode_lock_nested",
	"inode_lock_shared",
	"inode_lock_killable",
	"entry_SYSCALL_64_after_hwframe",
	"entry_SYSCALL_64",
	"entry_SYSCALL_compat_after_hwframe",
	"do_syscall_64",
	"x64_sys_call",
	"do_syscall_x64",
	"syscall_exit_to_user_mode",
	"el0_svc",
	"el0_svc_common",
	"el0t_64_sync",
	"el0t_64_sync_handler",
	"do_el0_svc",
	"invoke_syscall",
	"ret_from_fork",
	"ret_from_fork_asm",
	"asm_exc_page_fault",
};

bool frame_is_generic(const char *normalised)
{
	if (!normalised[0] || !strncmp(normalised, "0x", 2))
		return true;
	for (size_t i = 0; i < sizeof(generic) / sizeof(generic[0]); i++)
		if (!strcmp(generic[i], normalised))
			return true;
	return false;
}
