/* SPDX-License-Identifier: MIT */
/* The table of target back ends. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "target.h"

const struct target_ops *const target_backends[] = {&target_host, NULL};

int target_open(const struct target_options *opt, struct target **ret_target, char *err)
{
	size_t len = strcspn(opt->spec, ":");

	for (const struct target_ops *const *ops = target_backends; *ops; ops++)
		if (strlen((*ops)->name) == len && !strncmp((*ops)->name, opt->spec, len))
			return (*ops)->open(opt, ret_target, err);
	snprintf(err, 300, "no such target; 'shortfuse list targets' names them");
	return -EINVAL;
}

int target_run(struct target *target, const struct scenario *scn, uint32_t flags,
	       struct result *ret_res)
{
	return target->ops->run(target, scn, flags, ret_res);
}

int target_reset(struct target *target, char *err)
{
	return target->ops->reset(target, err);
}

void target_close(struct target *target)
{
	target->ops->close(target);
}
