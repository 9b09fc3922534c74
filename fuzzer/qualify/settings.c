/* SPDX-License-Identifier: MIT */
/* Settings that a qualification can sweep over: parsing, checking, applying, putting back. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings.h"

#define DEFAULT_TIMEOUT "fs.fuse.default_request_timeout"
#define MAX_TIMEOUT	"fs.fuse.max_request_timeout"
#define TIMER_MS	15000 /* FUSE_TIMEOUT_TIMER_FREQ */
#define MARGIN_MS	3000

static const struct known_setting {
	const char *key;
	const char *path; /* of this machine; NULL: an option of a guest */
	long least, most;
	const char *
		idle; /* what targets/plumbing/sysctls.c sets; NULL: it leaves it alone */
} table[] = {
	{DEFAULT_TIMEOUT, "/proc/sys/fs/fuse/default_request_timeout", 0, 65535, "0"},
	{MAX_TIMEOUT, "/proc/sys/fs/fuse/max_request_timeout", 0, 65535, "0"},
	{"fuse.enable_uring", "/sys/module/fuse/parameters/enable_uring", 0, 1, NULL},
	{"cpus", NULL, 1, 64, NULL},
	{"memory", NULL, 64, 65536, NULL},
};

#define N_TABLE (sizeof(table) / sizeof(table[0]))

static const struct known_setting *find(const char *key)
{
	for (size_t i = 0; i < N_TABLE; i++)
		if (!strcmp(table[i].key, key))
			return &table[i];
	return NULL;
}

static int unknown(const char *key, char *err)
{
	int len = snprintf(err, 300, "--sweep: '%.60s' is none of", key);

	for (size_t i = 0; i < N_TABLE; i++)
		len += snprintf(err + len, 300 - len, "%s %s", i ? "," : "",
				table[i].key);
	return -EINVAL;
}

int sweep_parse(const char *arg, struct sweep *sweep, char *err)
{
	const char *equal = strchr(arg, '='), *next = equal;
	size_t len = equal ? (size_t)(equal - arg) : 0;

	memset(sweep, 0, sizeof(*sweep));
	if (!len || len >= sizeof(sweep->key)) {
		snprintf(err, 300, "--sweep %.100s: expected KEY=A,B", arg);
		return -EINVAL;
	}
	memcpy(sweep->key, arg, len);
	if (!find(sweep->key))
		return unknown(sweep->key, err);
	while (next) {
		const char *value = next + 1;

		next = strchr(value, ',');
		len = next ? (size_t)(next - value) : strlen(value);
		if (!len || len >= sizeof(sweep->values[0]) || sweep->n == SWEEP_VALUES) {
			snprintf(err, 300,
				 "--sweep %.100s: expected 1 to %d values between commas",
				 arg, SWEEP_VALUES);
			return -EINVAL;
		}
		memcpy(sweep->values[sweep->n++], value, len);
	}
	return 0;
}

static int check(const struct column *column, const struct setting *setting, char *err)
{
	const struct known_setting *known = find(setting->key);
	bool host = !strcmp(column->spec, "host");
	char *end;
	long n;

	if (!known)
		return unknown(setting->key, err);
	n = strtol(setting->value, &end, 10);
	if (*end || n < known->least || n > known->most) {
		snprintf(err, 300, "--sweep %s=%s: expected a number from %ld to %ld",
			 setting->key, setting->value, known->least, known->most);
		return -EINVAL;
	}
	if (host == (known->path != NULL) && (!host || !access(known->path, W_OK)))
		return 0;
	if (host && known->path)
		snprintf(err, 300, "--sweep %s: this kernel has no %s", setting->key,
			 known->path);
	else
		snprintf(err, 300, "--sweep %s: only %s can be set so, not %.100s",
			 setting->key, host ? "guests" : "the target host", column->spec);
	return -EINVAL;
}

int settings_check(const struct column *column, char *err)
{
	int ret = 0;

	for (unsigned int i = 0; i < column->n_settings && !ret; i++)
		ret = check(column, &column->settings[i], err);
	return ret;
}

void settings_options(const struct column *column, struct target_options *options)
{
	for (unsigned int i = 0; i < column->n_settings; i++) {
		int n = atoi(column->settings[i].value);

		if (!strcmp(column->settings[i].key, "cpus"))
			options->cpus = n;
		if (!strcmp(column->settings[i].key, "memory"))
			options->memory_mb = n;
	}
}

static int read_value(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return n < 0 ? -EIO : 0;
}

static int write_value(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void settings_save(const struct column *column, struct settings_saved *saved)
{
	memset(saved, 0, sizeof(*saved));
	for (unsigned int i = 0; i < column->n_settings; i++) {
		const struct known_setting *known = find(column->settings[i].key);

		if (known && known->path)
			read_value(known->path, saved->values[i],
				   sizeof(saved->values[i]));
	}
}

int settings_apply(const struct column *column, char *err)
{
	for (unsigned int i = 0; i < column->n_settings; i++) {
		const struct setting *setting = &column->settings[i];
		const struct known_setting *known = find(setting->key);
		char now[64];
		int ret;

		if (!known || !known->path)
			continue;
		read_value(known->path, now, sizeof(now));
		if (!strcmp(now, setting->value))
			continue;
		ret = write_value(known->path, setting->value);
		if (ret < 0) {
			snprintf(err, 300, "%s: %s", known->path, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

void settings_restore(const struct column *column, const struct settings_saved *saved)
{
	for (unsigned int i = 0; i < column->n_settings; i++) {
		const struct known_setting *known = find(column->settings[i].key);

		if (known && known->idle)
			write_value(known->path, known->idle);
		else if (known && known->path && saved->values[i][0])
			write_value(known->path, saved->values[i]);
	}
}

static unsigned long value_of(const struct column *column, const char *key)
{
	for (unsigned int i = 0; i < column->n_settings; i++)
		if (!strcmp(column->settings[i].key, key))
			return strtoul(column->settings[i].value, NULL, 10);
	return 0;
}

/* As init_server_timeout() of the kernel puts the two together for a server that asks for none. */
unsigned int settings_wait_ms(const struct column *column)
{
	unsigned long timeout = value_of(column, DEFAULT_TIMEOUT);
	unsigned long most = value_of(column, MAX_TIMEOUT), ms;

	if (most && (!timeout || timeout > most))
		timeout = most;
	ms = timeout * 1000 + TIMER_MS + MARGIN_MS;
	return timeout && ms <= SETTINGS_WAIT_MAX_MS ? (unsigned int)ms : 0;
}
