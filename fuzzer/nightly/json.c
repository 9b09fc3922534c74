/* SPDX-License-Identifier: MIT */
/* The JSON files of the nightly folder. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "nightly.h"

#define JSON_MAX (64 << 20)

json_t *nightly_read(int dir_fd, const char *name)
{
	json_t *json;
	char *text;
	size_t len;

	if (file_read(dir_fd, name, JSON_MAX, &text, &len) < 0)
		return NULL;
	json = json_loadb(text, len, 0, NULL);
	free(text);
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

int nightly_write(int dir_fd, const char *name, const json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	const char *slash = strrchr(name, '/');
	int fd = dir_fd, ret = text ? 0 : -ENOMEM;
	char folder[200];

	/* file_write() puts its temporary file beside the name, so it wants the folder itself. */
	if (!ret && slash) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - name), name);
		fd = file_make_dir(dir_fd, folder);
		ret = fd < 0 ? fd : 0;
	}
	if (!ret)
		ret = file_printf(fd, slash ? slash + 1 : name, "%s\n", text);
	if (fd >= 0 && fd != dir_fd)
		close(fd);
	free(text);
	return ret;
}
