/* SPDX-License-Identifier: MIT */
/* shortfuse nightly: replays what is known, fuzzes each kernel, and says only what changed. */

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "finding_options.h"
#include "fuzzer/campaign/file.h"
#include "fuzzer/nightly/nightly.h"
#include "fuzzer/util/duration.h"
#include "targets/auto.h"

enum {
	OPT_KERNEL = 256,
	OPT_TIME,
	OPT_KNOWN,
	OPT_REPLAYS,
	OPT_KEEP,
	OPT_MAX_MIB,
	OPT_CORPUS,
	OPT_FORMAT = 300
};

static const char *const formats[] = {"html", "json", "junit", "ktap", "kcidb"};
#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

static const struct argp_option option_list[] = {
	{"kernel", OPT_KERNEL, "KERNEL", 0,
	 "6.12, qemu:KERNEL, uml, host; may be given often (default auto)", 0},
	{"time", OPT_TIME, "TIME", 0, "fuzzing of each kernel (default 1h)", 0},
	{"jobs", 'j', "N", 0, "as for fuzz", 0},
	{NULL, 'o', "DIR", 0, "where all nights are kept (default results/nightly)", 0},
	{"corpus", OPT_CORPUS, "DIR", 0, "seeds (default: corpus)", 0},
	{"known", OPT_KNOWN, "FILE", 0,
	 "known issues with reason and last day, as for qualify", 0},
	{"replays", OPT_REPLAYS, "N", 0, "of each finding of earlier nights (default 10)",
	 0},
	{"keep", OPT_KEEP, "N", 0, "nights to keep in full (default 14)", 1},
	{"max-mib", OPT_MAX_MIB, "N", 0,
	 "remove the oldest nights beyond this size (default 4096)", 1},
	{"html", OPT_FORMAT, "FILE", 0, "reports: (default DIR/nights/NIGHT/report.html)",
	 2},
	{"json", OPT_FORMAT + 1, "FILE", 0, NULL, 2},
	{"junit", OPT_FORMAT + 2, "FILE", 0, NULL, 2},
	{"ktap", OPT_FORMAT + 3, "FILE", 0, NULL, 2},
	{"kcidb", OPT_FORMAT + 4, "FILE", 0, NULL, 2},
	{0},
};

struct arguments {
	struct nightly_options o;
	const char *known, *reports[N_FORMATS];
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case OPT_KERNEL:
		if (a->o.n_kernels == NIGHTLY_KERNELS_MAX)
			argp_error(state, "more than %d kernels", NIGHTLY_KERNELS_MAX);
		a->o.kernels[a->o.n_kernels++] = arg;
		return 0;
	case OPT_TIME:
		a->o.seconds = duration_parse(arg);
		if (a->o.seconds <= 0)
			argp_error(state,
				   "--time %s: expected something like 60s, 10m or 8h",
				   arg);
		return 0;
	case 'j':
		a->o.jobs = arg;
		return 0;
	case 'o':
		a->o.dir = arg;
		return 0;
	case OPT_CORPUS:
		a->o.corpus = arg;
		return 0;
	case OPT_KNOWN:
		a->known = arg;
		return 0;
	case OPT_REPLAYS:
		a->o.replays = option_number(state, arg, 1000);
		return 0;
	case OPT_KEEP:
		a->o.keep_nights = option_number(state, arg, 100000);
		return 0;
	case OPT_MAX_MIB:
		a->o.keep_bytes = (uint64_t)option_number(state, arg, INT_MAX) << 20;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': nightly takes no arguments", arg);
		return 0;
	default:
		if (key < OPT_FORMAT || key >= OPT_FORMAT + (int)N_FORMATS)
			return ARGP_ERR_UNKNOWN;
		a->reports[key - OPT_FORMAT] = arg;
		return 0;
	}
}

static int complain(const char *what, const char *why, int status)
{
	fprintf(stderr, "shortfuse nightly: %s: %s\n", what, why);
	return status;
}

static void list_news(const struct nightly *n)
{
	json_t *parts = json_object_get(n->night, "kernels");

	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);
		json_t *rows = json_object_get(part, "rows");

		for (void *at = json_object_iter(rows); at;
		     at = json_object_iter_next(rows, at)) {
			const json_t *row = json_object_iter_value(at);

			if (!json_is_true(json_object_get(row, "news")))
				continue;
			printf("  %s  %s: %s\n      %s. %s\n",
			       json_string_value(json_object_get(row, "state")),
			       json_string_value(json_object_get(part, "kernel")),
			       json_object_iter_key(at),
			       json_string_value(json_object_get(row, "sentence")),
			       json_string_value(json_object_get(row, "reason")));
		}
	}
}

