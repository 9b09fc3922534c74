/* SPDX-License-Identifier: MIT */
/* Assembles a corpus into afl-fuzz's input folder. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "harness/scenario/codec.h"
#include "harness/scenario/tables.h"
#include "harness/scenario/text.h"
#include "seeds.h"

#define FILE_MAX    (64u << 10)
#define DEPTH_MAX   3
#define WAIT_MAX_MS 20

struct walk {
	int dir_fd;
	seeds_warn_fn warn;
	struct seeds *seeds;
};

/* Waiting is rarely the point, and a seed's descendants would all wait as long. */
static void hurry(struct scenario *scn)
{
	for (unsigned int i = 0; i < scn->n_steps; i++)
		if (op_table[scn->steps[i].op].arg[3] == ARG_MS &&
		    scn->steps[i].v > WAIT_MAX_MS)
			scn->steps[i].v = WAIT_MAX_MS;
	for (unsigned int i = 0; i < scn->n_faults; i++)
		if (fault_table[scn->faults[i].action].arg == ARG_MS &&
		    scn->faults[i].value > WAIT_MAX_MS)
			scn->faults[i].value = WAIT_MAX_MS;
}

static int write_seed(struct walk *walk, const char *name, struct scenario *scn)
{
	uint8_t bytes[SCN_MAX_BYTES];
	char out[NAME_MAX];
	int len;

	scn->config.expect = 0; /* a mutation of it expects nothing */
	hurry(scn);
	len = scenario_encode(scn, bytes, sizeof(bytes));
	if (len < 0)
		return len;
	/* afl-fuzz takes an empty file for none. */
	if (!len)
		bytes[len++] = 14;
	snprintf(out, sizeof(out), "%03u-%.100s.bin", walk->seeds->taken, name);
	len = file_write(walk->dir_fd, out, bytes, len);
	if (!len)
		walk->seeds->taken++;
	return len;
}

/* Bytes decode whatever they are: only a name tells that a file without text is meant. */
static bool named_as_bytes(const char *name)
{
	size_t n = strlen(name);

	return (n > 4 && !strcmp(name + n - 4, ".bin")) || !strncmp(name, "id:", 3);
}

static int take_file(struct walk *walk, const char *path, const char *name)
{
	struct text_error error;
	struct scenario scn;
	char *data = NULL, why[300];
	size_t len;
	int ret;

	ret = file_read(AT_FDCWD, path, FILE_MAX, &data, &len);
	if (ret < 0) {
		snprintf(why, sizeof(why), "%s", strerror(-ret));
	} else if (!len) {
		snprintf(why, sizeof(why), "empty");
		ret = -EINVAL;
	} else if (scenario_is_text(data, len)) {
		ret = scenario_parse(data, len, &scn, &error);
		if (ret < 0)
			snprintf(why, sizeof(why), "line %u, column %u: %s", error.line,
				 error.column, error.message);
	} else if (named_as_bytes(name)) {
		scenario_decode(data, len, &scn);
	} else {
		snprintf(why, sizeof(why), "neither a scenario's text nor a .bin file");
		ret = -EINVAL;
	}
	free(data);
	if (ret >= 0)
		return write_seed(walk, name, &scn);
	walk->seeds->skipped++;
	walk->warn(path, why);
	return 0;
}

static int walk_folder(struct walk *walk, const char *folder, unsigned int depth)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort), ret = 0;
	char path[PATH_MAX];
	struct stat st;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%.3000s/%s", folder, names[i]->d_name);
		if (!ret && names[i]->d_name[0] != '.' && !stat(path, &st)) {
			if (S_ISREG(st.st_mode))
				ret = take_file(walk, path, names[i]->d_name);
			else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
				ret = walk_folder(walk, path, depth + 1);
		}
		free(names[i]);
	}
	free(names);
	return ret;
}

int seeds_prepare(int dir_fd, const char *corpus, seeds_warn_fn warn,
		  struct seeds *ret_seeds)
{
	struct walk walk = {.dir_fd = dir_fd, .warn = warn, .seeds = ret_seeds};
	struct scenario empty;
	int ret;

	*ret_seeds = (struct seeds){0};
	if (corpus) {
		ret = walk_folder(&walk, corpus, 0);
		if (ret < 0)
			return ret;
		if (!ret_seeds->taken)
			return -ENOENT;
	}
	scenario_init(&empty);
	return write_seed(&walk, "empty", &empty);
}
