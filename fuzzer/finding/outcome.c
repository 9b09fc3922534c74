/* SPDX-License-Identifier: MIT */
/* Shows and keeps the outcome of a run. */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "harness/explain/explain.h"
#include "harness/snapshot/json.h"
#include "harness/snapshot/text.h"
#include "outcome.h"

void outcome_print_line(FILE *out, const char *file, const struct scenario *scn,
			const struct result *res, bool check)
{
	const struct verdict_info *verdict = &verdict_table[res->verdict];
	unsigned int expect = scn->config.expect;

	if (check)
		fprintf(out, "%-9s ",
			expect && res->verdict == expect - 1 ? "ok" : "DIFFERENT");
	fprintf(out, "%s: %s", file, verdict->name);
	if (check && expect && res->verdict != expect - 1)
		fprintf(out, " (expected %s)", verdict_table[expect - 1].name);
	else if (verdict->severity != SEVERITY_NONE)
		fprintf(out, " (%s)", severity_names[verdict->severity]);
	if (res->verdict != VERDICT_INFRA)
		fprintf(out, ", rung %u %s", res->rung, rung_names[res->rung]);
	fprintf(out, ", %.1f ms%s%s\n", (double)res->total_us / 1000,
		res->reason[0] ? ": " : "", res->reason);
}

static const char *string_of(const json_t *root, const char *key)
{
	const char *text = json_string_value(json_object_get(root, key));

	return text ? text : "";
}

void outcome_print_text(FILE *out, const struct scenario *scn, const struct result *res)
{
	json_t *root = res->json ? json_loadb(res->json, res->json_len, 0, NULL) : NULL;
	struct snapshot snap;
	char err[200] = "";

	(void)scn;
	if (!root)
		return;
	snapshot_init(&snap);
	if (snapshot_from_json(root, &snap, err) < 0) {
		fprintf(out, "(details are not readable: %s)\n", err);
	} else {
		struct snapshot_head head = {
			.verdict = string_of(root, "verdict"),
			.severity = string_of(root, "severity"),
			.rung = string_of(root, "rung"),
			.reason = string_of(root, "reason"),
			.chain = string_of(root, "chain"),
			.signature = string_of(root, "signature"),
			.scenario = string_of(root, "scenario"),
		};

		snapshot_text(&snap, &head, out);
	}
	snapshot_release(&snap);
	json_decref(root);
}

/* Without details from the executor (it died, or could not start): what the contract promises, empty. */
static json_t *bare_json(const struct scenario *scn, const struct result *res)
{
	const struct verdict_info *verdict = &verdict_table[res->verdict];
	unsigned int expect = scn->config.expect;

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:o, s:[], s:[], s:f}", "verdict",
		verdict->name, "severity", severity_names[verdict->severity], "rung",
		rung_names[res->rung], "reason", res->reason, "signature", "", "expect",
		expect ? json_string(verdict_table[expect - 1].name) : json_null(),
		"tasks", "requests", "ms", (double)res->total_us / 1000);
}

void outcome_print_json(FILE *out, const char *file, const struct scenario *scn,
			const struct result *res, bool first)
{
	json_t *root = res->json ? json_loadb(res->json, res->json_len, 0, NULL) : NULL;

	if (!root)
		root = bare_json(scn, res);
	json_object_set_new(root, "file", json_string(file));
	if (!first)
		fprintf(out, ",\n");
	json_dumpf(root, out, JSON_INDENT(1));
	json_decref(root);
}

void outcome_rates_add(struct outcome_rates *rates, const struct result *res)
{
	unsigned int i;

	rates->runs++;
	rates->ms += (double)res->total_us / 1000;
	for (i = 0; i < rates->kinds; i++)
		if (rates->kind[i].verdict == res->verdict &&
		    rates->kind[i].signature == res->signature)
			break;
	if (i == RATES_MAX) {
		rates->others++;
		return;
	}
	if (i == rates->kinds) {
		rates->kinds++;
		rates->kind[i].verdict = res->verdict;
		rates->kind[i].signature = res->signature;
	}
	rates->kind[i].count++;
}

static void print_kind(FILE *out, const struct outcome_rates *rates, unsigned int i)
{
	char signature[40] = "";

	if (rates->kind[i].signature)
		signature_format(rates->kind[i].verdict, rates->kind[i].signature,
				 signature);
	fprintf(out, "%u/%u %s", rates->kind[i].count, rates->runs,
		signature[0] ? signature : verdict_table[rates->kind[i].verdict].name);
}

void outcome_rates_print(FILE *out, const char *file, const struct scenario *scn,
			 const struct outcome_rates *rates)
{
	unsigned int best = 0;

	(void)scn;
	if (!rates->runs)
		return;
	for (unsigned int i = 1; i < rates->kinds; i++)
		if (rates->kind[i].count > rates->kind[best].count)
			best = i;
	fprintf(out, "%s: ", file);
	print_kind(out, rates, best);
	for (unsigned int i = 0; i < rates->kinds; i++) {
		if (i == best)
			continue;
		fprintf(out, ", ");
		print_kind(out, rates, i);
	}
	if (rates->others)
		fprintf(out, ", %u/%u others", rates->others, rates->runs);
	fprintf(out, "; %.2f ms a run\n", rates->ms / rates->runs);
}