static int write_reports(const struct nightly *n, const struct arguments *a)
{
	char page[PATH_MAX];
	int status = 0;

	snprintf(page, sizeof(page), "%.4000s/nights/%s/report.html", a->o.dir, n->stamp);
	for (unsigned int i = 0; i < N_FORMATS; i++) {
		const char *path = a->reports[i] ? a->reports[i] : i == 0 ? page : NULL;
		int ret = path ? nightly_report(n, formats[i], path) : 0;

		if (ret < 0)
			status = complain(path, strerror(-ret), EXIT_INFRA);
	}
	printf("%s\n", a->reports[0] ? a->reports[0] : page);
	return status;
}

static int run(const struct arguments *a)
{
	struct nightly n;
	int ret = nightly_open(&n, &a->o), status = EXIT_CLEAN;

	if (!ret)
		ret = nightly_run(&n);
	if (ret == -EINTR) {
		fprintf(stderr, "shortfuse nightly: interrupted; the next start goes on "
				"with this night\n");
		status = EXIT_INFRA;
	} else if (ret < 0) {
		fprintf(stderr, "shortfuse nightly: %s\n", n.err);
		status = ret == -ENOTDIR || ret == -EINVAL ? EXIT_USAGE : EXIT_INFRA;
	} else {
		printf("%u news%s\n", n.news,
		       n.infra ? ", and not every kernel could be tested" : "");
		list_news(&n);
		status = write_reports(&n, a);
		ret = nightly_prune(&n);
		if (ret < 0)
			status = complain(a->o.dir, strerror(-ret), EXIT_INFRA);
		if (n.infra)
			status = EXIT_INFRA;
		else if (!status && n.news)
			status = EXIT_FLAGGED;
	}
	nightly_close(&n);
	return status;
}

static void say(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
}

/* What "auto" stands for has the history, not the word. 0 or an exit status. */
static int resolve_targets(struct nightly_options *o)
{
	static char target[SPEC_MAX];
	char err[AUTO_ERROR];

	for (unsigned int i = 0; i < o->n_kernels; i++) {
		if (strcmp(o->kernels[i], "auto"))
			continue;
		if (target_resolve("auto", target, say, err) < 0) {
			fprintf(stderr, "shortfuse nightly: %s\n", err);
			return EXIT_INFRA;
		}
		o->kernels[i] = target;
	}
	return 0;
}

int cmd_nightly(int argc, char **argv)
{
	static const struct argp argp = {
		option_list,
		parse,
		NULL,
		"Fuzz each kernel for a while, every night into the same DIR: replay the "
		"findings of earlier nights first, start from their inputs, and say what "
		"is "
		"new, worse, still there or gone.\v"
		"Exit status: 0 no news, 1 news (new, worse, or a known issue that "
		"expired), "
		"2 usage, 3 infrastructure: a kernel could not be tested.",
		NULL,
		NULL,
		NULL};
	static struct known known;
	static struct arguments a = {.o = {.dir = "results/nightly",
					   .seconds = 3600,
					   .replays = 10,
					   .keep_nights = 14,
					   .keep_bytes = 4096ull << 20}};
	static char program[PATH_MAX], corpus[PATH_MAX + 20];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char err[300];
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (known_load(a.known, &known, err) < 0)
		return complain(a.known, err, EXIT_USAGE);
	a.o.known = &known;
	a.o.program = n > 0 ? program : "shortfuse";
	snprintf(corpus, sizeof(corpus), "%s", program);
	if (strrchr(corpus, '/'))
		strcpy(strrchr(corpus, '/'), "/../corpus");
	if (!a.o.corpus)
		a.o.corpus = corpus;
	if (access(a.o.corpus, R_OK | X_OK))
		return complain(a.o.corpus, strerror(errno), EXIT_USAGE);
	if (!a.o.n_kernels)
		a.o.kernels[a.o.n_kernels++] = "auto";
	status = resolve_targets(&a.o);
	if (status)
		return status;
	nightly_interrupt_catch();
	return run(&a);
}
