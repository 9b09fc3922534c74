/* SPDX-License-Identifier: MIT */
/* Tiny kernels, modules and packages, made in place, for the tests of targets/. */
#ifndef SF_KERNEL_SAMPLES_H
#define SF_KERNEL_SAMPLES_H

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	char data[4096];
	size_t len;
};

/* A bzImage header and nothing behind it: 64-bit, with a version string. */
static inline struct sample sample_bzimage(const char *release)
{
	struct sample s = {.len = 2048};

	s.data[0x1f1] = 1;  /* sectors of set-up code */
	s.data[0x1f4] = 64; /* 64 * 16 bytes of kernel: 1024 + 1024 in all */
	memcpy(s.data + 0x202, "HdrS", 4);
	s.data[0x206] = 0x0f;
	s.data[0x207] = 0x02;
	s.data[0x20f] = 0x01; /* the string is at 0x200 + 0x100 */
	s.data[0x236] = 1;
	snprintf(s.data + 0x300, 200, "%s (builder) #1", release);
	return s;
}

/* An ELF file with the sections .modinfo and .shstrtab. */
static inline struct sample sample_module(const char *depends)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	struct sample s = {0};
	Elf64_Ehdr eh = {
		.e_shoff = 512, .e_shnum = 3, .e_shstrndx = 2, .e_machine = EM_X86_64};
	Elf64_Shdr sh[3] = {{0},
			    {.sh_name = 1, .sh_offset = 64},
			    {.sh_name = 10, .sh_offset = 400, .sh_size = sizeof(names)}};

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	sh[1].sh_size = (size_t)snprintf(s.data + 64, 300, "license=GPL%cdepends=%s", 0,
					 depends) +
			1;
	memcpy(s.data, &eh, sizeof(eh));
	memcpy(s.data + 400, names, sizeof(names));
	memcpy(s.data + 512, sh, sizeof(sh));
	s.len = 512 + sizeof(sh);
	return s;
}

static inline void archive_add(struct archive *a, const char *path, const void *data,
			       size_t len)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_mode(entry, AE_IFREG | 0644);
	archive_entry_set_size(entry, (la_int64_t)len);
	archive_write_header(a, entry);
	archive_write_data(a, data, len);
	archive_entry_free(entry);
}

struct member {
	const char *path;
	struct sample sample;
};

/* A package as dpkg-deb makes it: an ar archive of debian-binary and data.tar.xz. */
static inline void sample_deb(const char *path, const struct member *members, size_t n)
{
	static char tar[1 << 20];
	struct archive *a = archive_write_new();
	size_t used = 0;

	archive_write_set_format_ustar(a);
	archive_write_add_filter_xz(a);
	archive_write_open_memory(a, tar, sizeof(tar), &used);
	for (size_t i = 0; i < n; i++)
		archive_add(a, members[i].path, members[i].sample.data,
			    members[i].sample.len);
	archive_write_close(a);
	archive_write_free(a);
	a = archive_write_new();
	archive_write_set_format_ar_svr4(a);
	archive_write_open_filename(a, path);
	archive_add(a, "debian-binary", "2.0\n", 4);
	archive_add(a, "data.tar.xz", tar, used);
	archive_write_close(a);
	archive_write_free(a);
}

#endif
