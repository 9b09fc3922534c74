/* SPDX-License-Identifier: MIT */
/* Reports: hostile text stays text, in every format; plots and the folder of a campaign. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <jansson.h>

#include "fuzzer/campaign/file.h"
#include "fuzzer/qualify/judge.h"
#include "fuzzer/report/campaign_data.h"
#include "fuzzer/report/markup.h"
#include "fuzzer/report/page.h"
#include "fuzzer/report/report.h"

#define BAD "\xef\xbf\xbd"

static char *text;
static size_t len;

static FILE *begin(void)
{
	free(text);
	text = NULL;
	return open_memstream(&text, &len);
}

static const char *xml(const char *in)
{
	FILE *out = begin();

	markup_xml(out, in);
	fclose(out);
	return text;
}

static void test_xml(void **state)
{
	(void)state;
	assert_string_equal(xml("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
	assert_string_equal(xml("&amp;"), "&amp;amp;");
	assert_string_equal(xml("]]>"), "]]&gt;");
	assert_string_equal(xml("tab\tline\n"), "tab\tline\n");
	assert_string_equal(xml("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
			    "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	assert_string_equal(xml("\x01\x1b[31m\x7f"), BAD BAD "[31m" BAD);
	assert_string_equal(xml(""), "");
}

static void test_xml_bad_utf8(void **state)
{
	(void)state;
	assert_string_equal(xml("\xff<"), BAD "&lt;");
	assert_string_equal(xml("\xc3"), BAD);
	assert_string_equal(xml("\xc3<"), BAD "&lt;");
	assert_string_equal(xml("\xe2\x82<"), BAD BAD "&lt;");
	/* Overlong "<", a surrogate, U+FFFE, U+0085, beyond U+10FFFF. */
	assert_string_equal(xml("\xc0\xbc"), BAD BAD);
	assert_string_equal(xml("\xe0\x80\xbc"), BAD BAD BAD);
	assert_string_equal(xml("\xed\xa0\x80"), BAD BAD BAD);
	assert_string_equal(xml("\xef\xbf\xbe"), BAD);
	assert_string_equal(xml("\xc2\x85"), BAD);
	assert_string_equal(xml("\xf4\x90\x80\x80"), BAD BAD BAD BAD);
}

static void test_ktap_text(void **state)
{
	FILE *out = begin();

	(void)state;
	markup_ktap_name(out, "a # SKIP\nnot ok 2\tb\xff");
	fclose(out);
	assert_string_equal(text, "a _ SKIP not ok 2 b" BAD);
	out = begin();
	markup_ktap_note(out, "  ", "one\nok 1 two\n\nBail out! # x");
	fclose(out);
	assert_string_equal(text, "  # one\n  # ok 1 two\n  # \n  # Bail out! # x\n");
}

/* Every text in it is hostile. */
static void make(struct qualification *q)
{
	static const char evil[] =
		"</td>\"'<script>alert(1)</script>&\x01\xff\nnot ok 9 # SKIP";
	struct column column = {.slug = "0-evil", .complete = true};
	struct result res = {
		.verdict = VERDICT_PINNED, .rung = RUNG_ABORT, .signature = 7};
	struct judge judge = {.today = "2026-11-23"};
	struct scenario scn;
	struct row *row;

	qualification_init(q);
	q->repeat = 3;
	q->repeat_max = 24;
	q->n_candidates = 1;
	q->began = 1795442964;
	snprintf(column.spec, sizeof(column.spec), "%s", evil);
	snprintf(column.name, sizeof(column.name), "%s", evil);
	snprintf(column.release, sizeof(column.release), "%s", evil);
	column.hello = strdup("{\"release\":\"x\",\"<i>\":[\"</b>\",2]}");
	assert_int_equal(qualification_add_column(q, &column), 0);
	column.hello = NULL;
	column.baseline = true;
	assert_int_equal(qualification_add_column(q, &column), 0);
	scenario_init(&scn);
	snprintf(res.reason, sizeof(res.reason), "%s", evil);
	for (int i = 0; i < 3; i++) {
		char name[160];

		snprintf(name, sizeof(name), "row/%d%s", i, evil);
		row = qualification_add_row(q, name, &scn);
		assert_non_null(row);
		for (int n = 0; n < 12; n++) {
			res.verdict = i ? VERDICT_PINNED : VERDICT_CLEAN;
			res.rung = i ? RUNG_ABORT : RUNG_EXIT;
			if (i < 2)
				cell_add(&row->cells[0], &res);
			res.verdict = VERDICT_CLEAN;
			res.rung = RUNG_EXIT;
			cell_add(&row->cells[1], &res);
		}
	}
	assert_int_equal(judge_all(q, &judge), 0);
	assert_int_equal(q->verdict, Q_REGRESSION);
}

