/* SPDX-License-Identifier: MIT */
/* The frame of the HTML pages and the evidence in them. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "fuzzer/util/duration.h"
#include "fuzzer/finding/outcome.h"
#include "markup.h"
#include "page.h"
#include "page_style.h"

#define EVIDENCE_MAX (4u << 20)

void page_begin(FILE *out, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	      "'none'; "
	      "style-src 'unsafe-inline'\">\n<title>",
	      out);
	markup_xml(out, title);
	fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n",
		page_style);
}

void page_end(FILE *out)
{
	fputs("</main>\n</body>\n</html>\n", out);
}

void page_span(FILE *out, double seconds)
{
	char span[32];

	if (seconds < 1)
		fprintf(out, "%.0f ms", seconds * 1000);
	else if (seconds < 60)
		fprintf(out, "%.1f s", seconds);
	else {
		duration_format((long)seconds, span);
		fputs(span, out);
	}
}

static char *read_file(int fd, const char *name)
{
	char *text;
	size_t len;

	return file_read(fd, name, EVIDENCE_MAX, &text, &len) < 0 ? NULL : text;
}

static void folded(FILE *out, const char *title, const char *text, bool open)
{
	fprintf(out, "<details%s><summary>%s</summary><pre>", open ? " open" : "", title);
	markup_xml(out, text);
	fputs("</pre></details>\n", out);
}

static void reproducer_file(FILE *out, int fd, const char *otherwise)
{
	char *text = read_file(fd, "repro.c");

	if (text || otherwise)
		folded(out, "C reproducer", text ? text : otherwise, false);
	free(text);
}

static void text_file(FILE *out, int fd, const char *name, const char *title)
{
	char *text = read_file(fd, name);

	if (text && text[0])
		folded(out, title, text, false);
	free(text);
}

/* dot(1) escapes the labels; the prolog goes, and whatever could run does not come in. */
static void graph(FILE *out, int fd)
{
	char *text = read_file(fd, "graph.svg"),
	     *svg = text ? strstr(text, "<svg") : NULL;

	if (svg && !strcasestr(svg, "<script") && !strcasestr(svg, "javascript:") &&
	    !strcasestr(svg, "<foreignObject"))
		fprintf(out,
			"<details open><summary>Who waits for whom</summary>"
			"<figure class=\"graph\">%s</figure></details>\n",
			svg);
	free(text);
}

/* The same page of text that "shortfuse run" prints. */
static void snapshot(FILE *out, int fd)
{
	struct result res = {.json = read_file(fd, "snapshot.json")};
	struct scenario scn;
	char *text = NULL;
	size_t len = 0;
	FILE *mem = res.json ? open_memstream(&text, &len) : NULL;

	if (mem) {
		res.json_len = strlen(res.json);
		scenario_init(&scn);
		outcome_print_text(mem, &scn, &res);
		fclose(mem);
		if (text && text[0])
			folded(out, "Reason, tasks and stacks", text, false);
		free(text);
	}
	free(res.json);
}

bool page_evidence(FILE *out, int dir_fd, const char *folder, const char *title,
		   const char *reproducer)
{
	int fd = dir_fd < 0 ? -1
			    : openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return false;
	fputs("<details><summary>", out);
	markup_xml(out, title);
	fputs("</summary>\n", out);
	graph(out, fd);
	snapshot(out, fd);
	text_file(out, fd, "scenario.txt", "Scenario");
	reproducer_file(out, fd, reproducer);
	text_file(out, fd, "kmsg.txt", "Kernel log");
	fputs("</details>\n", out);
	close(fd);
	return true;
}
