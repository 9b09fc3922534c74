/* SPDX-License-Identifier: MIT */
/* Snapshot to JSON. */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "harness/scenario/verdict.h"
#include "harness/snapshot/names.h"
#include "harness/snapshot/procfs.h"

/* comm and the kernel log are bytes, JSON is UTF-8: what is not becomes '?'. */
static json_t *text(const char *s)
{
	json_t *str = json_string(s);
	char copy[1024];

	if (str)
		return str;
	snprintf(copy, sizeof(copy), "%s", s);
	for (char *p = copy; *p; p++)
		if (*p & 0x80)
			*p = '?';
	return json_string(copy);
}

static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

/* JSON integers of jansson are signed; an id that is larger goes as a hex string. */
static json_t *number(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) : hex(value);
}

/* Appends or fails: a NULL value is "out of memory" of its maker. */
static int put(json_t *obj, const char *key, json_t *value)
{
	return json_object_set_new(obj, key, value);
}

static json_t *kstack_json(const struct snap_task *task)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < task->n_frames && i < SNAP_FRAMES; i++)
		if (json_array_append_new(array, text(task->frames[i].name))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

/* "name+0x10 @0x401000" */
static json_t *ustack_json(const struct snap_task *task)
{
	json_t *array = json_array();
	char buf[SNAP_NAME + 32];

	for (size_t i = 0; array && i < task->n_uframes && i < SNAP_FRAMES; i++) {
		const struct snap_uframe *frame = &task->uframes[i];

		snprintf(buf, sizeof(buf), "%s @0x%" PRIx64, frame->name, frame->pc);
		if (json_array_append_new(array, text(buf))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *args_json(const struct snap_task *task)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < 6; i++)
		if (json_array_append_new(array, hex(task->args[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *task_json(const struct snap_task *task)
{
	const char *call = snap_syscall_name(task->syscall);
	char state[2] = {task->state ? task->state : '?', '\0'};
	json_t *obj = json_object();
	int bad;

	if (!obj)
		return NULL;
	bad = put(obj, "tid", json_integer(task->tid));
	bad |= put(obj, "pid", json_integer(task->pid));
	bad |= put(obj, "ppid", json_integer(task->ppid));
	bad |= put(obj, "inner_tid", json_integer(task->inner_tid));
	bad |= put(obj, "tracer", json_integer(task->tracer));
	bad |= put(obj, "pidns", number(task->pidns));
	bad |= put(obj, "actor", text(task->actor));
	bad |= put(
		obj, "role",
		json_string(
			role_names[task->role < ROLE_COUNT ? task->role : ROLE_OTHER]));
	bad |= put(obj, "state", text(state));
	bad |= put(obj, "vanished", json_boolean(task->vanished));
	bad |= put(obj, "flags", json_integer(task->flags));
	bad |= put(obj, "exiting", json_boolean(task->flags & PF_EXITING));
	bad |= put(obj, "sigpnd", hex(task->sigpnd));
	bad |= put(obj, "shdpnd", hex(task->shdpnd));
	bad |= put(obj, "sigblk", hex(task->sigblk));
	bad |= put(obj, "switches", number(task->switches));
	bad |= put(obj, "threads", json_integer(task->n_threads));
	bad |= put(obj, "comm", text(task->comm));
	bad |= put(obj, "wchan", text(task->wchan));
	bad |= put(obj, "syscall", json_integer(task->syscall));
	if (call)
		bad |= put(obj, "syscall_name", json_string(call));
	bad |= put(obj, "args", args_json(task));
	bad |= put(obj, "sp", hex(task->sp));
	bad |= put(obj, "pc", hex(task->pc));
	bad |= put(obj, "kstack", kstack_json(task));
	bad |= put(obj, "ustack", ustack_json(task));
	bad |= put(obj, "ustack_note", text(task->unote));
	bad |= put(obj, "dev_fd", json_integer(task->dev_fd));
	if (bad) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

static json_t *request_json(const struct snap_request *req)
{
	const char *state =
		req->state < REQUEST_STATES ? request_state_names[req->state] : "free";
	const char *action =
		req->action < FAULT_COUNT ? fault_table[req->action].name : NULL;
	json_t *obj = json_object();
	int bad;

	if (!obj)
		return NULL;
	bad = put(obj, "unique", number(req->unique));
	bad |= put(obj, "nodeid", number(req->nodeid));
	bad |= put(obj, "opcode", json_string(opcode_name(req->opcode)));
	bad |= put(obj, "opcode_number", json_integer(req->opcode));
	bad |= put(obj, "pid", json_integer(req->pid));
	bad |= put(obj, "server", json_integer(req->server));
	bad |= put(obj, "state", json_string(state));
	bad |= put(obj, "rule", json_integer(req->rule));
	/* wire ids may have gaps: no name, no action */
	bad |= put(obj, "action", action ? json_string(action) : json_null());
	bad |= put(obj, "error", json_integer(req->error));
	bad |= put(obj, "read_us", json_integer(req->read_us));
	bad |= put(obj, "done_us", json_integer(req->done_us));
	if (bad) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

json_t *snapshot_tasks_json(const struct snapshot *snap)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < snap->n_tasks; i++)
		if (json_array_append_new(array, task_json(&snap->tasks[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

json_t *snapshot_requests_json(const struct snapshot *snap)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < snap->n_requests; i++)
		if (json_array_append_new(array, request_json(&snap->requests[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *conn_json(const struct snap_conn *conn)
{
	return json_pack("{s:I, s:b, s:i, s:i, s:b, s:b}", "number",
			 (json_int_t)conn->number, "exists", conn->exists, "waiting",
			 conn->waiting, "daemon_pid", conn->daemon_pid, "daemon_alive",
			 conn->daemon_alive, "ledger", conn->ledger);
}

static json_t *kmsg_json(const struct snapshot *snap)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < snap->n_kmsg; i++)
		if (json_array_append_new(array, text(snap->kmsg[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

json_t *snapshot_json(const struct snapshot *snap)
{
	uint8_t rung = snap->rung < RUNG_COUNT ? snap->rung : RUNG_NONE;
	json_t *obj = json_object();
	int bad;

	if (!obj)
		return NULL;
	bad = put(obj, "release", text(snap->release));
	bad |= put(obj, "rung", json_string(rung_names[rung]));
	bad |= put(obj, "connection", conn_json(&snap->conn));
	bad |= put(obj, "tasks", snapshot_tasks_json(snap));
	bad |= put(obj, "requests", snapshot_requests_json(snap));
	bad |= put(obj, "kmsg", kmsg_json(snap));
	if (bad) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}
