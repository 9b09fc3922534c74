/* SPDX-License-Identifier: MIT */
/* The caller's ids in the executor's pid namespace. */

#include "harness/util/sys.h"
#include "ids.h"

/* Not strtol(3): its locale tables are three page faults in every new process. */
static int32_t number(const char *text)
{
	int32_t n = 0;

	while (*text >= '0' && *text <= '9')
		n = n * 10 + (*text++ - '0');
	return n;
}

void outer_ids(int32_t *ret_pid, int32_t *ret_tid)
{
	char link[64]; /* "PID/task/TID" */
	long len = sys_call(SYS_readlink, "/proc/thread-self", link, sizeof(link) - 1);

	link[len > 0 ? len : 0] = '\0';
	if (len > 0) {
		*ret_pid = number(link);
		while (link[len - 1] >= '0' && link[len - 1] <= '9')
			len--;
		*ret_tid = number(link + len);
	} else {
		*ret_pid = (int32_t)sys_call(SYS_getpid);
		*ret_tid = (int32_t)sys_call(SYS_gettid);
	}
}
