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

#define PAGE_MAX (900L << 10) /* bytes of the page with evidence */

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static long long number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

static void head(const struct campaign_data *data, FILE *out)
{
	const json_t *campaign = data->campaign;
	const json_t *kernel = json_object_get(campaign, "kernel");
	long long bugs = number(campaign, "findings_bug"),
		  contracts = number(campaign, "findings_contract"),
		  seconds = number(campaign, "seconds");
	time_t began = (time_t)number(campaign, "began");
	char date[60];
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", gmtime_r(&began, &tm));
	fprintf(out,
		"<header class=\"verdict %s\"><b>%u cause%s of hangs</b>\n<h1>Campaign "
		"on ",
		bugs		 ? "bad"
		: data->n_causes ? "open"
				 : "good",
		data->n_causes, data->n_causes == 1 ? "" : "s");
	markup_xml(out, text_of(campaign, "target"));
	fputs(" ", out);
	markup_xml(out, text_of(kernel, "release"));
	fprintf(out, "</h1>\n<p>%lld bug%s, %lld contract hang%s, in %lld runs and ",
		bugs, bugs == 1 ? "" : "s", contracts, contracts == 1 ? "" : "s",
		number(campaign, "runs"));
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
	const struct series work[2] = {data->paths, data->jobs};

	fputs("<h2>Progress</h2>\n", out);
	plot_svg(out, "Distinct causes over time, by severity", data->findings, 2,
		 data->seconds);
	plot_svg(out, "Runs a second, all jobs together", &data->rate, 1, data->seconds);
	plot_svg(out, "Share of the runs that showed known causes alone", &data->known, 1,
		 data->seconds);
	plot_svg(out, "Paths in the queue, and jobs", work, 2, data->seconds);
	if (!data->findings[0].n && !data->findings[1].n && !data->rate.n)
		fputs("<p>Nothing was recorded.</p>\n", out);
}

static const char *severity(const struct campaign_finding *finding)
{
	return severity_names[verdict_table[finding->verdict].severity];
}

static void first_seen(const struct campaign_finding *finding, FILE *out)
{
	if (finding->seconds >= 0)
		page_span(out, finding->seconds);
	else
		fputs("?", out);
	fprintf(out, "<br><span class=\"soft\">run %lld</span>", finding->first_run);
}

/* One cause: the n findings that show it, the worst first. */
static void cause_row(const struct campaign_finding *findings, unsigned int n, FILE *out)
{
	const struct campaign_finding *first = findings, *small = findings;
	long long count = 0;

	for (unsigned int i = 0; i < n; i++) {
		count += findings[i].count;
		if (findings[i].first_run < first->first_run)
			first = &findings[i];
		if (findings[i].bytes < small->bytes)
			small = &findings[i];
	}
	fputs("<tr><td>", out);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "<span class=\"sev %s\">%s</span> ", severity(&findings[i]),
			verdict_table[findings[i].verdict].name);
	fprintf(out, "</td><td class=\"why\"><a href=\"#");
	markup_xml(out, findings[0].id);
	fputs("\">", out);
	markup_xml(out, findings[0].reason);
	fprintf(out, "</a></td><td>%lld</td><td>", count);
	first_seen(first, out);
	fprintf(out, "</td><td>%lld bytes</td><td>%lld/%lld</td></tr>\n", small->bytes,
		findings[0].replayed, findings[0].reruns);
}

static unsigned int findings_of_cause(const struct campaign_data *data, unsigned int i)
{
	unsigned int n = 1;

	while (i + n < data->n_list &&
	       campaign_data_same_cause(&data->list[i], &data->list[i + n]))
		n++;
	return n;
}

static void cause_table(const struct campaign_data *data, FILE *out)
{
	unsigned int n;

	fputs("<h2>Causes, the worst first</h2>\n<p class=\"key\">"
	      "<span class=\"sev contract\">contract</span> a server read a request and "
	      "never answered; <span class=\"sev bug\">bug</span> nobody promised that a "
	      "task becomes unkillable here; <span class=\"sev poison\">poison</span> "
	      "nothing helped</p>\n",
	      out);
	if (!data->n_list) {
		fputs("<p>None.</p>\n", out);
		return;
	}
	fputs("<div class=\"wide\"><table><thead><tr><th>verdict</th><th>cause</th>"
	      "<th>runs</th><th>first seen</th><th>smallest input</th><th>replays</th>"
	      "</tr></thead><tbody>\n",
	      out);
	for (unsigned int i = 0; i < data->n_list; i += n) {
		n = findings_of_cause(data, i);
		cause_row(&data->list[i], n, out);
	}
	fputs("</tbody></table></div>\n", out);
}

/* A page that no browser likes to open helps nobody: what is beyond that is in the folders. */
static void write_cause(int dir_fd, const struct campaign_finding *finding, FILE *out)
{
	bool shown = false;
	char *text = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&text, &len);

	if (mem) {
		shown = page_evidence(mem, dir_fd, finding->folder, finding->reason,
				      NULL);
		fclose(mem);
	}
	fputs("<article id=\"", out);
	markup_xml(out, finding->id);
	fprintf(out, "\"><span class=\"sev %s\">%s</span> ", severity(finding),
		verdict_table[finding->verdict].name);
	if (shown && ftell(out) + (long)len < PAGE_MAX)
		fwrite(text, 1, len, out);
	else
		markup_xml(out, finding->reason);
	fputs("<p class=\"soft\">", out);
	markup_xml(out, finding->folder);
	fputs("</p></article>\n", out);
	free(text);
}

static void evidence(int dir_fd, const struct campaign_data *data, FILE *out)
{
	unsigned int n;

	if (data->n_list)
		fputs("<h2>Evidence</h2>\n", out);
	for (unsigned int i = 0; i < data->n_list; i += n) {
		n = findings_of_cause(data, i);
		for (unsigned int k = 0; k < n; k++)
			write_cause(dir_fd, &data->list[i + k], out);
	}
}

int report_campaign_html(int dir_fd, FILE *out)
{
	struct campaign_data data;
	int ret = campaign_data_read(dir_fd, &data);

	if (ret < 0)
		return ret;
	page_begin(out, "shortfuse campaign");
	head(&data, out);
	cause_table(&data, out);
	plots(&data, out);
	verdicts(data.campaign, out);
	evidence(dir_fd, &data, out);
	page_end(out);
	campaign_data_release(&data);
	return 0;
}
