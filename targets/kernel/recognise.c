/* SPDX-License-Identifier: MIT */
/* Tells what kind of kernel a file is, for which architecture, and of which release. */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

/* Documentation/arch/x86/boot.rst */
#define X86_MAGIC	0x202 /* "HdrS" */
#define X86_VERSION	0x206
#define X86_KVER	0x20e /* offset of the version string, less 0x200 */
#define X86_XLOADFLAGS	0x236
#define X86_SETUP_SECTS 0x1f1
#define X86_SYSSIZE	0x1f4 /* of the protected-mode part, in units of 16 bytes */
#define XLF_KERNEL_64	1

struct file {
	const char *path;
	const uint8_t *data;
	size_t len;
};

static uint32_t le(const struct file *f, size_t at, unsigned int bytes)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < bytes && at + i < f->len; i++)
		value |= (uint32_t)f->data[at + i] << 8 * i;
	return value;
}

static void copy_word(const struct file *f, size_t at, char *out)
{
	size_t n = 0;

	while (n < 99 && at + n < f->len && f->data[at + n] > ' ' &&
	       f->data[at + n] < 0x7f) {
		out[n] = (char)f->data[at + n];
		n++;
	}
	out[n] = '\0';
}

static int bzimage(const struct file *f, char *release, char *err)
{
	size_t setup = le(f, X86_SETUP_SECTS, 1);
	uint64_t whole =
		(setup ? setup + 1 : 5) * 512 + (uint64_t)le(f, X86_SYSSIZE, 4) * 16;

	if (le(f, X86_VERSION, 2) < 0x020c ||
	    !(le(f, X86_XLOADFLAGS, 2) & XLF_KERNEL_64)) {
		snprintf(err, 300, "%.200s: a 32-bit kernel; a 64-bit one is needed",
			 f->path);
		return -ENOEXEC;
	}
	if (f->len < whole) {
		snprintf(err, 300, "%.200s: truncated: %zu bytes of %llu", f->path,
			 f->len, (unsigned long long)whole);
		return -EBADMSG;
	}
	copy_word(f, 0x200 + le(f, X86_KVER, 2), release);
	return KIND_BZIMAGE;
}

/* vmlinux and UML are ELF files; both have "Linux version RELEASE " in them. */
static int elf(const struct file *f, char *release, char *err)
{
	static const char banner[] = "Linux version ", uml[] = "make_uml_dir";
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)f->data;
	const uint8_t *at = memmem(f->data, f->len, banner, sizeof(banner) - 1);

	if (f->len < sizeof(*eh) || eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_machine != EM_X86_64) {
		snprintf(err, 300, "%.200s: not for x86-64 (ELF machine %u)", f->path,
			 f->len < sizeof(*eh) ? 0 : eh->e_machine);
		return -ENOEXEC;
	}
	if (!at) {
		snprintf(err, 300, "%.200s: an ELF file, but no kernel", f->path);
		return -ENOEXEC;
	}
	copy_word(f, (size_t)(at - f->data) + sizeof(banner) - 1, release);
	return memmem(f->data, f->len, uml, sizeof(uml) - 1) ? KIND_UML : KIND_VMLINUX;
}

static int recognise(const struct file *f, char *release, char *err)
{
	if (f->len >= 4 && !memcmp(f->data, ELFMAG, SELFMAG))
		return elf(f, release, err);
	if (f->len > X86_XLOADFLAGS + 2 && !memcmp(f->data + X86_MAGIC, "HdrS", 4))
		return bzimage(f, release, err);
	/* Documentation/arch/arm64/booting.rst and arch/riscv/boot-image-header.rst */
	if (f->len > 64 && !memcmp(f->data + 0x38, "ARM\x64", 4))
		snprintf(err, 300, "%.200s: a kernel for arm64; one for x86-64 is needed",
			 f->path);
	else if (f->len > 64 && !memcmp(f->data + 0x38, "RSC\x05", 4))
		snprintf(err, 300,
			 "%.200s: a kernel for RISC-V; one for x86-64 is needed",
			 f->path);
	else
		snprintf(err, 300, "%.200s: neither a bzImage, a vmlinux nor a .deb",
			 f->path);
	return -ENOEXEC;
}

/* Maps the whole file. 0 or -errno; unmap data if it is not NULL. */
static int map_file(const char *path, struct file *f)
{
	void *data = MAP_FAILED;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		ret = fd < 0 ? -errno : -EISDIR;
		if (fd >= 0)
			close(fd);
		return ret;
	}
	if (st.st_size)
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return -ENODATA;
	*f = (struct file){path, data, (size_t)st.st_size};
	return 0;
}

int image_recognise(const char *path, char *release, char *err)
{
	struct file f;
	int ret = map_file(path, &f);

	release[0] = '\0';
	if (ret < 0) {
		snprintf(err, 300, "%.200s: %s", path, strerror(-ret));
		return ret;
	}
	ret = recognise(&f, release, err);
	munmap((void *)f.data, f.len);
	return ret;
}

bool image_has_text(const char *path, const char *text)
{
	struct file f;
	bool found;

	if (map_file(path, &f) < 0)
		return false;
	found = memmem(f.data, f.len, text, strlen(text)) != NULL;
	munmap((void *)f.data, f.len);
	return found;
}
