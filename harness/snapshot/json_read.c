/* SPDX-License-Identifier: MIT */
/* JSON to snapshot: strict about types and ranges, deaf to unknown keys. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "harness/scenario/verdict.h"
#include "harness/snapshot/json.h"
#include "harness/snapshot/names.h"

#define ERR_SIZE 200
/* A hostile file must not take all memory: a task is 5 KiB here and 20 bytes there. */
#define MAX_TASKS 16384
#define MAX_ITEMS 262144

struct reader {
	const json_t *obj; /* the object whose keys are read */
	const char *where; /* "tasks[3]." */
	char *err;
	int ret; /* the first error; later reads do nothing */
};

static void fail(struct reader *rd, const char *key, const char *what)
{
	if (rd->ret)
		return;
	rd->ret = -EINVAL;
	snprintf(rd->err, ERR_SIZE, "%s%s: %s", rd->where, key, what);
}

/* An absent key is NULL and keeps the default. */
static const json_t *find(struct reader *rd, const char *key)
{
	return rd->ret ? NULL : json_object_get(rd->obj, key);
}

static int64_t get_int(struct reader *rd, const char *key, int64_t min, int64_t max,
		       int64_t def)
{
	const json_t *value = find(rd, key);

	if (!value)
		return def;
	if (!json_is_integer(value))
		fail(rd, key, "not an integer");
	else if (json_integer_value(value) < min || json_integer_value(value) > max)
		fail(rd, key, "out of range");
	else
		return json_integer_value(value);
	return def;
}

static bool get_bool(struct reader *rd, const char *key)
{
	const json_t *value = find(rd, key);

	if (value && !json_is_boolean(value))
		fail(rd, key, "not a boolean");
	return json_is_true(value);
}

static bool parse_hex(const json_t *value, uint64_t *ret)
{
	const char *s = json_string_value(value);

	if (!s || strncmp(s, "0x", 2) || strlen(s) > 18 || !s[2] ||
	    strspn(s + 2, "0123456789abcdefABCDEF") != strlen(s + 2))
		return false;
	*ret = strtoull(s + 2, NULL, 16);
	return true;
}

/* "0x1f", or a plain integer. */
static uint64_t get_u64(struct reader *rd, const char *key)
{
	const json_t *value = find(rd, key);
	uint64_t out = 0;

	if (!value)
		return 0;
	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return (uint64_t)json_integer_value(value);
	if (!parse_hex(value, &out))
		fail(rd, key, "not a number: a hex string or an integer >= 0");
	return out;
}

static void get_text(struct reader *rd, const char *key, char *buf, size_t size)
{
	const json_t *value = find(rd, key);

	if (!value)
		return;
	if (!json_is_string(value))
		fail(rd, key, "not a string");
	else if (json_string_length(value) >= size)
		fail(rd, key, "too long");
	else
		memcpy(buf, json_string_value(value), json_string_length(value) + 1);
}

/* Index of the string in names, where NULL entries are gaps. */
static int get_name(struct reader *rd, const char *key, const char *const *names, int n,
		    int def)
{
	const json_t *value = find(rd, key);

	if (!value)
		return def;
	if (!json_is_string(value)) {
		fail(rd, key, "not a string");
		return def;
	}
	for (int i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], json_string_value(value)))
			return i;
	fail(rd, key, "unknown name");
	return def;
}

static const json_t *get_array(struct reader *rd, const char *key, size_t max)
{
	const json_t *value = find(rd, key);

	if (!value)
		return NULL;
	if (!json_is_array(value))
		fail(rd, key, "not an array");
	else if (json_array_size(value) > max)
		fail(rd, key, "too many");
	else
		return value;
	return NULL;
}

static void read_args(struct reader *rd, struct snap_task *task)
{
	const json_t *array = get_array(rd, "args", 6);

	for (size_t i = 0; i < json_array_size(array); i++)
		if (!parse_hex(json_array_get(array, i), &task->args[i]))
			fail(rd, "args", "not hex strings");
}