static unsigned int occurrences(const char *needle)
{
	unsigned int n = 0;

	for (const char *at = text; (at = strstr(at, needle)); at++)
		n++;
	return n;
}

static void write_format(int (*format)(const struct report *, FILE *))
{
	struct qualification q;
	struct report report = {.q = &q, .dir_fd = -1};
	FILE *out = begin();

	make(&q);
	assert_int_equal(format(&report, out), 0);
	fclose(out);
	qualification_release(&q);
}

static void test_html(void **state)
{
	(void)state;
	write_format(report_html);
	assert_int_equal(occurrences("<script"), 0);
	assert_int_equal(occurrences("<i>"), 0);
	assert_true(occurrences("&lt;script&gt;") > 5);
	assert_int_equal(occurrences("\xff"), 0);
	assert_int_equal(occurrences("\x01"), 0);
	assert_non_null(strstr(text, "<b>REGRESSION</b>"));
	assert_non_null(strstr(text, "prefers-color-scheme:dark"));
	assert_non_null(strstr(text, "name=\"viewport\""));
	/* Nothing is fetched from anywhere. */
	assert_int_equal(occurrences(" src="), 0);
	assert_int_equal(occurrences("http://"), 0);
	assert_int_equal(occurrences("https://"), 0);
	assert_int_equal(occurrences("<table"), occurrences("</table>"));
	assert_int_equal(occurrences("<details"), occurrences("</details>"));
	assert_int_equal(occurrences("<tr>"), occurrences("</tr>"));
}

static void test_ktap(void **state)
{
	(void)state;
	write_format(report_ktap);
	assert_int_equal(strncmp(text, "KTAP version 1\n1..1\n", 20), 0);
	assert_int_equal(occurrences("\n  1..3\n"), 1);
	assert_int_equal(occurrences("\n  ok 1 row/0"), 1);
	assert_int_equal(occurrences("\n  not ok 2 row/1"), 1);
	assert_int_equal(occurrences("\n  not ok 3 row/2"), 1);
	assert_int_equal(occurrences("\nnot ok 1 "), 1);
	assert_int_equal(occurrences("not ok 9 # SKIP\n"),
			 occurrences("# not ok 9 # SKIP\n"));
	/* Every line is a result, a plan, a version or a note. */
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		line += strspn(line, " ");
		assert_true(!strncmp(line, "ok ", 3) || !strncmp(line, "not ok ", 7) ||
			    !strncmp(line, "# ", 2) || !strncmp(line, "1..", 3) ||
			    !strcmp(line, "KTAP version 1"));
	}
}

static void test_matrix(void **state)
{
	(void)state;
	write_format(report_kernel_matrix);
	assert_int_equal(occurrences("<script"), 0);
	assert_int_equal(occurrences("<i>"), 0);
	/* The candidate hangs where the baseline does not; the last row was not tried on it. */
	assert_int_equal(occurrences(" pinned 4 |"), 1);
	assert_int_equal(occurrences(": last pinned, "), 1);
	assert_int_equal(occurrences(" no answer |"), 1);
	assert_int_equal(occurrences("| REGRESSION |"), 1);
	assert_int_equal(occurrences("| the baseline |"), 1);
}

static void test_junit(void **state)
{
	(void)state;
	write_format(report_junit);
	assert_non_null(strstr(text, "tests=\"3\" failures=\"1\" errors=\"1\""));
	assert_int_equal(occurrences("<testcase"), 3);
	assert_int_equal(occurrences("<failure"), 1);
	assert_int_equal(occurrences("<error"), 1);
	assert_int_equal(occurrences("<script"), 0);
}

static void test_json(void **state)
{
	json_t *root, *tests;

	(void)state;
	write_format(report_kcidb);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	tests = json_object_get(root, "tests");
	assert_int_equal(json_array_size(tests), 3);
	assert_int_equal(json_array_size(json_object_get(root, "issues")), 1);
	assert_int_equal(json_array_size(json_object_get(root, "incidents")), 1);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(tests, 1), "status")),
		"FAIL");
	json_decref(root);
	write_format(report_json);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "verdict")),
			    "REGRESSION");
	json_decref(root);
}

