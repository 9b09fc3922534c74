/* SPDX-License-Identifier: MIT */
/* shortfuse kernel: gets and lists the kernels that qemu: can boot by name. */

#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "targets/kernel/fetch.h"

struct kernel_options {
	char **words;
	int n_words;
};

static const struct argp_option options[] = {{0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct kernel_options *opt = state->input;

	(void)arg;
	if (key == ARGP_KEY_ARGS) {
		opt->words = state->argv + state->next;
		opt->n_words = state->argc - state->next;
		return 0;
	}
	if (key == ARGP_KEY_NO_ARGS)
		argp_usage(state);
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {options,
				 parse,
				 "list\nfetch NAME...",
				 "Kernels of Debian, downloaded by apt into the cache "
				 "folder; nothing is installed.\v"
				 "NAME is 6.1, 6.12 or the name of a package "
				 "linux-image-*. 'shortfuse run --target qemu:NAME' "
				 "boots it.",
				 NULL,
				 NULL,
				 NULL};

static void tell(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static int fetch(char **names, int n)
{
	int status = EXIT_CLEAN;

	for (int i = 0; i < n; i++) {
		char path[4096], sha[65], err[300] = "";

		if (fetch_kernel(names[i], path, sizeof(path), tell, err) < 0) {
			fprintf(stderr, "shortfuse kernel: %s\n", err);
			status = EXIT_INFRA;
			continue;
		}
		fetch_recorded_sha256(path, sha);
		printf("%-6s %s\n", names[i], path);
		if (sha[0])
			printf("       sha256 %s\n", sha);
	}
	return status;
}

static int list(void)
{
	char path[4096], sha[65], err[300];

	printf("%-8s %s\n", "NAME", "FILE");
	for (const struct kernel_name *k = kernel_names; k->name; k++) {
		if (fetch_cached(k->name, path, sizeof(path), err) < 0) {
			printf("%-8s not here; 'shortfuse kernel fetch %s' gets it\n",
			       k->name, k->name);
			continue;
		}
		printf("%-8s %s\n", k->name, path);
		if (!fetch_recorded_sha256(path, sha))
			printf("%-8s sha256 %s\n", "", sha);
	}
	return EXIT_CLEAN;
}

int cmd_kernel(int argc, char **argv)
{
	struct kernel_options opt = {0};

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	if (opt.n_words == 1 && !strcmp(opt.words[0], "list"))
		return list();
	if (opt.n_words >= 2 && !strcmp(opt.words[0], "fetch"))
		return fetch(opt.words + 1, opt.n_words - 1);
	fprintf(stderr, "shortfuse kernel: expected 'list' or 'fetch NAME...'\n");
	return EXIT_USAGE;
}
