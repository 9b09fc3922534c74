/* SPDX-License-Identifier: MIT */
/* The details of a run as one JSON object: what "shortfuse run --json" prints. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/scenario/codec.h"
#include "harness/scenario/tables.h"
#include "harness/scenario/text.h"
#include "harness/snapshot/json.h"
#include "run.h"

static const char *const status_names[] = {"not run", "done", "blocked", "skipped",
					   "ended"};

static json_t *steps_json(const struct run *run)
{
	json_t *steps = json_array();

	for (unsigned int i = 0; i < run->res->n_steps; i++) {
		const struct step_result *res = &run->res->steps[i];
		char text[200] = "";

		scenario_format_step(&run->scn->steps[i], text, sizeof(text));
		json_array_append_new(
			steps,
			json_pack("{s:i, s:s, s:s, s:i, s:b, s:i}", "step", i + 1, "text",
				  text, "status", status_names[res->status], "ret",
				  res->ret, "late", res->late, "us", (int)res->us));
	}
	return steps;
}

static json_t *scenario_json(const struct scenario *scn)
{
	static char text[16384];

	return scenario_format(scn, text, sizeof(text)) < 0 ? json_null()
							    : json_string(text);
}

/* Graphviz source of the wait-for graph. */
static json_t *graph_json(const struct run *run)
{
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);
	json_t *graph = json_null();

	if (!file)
		return graph;
	if (explain_dot(&run->snap, &run->why, file) >= 0 && !fclose(file))
		graph = json_stringn(text, len);
	free(text);
	return graph;
}

static void add_explanation(json_t *root, const struct run *run)
{
	json_object_set_new(root, "graph", graph_json(run));
	json_object_set_new(root, "chain",
			    json_string(run->why.chain ? run->why.chain : ""));
	json_object_set_new(root, "roots", json_string(run->why.roots_text));
}

void run_report(struct run *run)
{
	struct result *res = run->res;
	const struct verdict_info *verdict = &verdict_table[res->verdict];
	unsigned int expect = run->scn->config.expect;
	char signature[40] = "";
	json_t *root = snapshot_json(&run->snap);

	if (!root)
		return;
	if (res->signature)
		signature_format(res->verdict, res->signature, signature);
	json_object_set_new(root, "verdict", json_string(verdict->name));
	json_object_set_new(root, "severity",
			    json_string(severity_names[verdict->severity]));
	json_object_set_new(root, "rung", json_string(rung_names[res->rung]));
	json_object_set_new(root, "rung_number", json_integer(res->rung));
	json_object_set_new(root, "reason", json_string(res->reason));
	json_object_set_new(root, "signature", json_string(signature));
	json_object_set_new(root, "expect",
			    expect ? json_string(verdict_table[expect - 1].name)
				   : json_null());
	json_object_set_new(root, "steps", steps_json(run));
	json_object_set_new(root, "scenario", scenario_json(run->scn));
	json_object_set_new(root, "ms", json_real((double)res->total_us / 1000));
	json_object_set_new(root, "verdict_ms",
			    json_real((double)res->verdict_us / 1000));
	json_object_set_new(root, "snapshot_ms",
			    json_real((double)(now_us() - run->steps_end_us) / 1000));
	if (run->explained)
		add_explanation(root, run);
	res->json = json_dumps(root, JSON_COMPACT);
	res->json_len = res->json ? (uint32_t)strlen(res->json) : 0;
	json_decref(root);
}
