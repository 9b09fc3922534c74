/* SPDX-License-Identifier: MIT */
/* Finds kernel modules and what they depend on. */

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules.h"

#define MAX_FILE (64u << 20)
#define MAX_DEEP 16

void module_list_release(struct module_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->path[i]);
	free(list->path);
	*list = (struct module_list){0};
}

int modules_read_file(const char *path, void **ret_data, size_t *ret_len)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	size_t len = 0, size = 1 << 18;
	char *data = malloc(size + 1), *more;
	la_ssize_t n = -1;

	if (archive && data && archive_read_support_filter_all(archive) == ARCHIVE_OK &&
	    archive_read_support_format_raw(archive) == ARCHIVE_OK &&
	    archive_read_support_format_empty(archive) == ARCHIVE_OK &&
	    archive_read_open_filename(archive, path, 65536) == ARCHIVE_OK &&
	    archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		while ((n = archive_read_data(archive, data + len, size - len)) > 0) {
			len += (size_t)n;
			if (len < size)
				continue;
			more = size < MAX_FILE ? realloc(data, size * 2 + 1) : NULL;
			n = more ? 0 : -1;
			if (!more)
				break;
			data = more;
			size *= 2;
		}
	}
	archive_read_free(archive);
	if (n < 0) {
		free(data);
		return -EIO;
	}
	data[len] = '\0';
	*ret_data = data;
	*ret_len = len;
	return 0;
}

/* "virtio-pci" and "virtio_pci" are the same module. True if the file's name is NAME.ko[.suffix]. */
static bool is_module(const char *file, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if ((file[i] == '-' ? '_' : file[i]) != (name[i] == '-' ? '_' : name[i]))
			return false;
	return !strncmp(file + len, ".ko", 3) && (!file[len + 3] || file[len + 3] == '.');
}

static bool is_builtin(const char *tree, const char *name)
{
	char path[4096], line[512];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/modules.builtin", tree);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		char *slash = strrchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		found = is_module(slash ? slash + 1 : line, name);
	}
	if (file)
		fclose(file);
	return found;
}

static int find_module(const char *tree, const char *name, char *buf, size_t size)
{
	char *const paths[] = {(char *)tree, NULL};
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	int ret = -ENOENT;
	FTSENT *ent;

	if (!fts)
		return -errno;
	while (ret && (ent = fts_read(fts))) {
		if (ent->fts_info != FTS_F || !is_module(ent->fts_name, name))
			continue;
		snprintf(buf, size, "%s", ent->fts_path);
		ret = 0;
	}
	fts_close(fts);
	return ret;
}

/* The value of "depends=" in .modinfo, NULL if it is no 64-bit module. Points into data. */
static const char *module_depends(const char *data, size_t len)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)data;
	const Elf64_Shdr *sh, *names;

	if (len < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_shoff > len ||
	    (len - eh->e_shoff) / sizeof(*sh) < eh->e_shnum ||
	    eh->e_shstrndx >= eh->e_shnum)
		return NULL;
	sh = (const Elf64_Shdr *)(data + eh->e_shoff);
	names = &sh[eh->e_shstrndx];
	for (unsigned int i = 0; i < eh->e_shnum; i++) {
		const char *p, *end;

		if (names->sh_offset > len || sh[i].sh_name > len - names->sh_offset ||
		    strcmp(data + names->sh_offset + sh[i].sh_name, ".modinfo") != 0)
			continue;
		if (sh[i].sh_offset > len || sh[i].sh_size > len - sh[i].sh_offset)
			return NULL;
		p = data + sh[i].sh_offset;
		end = p + sh[i].sh_size;
		for (; p < end; p += strlen(p) + 1)
			if (!strncmp(p, "depends=", 8))
				return p + 8;
	}
	return "";
}

static bool has_module(const struct module_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (is_module(strrchr(list->path[i], '/') + 1, name))
			return true;
	return false;
}

static int store(const char *out, const char *name, const void *data, size_t len,
		 struct module_list *list)
{
	char **more = realloc(list->path, (list->n + 1) * sizeof(*more));
	char path[4096];
	FILE *file;
	bool ok;

	if (!more)
		return -ENOMEM;
	list->path = more;
	snprintf(path, sizeof(path), "%s/%s.ko", out, name);
	file = fopen(path, "we");
	if (!file)
		return -errno;
	ok = fwrite(data, 1, len, file) == len;
	if (fclose(file) || !ok)
		return -EIO;
	list->path[list->n] = strdup(path);
	return list->path[list->n] ? (list->n++, 0) : -ENOMEM;
}

static int add(const char *tree, const char *name, const char *out,
	       struct module_list *list, int depth, char *err)
{
	char path[4096], *save = NULL, *depends;
	const char *text;
	void *data;
	size_t len;
	int ret;

	if (has_module(list, name))
		return 0;
	ret = find_module(tree, name, path, sizeof(path));
	if (ret == -ENOENT && is_builtin(tree, name))
		return 1;
	if (ret < 0)
		return ret;
	ret = modules_read_file(path, &data, &len);
	text = ret ? NULL : module_depends(data, len);
	if (!text || depth > MAX_DEEP) {
		snprintf(err, 300, "%.250s: not a kernel module that can be read", path);
		if (!ret)
			free(data);
		return -ENOEXEC;
	}
	depends = strdup(text);
	for (char *one = depends ? strtok_r(depends, ",", &save) : NULL; one && ret >= 0;
	     one = strtok_r(NULL, ",", &save)) {
		ret = add(tree, one, out, list, depth + 1, err);
		if (ret == -ENOENT)
			snprintf(err, 300,
				 "module %.50s needs module %.50s, which is missing "
				 "below %.120s",
				 name, one, tree);
	}
	free(depends);
	if (ret >= 0)
		ret = store(out, name, data, len, list);
	free(data);
	return ret == -ENOENT ? -ENOPKG : ret;
}

int modules_add(const char *tree, const char *name, const char *out,
		struct module_list *list, char *err)
{
	return add(tree, name, out, list, 0, err);
}
