/* SPDX-License-Identifier: MIT */
/* Reads Debian packages: an ar archive with a compressed tar archive in it, deb(5). */
#ifndef SF_DEB_H
#define SF_DEB_H

/*
 * Unpacks what a kernel is made of, boot/ and lib/modules/ (also below usr/), into the folder dest. 0; -errno with one line in err[300]
 * for a truncated package or one that is no package.
 */
int deb_unpack(const char *path, const char *dest, char *err);

#endif
