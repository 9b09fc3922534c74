/* SPDX-License-Identifier: MIT */
/* The table of report formats, and the one that is the store's own. */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "fuzzer/qualify/store.h"
#include "report.h"

const struct report_format report_formats[] = {
	{"ktap", "kernel test anything protocol", report_ktap},
	{"junit", "JUnit XML", report_junit},
	{"kcidb", "KernelCI's JSON, schema 5.3", report_kcidb},
	{"json", "everything, as JSON", report_json},
	{"html", "one page for a person", report_html},
	{"matrix", "scenarios and kernels, as Markdown", report_kernel_matrix},
	{NULL, NULL, NULL},
};

int report_json(const struct report *report, FILE *out)
{
	json_t *root = store_json(report->q);
	int ret = root ? json_dumpf(root, out, JSON_INDENT(1)) : -1;

	json_decref(root);
	fputc('\n', out);
	return ret ? -ENOMEM : 0;
}

/* file_write() wants a folder and a name: its temporary file is beside the target. */
static int write_beside(const char *path, const char *text, size_t len)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? strndup(path, slash == path ? 1 : slash - path) : strdup(".");
	int fd = folder ? file_make_dir(AT_FDCWD, folder) : -ENOMEM, ret;

	free(folder);
	if (fd < 0)
		return fd;
	ret = file_write(fd, slash ? slash + 1 : path, text, len);
	close(fd);
	return ret;
}

int report_text_to_file(const char *path, const char *text, size_t len)
{
	if (strcmp(path, "-"))
		return write_beside(path, text, len);
	return fwrite(text, 1, len, stdout) == len && !fflush(stdout) ? 0 : -EIO;
}

int report_to_file(const struct report *report, const struct report_format *format,
		   const char *path)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int ret = out ? format->write(report, out) : -ENOMEM;

	if (out && fclose(out) && !ret)
		ret = -ENOMEM;
	if (!ret)
		ret = report_text_to_file(path, text, len);
	free(text);
	return ret;
}

static int campaign_page(const struct report *report, FILE *out)
{
	return report_campaign_html(report->dir_fd, out);
}

int report_campaign(const char *dir, const char *path)
{
	static const struct report_format format = {"html", "the campaign's page",
						    campaign_page};
	struct report report = {.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	int ret = report.dir_fd < 0 ? -errno : report_to_file(&report, &format, path);

	if (report.dir_fd >= 0)
		close(report.dir_fd);
	return ret;
}
