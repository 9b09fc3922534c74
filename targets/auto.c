/* SPDX-License-Identifier: MIT */
/* Finds the scratch kernel that boots here. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auto.h"
#include "targets/kernel/fetch.h"
#include "targets/plumbing/accel.h"
#include "targets/plumbing/executable.h"

#define FETCHED "6.12" /* all built in, no module to load: the fastest to boot */

static int read_boot_id(char *buf, size_t size)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool ok = file && fgets(buf, (int)size, file);

	if (file)
		fclose(file);
	buf[ok ? strcspn(buf, "\n") : 0] = '\0';
	return ok ? 0 : -ENOENT;
}

static int memory_path(char *buf, size_t size)
{
	char dir[4000];
	int ret = cache_dir(NULL, dir, sizeof(dir));

	if (ret < 0)
		return ret;
	snprintf(buf, size, "%s/auto", dir);
	return 0;
}

/* "BOOT-ID TARGET" */
static bool recall(char *ret_target, size_t size)
{
	char path[4096], line[300], boot[64];
	FILE *file;
	bool same;

	if (memory_path(path, sizeof(path)) < 0 || read_boot_id(boot, sizeof(boot)) < 0)
		return false;
	file = fopen(path, "re");
	same = file && fgets(line, sizeof(line), file) &&
	       !strncmp(line, boot, strlen(boot)) && line[strlen(boot)] == ' ';
	if (file)
		fclose(file);
	if (same) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(ret_target, size, "%s", line + strlen(boot) + 1);
	}
	return same && ret_target[0];
}

/* Without it the next start looks again: no harm. */
static void remember(const char *target)
{
	char path[4096], temp[4110], boot[64];
	FILE *file;

	if (memory_path(path, sizeof(path)) < 0 || read_boot_id(boot, sizeof(boot)) < 0)
		return;
	snprintf(temp, sizeof(temp), "%s.%d", path, getpid());
	file = fopen(temp, "we");
	if (!file)
		return;
	fprintf(file, "%s %s\n", boot, target);
	if (fclose(file) || rename(temp, path))
		unlink(temp);
}

static int boots(const char *target, char *why)
{
	struct target_options options = {.spec = target, .cpu = -1};
	struct target *opened;
	int ret = target_open(&options, &opened, why);

	if (!ret)
		target_close(opened);
	return ret;
}

/* Tries one; if it does not boot, why not is put behind what was said of others. */
static bool try_one(const char *target, char *failures, size_t size)
{
	char why[300];
	size_t len = strlen(failures);

	if (!boots(target, why))
		return true;
	snprintf(failures + len, size - len, "%s%.40s: %.280s", len ? "; " : "", target,
		 why);
	return false;
}

static bool find(char *target, size_t size, target_say *say, char *failures,
		 size_t failures_size)
{
	char path[KERNEL_FILES_MAX], err[300];
	size_t len;

	snprintf(target, size, "uml");
	if (try_one(target, failures, failures_size))
		return true;
	if (access(QEMU_PATH, X_OK)) {
		len = strlen(failures);
		snprintf(failures + len, failures_size - len, "; qemu: " QEMU_PATH ": %s",
			 strerror(errno));
		return false;
	}
	for (const char *const *k = kernel_names; *k; k++) {
		if (fetch_cached(*k, path, sizeof(path), err) < 0)
			continue;
		snprintf(target, size, "qemu:%s", *k);
		if (try_one(target, failures, failures_size))
			return true;
	}
	snprintf(target, size, "qemu:" FETCHED);
	if (!fetch_cached(FETCHED, path, sizeof(path), err))
		return false; /* tried above */
	say("no kernel is here yet: downloading " FETCHED " for QEMU");
	if (fetch_kernel(FETCHED, path, sizeof(path), say, err) < 0) {
		len = strlen(failures);
		snprintf(failures + len, failures_size - len,
			 "; qemu:" FETCHED ": %.280s", err);
		return false;
	}
	return try_one(target, failures, failures_size);
}

int target_resolve(const char *spec, char buf[SPEC_MAX], target_say *say, char *err)
{
	char target[200] = "", failures[900] = "", line[1200];
	const char *properties = "";

	if (strcmp(spec, "auto") && strncmp(spec, "auto+", 5)) {
		if (snprintf(buf, SPEC_MAX, "%s", spec) < SPEC_MAX)
			return 0;
		snprintf(err, AUTO_ERROR, "the target's name is longer than %d bytes",
			 SPEC_MAX);
		return -EINVAL;
	}
	properties = spec + 4;
	if (strstr(properties, "virtual-time")) {
		snprintf(err, AUTO_ERROR,
			 "virtual time is a matter of user-mode kernels that are built "
			 "for "
			 "it: --target uml:IMAGE");
		return -EINVAL;
	}
	if (recall(target, sizeof(target))) {
		snprintf(line, sizeof(line), "target auto: %s, as it booted before",
			 target);
	} else if (find(target, sizeof(target), say, failures, sizeof(failures))) {
		snprintf(line, sizeof(line), "target auto: %s%s%s%s", target,
			 failures[0] ? " (" : "", failures, failures[0] ? ")" : "");
		remember(target);
	} else {
		snprintf(err, AUTO_ERROR, "no scratch kernel boots here: %s", failures);
		return -ENODEV;
	}
	say(line);
	if (snprintf(buf, SPEC_MAX, "%s%s", target, properties) >= SPEC_MAX)
		return -EINVAL;
	return 0;
}
