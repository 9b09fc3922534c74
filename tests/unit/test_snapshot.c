/* SPDX-License-Identifier: MIT */
/* Snapshot: JSON both ways, and the proc readers on a real tree of children with known states. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/scenario/tables.h"
#include "harness/scenario/verdict.h"
#include "harness/snapshot/json.h"
#include "harness/snapshot/kmsg.h"
#include "harness/snapshot/procfs.h"
#include "harness/snapshot/procfs_parse.h"
#include "harness/snapshot/snapshot.h"
#include "harness/snapshot/text.h"

#define DEADLINE_MS 5000

static struct procfs proc;

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

/* ---- kernel log ---- */

static void test_kmsg(void **state)
{
	char marker[80], later[80];
	char line[512];
	struct kmsg kmsg;
	int fd, found = 0, second = 0, total = 0;

	(void)state;
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		print_message("/dev/kmsg: %s\n", strerror(errno));
		skip();
	}
	/* without its newline a record is not final, and nobody reads it before the next one */
	snprintf(marker, sizeof(marker), "snapshot test %d before\n", getpid());
	snprintf(later, sizeof(later), "snapshot test %d \\ \x1b[1m\nline 2\n", getpid());
	assert_true(write(fd, marker, strlen(marker)) > 0);
	marker[strlen(marker) - 1] = '\0';
	assert_int_equal(kmsg_open(&kmsg), 0);
	assert_true(write(fd, later, strlen(later)) > 0);
	snprintf(later, sizeof(later), "] snapshot test %d \\ ?[1m", getpid());
	for (int i = 0; i < 100000 && kmsg_next(&kmsg, line, sizeof(line)) > 0; i++) {
		assert_null(strstr(line, marker));
		if (second)
			second = strstr(line, "] line 2") ? second + 1 : 0;
		if (strstr(line, later)) {
			found++;
			second = 1;
			assert_int_equal(line[0], '[');
		}
		total += second == 2;
	}
	assert_int_equal(found, 1);
	assert_int_equal(total, 1);
	/* skipped, cut, closed */
	assert_true(write(fd, "skipped\n", 8) > 0);
	kmsg_skip(&kmsg);
	assert_true(write(fd, "to be cut\n", 10) > 0);
	assert_int_equal(kmsg_next(&kmsg, line, 8), 7);
	assert_int_equal(strlen(line), 7);
	kmsg_close(&kmsg);
	assert_int_equal(kmsg_next(&kmsg, line, sizeof(line)), 0);
	close(fd);
}

/* ---- parsers ---- */

static void test_parse_stat(void **state)
{
	struct stat_fields f;

	(void)state;
	assert_int_equal(
		parse_stat("7 (a) b () S 1 7 7 0 -1 4194564 9 9 9 9 1 1 1 1 20 0 3 0 77 "
			   "4096 1 18446744073709551615 0 0 0",
			   &f),
		0);
	assert_string_equal(f.comm, "a) b (");
	assert_int_equal(f.state, 'S');
	assert_int_equal(f.ppid, 1);
	assert_int_equal(f.flags, 4194564);
	assert_int_equal(f.n_threads, 3);
	assert_true(parse_in_exec("1 1 0 0 0 1 0"));
	assert_false(parse_in_exec("802 487 441 5 0 167 0"));
	assert_false(parse_in_exec("0 0 0 0 0 0 0")); /* no mm at all */
	assert_false(parse_in_exec(""));
	assert_int_equal(parse_stat("", &f), -EINVAL);
	assert_int_equal(parse_stat("7 (x", &f), -EINVAL);
	assert_int_equal(parse_stat("7 )x(", &f), -EINVAL);
	assert_int_equal(parse_stat("7 (x) S 1 7 7", &f), -EINVAL);
}

