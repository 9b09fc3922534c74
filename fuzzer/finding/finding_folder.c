/* SPDX-License-Identifier: MIT */
/* Writes and reads the folder of a finding. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzzer/campaign/evidence.h"
#include "fuzzer/campaign/file.h"
#include "finding_folder.h"
#include "harness/scenario/codec.h"
#include "harness/scenario/text.h"

#define TEXT_MAX 16384

static const char *const sections[] = {"findings/bug", "findings/contract"};

const char *folder_section(enum verdict verdict)
{
	return sections[verdict_table[verdict].severity < SEVERITY_BUG];
}

static int write_input(int fd, const struct finding *finding)
{
	uint8_t bytes[SCN_MAX_BYTES];
	struct scenario scn = finding->scn;
	char text[TEXT_MAX];
	int len, ret;

	len = scenario_encode(&scn, bytes, sizeof(bytes));
	if (len < 0)
		return len;
	ret = file_write(fd, "scenario.bin", bytes, len);
	if (ret < 0)
		return ret;
	/* The text says what is to be seen: so "run --check" on it is a test. */
	scn.config.expect = 1 + finding->verdict;
	len = scenario_format(&scn, text, sizeof(text));
	if (len < 0)
		return len;
	return file_printf(fd, "scenario.txt", "# %s\n# %s\n%s", finding->id,
			   finding->reason, text);
}

static int write_state(int fd, const struct findings *store,
		       const struct finding *finding)
{
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:i, s:i}",
		"id", finding->id, "verdict", verdict_table[finding->verdict].name,
		"severity", severity_names[verdict_table[finding->verdict].severity],
		"reason", finding->reason, "target", store->target, "root", "", "roots",
		finding->roots, "count", (json_int_t)finding->count, "first_run",
		(json_int_t)finding->first_run, "first", (json_int_t)finding->first,
		"last", (json_int_t)finding->last, "bytes", (int)finding->bytes,
		"replayed", (int)finding->replayed, "reruns", (int)finding->reruns);
	char root[24], *text;
	int ret;

	if (!json)
		return -ENOMEM;
	snprintf(root, sizeof(root), "%016" PRIx64, finding->root_hash);
	json_object_set_new(json, "root", json_string(root));
	text = json_dumps(json, JSON_INDENT(2));
	json_decref(json);
	if (!text)
		return -ENOMEM;
	ret = file_printf(fd, "finding.json", "%s\n", text);
	free(text);
	return ret;
}

/* What a person runs who has nothing but this folder and a shortfuse. */
static const char repro_text[] =
	"#!/bin/sh\n"
	"# Shows the finding again.\n"
	"#   ./repro.sh [N]   runs the scenario N times (default 1); exit 0: the same "
	"verdict\n"
	"#   ./repro.sh c     writes, compiles and runs repro.c; exit 1: reproduced\n"
	"# KERNEL=6.12 ./repro.sh ...   in QEMU with that kernel (a name of 'shortfuse "
	"kernel\n"
	"# list', a bzImage, a .deb); TARGET=host|uml|qemu:KERNEL says it in full.\n"
	"cd \"$(dirname \"$0\")\" || exit 3\n"
	"shortfuse=${SHORTFUSE:-%s}\n"
	"target=${TARGET:-${KERNEL:+qemu:$KERNEL}}\n"
	"[ \"$target\" ] || target='%s'\n"
	"if [ \"$1\" = c ]; then\n"
	"  case $target in qemu:*) ;; *) target=host ;; esac\n"
	"  exec \"$shortfuse\" export . -o repro.c --try \"$target\"\n"
	"fi\n"
	"exec \"$shortfuse\" run --target \"$target\" --check -n \"${1:-1}\" "
	"scenario.txt\n";

/* For a shell's single quotes: the command of a server may hold any of them. ret: four times as large. */
static void quote(const char *text, char *ret)
{
	for (; *text; text++) {
		if (*text == '\'')
			ret = stpcpy(ret, "'\\'");
		*ret++ = *text;
	}
	*ret = '\0';
}

static int write_repro(int fd, const struct findings *store)
{
	char target[4 * sizeof(store->target)];
	int ret;

	quote(store->target, target);
	ret = file_printf(fd, "repro.sh", repro_text, store->program, target);
	if (ret < 0)
		return ret;
	return fchmodat(fd, "repro.sh", 0755, 0) ? -errno : 0;
}

static int write_all(int fd, const struct findings *store, const struct finding *finding)
{
	int ret = write_input(fd, finding);

	if (!ret)
		ret = write_state(fd, store, finding);
	if (!ret && finding->json)
		ret = evidence_write(fd, finding->json);
	return ret;
}

