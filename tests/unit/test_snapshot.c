/* SPDX-License-Identifier: MIT */
/* The snapshot as JSON, both ways, and as text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/scenario/tables.h"
#include "harness/scenario/verdict.h"
#include "harness/snapshot/json.h"
#include "harness/snapshot/snapshot.h"
#include "harness/snapshot/text.h"

/* ---- JSON ---- */

static void fill(struct snapshot *snap)
{
	struct snap_task *task;
	struct snap_request *req;

	snapshot_init(snap);
	snap->rung = RUNG_DAEMON;
	strcpy(snap->release, "6.18.44-test");
	snap->conn = (struct snap_conn){.number = 77,
					.exists = true,
					.waiting = 3,
					.daemon_pid = 12,
					.daemon_alive = true,
					.ledger = true};
	for (int i = 0; i < 5; i++) {
		task = snapshot_add_task(snap);
		assert_non_null(task);
		task->tid = 100 + i;
		task->pid = 100;
		task->ppid = 1;
		task->inner_tid = 1 + i;
		task->tracer = i;
		task->pidns = 4026531836u;
		snprintf(task->actor, sizeof(task->actor), "t%d", i);
		task->role = (uint8_t)i;
		task->state = "RSDZT"[i];
		task->vanished = i == 3;
		task->flags = 0x400104u;
		task->sigpnd = 0x100;
		task->shdpnd = UINT64_MAX;
		task->sigblk = 1ull << 63;
		task->switches = 123456789012ull;
		task->n_threads = 3;
		strcpy(task->comm, "a) \"b\n");
		strcpy(task->wchan, "request_wait_answer");
		task->syscall = i == 0 ? -2 : 262;
		task->args[5] = 0xdeadbeef;
		task->sp = 0x7ffffff0;
		task->pc = UINT64_MAX;
		for (int k = 0; k <= i; k++) {
			snprintf(task->frames[k].name, SNAP_NAME,
				 "fuse_flush+0x%d/0x1d0 [fuse]", k);
			snprintf(task->uframes[k].name, SNAP_NAME, "main@plt+0x%d", k);
			task->uframes[k].pc = 0x401000u + (uint64_t)k;
		}
		task->n_frames = task->n_uframes = (uint16_t)(i + 1);
		strcpy(task->unote, "no mm (exiting)");
		task->dev_fd = i - 1;
	}
	for (int i = 0; i < 3; i++) {
		req = snapshot_add_request(snap);
		assert_non_null(req);
		req->unique = i == 2 ? UINT64_MAX : 22;
		req->nodeid = UINT64_MAX - 1;
		req->opcode = i == 0 ? 25 : 999; /* FLUSH, unknown */
		req->pid = 101;
		req->server = 104;
		req->state = LEDGER_DROPPED;
		req->rule = 2;
		for (int id = FAULT_COUNT - 1; id >= 0 && i; id--)
			if (fault_table[id].name)
				req->action = (uint8_t)id;
		req->error = -5;
		req->read_us = 1234567890123;
		req->done_us = -1;
	}
	assert_int_equal(snapshot_add_kmsg(snap, "[1.5] BUG: \"x\""), 0);
}

