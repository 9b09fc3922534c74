/* SPDX-License-Identifier: MIT */
/* Hooks of actions that are not in fault.c: by a serving thread without the lead, before or after the reply. */
#ifndef SF_FAULT_MORE_H
#define SF_FAULT_MORE_H

#include "fault.h"

typedef void fault_hook_fn(struct request *req);

/* fault_self.c */
fault_hook_fn fault_self_write, fault_self_fsync, fault_self_readdir, fault_self_unlink;
fault_hook_fn fault_heir, fault_block;
/* fault_notify.c */
fault_hook_fn fault_notify_inode, fault_notify_entry, fault_notify_delete;
fault_hook_fn fault_notify_expire, fault_notify_store, fault_notify_retrieve;
fault_hook_fn fault_notify_resend, fault_notify_prune, fault_notify_poll;
fault_hook_fn fault_notify_thread;

#endif
