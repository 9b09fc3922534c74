/* SPDX-License-Identifier: MIT */
/* Loads a finding: its scenario, and what is known of it. */

#include "finding_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "harness/scenario/codec.h"
#include "harness/scenario/text.h"
#include "scenario_file.h"

#define MAX_SNAPSHOT (32u << 20)
#define TEXT_MAX     16384

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

/* Is it a function of the task's kernel stack, "fuse_flush+0x155/0x190"? */
static bool in_stack(const json_t *task, const char *frame)
{
	const json_t *line;
	size_t i, len = strlen(frame);

	json_array_foreach(json_object_get(task, "kstack"), i, line)
	{
		const char *text = json_string_value(line);

		if (text && !strncmp(text, frame, len) && text[len] == '+')
			return true;
	}
	return false;
}

/* Where the task waits: its first function that is not a wait for any request. */
static void waits_in(const json_t *task, char *frame, size_t size)
{
	static const char *const generic[] = {
		"request_wait_answer", "__fuse_request_send", "__fuse_simple_request",
		"fuse_simple_request"};
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(task, "kstack"), i, line)
	{
		const char *text = json_string_value(line);
		size_t k = 0;

		if (!text)
			continue;
		snprintf(frame, size, "%.*s", (int)strcspn(text, "+."), text);
		while (k < sizeof(generic) / sizeof(generic[0]) &&
		       strcmp(frame, generic[k]) != 0)
			k++;
		if (k == sizeof(generic) / sizeof(generic[0]))
			return;
	}
	frame[0] = '\0';
}

/* A task that may be told to die, and whose stack is looked at: not one of a server that lives on. */
static bool is_looked_at(const json_t *task, enum verdict verdict)
{
	const char *role = text_of(task, "role");

	if (verdict != VERDICT_HELD && verdict != VERDICT_LOST && verdict != VERDICT_DEAF)
		return true;
	return strcmp(role, "daemon") != 0 && strcmp(role, "server") != 0;
}

static bool any_in_stack(const json_t *tasks, enum verdict verdict, const char *frame)
{
	const json_t *task;
	size_t i;

	json_array_foreach(tasks, i, task)
	{
		if (is_looked_at(task, verdict) && in_stack(task, frame))
			return true;
	}
	return false;
}

/*
 * Of the roots, "heir fuse_flush exit_files; server ...", the first whose function, the word after the role, is in a
 * stack that is looked at: a zombie has none, and an explanation may name one that was inlined. Without any: where the
 * first of those tasks waits.
 */
static void find_frame(struct finding_file *finding, const json_t *json)
{
	const json_t *tasks = json_object_get(json, "tasks"), *task;
	const char *root = text_of(json, "roots");
	size_t i;

	while (*root) {
		const char *word = root + strcspn(root, " ;");

		word += *word == ' ';
		snprintf(finding->frame, sizeof(finding->frame), "%.*s",
			 (int)strcspn(word, " ;"), word);
		if (finding->frame[0] &&
		    any_in_stack(tasks, finding->verdict, finding->frame))
			return;
		root = word + strcspn(word, ";");
		root += strspn(root, "; ");
	}
	finding->frame[0] = '\0';
	json_array_foreach(tasks, i, task)
	{
		if (!finding->frame[0] && is_looked_at(task, finding->verdict))
			waits_in(task, finding->frame, sizeof(finding->frame));
	}
}

static void learn_json(struct finding_file *finding, const json_t *json)
{
	const char *hash = strrchr(text_of(json, "signature"), '-');
	int verdict = verdict_by_name(text_of(json, "verdict"));

	if (verdict < 0)
		return;
	finding->known = true;
	finding->verdict = (enum verdict)verdict;
	finding->signature = hash ? strtoull(hash + 1, NULL, 16) : 0;
	snprintf(finding->reason, sizeof(finding->reason), "%s", text_of(json, "reason"));
	find_frame(finding, json);
}

void finding_file_learn(struct finding_file *finding, const struct result *res)
{
	json_t *json = res->json ? json_loadb(res->json, res->json_len, 0, NULL) : NULL;

	if (json)
		learn_json(finding, json);
	json_decref(json);
	finding->known = true;
	finding->verdict = res->verdict;
	finding->signature = res->signature;
	snprintf(finding->reason, sizeof(finding->reason), "%s", res->reason);
}

