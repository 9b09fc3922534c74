/* SPDX-License-Identifier: MIT */
/* Runs the campaigns of a qualification and makes rows of their findings. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzzer/campaign/campaign.h"
#include "fuzzer/campaign/file.h"
#include "fuzzing.h"
#include "store.h"

static int link_in(int dir_fd, const char *name, const char *path)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		return errno == ENOENT ? 0 : -errno;
	unlinkat(dir_fd, name, 0);
	return symlinkat(real, dir_fd, name) ? -errno : 0;
}

/* DIR/union: links to the corpus and to the queues of the campaigns so far. */
static int make_union(const struct fuzzing *f)
{
	const struct qualification *q = f->matrix->q;
	int fd = file_make_dir(f->matrix->dir_fd, "union"), ret = 0;
	char name[120], path[PATH_MAX];

	if (fd < 0)
		return fd;
	for (unsigned int i = 0; f->corpus[i] && !ret; i++) {
		const char *slash = strrchr(f->corpus[i], '/');

		snprintf(name, sizeof(name), "%u-%.100s", i,
			 slash && slash[1] ? slash + 1 : f->corpus[i]);
		for (char *c = name; *c; c++)
			if (*c == '/')
				*c = '-';
		ret = link_in(fd, name, f->corpus[i]);
	}
	for (unsigned int i = 0; i < q->n_columns && !ret; i++) {
		snprintf(path, sizeof(path), "%.3000s/columns/%s/fuzz/afl/main/queue",
			 f->dir, q->columns[i].slug);
		ret = link_in(fd, q->columns[i].slug, path);
	}
	close(fd);
	return ret;
}

/* A signature that a row of the corpus shows on this kernel anyway is nothing new. */
static bool is_told(const struct qualification *q, unsigned int column,
		    const struct finding *finding)
{
	for (unsigned int i = 0; i < q->n_rows; i++) {
		const struct cell *cell = &q->rows[i].cells[column];

		if (q->rows[i].source == ROW_FOUND &&
		    !strcmp(strchr(q->rows[i].name, '/') + 1, finding->id))
			return true;
		for (unsigned int k = 0; k < cell->n_kinds; k++)
			if (cell->kinds[k].signature == finding->signature &&
			    cell->kinds[k].verdict == finding->verdict)
				return true;
	}
	return false;
}

static int take_findings(struct qualification *q, unsigned int column,
			 const struct campaign *campaign, bool bugs, unsigned int *taken)
{
	for (unsigned int i = 0; i < campaign->findings.n && *taken < FOUND_MAX; i++) {
		const struct finding *finding = campaign->findings.list[i];
		struct scenario scn = finding->scn;
		char name[80];
		struct row *row;

		if ((verdict_table[finding->verdict].severity >= SEVERITY_BUG) != bugs ||
		    is_told(q, column, finding))
			continue;
		scn.config.expect = 0;
		snprintf(name, sizeof(name), "found/%s", finding->id);
		row = qualification_add_row(q, name, &scn);
		if (!row)
			return -ENOMEM;
		row->source = ROW_FOUND;
		row->found_by = column;
		(*taken)++;
	}
	return 0;
}

/* A campaign that was under way when it was killed goes on. */
static bool was_begun(const struct fuzzing *f, const char *slug)
{
	char path[200];

	snprintf(path, sizeof(path), "columns/%s/fuzz/campaign.json", slug);
	return !faccessat(f->matrix->dir_fd, path, F_OK, 0);
}

static enum campaign_mode best_mode(const struct fuzzing *f)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.4000s/shortfuse-afl", f->program_dir);
	if (access(path, X_OK) || system("command -v afl-fuzz >/dev/null 2>&1"))
		return MODE_BLIND;
	return MODE_GUIDED;
}

static int fuzz_column(struct fuzzing *f, unsigned int c)
{
	static struct campaign campaign; /* it is large */
	struct qualification *q = f->matrix->q;
	struct column *column = &q->columns[c];
	char dir[PATH_MAX], corpus[PATH_MAX];
	struct campaign_options options = {
		.target = column->spec,
		.dir = dir,
		.corpus = corpus,
		.program_dir = f->program_dir,
		.seconds = q->fuzz_seconds,
		.jobs = f->matrix->jobs,
		.seed = q->seed,
		.mode = best_mode(f),
		.flag_at = SEVERITY_CONTRACT,
		.resume = was_begun(f, column->slug),
		.verbose = f->matrix->verbose,
	};
	unsigned int taken = 0;
	int ret;

	snprintf(dir, sizeof(dir), "%.3000s/columns/%s/fuzz", f->dir, column->slug);
	snprintf(corpus, sizeof(corpus), "%.3000s/union", f->dir);
	ret = make_union(f);
	if (ret < 0)
		return ret;
	ret = campaign_open(&campaign, &options);
	if (ret >= 0) {
		*f->stop_fd = campaign.stop_fd;
		if (!*f->matrix->stop)
			ret = campaign_run(&campaign);
		*f->stop_fd = -1;
	}
	if (ret < 0)
		snprintf(column->error, sizeof(column->error), "fuzzing it: %.280s",
			 campaign.error);
	/* Without those that gave no answer: they have shown nothing. */
	column->fuzz_runs = campaign.runs_before + campaign.runs - campaign.infra;
	column->fuzz_findings = campaign.findings.n;
	column->seconds += campaign_seconds(&campaign);
	ret = take_findings(q, c, &campaign, true, &taken);
	if (!ret)
		ret = take_findings(q, c, &campaign, false, &taken);
	column->fuzzed = !*f->matrix->stop;
	campaign_close(&campaign);
	return ret ? ret : store_write(q, f->matrix->dir_fd);
}

/* One campaign a kernel: its settings are for the replays. */
static bool is_first_of_spec(const struct qualification *q, unsigned int c)
{
	for (unsigned int i = 0; i < q->n_columns; i++)
		if (i != c && !strcmp(q->columns[i].spec, q->columns[c].spec) &&
		    q->columns[i].fuzzed)
			return false;
	return true;
}

int fuzzing_run(struct fuzzing *f)
{
	struct qualification *q = f->matrix->q;
	int ret = 0;

	for (unsigned int i = 0; i < q->n_columns && !ret && !*f->matrix->stop; i++) {
		/* Baselines stand behind the candidates, and go first. */
		unsigned int c = (q->n_candidates + i) % q->n_columns;

		if (!q->columns[c].fuzzed && !q->columns[c].error[0] &&
		    is_first_of_spec(q, c))
			ret = fuzz_column(f, c);
	}
	return ret;
}
