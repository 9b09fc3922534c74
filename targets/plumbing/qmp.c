/* SPDX-License-Identifier: MIT */
/* Talks QMP: JSON objects, one a line (docs/interop/qmp-spec.txt of QEMU). */

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "qmp.h"

#define LINE_MAX_BYTES 65536

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void qmp_close(struct qmp *qmp)
{
	if (qmp->fd >= 0)
		close(qmp->fd);
	free(qmp->buf);
	*qmp = (struct qmp){.fd = -1};
}

/* The next line as JSON, with a new reference. */
static int read_object(struct qmp *qmp, int64_t deadline, json_t **ret)
{
	for (;;) {
		char *end = memchr(qmp->buf, '\n', qmp->have);
		struct pollfd pfd = {.fd = qmp->fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		ssize_t n;

		if (end) {
			size_t len = (size_t)(end - qmp->buf) + 1;

			*ret = json_loadb(qmp->buf, len, JSON_DISABLE_EOF_CHECK, NULL);
			qmp->have -= len;
			memmove(qmp->buf, end + 1, qmp->have);
			return *ret ? 0 : -EPROTO;
		}
		if (qmp->have == LINE_MAX_BYTES)
			return -EPROTO;
		if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
			return -ETIMEDOUT;
		n = recv(qmp->fd, qmp->buf + qmp->have, LINE_MAX_BYTES - qmp->have,
			 MSG_DONTWAIT);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		qmp->have += n > 0 ? (size_t)n : 0;
	}
}

/* Sends a command (the reference is consumed) and waits for its "return". */
static int command(struct qmp *qmp, json_t *request, int timeout_ms, json_t **ret,
		   char *err)
{
	int64_t deadline = now_ms() + timeout_ms;
	char *text = json_dumps(request, JSON_COMPACT);
	const char *desc;
	json_t *answer;
	ssize_t n;
	int error;

	json_decref(request);
	if (!text)
		return -ENOMEM;
	n = send(qmp->fd, text, strlen(text), MSG_NOSIGNAL);
	error = n == (ssize_t)strlen(text) ? 0 : n < 0 ? -errno : -EIO;
	free(text);
	while (!error && !(error = read_object(qmp, deadline, &answer))) {
		*ret = json_incref(json_object_get(answer, "return"));
		if (!*ret && !json_unpack(answer, "{s:{s:s}}", "error", "desc", &desc)) {
			snprintf(err, 200, "%.190s", desc);
			error = -EREMOTEIO;
		}
		json_decref(answer);
		if (*ret)
			return 0;
	}
	return error;
}

int qmp_command(struct qmp *qmp, const char *name, int timeout_ms, char *err)
{
	json_t *value = NULL;
	int ret = command(qmp, json_pack("{s:s}", "execute", name), timeout_ms, &value,
			  err);

	json_decref(value);
	return ret;
}

int qmp_monitor(struct qmp *qmp, const char *line, int timeout_ms, char *err)
{
	json_t *value = NULL;
	int ret = command(qmp,
			  json_pack("{s:s, s:{s:s}}", "execute", "human-monitor-command",
				    "arguments", "command-line", line),
			  timeout_ms, &value, err);

	if (!ret && json_string_length(value)) {
		snprintf(err, 200, "%.190s", json_string_value(value));
		err[strcspn(err, "\r\n")] = '\0';
		ret = -EREMOTEIO;
	}
	json_decref(value);
	return ret;
}

int qmp_open(struct qmp *qmp, int fd, int timeout_ms)
{
	char err[200];
	json_t *greeting;
	int ret;

	*qmp = (struct qmp){.fd = fd, .buf = malloc(LINE_MAX_BYTES)};
	if (!qmp->buf)
		return -ENOMEM;
	ret = read_object(qmp, now_ms() + timeout_ms, &greeting);
	if (ret < 0)
		return ret;
	ret = json_object_get(greeting, "QMP") ? 0 : -EPROTO;
	json_decref(greeting);
	return ret ? ret : qmp_command(qmp, "qmp_capabilities", timeout_ms, err);
}
