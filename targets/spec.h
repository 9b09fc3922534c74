/* SPDX-License-Identifier: MIT */
/*
 * The text that names a target, with properties of the guest behind it: BACKEND[:KERNEL][+PROPERTY...], such as
 * "uml+memory=512", "qemu:6.12+cpus=4+memory=1024" or "host+server=bindfs {src} {mnt}". Kernels may have a "+" in their names
 * ("6.12.117+deb12"): only what is a known property is taken off the end.
 */
#ifndef SF_SPEC_H
#define SF_SPEC_H

#include "target.h"

#define SPEC_MAX 8192
/* What is behind it, to the end, is the command of a server under test. */
#define SPEC_SERVER "+server="

/*
 * Copies *opt with what the properties say: cpus=N, memory=MB, virtual-time, server=COMMAND. ret->spec points into buf,
 * where they are cut off, ret->server into opt->spec. 0, or -EINVAL with err[300].
 */
int spec_parse(const struct target_options *opt, char buf[SPEC_MAX],
	       struct target_options *ret, char *err);

/* "TARGET+PROPERTY", for the caller to free; NULL: no memory. */
char *spec_with(const char *spec, const char *property);
/* The same for the property server=COMMAND. */
char *spec_with_server(const char *spec, const char *command);

#endif
