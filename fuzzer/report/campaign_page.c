/* SPDX-License-Identifier: MIT */
/* A campaign as one HTML page: counts, progress plots, findings with their evidence. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign_data.h"
#include "markup.h"
#include "page.h"
#include "report.h"

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static long long number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

static void head(const json_t *campaign, FILE *out)
{
	const json_t *kernel = json_object_get(campaign, "kernel");
	long long bugs = number(campaign, "findings_bug"),
		  seconds = number(campaign, "seconds");
	time_t began = (time_t)number(campaign, "began");
	char date[60];
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", gmtime_r(&began, &tm));
	fprintf(out, "<header class=\"verdict %s\"><b>%lld bug%s</b>\n<h1>Campaign on ",
		bugs ? "bad" : "good", bugs, bugs == 1 ? "" : "s");
	markup_xml(out, text_of(campaign, "target"));
	fputs(" ", out);
	markup_xml(out, text_of(kernel, "release"));
	fprintf(out, "</h1>\n<p>and %lld contract hangs, in %lld runs and ",
		number(campaign, "findings_contract"), number(campaign, "runs"));
	page_span(out, (double)seconds);
	fprintf(out, " (%.0f runs a second)</p>\n<p class=\"soft\">%s, ",
		seconds ? (double)number(campaign, "runs") / (double)seconds : 0.0, date);
	markup_xml(out, text_of(campaign, "state"));
	fputs(", mode ", out);
	markup_xml(out, text_of(campaign, "mode"));
	fprintf(out,
		", seed %lld, %lld job(s), %lld runs without an answer</p></header>\n",
		number(campaign, "seed"), number(campaign, "jobs"),
		number(campaign, "infra"));
}

static void verdicts(const json_t *campaign, FILE *out)
{
	json_t *counts = json_object_get(campaign, "verdicts"), *count;
	long long runs = 0;
	const char *name;

	json_object_foreach(counts, name, count) runs += json_integer_value(count);
	fputs("<h2>Verdicts</h2>\n<div class=\"wide\"><table><thead><tr><th>verdict</th>"
	      "<th>runs</th><th>share</th></tr></thead><tbody>\n",
	      out);
	json_object_foreach(counts, name, count)
	{
		fputs("<tr><th>", out);
		markup_xml(out, name);
		fprintf(out, "</th><td>%lld</td><td>%.2f %%</td></tr>\n",
			(long long)json_integer_value(count),
			runs ? 100.0 * (double)json_integer_value(count) / (double)runs
			     : 0.0);
	}
	fputs("</tbody></table></div>\n", out);
}

static void plots(const struct campaign_data *data, FILE *out)
{
	fputs("<h2>Progress</h2>\n", out);
	plot_svg(out, "Distinct findings over time", data->findings, 2, data->seconds);
	plot_svg(out, "Paths in the queue and coverage cells over time", data->afl, 2,
		 data->seconds);
	plot_svg(out, "Runs a second", &data->afl[2], 1, data->seconds);
	if (!data->findings[0].n && !data->findings[1].n && !data->afl[0].n)
		fputs("<p>Nothing was recorded.</p>\n", out);
}

static void write_finding(int dir_fd, const struct campaign_finding *finding, FILE *out)
{
	char title[600];

	snprintf(title, sizeof(title), "%.80s: %.450s", finding->id, finding->reason);
	fprintf(out, "<article>");
	if (!page_evidence(out, dir_fd, finding->folder, title, NULL)) {
		fputs("<h3>", out);
		markup_xml(out, title);
		fputs("</h3>", out);
	}
	fprintf(out,
		"<p class=\"soft\">seen %lld times, first in run %lld; replayed %lld of "
		"%lld; "
		"%lld bytes</p></article>\n",
		finding->count, finding->first_run, finding->replayed, finding->reruns,
		finding->bytes);
}

static void findings(int dir_fd, const struct campaign_data *data, bool bugs, FILE *out)
{
	unsigned int n = 0;

	fprintf(out, "<h2>%s</h2>\n",
		bugs ? "Bugs: nobody promised that a task becomes unkillable here"
		     : "Contract: a server read a request and never answered");
	for (unsigned int i = 0; i < data->n_list; i++) {
		if (data->list[i].bug != bugs)
			continue;
		write_finding(dir_fd, &data->list[i], out);
		n++;
	}
	if (!n)
		fputs("<p>None.</p>\n", out);
}

int report_campaign_html(int dir_fd, FILE *out)
{
	struct campaign_data data;
	int ret = campaign_data_read(dir_fd, &data);

	if (ret < 0)
		return ret;
	page_begin(out, "shortfuse campaign");
	head(data.campaign, out);
	plots(&data, out);
	findings(dir_fd, &data, true, out);
	findings(dir_fd, &data, false, out);
	verdicts(data.campaign, out);
	page_end(out);
	campaign_data_release(&data);
	return 0;
}
