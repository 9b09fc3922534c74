/* SPDX-License-Identifier: MIT */
/* The initramfs of a guest: /init (the executor), /modules/NAME.ko, /modules.list, /dev/console. */
#ifndef SF_INITRAMFS_H
#define SF_INITRAMFS_H

#include <stddef.h>

/*
 * Writes a newc cpio archive (Documentation/driver-api/early-userspace/buffer-format.rst) into a new
 * memfd. modules: paths of decompressed .ko files in loading order. The descriptor, or -errno with err[300].
 */
int initramfs_make(const char *init, char *const *modules, size_t n_modules, char *err);

#endif
