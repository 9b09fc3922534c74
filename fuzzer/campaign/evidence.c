/* SPDX-License-Identifier: MIT */
/* Turns the JSON details of a result into the files that a person looks at. */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evidence.h"
#include "file.h"
#include "fuzzer/finding/outcome.h"
#include "harness/explain/explain.h"
#include "harness/snapshot/json.h"

#define DOT_TIMEOUT_MS 10000

static int write_kmsg(int dir_fd, const json_t *details)
{
	const json_t *lines = json_object_get(details, "kmsg"), *line;
	size_t i, len = 0;
	char *text;
	int ret;

	json_array_foreach(lines, i, line) len += json_string_length(line) + 1;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	len = 0;
	json_array_foreach(lines, i, line)
	{
		memcpy(text + len, json_string_value(line), json_string_length(line));
		len += json_string_length(line);
		text[len++] = '\n';
	}
	ret = file_write(dir_fd, "kmsg.txt", text, len);
	free(text);
	return ret;
}

/* The graph is drawn again from the tasks and requests: the details hold its sentence only. */
static int write_graph(int dir_fd, const json_t *details)
{
	struct snapshot snap;
	struct explanation ex;
	char err[200], *text = NULL;
	size_t len = 0;
	FILE *out;
	int ret = 0;

	snapshot_init(&snap);
	if (snapshot_from_json(details, &snap, err) < 0 ||
	    explain_snapshot(&snap, &ex) < 0) {
		snapshot_release(&snap);
		return 0;
	}
	out = open_memstream(&text, &len);
	if (out && explain_dot(&snap, &ex, out) >= 0 && !fflush(out))
		ret = file_write(dir_fd, "graph.dot", text, len);
	if (out)
		fclose(out);
	free(text);
	explanation_release(&ex);
	snapshot_release(&snap);
	return ret;
}

static int write_text(int dir_fd, const char *json)
{
	struct result res = {.json = (char *)json, .json_len = strlen(json)};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int ret;

	if (!out)
		return -ENOMEM;
	outcome_print_text(out, NULL, &res);
	fclose(out);
	ret = file_write(dir_fd, "snapshot.txt", text, len);
	free(text);
	return ret;
}

int evidence_write(int dir_fd, const char *json)
{
	json_t *details;
	int ret;

	ret = file_write(dir_fd, "snapshot.json", json, strlen(json));
	if (ret < 0)
		return ret;
	details = json_loads(json, 0, NULL);
	if (!details)
		return 0;
	ret = write_text(dir_fd, json);
	if (!ret)
		ret = write_kmsg(dir_fd, details);
	if (!ret)
		ret = write_graph(dir_fd, details);
	json_decref(details);
	return ret;
}

void evidence_draw(int dir_fd)
{
	pid_t pid;
	int status, fd;

	if (faccessat(dir_fd, "graph.dot", R_OK, 0))
		return;
	pid = fork();
	if (pid == 0) {
		if (fchdir(dir_fd))
			_exit(127);
		fd = open("/dev/null", O_RDWR);
		for (int i = 0; fd >= 0 && i < 3; i++)
			dup2(fd, i);
		execlp("dot", "dot", "-Tsvg", "-o", "graph.svg", "graph.dot",
		       (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		return;
	for (int ms = 0; ms < DOT_TIMEOUT_MS; ms += 5) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return;
		poll(NULL, 0, 5);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}
