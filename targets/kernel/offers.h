/* SPDX-License-Identifier: MIT */
/*
 * The kernels that the archive has: release, suite, packages, size. From 6.19 on a kernel is split into linux-image- (empty),
 * linux-binary- (vmlinuz), linux-modules- and linux-base- (config): all of them, or it cannot be booted.
 */
#ifndef SF_OFFERS_H
#define SF_OFFERS_H

#include <stdbool.h>
#include <stddef.h>

struct offer {
	char release[80];      /* "6.12.117+deb13-cloud-amd64" */
	char suite[40];	       /* "trixie-backports" */
	char version[80];      /* of the package; "" until known */
	unsigned long long kb; /* to download, all packages */
	bool split;	       /* linux-binary- and others */
	bool whole;	       /* every package of it is there */
};

struct offers {
	size_t n;
	struct offer *offer; /* oldest first */
};

/*
 * From apt: `names`, the output of pkgnames; `madison`, lines "package | version | URI suite/component ..."; `show`, stanzas
 * with Package, Version and Size. Only flavour cloud-amd64, without debug symbols. 0 or -ENOMEM.
 */
int offers_parse(const char *names, const char *madison, const char *show,
		 struct offers *ret);
void offers_release(struct offers *offers);

/* Asks apt; the lists must be there. 0 or -errno with err[300]. */
int offers_load(struct offers *ret, char *err);

/*
 * By name: "newest" (no release candidate), a series or the beginning of a release ("6.12", "6.12.117", "5.10.0-30"), a suite, a
 * package linux-image-*. The newest whole one of them, else one that is not whole. NULL: none.
 */
const struct offer *offers_choose(const struct offers *offers, const char *name);

/* Whether a release is of this series: it begins with the name, and a number ends there. */
bool release_is_of(const char *release, const char *name);

/* The release within "linux-image-RELEASE" or "linux-binary-RELEASE", NULL: another package. */
const char *package_release(const char *package);

#endif
