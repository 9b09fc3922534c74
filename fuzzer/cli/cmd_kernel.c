/* SPDX-License-Identifier: MIT */
/* shortfuse kernel: gets, lists and removes the kernels that qemu: can boot by name. */

#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "targets/kernel/apt.h"
#include "targets/kernel/fetch.h"
#include "targets/kernel/offers.h"

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

static const struct argp argp = {
	options,
	parse,
	"list [all]\nfetch NAME...\nupdate\nprune [NAME...]",
	"Kernels of Debian, downloaded by apt into the cache folder; nothing is "
	"installed, and "
	"apt's own lists stay as they are.\v"
	"NAME is a series or the beginning of a release (5.10, 6.12, 7.3.4), newest, a "
	"suite "
	"(bullseye, bookworm, trixie, trixie-backports, sid, experimental), a package "
	"linux-image-*, or the path of a package of your own (.deb, .rpm). 'shortfuse "
	"run "
	"--target qemu:NAME' boots it.\n\n"
	"'update' asks the archive anew what there is, and 'fetch' does so once a day; "
	"'prune' "
	"without a name keeps the newest of each series.",
	NULL,
	NULL,
	NULL};

static void tell(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static void print_kernel(const char *name, const char *files)
{
	char copy[KERNEL_FILES_MAX], sha[65], *save = NULL;

	printf("%-8s %s\n", name, files);
	snprintf(copy, sizeof(copy), "%s", files);
	for (char *one = strtok_r(copy, ",", &save); one;
	     one = strtok_r(NULL, ",", &save)) {
		struct stat st;

		if (stat(one, &st) || fetch_recorded_sha256(one, sha))
			continue;
		printf("%-8s sha256 %s, %.1f MB\n", "", sha, (double)st.st_size / 1e6);
	}
}

static int fetch(char **names, int n)
{
	int status = EXIT_CLEAN;

	for (int i = 0; i < n; i++) {
		char files[KERNEL_FILES_MAX], err[300] = "";

		if (fetch_kernel(names[i], files, sizeof(files), tell, err) < 0) {
			fprintf(stderr, "shortfuse kernel: %s\n", err);
			status = EXIT_INFRA;
			continue;
		}
		print_kernel(names[i], files);
	}
	return status;
}

static void list_here(void *ctx, const char *release, const char *files)
{
	(void)ctx;
	(void)files;
	printf("         %s\n", release);
}

static void list_offers(void)
{
	struct offers offers = {0};
	char err[300];

	if (!apt_has_lists(false) || offers_load(&offers, err) < 0) {
		printf("\n'shortfuse kernel update' asks the archive what else there "
		       "is.\n");
		return;
	}
	printf("\nTo be had ('shortfuse kernel update' looks anew):\n");
	for (size_t i = 0; i < offers.n; i++) {
		const struct offer *one = &offers.offer[i];

		printf("         %-34s %-18s %5.1f MB%s\n", one->release, one->suite,
		       (double)one->kb / 1000,
		       one->whole ? "" : ", not all of its packages");
	}
	offers_release(&offers);
}

static int list(bool all)
{
	char files[KERNEL_FILES_MAX], err[300];

	printf("%-8s %s\n", "NAME", "FILE");
	for (const char *const *name = kernel_names; *name; name++) {
		if (fetch_cached(*name, files, sizeof(files), err) < 0)
			printf("%-8s not here; 'shortfuse kernel fetch %s' gets it\n",
			       *name, *name);
		else
			print_kernel(*name, files);
	}
	printf("\nHere:\n");
	fetch_each(list_here, NULL);
	if (all)
		list_offers();
	else
		printf("\n'shortfuse kernel list all' lists what else there is.\n");
	return EXIT_CLEAN;
}

static int update(void)
{
	char err[300] = "";

	if (apt_update(err) < 0) {
		fprintf(stderr, "shortfuse kernel: %s\n", err);
		return EXIT_INFRA;
	}
	return list(true);
}

static int prune(char **names, int n)
{
	int status = EXIT_CLEAN;
	char err[300] = "";
	long kb = 0;

	for (int i = 0; i < n || (!n && !i); i++) {
		long freed = fetch_prune(n ? names[i] : NULL, tell, err);

		if (freed < 0) {
			fprintf(stderr, "shortfuse kernel: %s\n", err);
			status = EXIT_USAGE;
		} else {
			kb += freed;
		}
	}
	printf("%.1f MB freed\n", (double)kb / 1000);
	return status;
}

int cmd_kernel(int argc, char **argv)
{
	struct kernel_options opt = {0};
	const char *what;

	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	what = opt.words[0];
	if (opt.n_words == 1 && !strcmp(what, "list"))
		return list(false);
	if (opt.n_words == 2 && !strcmp(what, "list") && !strcmp(opt.words[1], "all"))
		return list(true);
	if (opt.n_words == 1 && !strcmp(what, "update"))
		return update();
	if (!strcmp(what, "prune"))
		return prune(opt.words + 1, opt.n_words - 1);
	if (opt.n_words >= 2 && !strcmp(what, "fetch"))
		return fetch(opt.words + 1, opt.n_words - 1);
	fprintf(stderr,
		"shortfuse kernel: expected 'list [all]', 'fetch NAME...', 'update' or "
		"'prune [NAME...]'\n");
	return EXIT_USAGE;
}
