/* SPDX-License-Identifier: MIT */
/* The table of target back ends, and the choice among them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "targets/plumbing/executable.h"
#include "spec.h"

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
	const struct target_ops *ops;
	struct target_options own;
	char buf[SPEC_MAX];
	int ret;

	err[0] = '\0';
	ret = spec_parse(opt, buf, &own, err);
	if (ret < 0)
		return ret;
	ops = backend_of(own.spec);
	if (!ops) {
		snprintf(err, 300,
			 "unknown target '%.80s'; expected host, uml[:IMAGE] or "
			 "qemu:KERNEL",
			 own.spec);
		return -EINVAL;
	}
	if (own.virtual_time && ops != &uml_ops) {
		snprintf(err, 300,
			 "'%.80s' has no virtual time: that is a matter of user-mode "
			 "kernels, uml:IMAGE",
			 own.spec);
		return -EINVAL;
	}
	if (own.server && ops != &host_ops) {
		snprintf(err, 300,
			 "a server under test runs on this machine only, --target host: "
			 "a guest has none of its programs");
		return -EINVAL;
	}
	ret = ops->open(&own, ret_target, err);
	if (!ret)
		err[0] = '\0'; /* of an attempt that something else made up for */
	return ret;
}

int target_run(struct target *target, const struct scenario *scn, uint32_t flags,
	       struct result *ret_res)
{
	return target->ops->run(target, scn, flags, ret_res);
}

void target_next(struct target *target, const struct scenario *scn, uint32_t flags)
{
	if (target->ops->next)
		target->ops->next(target, scn, flags);
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
