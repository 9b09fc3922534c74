/* SPDX-License-Identifier: MIT */
/* shortfuse mutate: the mutator without afl-fuzz; prints or writes mutated or generated
 * scenarios. */

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/campaign/file.h"
#include "commands.h"
#include "harness/scenario/codec.h"
#include "harness/scenario/text.h"
#include "fuzzer/mutate/generate.h"
#include "fuzzer/mutate/mutate.h"

#define TEXT_MAX 16384

enum { OPT_BLANK = 256, OPT_SEED, OPT_WITH, OPT_LIST };

static const struct argp_option option_list[] = {
	{"seed", OPT_SEED, "N", 0, "of every random choice (default 1)", 0},
	{NULL, 'n', "K", 0, "how many (default 1), each made from FILE", 0},
	{"blank", OPT_BLANK, NULL, 0, "generate whole scenarios, without a FILE", 0},
	{"with", OPT_WITH, "FILE", 0, "take parts from this scenario too", 0},
	{NULL, 'o', "DIR", 0, "write DIR/0000.bin and so on, instead of printing text",
	 0},
	{"list", OPT_LIST, NULL, 0, "the table of mutations and their weights", 0},
	{0},
};

struct arguments {
	const char *file, *with, *dir;
	uint64_t seed;
	unsigned long n;
	bool blank, list;
};

static unsigned long number(struct argp_state *state, const char *arg)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (errno || *end || end == arg || arg[0] == '-')
		argp_error(state, "'%s': expected a number", arg);
	return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case OPT_SEED:
		a->seed = number(state, arg);
		break;
	case 'n':
		a->n = number(state, arg);
		break;
	case OPT_BLANK:
		a->blank = true;
		break;
	case OPT_WITH:
		a->with = arg;
		break;
	case 'o':
		a->dir = arg;
		break;
	case OPT_LIST:
		a->list = true;
		break;
	case ARGP_KEY_ARG:
		if (a->file)
			argp_error(state, "'%s': one FILE only", arg);
		a->file = arg;
		break;
	case ARGP_KEY_END:
		if (!a->list && !a->file == !a->blank)
			argp_error(state, "either FILE or --blank is needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int load(const char *path, struct scenario *scn)
{
	struct text_error error;
	char *data;
	size_t len;
	int ret = file_read(AT_FDCWD, path, 1 << 20, &data, &len);

	if (ret < 0) {
		fprintf(stderr, "shortfuse mutate: %s: %s\n", path, strerror(-ret));
		return ret;
	}
	if (!scenario_is_text(data, len)) {
		scenario_decode(data, len, scn);
	} else if (scenario_parse(data, len, scn, &error) < 0) {
		fprintf(stderr, "shortfuse mutate: %s:%u:%u: %s\n", path, error.line,
			error.column, error.message);
		ret = -EINVAL;
	}
	free(data);
	return ret;
}

static int emit(const struct arguments *a, int dir_fd, unsigned long i, const char *how,
		const struct scenario *scn)
{
	static char text[TEXT_MAX];
	uint8_t bytes[SCN_MAX_BYTES];
	char name[32];
	int len;

	if (!a->dir) {
		if (scenario_format(scn, text, sizeof(text)) < 0)
			return -ENOSPC;
		printf("# %lu: %s\n%s\n", i, how, text);
		return 0;
	}
	len = scenario_encode(scn, bytes, sizeof(bytes));
	snprintf(name, sizeof(name), "%04lu.bin", i);
	return len < 0 ? len : file_write(dir_fd, name, bytes, len);
}

static int make_all(const struct arguments *a, const struct scenario *base,
		    const struct scenario *with, int dir_fd)
{
	struct rng rng;
	struct mutate_env env = {.rng = &rng, .donor = with};
	const struct mutation *row;
	struct scenario scn;
	int ret = 0;

	rng_init(&rng, a->seed);
	for (unsigned long i = 0; i < a->n && !ret; i++) {
		if (a->blank) {
			generate_scenario(&rng, &scn);
			ret = emit(a, dir_fd, i, "generated", &scn);
			continue;
		}
		scn = *base;
		row = mutate_scenario(&scn, &env);
		ret = emit(a, dir_fd, i, row ? row->help : "unchanged", &scn);
	}
	if (ret)
		fprintf(stderr, "shortfuse mutate: %s: %s\n", a->dir ? a->dir : "output",
			strerror(-ret));
	return ret ? EXIT_INFRA : EXIT_CLEAN;
}

int cmd_mutate(int argc, char **argv)
{
	static const struct argp argp = {
		option_list, parse,
		"[FILE]",    "Mutate a scenario, or generate one, as fuzz does.",
		NULL,	     NULL,
		NULL};
	struct arguments a = {.seed = 1, .n = 1};
	struct scenario base, with;
	int dir_fd = -1, ret;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (a.list) {
		for (const struct mutation *row = mutation_table; row->name; row++)
			printf("%-16s %3u  %s\n", row->name, row->weight, row->help);
		return EXIT_CLEAN;
	}
	if ((a.file && load(a.file, &base) < 0) || (a.with && load(a.with, &with) < 0))
		return EXIT_USAGE;
	if (a.dir) {
		dir_fd = file_make_dir(AT_FDCWD, a.dir);
		if (dir_fd < 0) {
			fprintf(stderr, "shortfuse mutate: %s: %s\n", a.dir,
				strerror(-dir_fd));
			return EXIT_USAGE;
		}
	}
	ret = make_all(&a, &base, a.with ? &with : NULL, dir_fd);
	if (dir_fd >= 0)
		close(dir_fd);
	return ret;
}