static void test_json_round_trip(void **state)
{
	struct snapshot a, b;
	char err[200], *text;
	json_t *json, *back;

	(void)state;
	fill(&a);
	json = snapshot_json(&a);
	assert_non_null(json);
	text = json_dumps(json, 0);
	back = json_loads(text, 0, NULL);
	assert_non_null(back);
	json_object_set_new(back, "unknown", json_integer(1));
	snapshot_init(&b);
	assert_int_equal(snapshot_from_json(back, &b, err), 0);
	assert_string_equal(err, "");
	assert_int_equal(b.rung, a.rung);
	assert_string_equal(b.release, a.release);
	assert_memory_equal(&b.conn, &a.conn, sizeof(a.conn));
	assert_int_equal(b.n_tasks, a.n_tasks);
	for (size_t i = 0; i < a.n_tasks; i++)
		assert_memory_equal(&b.tasks[i], &a.tasks[i], sizeof(a.tasks[i]));
	assert_int_equal(b.n_requests, a.n_requests);
	for (size_t i = 0; i < a.n_requests; i++)
		assert_memory_equal(&b.requests[i], &a.requests[i],
				    sizeof(a.requests[i]));
	assert_int_equal(b.n_kmsg, 1);
	assert_string_equal(b.kmsg[0], a.kmsg[0]);
	assert_ptr_equal(snapshot_task(&b, 103), &b.tasks[3]);
	assert_null(snapshot_task(&b, 5));
	free(text);
	json_decref(json);
	json_decref(back);
	snapshot_release(&a);
	snapshot_release(&b);
}

/* What a person and jq see. */
static void test_json_words(void **state)
{
	struct snapshot snap;
	json_t *tasks, *task, *requests, *req;

	(void)state;
	fill(&snap);
	strcpy(snap.tasks[1].comm, "\xff\xfe x");
	tasks = snapshot_tasks_json(&snap);
	task = json_array_get(tasks, 1);
	assert_string_equal(json_string_value(json_object_get(task, "role")), "worker");
	assert_string_equal(json_string_value(json_object_get(task, "sigpnd")), "0x100");
	assert_true(json_is_true(json_object_get(task, "exiting")));
	assert_string_equal(json_string_value(json_object_get(task, "syscall_name")),
			    "newfstatat");
	assert_string_equal(json_string_value(json_object_get(task, "comm")), "?? x");
	assert_int_equal(json_array_size(json_object_get(task, "kstack")), 2);
	requests = snapshot_requests_json(&snap);
	req = json_array_get(requests, 0);
	assert_string_equal(json_string_value(json_object_get(req, "opcode")), "FLUSH");
	assert_int_equal(json_integer_value(json_object_get(req, "opcode_number")), 25);
	assert_string_equal(json_string_value(json_object_get(req, "state")), "dropped");
	json_decref(tasks);
	json_decref(requests);
	snapshot_release(&snap);
}