/* An SVG with a script in it does not come onto the page; a harmless one does, without its prolog. */
static void test_evidence(void **state)
{
	char dir[] = "/tmp/sf-report-XXXXXX";
	int root, fd;
	FILE *out;

	(void)state;
	assert_non_null(mkdtemp(dir));
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = file_make_dir(root, "f");
	assert_true(fd >= 0);
	file_printf(fd, "graph.svg",
		    "<?xml?><!DOCTYPE svg><svg><script>1</script></svg>");
	file_printf(fd, "scenario.txt", "task <b>");
	out = begin();
	assert_true(page_evidence(out, root, "f", "a<b", "int main<void>"));
	assert_false(page_evidence(out, root, "missing", "x", "code"));
	fclose(out);
	assert_int_equal(occurrences("<svg"), 0);
	assert_int_equal(occurrences("task &lt;b&gt;"), 1);
	assert_int_equal(occurrences("a&lt;b"), 1);
	assert_int_equal(occurrences("int main&lt;void&gt;"), 1);
	file_printf(fd, "repro.c", "int written;");
	file_printf(fd, "graph.svg", "<?xml?><!DOCTYPE svg><svg><text>t0</text></svg>");
	out = begin();
	assert_true(page_evidence(out, root, "f", "a", "int generated;"));
	fclose(out);
	assert_int_equal(occurrences("<svg><text>t0</text></svg>"), 1);
	assert_int_equal(occurrences("<?xml"), 0);
	assert_int_equal(occurrences("int written;"), 1);
	assert_int_equal(occurrences("int generated;"), 0);
	close(fd);
	close(root);
	file_remove_tree(AT_FDCWD, dir);
}

static void test_plot(void **state)
{
	struct series series[2] = {{.name = "a<b", .steps = true}, {.name = "none"}};
	FILE *out = begin();

	(void)state;
	plot_svg(out, "empty", series, 2, 10);
	fclose(out);
	assert_int_equal(len, 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(series_add(&series[0], i, i / 2), 0);
	assert_int_equal(series[0].n, 5000);
	out = begin();
	plot_svg(out, "t&t", series, 2, 10000);
	fclose(out);
	assert_int_equal(occurrences("<svg"), 1);
	assert_int_equal(occurrences("t&amp;t"), 2);
	assert_int_equal(occurrences("a&lt;b"), 1);
	assert_int_equal(occurrences("nan"), 0);
	/* Thinned out: no more points than pixels. */
	assert_true(len < 40000);
	series_release(&series[0]);
	assert_int_equal(series_add(&series[0], 0, 0), 0);
	out = begin();
	plot_svg(out, "one point", series, 1, 0);
	fclose(out);
	assert_int_equal(occurrences("<circle"), 1);
	assert_int_equal(occurrences("nan"), 0);
	assert_int_equal(occurrences("inf"), 0);
	series_release(&series[0]);
}

static void test_campaign_lines(void **state)
{
	struct campaign_data data = {0};

	(void)state;
	campaign_data_finding_line(&data,
				   "6\t88\tlost-1\t3d29\tcontract\tt1 (tid 245) waits");
	campaign_data_finding_line(&data, "7\t96\tpinned-2\t1705\tbug\tdaemon");
	campaign_data_finding_line(&data, "8\t97\tincident\t1705\tbug\tdaemon");
	campaign_data_finding_line(&data, "torn li");
	campaign_data_finding_line(&data, "9\t99\tpinned-3\t1706\tpoison\tx");
	assert_int_equal(data.findings[0].n, 3);
	assert_float_equal(data.findings[0].points[2].x, 9, 0);
	assert_float_equal(data.findings[0].points[2].y, 2, 0);
	assert_int_equal(data.findings[1].n, 2);
	campaign_data_stats_line(&data, "2\t100\t8\t30\t5\t6\t9\t40\t0");
	campaign_data_stats_line(&data, "torn");
	campaign_data_stats_line(&data, "4\t300\t12\t50\t5\t6\t9\t140\t0");
	assert_int_equal(data.rate.n, 2);
	assert_float_equal(data.rate.points[1].x, 4, 0);
	assert_float_equal(data.rate.points[1].y, 100, 1e-9);
	assert_float_equal(data.known.points[1].y, 50, 1e-9);
	assert_float_equal(data.paths.points[1].y, 50, 0);
	assert_float_equal(data.jobs.points[1].y, 12, 0);
	campaign_data_release(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xml),
		cmocka_unit_test(test_xml_bad_utf8),
		cmocka_unit_test(test_ktap_text),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_ktap),
		cmocka_unit_test(test_junit),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_plot),
		cmocka_unit_test(test_campaign_lines),
	};
	int ret = cmocka_run_group_tests(tests, NULL, NULL);

	free(text);
	return ret;
}
