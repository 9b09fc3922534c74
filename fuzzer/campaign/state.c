/* SPDX-License-Identifier: MIT */
/* campaign.json: what a campaign is and how far it got. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "campaign.h"
#include "file.h"

#define STATE_VERSION 1

static int refuse(struct campaign *c, const char *why)
{
	snprintf(c->error, sizeof(c->error), "%s: %s", c->options.dir, why);
	return -EINVAL;
}

static bool is_empty(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool empty = true;
	struct dirent *entry;

	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			empty = false;
	closedir(dir);
	return empty;
}

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

/* Two campaigns never share an id, wherever and whenever they began: "merge" counts each once. */
static int new_id(struct campaign *c)
{
	uint64_t bits[2];

	if (getrandom(bits, sizeof(bits), 0) != sizeof(bits))
		return refuse(c, "no random number for its id");
	snprintf(c->id, sizeof(c->id), "%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
	return 0;
}

static int resume(struct campaign *c, const json_t *json)
{
	const char *id = text_of(json, "id");
	char why[300];

	if (json_integer_value(json_object_get(json, "version")) != STATE_VERSION)
		return refuse(c, "its campaign.json is not of this version");
	if (strcmp(text_of(json, "target"), c->options.target) ||
	    strcmp(text_of(json, "mode"), mode_names[c->options.mode])) {
		snprintf(why, sizeof(why),
			 "it is a campaign of target %.80s, mode %.20s; it cannot go on "
			 "as target "
			 "%.80s, mode %s",
			 text_of(json, "target"), text_of(json, "mode"),
			 c->options.target, mode_names[c->options.mode]);
		return refuse(c, why);
	}
	if (strlen(id) == sizeof(c->id) - 1)
		memcpy(c->id, id, sizeof(c->id));
	c->seconds_before = json_integer_value(json_object_get(json, "seconds"));
	c->runs_before = json_integer_value(json_object_get(json, "runs"));
	c->resets_before = json_integer_value(json_object_get(json, "resets"));
	return 0;
}

/* A disk that lost it in a power cut has kept the findings: their number and times go on, the rest begins at 0. */
static int resume_damaged(struct campaign *c)
{
	fprintf(stderr,
		"shortfuse fuzz: %s/campaign.json is damaged: the counts of earlier "
		"sessions are lost, the findings are not\n",
		c->options.dir);
	return 0;
}

int state_check(struct campaign *c)
{
	json_t *json;
	char *text;
	size_t len;
	int ret;

	ret = file_read(c->dir_fd, "campaign.json", 1 << 20, &text, &len);
	if (ret == -ENOENT && !is_empty(c->dir_fd))
		return refuse(c,
			      "it is not empty and holds no campaign; choose another -o");
	if (ret == -ENOENT)
		return c->options.resume ? refuse(c, "there is no campaign to resume")
					 : new_id(c);
	if (ret < 0)
		return refuse(c, strerror(-ret));
	json = json_loadb(text, len, 0, NULL);
	free(text);
	if (!c->options.resume)
		ret = refuse(
			c,
			"it holds another campaign; go on with it by --resume, or choose "
			"another -o");
	else
		ret = json ? resume(c, json) : resume_damaged(c);
	json_decref(json);
	return !ret && !c->id[0] ? new_id(c) : ret;
}

static json_t *verdict_counts(const struct campaign *c)
{
	json_t *json = json_object();

	for (int i = 0; i < VERDICT_COUNT; i++)
		if (c->verdicts[i])
			json_object_set_new(json, verdict_table[i].name,
					    json_integer(c->verdicts[i]));
	return json;
}

int state_write(struct campaign *c, const char *state)
{
	json_t *json = json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:I, s:i, s:b, s:I, s:I, s:I, s:I, s:i, s:i, "
		"s:i, "
		"s:i}",
		"version", STATE_VERSION, "id", c->id, "state", state, "target",
		c->options.target, "mode", mode_names[c->options.mode], "seed",
		(json_int_t)c->options.seed, "jobs", (int)c->crew.n, "empty",
		c->options.corpus == NULL, "began", (json_int_t)c->began, "seconds",
		(json_int_t)campaign_seconds(c), "runs",
		(json_int_t)(c->runs_before + c->runs), "infra", (json_int_t)c->infra,
		"findings_bug", (int)findings_count(&c->findings, true),
		"findings_contract", (int)findings_count(&c->findings, false),
		"causes_bug", (int)findings_causes(&c->findings, true), "causes_contract",
		(int)findings_causes(&c->findings, false));
	json_t *hello = c->kernel ? json_loads(c->kernel, 0, NULL) : NULL;
	char *text;
	int ret;

	if (!json) {
		json_decref(hello);
		return -ENOMEM;
	}
	json_object_set_new(json, "verdicts", verdict_counts(c));
	json_object_set_new(json, "busy_ms", json_integer(c->busy_us / 1000));
	json_object_set_new(json, "known", json_integer(c->known));
	json_object_set_new(json, "isolating", json_integer(c->isolating));
	json_object_set_new(json, "reruns", json_integer(c->reruns));
	json_object_set_new(json, "reruns_other", json_integer(c->reruns_other));
	json_object_set_new(json, "steps", json_integer(c->steps));
	json_object_set_new(json, "steps_reached", json_integer(c->steps_reached));
	json_object_set_new(json, "resets", json_integer(c->resets_before + c->resets));
	if (hello)
		json_object_set_new(json, "kernel", hello);
	text = json_dumps(json, JSON_INDENT(2));
	json_decref(json);
	if (!text)
		return -ENOMEM;
	ret = file_printf(c->dir_fd, "campaign.json", "%s\n", text);
	free(text);
	return ret;
}
