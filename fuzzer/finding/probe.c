/* SPDX-License-Identifier: MIT */
/* Asks a target for verdicts, through infra trouble and poisoned kernels. */

#include "probe.h"

#include <errno.h>

#define INFRA_TRIES 3

int probe_open(struct probe *probe, const char *spec, char *err)
{
	struct target_options options = {.spec = spec, .cpu = -1};

	*probe = (struct probe){0};
	err[0] = '\0';
	return target_open(&options, &probe->target, err);
}

void probe_close(struct probe *probe)
{
	target_close(probe->target);
	probe->target = NULL;
}

int probe_run(struct probe *probe, const struct scenario *scn, uint32_t flags,
	      struct result *ret_res)
{
	char err[300];
	int ret = 0;

	for (int i = 0; i < INFRA_TRIES; i++) {
		result_init(ret_res);
		ret = target_run(probe->target, scn, flags, ret_res);
		probe->runs++;
		if (ret < 0 || ret_res->verdict == VERDICT_KERNEL || ret_res->poisoned) {
			probe->resets++;
			if (target_reset(probe->target, err) < 0 &&
			    (ret < 0 || ret_res->poisoned)) {
				result_release(ret_res);
				result_init(ret_res);
				return ret < 0 ? ret : -EIO;
			}
		}
		if (!ret && ret_res->verdict != VERDICT_INFRA)
			return 0;
		probe->infra++;
		if (i + 1 < INFRA_TRIES)
			result_release(ret_res);
	}
	return ret;
}
