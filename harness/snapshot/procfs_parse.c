/* SPDX-License-Identifier: MIT */
/* Parsers of the texts under /proc/PID/task/TID. */
#include "procfs_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* proc_pid_stat(5), counted from the state, which is field 3. */
enum { STAT_PPID = 4, STAT_FLAGS = 9, STAT_THREADS = 20 };

int parse_stat(const char *text, struct stat_fields *ret)
{
	/* comm is free text: "a) b (" is one. The last ')' ends it. */
	const char *open = strchr(text, '('), *close = strrchr(text, ')'), *p;
	unsigned long long value[STAT_THREADS + 1] = {0};
	struct stat_fields out = {0};
	size_t len;

	if (!open || !close || close < open || close[1] != ' ' || !close[2])
		return -EINVAL;
	len = (size_t)(close - open - 1);
	if (len >= sizeof(out.comm))
		len = sizeof(out.comm) - 1;
	memcpy(out.comm, open + 1, len);
	out.state = close[2];
	p = close + 3;
	for (int i = 4; i <= STAT_THREADS; i++) {
		char *end;

		value[i] =
			strtoull(p, &end, 10); /* a negative one wraps: none of ours is */
		if (end == p)
			return -EINVAL;
		p = end;
	}
	out.ppid = (pid_t)value[STAT_PPID];
	out.flags = (uint32_t)value[STAT_FLAGS];
	out.n_threads = (uint32_t)value[STAT_THREADS];
	*ret = out;
	return 0;
}

/* mm_alloc() clears end_code, load_elf_binary() sets it long after exec_mmap(). A kernel thread and a
 * zombie have no memory either. */
bool parse_in_exec(const char *statm)
{
	unsigned long size, text;

	return sscanf(statm, "%lu %*u %*u %lu", &size, &text) == 2 && size && !text;
}

/* The value of "Name:" at the start of a line, or NULL. comm cannot forge one: its
 * newlines are escaped. */
static const char *status_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (text) {
		if (!strncmp(text, name, len) && text[len] == ':')
			return text + len + 1;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return NULL;
}

static uint64_t status_number(const char *text, const char *name, int base)
{
	const char *p = status_line(text, name);

	return p ? strtoull(p, NULL, base) : 0;
}

static int parse_word(const char *text, const char *name)
{
	const char *p = status_line(text, name);

	return p && *p ? p[1] : 0;
}

static void parse_comm(const char *text, char *comm, size_t size)
{
	const char *p = status_line(text, "Name");

	if (p && *p == '\t')
		snprintf(comm, size, "%.*s", (int)strcspn(p + 1, "\n"), p + 1);
}

void parse_status(const char *text, struct snap_task *task)
{
	const char *p = status_line(text, "NSpid");

	parse_comm(text, task->comm, sizeof(task->comm));
	task->state = (char)parse_word(text, "State");
	task->ppid = (pid_t)status_number(text, "PPid", 10);
	task->n_threads = (uint32_t)status_number(text, "Threads", 10);
	/* From the outermost namespace to its own. */
	while (p && *p && *p != '\n') {
		char *end;
		long number = strtol(p, &end, 10);

		if (end == p)
			break;
		task->inner_tid = (pid_t)number;
		p = end;
	}
	task->tracer = (pid_t)status_number(text, "TracerPid", 10);
	task->sigpnd = status_number(text, "SigPnd", 16);
	task->shdpnd = status_number(text, "ShdPnd", 16);
	task->sigblk = status_number(text, "SigBlk", 16);
	task->switches = status_number(text, "voluntary_ctxt_switches", 10) +
			 status_number(text, "nonvoluntary_ctxt_switches", 10);
}

/* "running", "-1 SP PC" or "NR A0 .. A5 SP PC" (proc_pid_syscall(), fs/proc/base.c). */
void parse_syscall(const char *text, struct snap_task *task)
{
	unsigned long long v[8];
	long nr;
	int n;

	task->syscall = -2;
	n = sscanf(text, "%ld %llx %llx %llx %llx %llx %llx %llx %llx", &nr, &v[0], &v[1],
		   &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]);
	if (n == 3 && nr == -1) {
		task->syscall = -1;
		task->sp = v[0];
		task->pc = v[1];
	} else if (n == 9 && nr >= 0) {
		task->syscall = (int32_t)nr;
		for (int i = 0; i < 6; i++)
			task->args[i] = v[i];
		task->sp = v[6];
		task->pc = v[7];
	}
}

/* Lines "[<0>] fuse_flush+0x12c/0x1d0 [fuse]". */
void parse_stack(const char *text, struct snap_task *task)
{
	task->n_frames = 0;
	while (*text && task->n_frames < SNAP_FRAMES) {
		const char *end = strchrnul(text, '\n'), *name = text;
		char *dst = task->frames[task->n_frames].name;
		size_t len;

		if (!strncmp(name, "[<", 2)) {
			const char *tag = memchr(name, ']', (size_t)(end - name));

			name = tag ? tag + 1 : name;
		}
		while (name < end && *name == ' ')
			name++;
		len = (size_t)(end - name);
		if (len >= SNAP_NAME)
			len = SNAP_NAME - 1;
		if (len) {
			memcpy(dst, name, len);
			dst[len] = '\0';
			task->n_frames++;
		}
		text = *end ? end + 1 : end;
	}
}

uint64_t hash_text(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ull;

	if (!*text)
		return 0;
	while (*text)
		h = (h ^ (unsigned char)*text++) * 0x100000001b3ull;
	return h;
}
