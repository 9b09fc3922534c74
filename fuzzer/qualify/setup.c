/* SPDX-License-Identifier: MIT */
/* Columns from kernels and sweeps, rows from a corpus. */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzzer/finding/scenario_file.h"
#include "setup.h"

#define DEPTH_MAX 3

static unsigned int combinations(const struct setup *setup)
{
	unsigned int n = 1;

	for (unsigned int i = 0; i < setup->n_sweeps; i++)
		n *= setup->sweeps[i].n;
	return n;
}

/* A name for a folder: plain, and different for every column by its number. */
static void make_slug(struct column *column, unsigned int index)
{
	size_t len = snprintf(column->slug, sizeof(column->slug), "%u-", index);

	for (const char *c = column->name; *c && len + 1 < sizeof(column->slug); c++)
		column->slug[len++] = isalnum((unsigned char)*c) || *c == '.' ? *c : '-';
	column->slug[len] = '\0';
}

static int add_column(struct qualification *q, const struct setup *setup,
		      const char *spec, unsigned int combination, bool baseline,
		      char *err)
{
	struct column column = {.baseline = baseline, .n_settings = setup->n_sweeps};
	size_t len;
	int ret;

	snprintf(column.spec, sizeof(column.spec), "%s", spec);
	/* Of several packages the first one names it. */
	len = snprintf(column.name, sizeof(column.name), "%.*s",
		       (int)strcspn(column.spec, ","), column.spec);
	for (unsigned int i = 0; i < setup->n_sweeps; i++) {
		const struct sweep *sweep = &setup->sweeps[i];
		struct setting *setting = &column.settings[i];

		memcpy(setting->key, sweep->key, sizeof(setting->key));
		memcpy(setting->value, sweep->values[combination % sweep->n],
		       sizeof(setting->value));
		combination /= sweep->n;
		if (len < sizeof(column.name))
			len += snprintf(column.name + len, sizeof(column.name) - len,
					" %s=%s", setting->key, setting->value);
	}
	make_slug(&column, q->n_columns);
	ret = settings_check(&column, err);
	if (ret < 0)
		return ret;
	ret = qualification_add_column(q, &column);
	if (ret < 0)
		snprintf(err, 300, "%s", strerror(-ret));
	return ret;
}

int setup_columns(struct qualification *q, const struct setup *setup, char *err)
{
	unsigned int n = combinations(setup), total = setup->n_kernels * n;
	int ret = 0;

	if (total > 64) {
		snprintf(err, 300, "%u kernels under %u settings are too many", total / n,
			 n);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < total && !ret; i++)
		ret = add_column(q, setup, setup->kernels[i / n], i % n, false, err);
	for (unsigned int i = 0; i < n && !ret && setup->baseline; i++)
		ret = add_column(q, setup, setup->baseline, i, true, err);
	q->n_candidates = total;
	return ret;
}

/* "hangs/exit-flush" of ".../corpus/hangs/exit-flush.txt". */
static void row_name(const char *path, char *out, size_t size)
{
	const char *start = path + strlen(path);
	unsigned int slashes = 0;
	size_t len;

	while (start > path && (start[-1] != '/' || ++slashes < 2))
		start--;
	len = strlen(start);
	if (len > 4 &&
	    (!strcmp(start + len - 4, ".txt") || !strcmp(start + len - 4, ".bin")))
		len -= 4;
	snprintf(out, size, "%.*s", (int)len, start);
}

static int take_file(struct qualification *q, const char *path, char *err)
{
	char name[sizeof(q->rows->name)], error[SCENARIO_FILE_ERROR];
	struct scenario scn;
	int ret = scenario_file_load(path, &scn, error);

	if (ret < 0) {
		snprintf(err, 600, "%s", error);
		return ret;
	}
	row_name(path, name, sizeof(name));
	for (unsigned int i = 0; i < q->n_rows; i++) {
		if (strcmp(q->rows[i].name, name))
			continue;
		snprintf(err, 600, "%.300s: there are two scenarios named %s", path,
			 name);
		return -EINVAL;
	}
	if (!qualification_add_row(q, name, &scn)) {
		snprintf(err, 600, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

static int walk(struct qualification *q, const char *path, unsigned int depth, char *err)
{
	struct dirent **names;
	char inner[PATH_MAX];
	struct stat st;
	int n, ret = 0;

	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return take_file(q, path, err);
	/* The folder of a finding is a scenario. */
	snprintf(inner, sizeof(inner), "%.3000s/scenario.bin", path);
	if (!stat(inner, &st))
		return take_file(q, path, err);
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(inner, sizeof(inner), "%.3000s/%s", path, names[i]->d_name);
		if (!ret && names[i]->d_name[0] != '.' && depth < DEPTH_MAX)
			ret = walk(q, inner, depth + 1, err);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return ret;
}

int setup_rows(struct qualification *q, const struct setup *setup, char *err)
{
	int ret = 0;

	for (unsigned int i = 0; setup->corpus[i] && !ret; i++)
		ret = walk(q, setup->corpus[i], 0, err);
	if (!ret && !q->n_rows) {
		snprintf(err, 600, "%.300s: no scenario there", setup->corpus[0]);
		ret = -EINVAL;
	}
	return ret;
}
