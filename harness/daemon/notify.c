/* SPDX-License-Identifier: MIT */
/* Notifications to the kernel, for steps of the daemon's main thread. */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "proxy.h"
#include "reply.h"
#include "server.h"

int daemon_notify_inode(unsigned int path)
{
	memfs_ino ino = path < PATH_OUT ? memfs_resolve(path_table[path]) : 0;
	int ret;

	if (proxy_active())
		return -EOPNOTSUPP; /* the server's node ids are its own */
	if (!ino)
		return -ENOENT;
	ret = fuse_lowlevel_notify_inval_inode(daemon_self.session, ino, 0, 0);
	return ret < 0 ? ret : reply_notify_result();
}

int daemon_notify_entry(unsigned int path)
{
	const char *name, *whole = path < PATH_OUT ? path_table[path] : NULL;
	char parent[64];
	memfs_ino ino;
	int ret;

	if (!whole || path == PATH_ROOT)
		return -EINVAL;
	name = strrchr(whole, '/');
	name = name ? name + 1 : whole;
	snprintf(parent, sizeof(parent), "%.*s",
		 (int)(name == whole ? 0 : name - whole - 1), whole);
	ino = memfs_resolve(parent);
	if (proxy_active())
		return -EOPNOTSUPP; /* the server's node ids are its own */
	if (!ino)
		return -ENOENT;
	ret = fuse_lowlevel_notify_inval_entry(daemon_self.session, ino, name,
					       strlen(name));
	return ret < 0 ? ret : reply_notify_result();
}
