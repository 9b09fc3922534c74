/* SPDX-License-Identifier: MIT */
/* The page of a night: what is new on top, then all findings by kernel, and the nights before as a plot. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "fuzzer/report/markup.h"
#include "fuzzer/report/page.h"
#include "fuzzer/report/plot.h"
#include "fuzzer/report/report.h"
#include "nightly.h"

static const char *text(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value ? value : "";
}

static void cell(FILE *out, const char *value)
{
	fputs("<td>", out);
	markup_xml(out, value);
	fputs("</td>", out);
}

/* News first, the rest in the order of the states. */
static void table(const json_t *part, FILE *out)
{
	json_t *rows = json_object_get(part, "rows");

	fputs("<div class=\"wide\"><table><thead><tr><th>what</th><th>finding</th>"
	      "<th>since</th><th>replays</th><th>why</th></tr></thead><tbody>\n",
	      out);
	for (int state = 0; state < NIGHT_STATE_COUNT; state++) {
		for (void *at = json_object_iter(rows); at;
		     at = json_object_iter_next(rows, at)) {
			const json_t *row = json_object_iter_value(at);

			if (strcmp(text(row, "state"), night_state_names[state]))
				continue;
			fprintf(out, "<tr class=\"%s\">",
				night_is_news(state)  ? "bad"
				: state == NIGHT_GONE ? "good"
						      : "");
			cell(out, text(row, "state"));
			cell(out, json_object_iter_key(at));
			cell(out, text(row, "since"));
			fprintf(out, "<td>%lld/%lld</td><td>",
				json_integer_value(json_object_get(row, "same")),
				json_integer_value(json_object_get(row, "runs")));
			markup_xml(out, text(row, "sentence"));
			fputs("<br><span class=\"soft\">", out);
			markup_xml(out, text(row, "reason"));
			fputs("</span></td></tr>\n", out);
		}
	}
	fputs("</tbody></table></div>\n", out);
}

static void part_section(const json_t *part, FILE *out)
{
	fputs("<section><h2>", out);
	markup_xml(out, text(part, "kernel"));
	fputs(" <span class=\"soft\">", out);
	markup_xml(out, text(part, "release"));
	fprintf(out, "</span></h2>\n<p>%lld runs, %lld of them infra</p>\n",
		json_integer_value(json_object_get(part, "runs")),
		json_integer_value(json_object_get(part, "infra")));
	if (text(part, "error")[0]) {
		fputs("<p class=\"bad\">Infrastructure: ", out);
		markup_xml(out, text(part, "error"));
		fputs("</p>\n", out);
	}
	table(part, out);
	fputs("</section>\n", out);
}

/* Sum over the kernels of one night: runs (state NULL), or rows in a state, or all rows there (state ""). */
static double sum(const json_t *night, const char *state)
{
	json_t *kernels = json_object_get(night, "kernels");
	double total = 0;

	for (void *at = json_object_iter(kernels); at;
	     at = json_object_iter_next(kernels, at)) {
		const json_t *kernel = json_object_iter_value(at);
		json_t *states = json_object_get(kernel, "states");

		if (!state) {
			total += json_number_value(json_object_get(kernel, "runs"));
			continue;
		}
		if (state[0]) {
			total += json_number_value(json_object_get(states, state));
			continue;
		}
		for (void *s = json_object_iter(states); s;
		     s = json_object_iter_next(states, s))
			if (strcmp(json_object_iter_key(s),
				   night_state_names[NIGHT_GONE]))
				total += json_number_value(json_object_iter_value(s));
	}
	return total;
}

static int history_plots(const struct nightly *n, FILE *out)
{
	json_t *history = nightly_read(n->dir_fd, "history.json");
	json_t *nights = json_object_get(history, "nights");
	struct series causes[2] = {{.name = "findings there", .steps = true},
				   {.name = "new", .steps = true}};
	struct series runs = {.name = "runs", .steps = true};
	double first = -1;
	int ret = 0;

	for (void *at = json_object_iter(nights); at && !ret;
	     at = json_object_iter_next(nights, at)) {
		const json_t *night = json_object_iter_value(at);
		double x = json_number_value(json_object_get(night, "began"));

		if (first < 0)
			first = x;
		x -= first;
		if (series_add(&causes[0], x, sum(night, "")) ||
		    series_add(&causes[1], x, sum(night, night_state_names[NIGHT_NEW])) ||
		    series_add(&runs, x, sum(night, NULL)))
			ret = -ENOMEM;
	}
	if (!ret && causes[0].n > 1) {
		fputs("<section><h2>The nights so far</h2>\n", out);
		plot_svg(out, "Findings over the nights", causes, 2, 0);
		plot_svg(out, "Runs a night", &runs, 1, 0);
		fputs("</section>\n", out);
	}
	series_release(&causes[0]);
	series_release(&causes[1]);
	series_release(&runs);
	json_decref(history);
	return ret;
}

static int write_page(const struct nightly *n, FILE *out)
{
	json_t *parts = json_object_get(n->night, "kernels");
	char title[100];
	int ret;

	snprintf(title, sizeof(title), "Night of %s", n->stamp);
	page_begin(out, title);
	fprintf(out,
		"<header class=\"verdict %s\"><b>%u new%s</b>\n<h1>%s</h1></header>\n",
		n->news ? "bad" : "good", n->news, n->infra ? ", incomplete" : "", title);
	for (size_t i = 0; i < json_array_size(parts); i++)
		part_section(json_array_get(parts, i), out);
	ret = history_plots(n, out);
	page_end(out);
	return ret;
}

int nightly_page(const struct nightly *n, const char *path)
{
	char *page = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&page, &len);
	int ret = out ? write_page(n, out) : -ENOMEM;

	if (out && fclose(out) && !ret)
		ret = -ENOMEM;
	if (!ret)
		ret = report_text_to_file(path, page, len);
	free(page);
	return ret;
}
