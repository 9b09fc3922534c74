/* SPDX-License-Identifier: MIT */
/* Takes the properties of a guest off the text that names a target. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

static int number(const char *text, long min, long max, int *ret)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < min || value > max)
		return -EINVAL;
	*ret = (int)value;
	return 0;
}

/* 1 if it is no property at all. */
static int take(const char *property, struct target_options *opt, char *err)
{
	if (!strcmp(property, "virtual-time")) {
		opt->virtual_time = true;
		return 0;
	}
	if (!strncmp(property, "cpus=", 5)) {
		if (!number(property + 5, 1, 64, &opt->cpus))
			return 0;
		snprintf(err, 300, "'%.80s': 1 to 64 CPUs", property);
		return -EINVAL;
	}
	if (!strncmp(property, "memory=", 7)) {
		if (!number(property + 7, 64, 65536, &opt->memory_mb))
			return 0;
		snprintf(err, 300, "'%.80s': 64 to 65536 MB", property);
		return -EINVAL;
	}
	return 1;
}

int spec_parse(const struct target_options *opt, char buf[SPEC_MAX],
	       struct target_options *ret, char *err)
{
	int taken = 0;
	char *plus;

	if (strlen(opt->spec) >= SPEC_MAX) {
		snprintf(err, 300, "target '%.80s...': too long", opt->spec);
		return -EINVAL;
	}
	*ret = *opt;
	ret->spec = strcpy(buf, opt->spec);
	/* A command may hold anything, so it is the last one. The caller's text outlives buf. */
	plus = strstr(buf, SPEC_SERVER);
	if (plus) {
		*plus = '\0';
		ret->server = opt->spec + (plus - buf) + strlen(SPEC_SERVER);
	}
	while (!taken && (plus = strrchr(buf, '+'))) {
		taken = take(plus + 1, ret, err);
		if (!taken)
			*plus = '\0';
	}
	return taken < 0 ? taken : 0;
}

char *spec_with(const char *spec, const char *property)
{
	char *text;

	return asprintf(&text, "%s+%s", spec, property) < 0 ? NULL : text;
}

char *spec_with_server(const char *spec, const char *command)
{
	char *text;

	return asprintf(&text, "%s" SPEC_SERVER "%s", spec, command) < 0 ? NULL : text;
}