static void test_json_hostile(void **state)
{
	static const char *const bad[][2] = {
		{"[]", "snapshot"},
		{"{\"rung\":3}", "rung"},
		{"{\"rung\":\"nonsense\"}", "rung"},
		{"{\"release\":[]}", "release"},
		{"{\"connection\":[]}", "connection"},
		{"{\"connection\":{\"number\":-1}}", "connection.number"},
		{"{\"connection\":{\"exists\":1}}", "connection.exists"},
		{"{\"tasks\":{}}", "tasks"},
		{"{\"tasks\":[1]}", "tasks[0]."},
		{"{\"tasks\":[{}]}", "tasks[0].tid"},
		{"{\"tasks\":[{\"tid\":1},{\"tid\":\"1\"}]}", "tasks[1].tid"},
		{"{\"tasks\":[{\"tid\":1e3}]}", "tasks[0].tid"},
		{"{\"tasks\":[{\"tid\":4294967296}]}", "tasks[0].tid"},
		{"{\"tasks\":[{\"tid\":1,\"state\":\"\"}]}", "state"},
		{"{\"tasks\":[{\"tid\":1,\"state\":\"DD\"}]}", "state"},
		{"{\"tasks\":[{\"tid\":1,\"role\":\"king\"}]}", "role"},
		{"{\"tasks\":[{\"tid\":1,\"actor\":\"012345678901\"}]}", "actor"},
		{"{\"tasks\":[{\"tid\":1,\"sigpnd\":\"100\"}]}", "sigpnd"},
		{"{\"tasks\":[{\"tid\":1,\"sigpnd\":\"0x1zz\"}]}", "sigpnd"},
		{"{\"tasks\":[{\"tid\":1,\"sigpnd\":\"0x11111111111111111\"}]}",
		 "sigpnd"},
		{"{\"tasks\":[{\"tid\":1,\"exiting\":0}]}", "exiting"},
		{"{\"tasks\":[{\"tid\":1,\"args\":[1]}]}", "args"},
		{"{\"tasks\":[{\"tid\":1,\"args\":[\"0x1\",\"0x1\",\"0x1\",\"0x1\","
		 "\"0x1\","
		 "\"0x1\",\"0x1\"]}]}",
		 "args"},
		{"{\"tasks\":[{\"tid\":1,\"kstack\":[null]}]}", "kstack"},
		{"{\"tasks\":[{\"tid\":1,\"ustack\":[\"main\"]}]}", "ustack"},
		{"{\"tasks\":[{\"tid\":1,\"ustack\":[\"@0x1\"]}]}", "ustack"},
		{"{\"requests\":[{\"state\":\"lost\"}]}", "requests[0].state"},
		{"{\"requests\":[{\"action\":\"none at all\"}]}", "requests[0].action"},
		{"{\"requests\":[{\"error\":70000}]}", "requests[0].error"},
		{"{\"kmsg\":[1]}", "kmsg"},
	};
	struct snapshot snap;

	(void)state;
	snapshot_init(&snap);
	assert_int_equal(snapshot_add_kmsg(&snap, "mine"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		json_t *json = json_loads(bad[i][0], 0, NULL);
		char err[200] = "";

		if (!json)
			fail_msg("the test's own JSON: %s", bad[i][0]);
		if (snapshot_from_json(json, &snap, err) != -EINVAL ||
		    !strstr(err, bad[i][1]))
			fail_msg("%s: \"%s\"", bad[i][0], err);
		/* untouched on failure */
		assert_int_equal(snap.n_kmsg, 1);
		assert_int_equal(snap.n_tasks, 0);
		json_decref(json);
	}
	snapshot_release(&snap);
}

/* Long strings and arrays, cut from a valid text at each place: never more than an error. */
static void test_json_limits(void **state)
{
	json_t *root = json_object(), *tasks = json_array(), *task = json_object();
	json_t *stack = json_array();
	struct snapshot snap;
	char err[200];

	(void)state;
	snapshot_init(&snap);
	json_object_set_new(root, "tasks", tasks);
	json_array_append_new(tasks, task);
	json_object_set_new(task, "tid", json_integer(1));
	json_object_set_new(task, "kstack", stack);
	for (int i = 0; i < SNAP_FRAMES; i++)
		json_array_append_new(stack, json_string("f"));
	assert_int_equal(snapshot_from_json(root, &snap, err), 0);
	assert_int_equal(snap.tasks[0].n_frames, SNAP_FRAMES);
	json_array_append_new(stack, json_string("f"));
	assert_int_equal(snapshot_from_json(root, &snap, err), -EINVAL);
	json_array_clear(tasks);
	for (int i = 0; i < 16385; i++)
		json_array_append_new(tasks, json_pack("{s:i}", "tid", i));
	assert_int_equal(snapshot_from_json(root, &snap, err), -EINVAL);
	assert_non_null(strstr(err, "tasks"));
	json_decref(root);
	snapshot_release(&snap);
}

static void test_complete(void **state)
{
	struct snapshot snap;
	struct snap_task *task;

	(void)state;
	fill(&snap);
	task = &snap.tasks[1]; /* 101, of two dropped requests */
	strcpy(task->frames[0].name, SNAP_IN_EXEC);
	strcpy(snap.tasks[2].frames[0].name, SNAP_IN_EXEC);
	strcpy(snap.tasks[3].frames[0].name, "something_else");
	snap.requests[1].pid = 103;
	snap.requests[2].pid = 102;
	snap.requests[2].state = LEDGER_ANSWERED;
	snapshot_complete(&snap);
	assert_string_equal(task->frames[0].name, "request_wait_answer");
	assert_string_equal(snap.tasks[2].frames[0].name, SNAP_IN_EXEC);
	assert_string_equal(snap.tasks[3].frames[0].name, "something_else");
	snapshot_release(&snap);
}

/* ---- text ---- */

static char *text_of(const struct snapshot *snap, const struct snapshot_head *head)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(snapshot_text(snap, head, out), 0);
	fclose(out);
	return text;
}