static void load_evidence(struct finding_file *finding)
{
	char path[4200], *text;
	size_t len;

	snprintf(path, sizeof(path), "%s/snapshot.json", finding->dir);
	if (file_read(AT_FDCWD, path, MAX_SNAPSHOT, &text, &len) < 0)
		return;

	json_t *json = json_loadb(text, len, 0, NULL);

	if (json)
		learn_json(finding, json);
	json_decref(json);
	free(text);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return strcmp(path, "-") && !stat(path, &st) && S_ISDIR(st.st_mode);
}

static void choose_file(struct finding_file *finding, const char *path)
{
	static const char *const names[] = {"scenario.min.txt", "scenario.schedule.txt",
					    "scenario.txt"};

	snprintf(finding->dir, sizeof(finding->dir), "%s", path);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(finding->path, sizeof(finding->path), "%.4000s/%s", path,
			 names[i]);
		if (!access(finding->path, R_OK))
			return;
	}
	snprintf(finding->path, sizeof(finding->path), "%s", path);
}

static void split_name(struct finding_file *finding, const char *path)
{
	char copy[4096], *base;

	snprintf(copy, sizeof(copy), "%s", path);
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	base = strrchr(copy, '/');
	snprintf(finding->title, sizeof(finding->title), "%.63s", base ? base + 1 : copy);
	if (!finding->folder) {
		char *dot = strrchr(finding->title, '.');

		if (dot && dot != finding->title)
			*dot = '\0';
		if (base)
			*base = '\0';
		snprintf(finding->dir, sizeof(finding->dir), "%s",
			 !base	 ? "."
			 : *copy ? copy
				 : "/");
	}
}

int finding_file_load(const char *path, struct finding_file *ret, char *err)
{
	static struct finding_file finding;
	int status;

	memset(&finding, 0, sizeof(finding));
	finding.folder = is_folder(path);
	if (finding.folder)
		choose_file(&finding, path);
	else
		snprintf(finding.path, sizeof(finding.path), "%s", path);
	split_name(&finding, path);
	status = scenario_file_load(finding.path, &finding.scn, err);
	if (status < 0)
		return status;
	if (finding.folder)
		load_evidence(&finding);
	*ret = finding;
	return 0;
}

void finding_file_beside(const struct finding_file *finding, const char *name, char *buf,
			 size_t size)
{
	snprintf(buf, size, "%s/%s", finding->dir, name);
}

int finding_file_write(const char *path, const void *data, size_t len)
{
	const char *base = strrchr(path, '/');
	char dir[4096];
	int fd, ret;

	snprintf(dir, sizeof(dir), "%.*s", base ? (int)(base - path + 1) : 1,
		 base ? path : ".");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = file_write(fd, base ? base + 1 : path, data, len);
	close(fd);
	return ret;
}

static int save_text(const char *path, const struct scenario *scn, const char *id,
		     const char *comment)
{
	char text[TEXT_MAX], whole[TEXT_MAX + 1024];
	int len = scenario_format(scn, text, sizeof(text));

	if (len < 0)
		return len;
	len = snprintf(whole, sizeof(whole), "# %s\n# %.700s\n%s", id, comment, text);
	return finding_file_write(path, whole, (size_t)len);
}

int finding_file_save(const char *path, const struct scenario *scn, enum verdict verdict,
		      const char *id, const char *comment)
{
	uint8_t bytes[SCN_MAX_BYTES];
	struct scenario copy = *scn;
	size_t stem = strlen(path);
	char bin[4096];
	int len, ret;

	copy.config.expect = (uint8_t)(1 + verdict);
	if (stem > 4 && !strcmp(path + stem - 4, ".txt"))
		stem -= 4;
	snprintf(bin, sizeof(bin), "%.*s.bin", (int)(stem < 4000 ? stem : 4000), path);
	len = scenario_encode(&copy, bytes, sizeof(bytes));
	ret = len < 0 ? len : save_text(path, &copy, id, comment);
	return ret < 0 ? ret : finding_file_write(bin, bytes, (size_t)len);
}
