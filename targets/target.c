/* SPDX-License-Identifier: MIT */
/* The table of target back ends, and the choice among them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "executable.h"

const struct target_ops *const target_backends[] = {&host_ops, &uml_ops, &qemu_ops, NULL};

/* "qemu:6.1" is of back end "qemu". */
static const struct target_ops *backend_of(const char *spec)
{
	size_t len = strcspn(spec, ":");

	for (size_t i = 0; target_backends[i]; i++)
		if (strlen(target_backends[i]->name) == len &&
		    !strncmp(target_backends[i]->name, spec, len))
			return target_backends[i];
	return NULL;
}

int target_open(const struct target_options *opt, struct target **ret_target, char *err)
{
	const struct target_ops *ops = backend_of(opt->spec);
	int ret;

	err[0] = '\0';
	if (ops) {
		ret = ops->open(opt, ret_target, err);
		if (!ret)
			err[0] = '\0'; /* of an attempt that something else made up for */
		return ret;
	}
	snprintf(err, 300,
		 "unknown target '%.80s'; expected host, uml[:IMAGE] or qemu:KERNEL",
		 opt->spec);
	return -EINVAL;
}

int target_run(struct target *target, const struct scenario *scn, uint32_t flags,
	       struct result *ret_res)
{
	return target->ops->run(target, scn, flags, ret_res);
}

int target_reset(struct target *target, char *err)
{
	err[0] = '\0';
	return target->ops->reset(target, err);
}

void target_close(struct target *target)
{
	if (target)
		target->ops->close(target);
}