/* These in this order; each behind the one before. */
static void expect_order(const char *text, const char *const *words, size_t n)
{
	const char *at = text;

	for (size_t i = 0; i < n; i++) {
		at = strstr(at, words[i]);
		if (!at)
			fail_msg("\"%s\" is missing or too early in:\n%s", words[i],
				 text);
		at += strlen(words[i]);
	}
}

static void test_text(void **state)
{
	static const char *const words[] = {
		"pinned (bug), rung abort, Linux 6.18.44-test",
		"signature pinned-0123",
		"Because it is so.",
		"WHY\n  because a\n  because b\n",
		"TASKS (5)",
		"* 102 t2 init \"a) \"b?\": D (disk sleep), exiting, ROOT",
		"3 in its pid namespace 4026531836",
		"EXITING",
		"pending, this thread: SIGKILL\n",
		"pending, process: all\n",
		"blocked: SIG64\n",
		"in newfstatat(0x0, 0x0, 0x0, 0x0, 0x0, 0xdeadbeef)",
		"holds /dev/fuse as descriptor 1",
		"kernel stack\n        fuse_flush+0x0/0x1d0 [fuse]\n        "
		"fuse_flush+0x1",
		"user stack\n        0000000000401000 main@plt+0x0\n",
		"no mm (exiting)",
		"- 100 t0 other",
		"- 103 t3 daemon",
		"Z (zombie), not reapable: its other threads live",
		"REQUESTS (3",
		"#22 FLUSH node 18446744073709551614 of task 101, read by 104: dropped",
		"error EIO",
		"  1 answered without a fault\n",
		"CONNECTION 77: exists, 3 waiting, daemon 12 is alive\n",
		"HOLDERS of /dev/fuse\n  101 (process 100) fd 0\n",
		"  999 (process 998) fd 7, connection 77, not of this run\n",
		"KERNEL LOG\n  [1.5] BUG: \"x\"\n",
		"SCENARIO\n  shortfuse 1\n",
	};
	const pid_t roots[] = {102};
	const struct dev_holder holders[] = {
		{.pid = 998, .tid = 999, .fd = 7, .conn = 77},
		{.pid = 100, .tid = 101, .fd = 0}};
	const struct snapshot_head head = {.verdict = "pinned",
					   .severity = "bug",
					   .rung = "abort",
					   .reason = "Because it is so.",
					   .chain = "because a\nbecause b\n",
					   .signature = "pinned-0123",
					   .scenario = "shortfuse 1\n",
					   .roots = roots,
					   .n_roots = 1,
					   .holders = holders,
					   .n_holders = 2};
	struct snapshot snap;
	char *text;

	(void)state;
	fill(&snap);
	snap.requests[2].state = LEDGER_ANSWERED;
	snap.requests[2].rule = 0;
	text = text_of(&snap, &head);
	expect_order(text, words, sizeof(words) / sizeof(*words));
	assert_null(strstr(strstr(text, "fd 0\n") + 1, "fd 0\n")); /* each holder once */
	free(text);
	/* nothing known: nothing said, nothing read */
	text = text_of(&snap, NULL);
	assert_null(strstr(text, "ROOT"));
	assert_null(strstr(text, "WHY"));
	free(text);
	snapshot_release(&snap);
	text = text_of(&snap, NULL);
	assert_string_equal(text, "\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_round_trip),
		cmocka_unit_test(test_json_words),
		cmocka_unit_test(test_json_hostile),
		cmocka_unit_test(test_json_limits),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
