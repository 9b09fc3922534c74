/* SPDX-License-Identifier: MIT */
/* shortfuse report: the page of a campaign, or the reports of a qualification. */

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "commands.h"
#include "fuzzer/qualify/judge.h"
#include "fuzzer/qualify/store.h"
#include "fuzzer/report/report.h"

#define FORMATS_MAX 8

enum { OPT_FORMAT = 256, OPT_KNOWN = 300 };

static const struct argp_option options[] = {
	{"html", 'o', "FILE", 0,
	 "the page (default: DIR/report.html), - is the standard output", 0},
	{"ktap", OPT_FORMAT, "FILE", 0, "of a qualification:", 1},
	{"junit", OPT_FORMAT + 1, "FILE", 0, NULL, 1},
	{"kcidb", OPT_FORMAT + 2, "FILE", 0, NULL, 1},
	{"json", OPT_FORMAT + 3, "FILE", 0, NULL, 1},
	{"known", OPT_KNOWN, "FILE", 0, "known issues, as for qualify", 1},
	{0},
};

struct arguments {
	const char *dir, *html, *known, *formats[FORMATS_MAX];
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'o':
		a->html = arg;
		return 0;
	case OPT_KNOWN:
		a->known = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (a->dir)
			argp_error(state, "'%s': one folder at a time", arg);
		a->dir = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which campaign? DIR is missing");
		return 0;
	default:
		if (key < OPT_FORMAT || key >= OPT_FORMAT + FORMATS_MAX)
			return ARGP_ERR_UNKNOWN;
		a->formats[key - OPT_FORMAT] = arg;
		return 0;
	}
}

static int complain(const char *what, const char *why, int status)
{
	fprintf(stderr, "shortfuse: %s: %s\n", what, why);
	return status;
}

static int report_one(const struct report *report, const struct report_format *format,
		      const char *path)
{
	int ret = report_to_file(report, format, path);

	if (ret < 0)
		return complain(path, strerror(-ret), EXIT_INFRA);
	if (strcmp(path, "-"))
		fprintf(stderr, "%s: %s\n", path, format->help);
	return 0;
}

static int write_campaign(const struct arguments *a, const char *page)
{
	int ret;

	for (unsigned int i = 0; i < FORMATS_MAX; i++)
		if (a->formats[i])
			return complain(a->dir, "a campaign has a page only (--html)",
					EXIT_USAGE);
	ret = report_campaign(a->dir, page);
	if (ret < 0)
		return complain(page, strerror(-ret), EXIT_INFRA);
	if (strcmp(page, "-"))
		fprintf(stderr, "%s: the campaign's page\n", page);
	return 0;
}

static int report_qualification(const struct arguments *a, int dir_fd, const char *page)
{
	static struct known known;
	struct judge judge = {.known = &known};
	struct qualification q;
	struct report report = {.q = &q, .dir_fd = dir_fd};
	time_t now = time(NULL);
	struct tm tm;
	char err[300];
	int status = 0;

	if (known_load(a->known, &known, err) < 0)
		return complain(a->known, err, EXIT_USAGE);

	qualification_init(&q);
	strftime(judge.today, sizeof(judge.today), "%Y-%m-%d", gmtime_r(&now, &tm));
	if (!status && store_read(dir_fd, &q, err) < 0)
		status = complain(a->dir, err, EXIT_USAGE);
	if (!status && judge_all(&q, &judge) < 0)
		status = complain(a->dir, "out of memory", EXIT_INFRA);
	for (unsigned int i = 0; report_formats[i].option && !status; i++) {
		const char *path =
			strcmp(report_formats[i].option, "html") ? a->formats[i] : page;

		if (path)
			status = report_one(&report, &report_formats[i], path);
	}
	qualification_release(&q);
	return status;
}

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"DIR",
		"Write the page of a campaign's folder (progress, findings, evidence) or "
		"of a "
		"qualification's.\v"
		"Exit status: 0 written, 2 no such folder, 3 it could not be written.",
		NULL,
		NULL,
		NULL};
	struct arguments a = {0};
	char page[PATH_MAX];
	int fd, status;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	fd = open(a.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return complain(a.dir, strerror(errno), EXIT_USAGE);
	snprintf(page, sizeof(page), "%.4000s/report.html", a.dir);
	if (a.html)
		snprintf(page, sizeof(page), "%.4000s", a.html);
	if (!faccessat(fd, STORE_FILE, F_OK, 0))
		status = report_qualification(&a, fd, page);
	else if (!faccessat(fd, "campaign.json", F_OK, 0))
		status = write_campaign(&a, page);
	else
		status = complain(a.dir, "neither a campaign nor a qualification",
				  EXIT_USAGE);
	close(fd);
	return status;
}