static int sync_section(const struct findings *store, enum verdict verdict)
{
	int fd = openat(store->dir_fd, folder_section(verdict),
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : file_sync_dir(fd);

	if (fd >= 0)
		close(fd);
	return ret;
}

int folder_create(const struct findings *store, const struct finding *finding)
{
	char path[128], hidden[128];
	uint8_t bytes[SCN_MAX_BYTES];
	int fd, ret, len;

	snprintf(path, sizeof(path), "%s/%s", folder_section(finding->verdict),
		 finding->id);
	snprintf(hidden, sizeof(hidden), "%s/.%s", folder_section(finding->verdict),
		 finding->id);
	fd = file_make_dir(store->dir_fd, hidden);
	if (fd < 0)
		return fd;
	len = scenario_encode(&finding->scn, bytes, sizeof(bytes));
	ret = len < 0 ? len : file_write(fd, "first.bin", bytes, len);
	if (!ret)
		ret = write_all(fd, store, finding);
	if (!ret)
		ret = write_repro(fd, store);
	close(fd);
	if (!ret && renameat(store->dir_fd, hidden, store->dir_fd, path))
		ret = -errno;
	if (!ret)
		ret = sync_section(store, finding->verdict);
	if (ret)
		file_remove_tree(store->dir_fd, hidden);
	return ret;
}

int folder_update(const struct findings *store, const struct finding *finding,
		  bool counts_only)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", folder_section(finding->verdict),
		 finding->id);
	fd = openat(store->dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = counts_only ? write_state(fd, store, finding)
			  : write_all(fd, store, finding);
	close(fd);
	return ret;
}

static uint64_t integer(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

static int load_state(int fd, struct finding *finding)
{
	const char *verdict, *reason, *root, *roots;
	json_t *json;
	char *text;
	size_t len;
	int ret;

	ret = file_read(fd, "finding.json", 1 << 20, &text, &len);
	if (ret < 0)
		return ret;
	json = json_loadb(text, len, 0, NULL);
	free(text);
	verdict = json_string_value(json_object_get(json, "verdict"));
	reason = json_string_value(json_object_get(json, "reason"));
	root = json_string_value(json_object_get(json, "root"));
	roots = json_string_value(json_object_get(json, "roots"));
	ret = verdict ? verdict_by_name(verdict) : -EINVAL;
	if (ret >= 0) {
		finding->verdict = ret;
		finding->count = integer(json, "count");
		finding->first_run = integer(json, "first_run");
		finding->first = integer(json, "first");
		finding->last = integer(json, "last");
		finding->bytes = integer(json, "bytes");
		finding->replayed = integer(json, "replayed");
		finding->reruns = integer(json, "reruns");
		finding->root_hash = root ? strtoull(root, NULL, 16) : 0;
		snprintf(finding->reason, sizeof(finding->reason), "%s",
			 reason ? reason : "");
		snprintf(finding->roots, sizeof(finding->roots), "%s",
			 roots ? roots : "");
		ret = 0;
	}
	json_decref(json);
	return ret;
}

/* Its record is gone: name and input still tell what it is. */
static int guess_state(int fd, const char *name, struct finding *finding)
{
	char word[24], *text, *line;
	size_t len;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, "-"), name);
	if (verdict_by_name(word) < 0)
		return -EINVAL;
	finding->verdict = verdict_by_name(word);
	finding->count = 1;
	finding->damaged = true;
	snprintf(finding->reason, sizeof(finding->reason), "its record was lost");
	if (file_read(fd, "scenario.txt", TEXT_MAX, &text, &len) < 0)
		return 0;
	line = strstr(text, "\n# "); /* write_input() */
	if (line)
		snprintf(finding->reason, sizeof(finding->reason), "%.*s",
			 (int)strcspn(line + 3, "\n"), line + 3);
	free(text);
	return 0;
}

static int load_input(int fd, struct finding *finding)
{
	static const char *const names[] = {"scenario.bin", "first.bin"};
	int ret = -EINVAL;

	for (unsigned int i = 0; i < 2 && ret; i++) {
		size_t len = 0;
		char *bytes;

		ret = file_read(fd, names[i], SCN_MAX_BYTES, &bytes, &len);
		if (ret)
			continue;
		if (len)
			scenario_decode(bytes, len, &finding->scn);
		else
			ret = -EINVAL;
		finding->damaged |= i > 0;
		free(bytes);
	}
	return ret;
}

static int load_one(struct findings *store, int section_fd, const char *name)
{
	struct finding *finding = calloc(1, sizeof(*finding));
	const char *hash = strrchr(name, '-');
	int fd = openat(section_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = -EINVAL;

	if (finding && fd >= 0 && hash && store->n < FINDINGS_MAX)
		ret = load_state(fd, finding);
	if (ret && finding && fd >= 0 && hash && store->n < FINDINGS_MAX)
		ret = guess_state(fd, name, finding);
	if (!ret)
		ret = load_input(fd, finding);
	if (!ret) {
		snprintf(finding->id, sizeof(finding->id), "%.39s", name);
		finding->signature = strtoull(hash + 1, NULL, 16);
		finding->saved = true;
		store->list[store->n++] = finding;
		finding = NULL;
	}
	if (fd >= 0)
		close(fd);
	free(finding);
	return ret;
}

static int load_section(struct findings *store, const char *section)
{
	int fd = file_make_dir(store->dir_fd, section);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		/* A hidden folder was never finished: its scenario is in the inflight
		 * file. */
		if (entry->d_name[0] == '.')
			file_remove_tree(fd, entry->d_name);
		else
			load_one(store, fd, entry->d_name);
	}
	closedir(dir);
	return 0;
}

int folder_load_all(struct findings *store)
{
	int ret = 0;

	for (unsigned int i = 0; i < 2 && !ret; i++)
		ret = load_section(store, sections[i]);
	return ret;
}