static void read_kstack(struct reader *rd, struct snap_task *task)
{
	const json_t *array = get_array(rd, "kstack", SNAP_FRAMES);

	for (size_t i = 0; i < json_array_size(array) && !rd->ret; i++) {
		const json_t *value = json_array_get(array, i);

		if (!json_is_string(value) || json_string_length(value) >= SNAP_NAME)
			fail(rd, "kstack", "not an array of short strings");
		else
			strcpy(task->frames[task->n_frames++].name,
			       json_string_value(value));
	}
}

static void read_ustack(struct reader *rd, struct snap_task *task)
{
	const json_t *array = get_array(rd, "ustack", SNAP_FRAMES);

	for (size_t i = 0; i < json_array_size(array) && !rd->ret; i++) {
		struct snap_uframe *frame = &task->uframes[task->n_uframes];
		const char *s = json_string_value(json_array_get(array, i));
		const char *at = s ? strrchr(s, '@') : NULL;
		json_t *pc = at ? json_string(at + 1) : NULL;

		if (!pc || at == s || at[-1] != ' ' || at - s > SNAP_NAME ||
		    !parse_hex(pc, &frame->pc)) {
			fail(rd, "ustack", "not an array of \"name @0xpc\"");
		} else {
			snprintf(frame->name, SNAP_NAME, "%.*s", (int)(at - 1 - s), s);
			task->n_uframes++;
		}
		json_decref(pc);
	}
}

static void read_task(struct reader *rd, struct snap_task *task)
{
	char state[8] = "?"; /* one letter, also if it was not ASCII */

	if (!json_is_object(rd->obj))
		fail(rd, "", "not an object");
	else if (!json_object_get(rd->obj, "tid"))
		fail(rd, "tid", "missing");
	task->tid = (pid_t)get_int(rd, "tid", 0, INT32_MAX, 0);
	task->pid = (pid_t)get_int(rd, "pid", 0, INT32_MAX, task->tid);
	task->ppid = (pid_t)get_int(rd, "ppid", 0, INT32_MAX, 0);
	task->inner_tid = (pid_t)get_int(rd, "inner_tid", 0, INT32_MAX, 0);
	task->tracer = (pid_t)get_int(rd, "tracer", 0, INT32_MAX, 0);
	task->pidns = get_u64(rd, "pidns");
	get_text(rd, "actor", task->actor, sizeof(task->actor));
	task->role = (uint8_t)get_name(rd, "role", role_names, ROLE_COUNT, ROLE_OTHER);
	get_text(rd, "state", state, sizeof(state));
	if (!state[0] || state[1])
		fail(rd, "state", "not one letter");
	task->state = state[0] == '?' ? '\0' : state[0];
	task->vanished = get_bool(rd, "vanished");
	task->flags = (uint32_t)get_int(rd, "flags", 0, UINT32_MAX, 0);
	get_bool(rd, "exiting"); /* a bit of flags, shown twice */
	task->sigpnd = get_u64(rd, "sigpnd");
	task->shdpnd = get_u64(rd, "shdpnd");
	task->sigblk = get_u64(rd, "sigblk");
	task->switches = get_u64(rd, "switches");
	task->n_threads = (uint32_t)get_int(rd, "threads", 0, UINT32_MAX, 0);
	get_text(rd, "comm", task->comm, sizeof(task->comm));
	get_text(rd, "wchan", task->wchan, sizeof(task->wchan));
	task->syscall = (int32_t)get_int(rd, "syscall", -2, INT32_MAX, -2);
	read_args(rd, task);
	task->sp = get_u64(rd, "sp");
	task->pc = get_u64(rd, "pc");
	read_kstack(rd, task);
	read_ustack(rd, task);
	get_text(rd, "ustack_note", task->unote, sizeof(task->unote));
	task->dev_fd = (int32_t)get_int(rd, "dev_fd", -1, INT32_MAX, -1);
}

static uint8_t get_action(struct reader *rd)
{
	const char *names[FAULT_COUNT];

	if (json_is_null(find(rd, "action")))
		return 0;
	for (int i = 0; i < FAULT_COUNT; i++)
		names[i] = fault_table[i].name;
	return (uint8_t)get_name(rd, "action", names, FAULT_COUNT, 0);
}

