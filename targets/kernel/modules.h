/* SPDX-License-Identifier: MIT */
/*
 * Kernel modules of a tree lib/modules/RELEASE: which files a set of modules needs, in loading order.
 *
 * Packages carry no modules.dep (depmod makes it when they are installed), so the dependencies come from
 * "depends=" in each module's section .modinfo. Files may be .ko, .ko.xz, .ko.gz or .ko.zst.
 */
#ifndef SF_MODULES_H
#define SF_MODULES_H

#include <stddef.h>

struct module_list {
	char **path; /* decompressed .ko files in loading order */
	size_t n;
};

void module_list_release(struct module_list *list);

/*
 * Adds the module (a name such as "fuse" or "virtio_pci") and what it needs. Decompressed copies go to the folder out.
 * 0; 1 if it is built in (modules.builtin); -ENOENT if the tree has it not; -errno with err[300] for others.
 */
int modules_add(const char *tree, const char *name, const char *out,
		struct module_list *list, char *err);

/* Decompresses a whole file into malloc()ed memory, with NUL. Plain files too. 0 or -errno. */
int modules_read_file(const char *path, void **ret_data, size_t *ret_len);

#endif
