/* SPDX-License-Identifier: MIT */
/* A client of QEMU's machine protocol: one command at a time, events are skipped. */
#ifndef SF_QMP_H
#define SF_QMP_H

#include <stddef.h>

struct qmp {
	int fd; /* non-blocking socket, owned; -1: closed */
	char *buf;
	size_t have;
};

/* Takes fd over, waits for the greeting, negotiates. 0, -ETIMEDOUT, -ECONNRESET, -EPROTO. */
int qmp_open(struct qmp *qmp, int fd, int timeout_ms);
void qmp_close(struct qmp *qmp);

/* Runs a command without arguments. 0, or -errno; -EREMOTEIO with err[200] if QEMU refused it. */
int qmp_command(struct qmp *qmp, const char *name, int timeout_ms, char *err);

/* Runs a line of the human monitor, of those that print nothing when all is well: savevm, loadvm. */
int qmp_monitor(struct qmp *qmp, const char *line, int timeout_ms, char *err);

#endif
