/* SPDX-License-Identifier: MIT */
/* A server that waits for what its own client's request holds, in a notification of its own. */

#include <string.h>

#include "view.h"

static const char *notify_of(const struct snap_task *task)
{
	static const struct {
		const char *frame, *name;
	} rows[] = {
		{"fuse_reverse_inval_inode", "NOTIFY_INVAL_INODE"},
		{"fuse_reverse_inval_entry", "NOTIFY_INVAL_ENTRY"},
		{"fuse_notify_inval_inode", "NOTIFY_INVAL_INODE"},
		{"fuse_notify_inval_entry", "NOTIFY_INVAL_ENTRY"},
		{"fuse_notify_delete", "NOTIFY_DELETE"},
		{"fuse_notify_store", "NOTIFY_STORE"},
		{"fuse_notify_retrieve", "NOTIFY_RETRIEVE"},
		{"fuse_retrieve", "NOTIFY_RETRIEVE"},
		{"fuse_notify_prune", "NOTIFY_PRUNE"},
		{"fuse_notify", "a notification"},
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		for (unsigned int i = 0; i < task->n_frames; i++) {
			char name[SNAP_NAME];

			frame_normalise(task->frames[i].name, name, sizeof(name));
			if (!strcmp(name, rows[r].frame))
				return rows[r].name;
		}
	return NULL;
}

const char *view_notify(const struct view *view, const struct snap_task **ret_task)
{
	for (size_t i = 0; i < view->n; i++) {
		const struct snap_task *task = view->t[i].task;
		const char *name = view->t[i].stuck ? notify_of(task) : NULL;

		if (!name)
			continue;
		if (ret_task)
			*ret_task = task;
		return name;
	}
	return NULL;
}
