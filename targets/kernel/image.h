/* SPDX-License-Identifier: MIT */
/*
 * A kernel to boot: its file, and the modules that a guest needs, decompressed, in loading order.
 *
 * What is unpacked and decompressed is kept in the cache folder, by the input's path, size and time.
 */
#ifndef SF_IMAGE_H
#define SF_IMAGE_H

#include <stdbool.h>

#include "modules.h"

enum image_console {
	IMAGE_SERIAL,
	IMAGE_VIRTIO,
	IMAGE_UNKNOWN
}; /* what carries the control channel */

struct image {
	char kernel[4096];
	char release[100];
	struct module_list modules;
	enum image_console console;
};

/*
 * For QEMU. spec: "running"; a name of "shortfuse kernel list"; one or more Debian packages, separated by commas;
 * or a bzImage or vmlinux, optionally followed by a comma and its folder lib/modules/RELEASE.
 * 0, or -errno with one line in err[300] that says what is wrong with which file.
 */
int image_open_qemu(const char *spec, struct image *ret, char *err);

/* For UML. spec: NULL (Debian's user-mode-linux), or IMAGE[,MODULES]. */
int image_open_uml(const char *spec, struct image *ret, char *err);

void image_release(struct image *image);

enum image_kind { KIND_BZIMAGE, KIND_VMLINUX, KIND_UML };

/* What the file is; its release goes to release[100] ("" where it cannot be told). >= 0, or -errno with err[300]. */
int image_recognise(const char *path, char *release, char *err);

/* True if the file has these bytes in it: a cheap look at what a kernel was built with. */
bool image_has_text(const char *path, const char *text);

#endif