static void test_parse_stack(void **state)
{
	struct snap_task task = {0};
	char big[64 * 50], *p = big;

	(void)state;
	parse_stack("[<0>] a+0x1/0x2\n[<ffffffff81000000>] b+0x3/0x4 [fuse]\nc\n", &task);
	assert_int_equal(task.n_frames, 3);
	assert_string_equal(task.frames[0].name, "a+0x1/0x2");
	assert_string_equal(task.frames[1].name, "b+0x3/0x4 [fuse]");
	assert_string_equal(task.frames[2].name, "c");
	for (int i = 0; i < 50; i++)
		p += sprintf(p, "[<0>] frame_number_%d+0x1/0x2\n", i);
	parse_stack(big, &task);
	assert_int_equal(task.n_frames, SNAP_FRAMES);
	parse_stack("", &task);
	assert_int_equal(task.n_frames, 0);
}

static void test_parse_syscall(void **state)
{
	struct snap_task task = {0};

	(void)state;
	parse_syscall("262 0xffffff9c 0x2 0x3 0x4 0x5 0x6 0x7ffe 0x40\n", &task);
	assert_int_equal(task.syscall, 262);
	assert_int_equal(task.args[0], 0xffffff9c);
	assert_int_equal(task.args[5], 6);
	assert_int_equal(task.sp, 0x7ffe);
	assert_int_equal(task.pc, 0x40);
	parse_syscall("-1 0x7ff0 0x41\n", &task);
	assert_int_equal(task.syscall, -1);
	assert_int_equal(task.sp, 0x7ff0);
	parse_syscall("running\n", &task);
	assert_int_equal(task.syscall, -2);
}

/* ---- a real tree ---- */

enum kid {
	SLEEPER,
	STOPPED,
	ZOMBIE,
	VFORKER,
	THREADS,
	LEADER,
	NAMESPACED,
	BUSY,
	NAPPER,
	KIDS
};
static pid_t kids[KIDS];
/* [0]: the vfork child, [1]: a second thread, [2]: the thread of LEADER */
static volatile pid_t *shared;