static void read_request(struct reader *rd, struct snap_request *req)
{
	char opcode[64];

	if (!json_is_object(rd->obj))
		fail(rd, "", "not an object");
	req->unique = get_u64(rd, "unique");
	req->nodeid = get_u64(rd, "nodeid");
	get_text(rd, "opcode", opcode,
		 sizeof(opcode)); /* for people; the number counts */
	req->opcode = (uint32_t)get_int(rd, "opcode_number", 0, UINT32_MAX, 0);
	req->pid = (int32_t)get_int(rd, "pid", INT32_MIN, INT32_MAX, 0);
	req->server = (int32_t)get_int(rd, "server", INT32_MIN, INT32_MAX, 0);
	req->state =
		(uint8_t)get_name(rd, "state", request_state_names, REQUEST_STATES, 0);
	req->rule = (uint8_t)get_int(rd, "rule", 0, UINT8_MAX, 0);
	req->action = get_action(rd);
	req->error = (int16_t)get_int(rd, "error", INT16_MIN, INT16_MAX, 0);
	req->read_us = get_int(rd, "read_us", -1, INT64_MAX, -1);
	req->done_us = get_int(rd, "done_us", -1, INT64_MAX, -1);
}

static void read_conn(struct reader *top, struct snap_conn *conn)
{
	struct reader rd = {.where = "connection.", .err = top->err};

	rd.obj = find(top, "connection");
	if (!rd.obj)
		return;
	if (!json_is_object(rd.obj)) {
		fail(top, "connection", "not an object");
		return;
	}
	conn->number = (uint32_t)get_int(&rd, "number", 0, UINT32_MAX, 0);
	conn->exists = get_bool(&rd, "exists");
	conn->waiting = (int32_t)get_int(&rd, "waiting", -1, INT32_MAX, -1);
	conn->daemon_pid = (int32_t)get_int(&rd, "daemon_pid", 0, INT32_MAX, 0);
	conn->daemon_alive = get_bool(&rd, "daemon_alive");
	conn->ledger = get_bool(&rd, "ledger");
	top->ret = rd.ret;
}

static void read_arrays(struct reader *top, struct snapshot *snap)
{
	const json_t *tasks = get_array(top, "tasks", MAX_TASKS);
	const json_t *requests = get_array(top, "requests", MAX_ITEMS);
	const json_t *kmsg = get_array(top, "kmsg", MAX_ITEMS);
	struct reader rd = {.err = top->err};
	char where[48];

	rd.where = where;
	for (size_t i = 0; i < json_array_size(tasks) && !top->ret; i++) {
		struct snap_task *task = snapshot_add_task(snap);

		rd.obj = json_array_get(tasks, i);
		snprintf(where, sizeof(where), "tasks[%zu].", i);
		if (task)
			read_task(&rd, task);
		top->ret = task ? rd.ret : -ENOMEM;
	}
	for (size_t i = 0; i < json_array_size(requests) && !top->ret; i++) {
		struct snap_request *req = snapshot_add_request(snap);

		rd.obj = json_array_get(requests, i);
		snprintf(where, sizeof(where), "requests[%zu].", i);
		if (req)
			read_request(&rd, req);
		top->ret = req ? rd.ret : -ENOMEM;
	}
	for (size_t i = 0; i < json_array_size(kmsg) && !top->ret; i++) {
		const char *line = json_string_value(json_array_get(kmsg, i));

		if (!line)
			fail(top, "kmsg", "not an array of strings");
		else
			top->ret = snapshot_add_kmsg(snap, line);
	}
}

int snapshot_from_json(const json_t *root, struct snapshot *snap, char *err)
{
	struct reader rd = {.obj = root, .where = "", .err = err};
	struct snapshot out;

	snapshot_init(&out);
	err[0] = '\0';
	if (!json_is_object(root))
		fail(&rd, "snapshot", "not an object");
	get_text(&rd, "release", out.release, sizeof(out.release));
	out.rung = (uint8_t)get_name(&rd, "rung", rung_names, RUNG_COUNT, RUNG_EXIT);
	read_conn(&rd, &out.conn);
	read_arrays(&rd, &out);
	if (rd.ret) {
		if (rd.ret == -ENOMEM)
			snprintf(err, ERR_SIZE, "out of memory");
		snapshot_release(&out);
		return rd.ret;
	}
	snapshot_release(snap);
	*snap = out;
	return 0;
}
