/* SPDX-License-Identifier: MIT */
/* Unpacks the kernel and its modules from a Debian package. */

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deb.h"

/* The inner archive reads from the member data.tar.* of the outer one. */
struct inner {
	struct archive *outer;
	char buf[65536];
};

static la_ssize_t read_inner(struct archive *archive, void *ctx, const void **ret_buf)
{
	struct inner *inner = ctx;
	la_ssize_t n = archive_read_data(inner->outer, inner->buf, sizeof(inner->buf));

	if (n < 0)
		archive_set_error(archive, EIO, "%s", archive_error_string(inner->outer));
	*ret_buf = inner->buf;
	return n;
}

/* The path below dest: "boot/..." or "lib/modules/...", NULL for everything else. */
static const char *wanted(const char *path)
{
	if (!strncmp(path, "./", 2))
		path += 2;
	if (!strncmp(path, "usr/lib/modules/", 16))
		path += 4;
	return !strncmp(path, "boot/", 5) || !strncmp(path, "lib/modules/", 12) ? path
										: NULL;
}

static int unpack_tar(struct archive *tar, const char *dest)
{
	struct archive *disk = archive_write_disk_new();
	struct archive_entry *entry;
	int ret = ARCHIVE_FATAL;

	if (!disk)
		return ret;
	archive_write_disk_set_options(disk, ARCHIVE_EXTRACT_SECURE_NODOTDOT |
						     ARCHIVE_EXTRACT_SECURE_SYMLINKS);
	while ((ret = archive_read_next_header(tar, &entry)) == ARCHIVE_OK) {
		const char *below = wanted(archive_entry_pathname(entry));
		char path[4096];

		if (!below || archive_entry_filetype(entry) != AE_IFREG)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dest, below);
		archive_entry_set_pathname(entry, path);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_hardlink(entry, NULL);
		ret = archive_read_extract2(tar, entry, disk);
		if (ret < ARCHIVE_WARN)
			break;
	}
	archive_write_free(disk);
	return ret;
}

static int unpack_data(struct archive *outer, const char *dest, const char *path,
		       char *err)
{
	struct inner *inner = malloc(sizeof(*inner));
	struct archive *tar = archive_read_new();
	int ret = ARCHIVE_FATAL;

	if (inner && tar) {
		inner->outer = outer;
		archive_read_support_filter_all(tar);
		archive_read_support_format_tar(tar);
		ret = archive_read_open(tar, inner, NULL, read_inner, NULL);
		if (ret == ARCHIVE_OK)
			ret = unpack_tar(tar, dest);
		if (ret != ARCHIVE_EOF)
			snprintf(err, 300, "%.150s: damaged or truncated package: %.100s",
				 path,
				 archive_error_string(tar) ? archive_error_string(tar)
							   : "?");
	}
	archive_read_free(tar);
	free(inner);
	return ret == ARCHIVE_EOF ? 0 : -EBADMSG;
}

static int find_data(struct archive *outer, const char *dest, const char *path, char *err)
{
	struct archive_entry *entry;

	while (archive_read_next_header(outer, &entry) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(entry);

		if (name && !strncmp(name, "data.tar", 8))
			return unpack_data(outer, dest, path, err);
		snprintf(err, 300, "%.200s: a package without data", path);
	}
	return -EBADMSG;
}

/* An .rpm is a header and a compressed cpio, which libarchive reads as one. */
static int rpm_unpack(const char *path, const char *dest, char *err)
{
	struct archive *cpio = archive_read_new();
	int ret = ARCHIVE_FATAL;

	if (!cpio)
		return -ENOMEM;
	archive_read_support_filter_all(cpio);
	archive_read_support_format_cpio(cpio);
	if (archive_read_open_filename(cpio, path, 65536) == ARCHIVE_OK)
		ret = unpack_tar(cpio, dest);
	if (ret != ARCHIVE_EOF)
		snprintf(err, 300, "%.150s: not an RPM package, or a damaged one: %.100s",
			 path,
			 archive_error_string(cpio) ? archive_error_string(cpio) : "?");
	archive_read_free(cpio);
	return ret == ARCHIVE_EOF ? 0 : -EBADMSG;
}

int deb_unpack(const char *path, const char *dest, char *err)
{
	size_t len = strlen(path);
	struct archive *outer;
	int ret = -EBADMSG;

	if (len > 4 && !strcmp(path + len - 4, ".rpm"))
		return rpm_unpack(path, dest, err);
	outer = archive_read_new();
	if (!outer)
		return -ENOMEM;
	snprintf(err, 300, "%.200s: not a Debian package", path);
	archive_read_support_format_ar(outer);
	if (access(path, R_OK) < 0) {
		ret = -errno;
		snprintf(err, 300, "%.200s: %s", path, strerror(errno));
	} else if (archive_read_open_filename(outer, path, 65536) == ARCHIVE_OK) {
		ret = find_data(outer, dest, path, err);
	}
	archive_read_free(outer);
	return ret;
}