static void *thread_main(void *arg)
{
	shared[(intptr_t)arg] = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

static _Noreturn void kid_main(enum kid kid)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	switch (kid) {
	case SLEEPER:
		prctl(PR_SET_NAME, "a) b");
		break;
	case STOPPED:
		raise(SIGSTOP);
		break;
	case ZOMBIE:
		_exit(3);
	case VFORKER:
		if (vfork() == 0) {
			shared[0] = getpid();
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		break;
	case THREADS:
		pthread_create(&thread, NULL, thread_main, (void *)1);
		break;
	case LEADER:
		pthread_create(&thread, NULL, thread_main, (void *)2);
		while (!shared[2])
			usleep(1000);
		syscall(SYS_exit, 0);
		break;
	case BUSY:
		for (;;)
			__asm__ volatile("" ::: "memory");
	case NAPPER:
		for (;;)
			usleep(1000);
	default:
		break;
	}
	for (;;)
		pause();
}

static void wait_state(pid_t pid, pid_t tid, char want)
{
	struct task_sample s;

	for (int i = 0; i < DEADLINE_MS; i++) {
		if (!procfs_sample(&proc, pid, tid, &s) && s.state == want &&
		    (want == 'Z' || want == 'R' || !s.wchan_running))
			return;
		usleep(1000);
	}
	fail_msg("%d/%d never was %c", pid, tid, want);
}

static int setup(void **state)
{
	(void)state;
	if (procfs_open(&proc, "/proc"))
		return -1;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	for (int i = 0; i < KIDS; i++) {
		unsigned long flags = i == NAMESPACED ? CLONE_NEWPID : 0;
		long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

		if (pid == 0)
			kid_main((enum kid)i);
		kids[i] = (pid_t)pid;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (shared && shared[0] > 0)
		kill(shared[0], SIGKILL);
	for (int i = 0; i < KIDS; i++)
		if (kids[i] > 0) {
			kill(kids[i], SIGKILL);
			waitpid(kids[i], NULL, 0);
		}
	procfs_close(&proc);
	return 0;
}

static bool has_frame(const struct snap_task *task, const char *name)
{
	for (size_t i = 0; i < task->n_frames; i++)
		if (strstr(task->frames[i].name, name))
			return true;
	return false;
}

static void read_kid(enum kid kid, char want, struct snap_task *task)
{
	if (kids[kid] <= 0) {
		print_message("needs root\n");
		skip();
	}
	wait_state(kids[kid], kids[kid], want);
	memset(task, 0, sizeof(*task));
	assert_int_equal(procfs_read_task(&proc, kids[kid], kids[kid], task), 0);
	assert_int_equal(task->state, want);
	assert_int_equal(task->pid, kids[kid]);
	assert_int_equal(task->ppid, getpid());
	assert_false(task->vanished);
	assert_int_equal(task->dev_fd, -1);
	assert_int_equal(task->tracer, 0);
}

static void test_sleeper(void **state)
{
	struct snap_task task;

	(void)state;
	read_kid(SLEEPER, 'S', &task);
	assert_string_equal(task.comm, "a) b");
	assert_int_equal(task.syscall, SYS_pause);
	assert_true(task.sp && task.pc);
	assert_int_equal(task.n_threads, 1);
	assert_int_equal(task.inner_tid, kids[SLEEPER]);
	assert_true(task.switches > 0);
	assert_true(task.pidns > 0);
	assert_false(task.flags & PF_EXITING);
	if (!geteuid())
		assert_true(has_frame(&task, "pause"));
}

static void test_stopped(void **state)
{
	struct snap_task task;

	(void)state;
	/* pending while it is stopped: both kinds of pending show up */
	wait_state(kids[STOPPED], kids[STOPPED], 'T');
	kill(kids[STOPPED], SIGUSR1);
	syscall(SYS_tgkill, kids[STOPPED], kids[STOPPED], SIGUSR2);
	read_kid(STOPPED, 'T', &task);
	assert_int_equal(task.shdpnd, 1ull << (SIGUSR1 - 1));
	assert_int_equal(task.sigpnd, 1ull << (SIGUSR2 - 1));
	if (!geteuid())
		assert_true(has_frame(&task, "do_signal_stop"));
}

static void test_zombie(void **state)
{
	struct snap_task task;
	struct task_sample a, b;
	struct procfs_probe probe;
	struct probe_sample ps;

	(void)state;
	read_kid(ZOMBIE, 'Z', &task);
	assert_true(task.flags & PF_EXITING);
	assert_string_equal(task.wchan, "0");
	assert_int_equal(procfs_sample(&proc, kids[ZOMBIE], kids[ZOMBIE], &a), 0);
	assert_int_equal(procfs_sample(&proc, kids[ZOMBIE], kids[ZOMBIE], &b), 0);
	assert_true(a.exiting && a.n_threads == 1);
	assert_true(task_sample_same(&a, &b));
	assert_int_equal(procfs_probe_open(&proc, kids[ZOMBIE], kids[ZOMBIE], &probe), 0);
	assert_int_equal(procfs_probe_read(&probe, &ps), 0);
	assert_false(ps.asleep);
	assert_int_equal(procfs_probe_state(&probe), 'Z');
	/* reaped: every way of reading tells that it is gone */
	waitpid(kids[ZOMBIE], NULL, 0);
	assert_int_equal(procfs_probe_read(&probe, &ps), -ESRCH);
	assert_int_equal(procfs_probe_state(&probe), -ESRCH);
	procfs_probe_close(&probe);
	assert_int_equal(procfs_sample(&proc, kids[ZOMBIE], kids[ZOMBIE], &a), -ESRCH);
	memset(&task, 0, sizeof(task));
	assert_int_equal(procfs_read_task(&proc, kids[ZOMBIE], kids[ZOMBIE], &task),
			 -ESRCH);
	assert_true(task.vanished);
	kids[ZOMBIE] = 0;
}

static void test_vfork_parent(void **state)
{
	struct snap_task task;

	(void)state;
	read_kid(VFORKER, 'D', &task);
	assert_string_equal(task.wchan, "kernel_clone");
	if (!geteuid())
		assert_true(has_frame(&task, "clone"));
}

static int count_thread(void *ctx, pid_t pid, pid_t tid)
{
	int *n = ctx;

	(void)pid;
	n[0]++;
	n[1] |= tid == shared[1];
	return 0;
}

static void test_threads(void **state)
{
	struct snap_task task;
	int n[2] = {0};

	(void)state;
	read_kid(THREADS, 'S', &task);
	while (!shared[1])
		usleep(1000);
	wait_state(kids[THREADS], shared[1], 'S');
	assert_int_equal(procfs_each_thread_of(&proc, kids[THREADS], count_thread, n), 0);
	assert_int_equal(n[0], 2);
	assert_int_equal(n[1], 1);
	memset(&task, 0, sizeof(task));
	assert_int_equal(procfs_read_task(&proc, kids[THREADS], shared[1], &task), 0);
	assert_int_equal(task.n_threads, 2);
	assert_int_equal(task.tid, shared[1]);
}

/* A main thread that is a zombie is not reapable while another thread lives. */
static void test_zombie_leader(void **state)
{
	struct snap_task task;

	(void)state;
	read_kid(LEADER, 'Z', &task);
	assert_int_equal(task.n_threads, 2);
	memset(&task, 0, sizeof(task));
	assert_int_equal(procfs_read_task(&proc, kids[LEADER], shared[2], &task), 0);
	assert_int_equal(task.state, 'S');
}

static void test_namespaced(void **state)
{
	struct snap_task task, other;

	(void)state;
	read_kid(NAMESPACED, 'S', &task);
	read_kid(SLEEPER, 'S', &other);
	assert_int_equal(task.inner_tid, 1);
	assert_true(task.pidns && task.pidns != other.pidns);
}

struct seen {
	int kids, total;
};

static int see(void *ctx, pid_t pid, pid_t tid)
{
	struct seen *seen = ctx;

	seen->total++;
	for (int i = 0; i < KIDS; i++)
		seen->kids += kids[i] == pid && pid == tid;
	return 0;
}

static int stop_at_three(void *ctx, pid_t pid, pid_t tid)
{
	(void)pid;
	(void)tid;
	return ++*(int *)ctx == 3 ? 42 : 0;
}

static void test_walk(void **state)
{
	struct seen seen = {0};
	int alive = 0, n = 0;

	(void)state;
	for (int i = 0; i < KIDS; i++)
		alive += kids[i] > 0;
	/* twice: a walk must not share its place with the next one */
	assert_int_equal(procfs_each_thread(&proc, see, &seen), 0);
	assert_int_equal(seen.kids, alive);
	assert_int_equal(procfs_each_thread(&proc, see, &seen), 0);
	assert_int_equal(seen.kids, 2 * alive);
	assert_int_equal(procfs_each_thread(&proc, stop_at_three, &n), 42);
	assert_int_equal(n, 3);
	assert_int_equal(procfs_each_thread_of(&proc, 0x3fffffff, see, &seen), -ESRCH);
}

/* Asleep and awake, over time. */
static void test_sampler(void **state)
{
	struct task_sample a, b;
	struct procfs_probe sleeper, busy;
	struct probe_sample x, y;
	uint64_t h1, h2;

	(void)state;
	wait_state(kids[SLEEPER], kids[SLEEPER], 'S');
	assert_int_equal(procfs_sample(&proc, kids[SLEEPER], kids[SLEEPER], &a), 0);
	usleep(20000);
	assert_int_equal(procfs_sample(&proc, kids[SLEEPER], kids[SLEEPER], &b), 0);
	assert_true(task_sample_same(&a, &b));
	assert_false(a.wchan_running || a.exiting || a.sigkill_pending || a.in_exec ||
		     a.limited);
	assert_string_equal(a.comm, "a) b");
	assert_int_equal(a.ppid, getpid());
	assert_int_equal(procfs_sample_safe(&proc, kids[SLEEPER], kids[SLEEPER], &b), 0);
	assert_true(b.limited && b.state == 'S' && b.switches == a.switches);
	assert_string_equal(b.comm, "a) b");
	assert_int_equal(procfs_sample(&proc, kids[SLEEPER], kids[SLEEPER], &a), 0);
	if (!geteuid())
		assert_true(a.stack_hash);

	assert_int_equal(procfs_sample(&proc, kids[BUSY], kids[BUSY], &a), 0);
	assert_int_equal(procfs_sample(&proc, kids[BUSY], kids[BUSY], &b), 0);
	assert_true(a.wchan_running);
	assert_false(task_sample_same(&a, &b));

	/* it sleeps each time we look, but not the same sleep */
	wait_state(kids[NAPPER], kids[NAPPER], 'S');
	assert_int_equal(procfs_sample(&proc, kids[NAPPER], kids[NAPPER], &a), 0);
	usleep(50000);
	wait_state(kids[NAPPER], kids[NAPPER], 'S');
	assert_int_equal(procfs_sample(&proc, kids[NAPPER], kids[NAPPER], &b), 0);
	assert_true(b.switches > a.switches);
	assert_false(task_sample_same(&a, &b));

	assert_int_equal(procfs_probe_open(&proc, kids[SLEEPER], kids[SLEEPER], &sleeper),
			 0);
	assert_int_equal(procfs_probe_open(&proc, kids[BUSY], kids[BUSY], &busy), 0);
	assert_int_equal(procfs_probe_read(&sleeper, &x), 0);
	usleep(20000);
	assert_int_equal(procfs_probe_read(&sleeper, &y), 0);
	assert_true(x.asleep && y.asleep && x.runs == y.runs && x.runs > 0);
	if (!geteuid()) {
		assert_int_equal(procfs_probe_stack(&sleeper, &h1), 0);
		assert_int_equal(procfs_probe_stack(&sleeper, &h2), 0);
		assert_true(h1 && h1 == h2);
	}
	assert_int_equal(procfs_probe_read(&busy, &x), 0);
	assert_false(x.asleep);
	procfs_probe_close(&sleeper);
	procfs_probe_close(&busy);
}

static void test_parse_status(void **state)
{
	const char *text =
		"Name:\tx\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000100\n"
		"State:\tD (disk "
		"sleep)\nPPid:\t4\nThreads:\t3\nNSpid:\t70\t5\t1\nTracerPid:"
		"\t9\nvoluntary_ctxt_switches:\t5\n"
		"nonvoluntary_ctxt_switches:\t6\n";
	struct snap_task task = {0};

	(void)state;
	parse_status(text, &task);
	assert_int_equal(task.shdpnd, 1ull << (SIGKILL - 1));
	assert_int_equal(task.sigpnd, 0);
	assert_int_equal(task.inner_tid, 1);
	assert_int_equal(task.tracer, 9);
	assert_int_equal(task.switches, 11);
	assert_int_equal(task.state, 'D');
	assert_int_equal(task.ppid, 4);
	assert_int_equal(task.n_threads, 3);
	assert_string_equal(task.comm, "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_round_trip),
		cmocka_unit_test(test_json_words),
		cmocka_unit_test(test_json_hostile),
		cmocka_unit_test(test_json_limits),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_kmsg),
		cmocka_unit_test(test_parse_stat),
		cmocka_unit_test(test_parse_stack),
		cmocka_unit_test(test_parse_syscall),
		cmocka_unit_test(test_parse_status),
		cmocka_unit_test(test_sleeper),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test(test_vfork_parent),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_zombie_leader),
		cmocka_unit_test(test_namespaced),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_sampler),
	};

	return cmocka_run_group_tests_name("snapshot", tests, setup, teardown);
}
