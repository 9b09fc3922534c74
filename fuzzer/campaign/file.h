/* SPDX-License-Identifier: MIT */
/*
 * Whole files in a folder: written so that a reader, or a crash, never sees half of one, and on the disk when the
 * call returns: after a power cut there is the old file or the new one.
 */
#ifndef SF_FILE_H
#define SF_FILE_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Writes a temporary file beside it, then rename(2)s it over name. 0 or -errno (-ENOSPC
 * when the disk is full); the old file stays as it was on failure and the temporary one
 * is removed.
 */
int file_write(int dir_fd, const char *name, const void *data, size_t len);
/* The same with printf's arguments. */
int file_printf(int dir_fd, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* malloc()ed contents and a NUL. 0, -EFBIG beyond max bytes, or -errno. */
int file_read(int dir_fd, const char *name, size_t max, char **ret_data, size_t *ret_len);
/* Appends one line in one write(2), behind the end of a line that was torn. 0 or -errno. */
int file_append(int dir_fd, const char *name, const char *line);
/* Names that were made, renamed or removed in it are on the disk. 0 or -errno. */
int file_sync_dir(int dir_fd);
/* The folder, opened; made with all that lead to it. >= 0 or -errno. */
int file_make_dir(int dir_fd, const char *path);
/* Removes the folder and the files and folders in it. 0 or -errno. */
int file_remove_tree(int dir_fd, const char *name);

#endif
