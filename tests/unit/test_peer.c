/* SPDX-License-Identifier: MIT */
/* An executor that misbehaves in every way: peer.c must give an answer, the right one,
 * and in time. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "targets/plumbing/peer.h"

#define HELLO                                                                            \
	"{\"version\":1,\"release\":\"test\",\"cpus\":1,\"unit_us\":100,\"grace_ms\":"   \
	"50}"

struct fixture {
	struct peer peer;
	int theirs, console;
};

static void set_up(struct fixture *f)
{
	struct target_options opt = {.spec = "test", .cpu = -1};
	int pair[2], console[2];

	peer_init(&f->peer, "the guest", &opt);
	f->peer.guest = true;
	assert_int_equal(peer_socketpair(pair), 0);
	assert_int_equal(pipe(console), 0);
	assert_int_equal(console_init(&f->peer.console, console[0], NULL, false), 0);
	f->theirs = pair[1];
	f->console = console[1];
	assert_int_equal(
		frame_write(f->theirs, FRAME_HELLO, 0, HELLO, strlen(HELLO), 1000), 0);
	f->peer.channel = pair[0];
}

static void start(struct fixture *f)
{
	char err[300] = "";

	set_up(f);
	assert_int_equal(peer_hello(&f->peer, f->peer.channel, -1, 1000, err), 0);
	assert_int_equal(f->peer.unit_us, 100);
}

static void tear_down(struct fixture *f)
{
	peer_release(&f->peer);
	if (f->theirs >= 0)
		close(f->theirs);
	close(f->console);
}

static void say(struct fixture *f, const char *text)
{
	assert_int_equal(write(f->console, text, strlen(text)), (ssize_t)strlen(text));
}

/* While the run is under way: what is said before it belongs to no run, see test_late_report. */
static void say_later(struct fixture *f, const char *text)
{
	if (fork())
		return;
	usleep(100 * 1000);
	say(f, text);
	_exit(0);
}

static void answer(struct fixture *f, uint32_t id, enum verdict verdict)
{
	struct result res;
	uint8_t *buf;
	uint32_t len;

	result_init(&res);
	res.verdict = verdict;
	assert_int_equal(result_encode(&res, &buf, &len), 0);
	assert_int_equal(frame_write(f->theirs, FRAME_RESULT, id, buf, len, 1000), 0);
	free(buf);
}

static void run(struct fixture *f, struct result *res)
{
	struct scenario scn;

	scenario_init(&scn);
	result_init(res);
	assert_int_equal(peer_run(&f->peer, &scn, 0, res), 0);
}

static void test_result(void **state)
{
	struct fixture f;
	struct result res;

	(void)state;
	start(&f);
	answer(&f, 77, VERDICT_CLEAN); /* of another run: to be skipped */
	answer(&f, 1, VERDICT_PINNED);
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_PINNED);
	assert_false(f.peer.dead);
	result_release(&res);
	tear_down(&f);
}

static void test_panic(void **state)
{
	struct fixture f;
	struct result res;

	(void)state;
	start(&f);
	say_later(
		&f,
		"[ 1.0] BUG: kernel NULL pointer dereference, address: 10\n"
		"[ 1.0] RIP: 0010:fuse_flush+0x1/0x2\n[ 1.1] Kernel panic - not syncing: "
		"Fatal\n");
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_KERNEL);
	assert_null(strstr(res.reason, "before this run"));
	assert_int_equal(res.poisoned, 1);
	assert_true(res.signature != 0);
	assert_non_null(strstr(res.reason, "NULL pointer dereference in fuse_flush"));
	assert_non_null(strstr(res.json, "RIP: 0010:fuse_flush+0x1/0x2"));
	result_release(&res);
	run(&f, &res); /* no use before a reset, and at once */
	assert_int_equal(res.verdict, VERDICT_INFRA);
	result_release(&res);
	tear_down(&f);
}

static void test_init_died(void **state)
{
	struct fixture f;
	struct result res;

	(void)state;
	start(&f);
	say_later(&f,
		  "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0b\n");
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_INFRA);
	assert_int_equal(res.signature, 0);
	result_release(&res);
	tear_down(&f);
}

static void test_channel_lost(void **state)
{
	struct fixture f;
	struct result res;

	(void)state;
	start(&f);
	close(f.theirs);
	f.theirs = -1;
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_INFRA);
	assert_int_equal(res.poisoned, 1);
	result_release(&res);
	tear_down(&f);
}

static void test_noise_on_channel(void **state)
{
	struct fixture f;
	struct result res;

	(void)state;
	start(&f);
	assert_int_equal(write(f.theirs, "login: this is not a frame at all, is it?", 41),
			 41);
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_INFRA);
	result_release(&res);
	tear_down(&f);
}

/* The log of a WARN is on the console before the executor reads it. */
static void test_warn_with_result(void **state)
{
	struct fixture f;
	struct result res;

	(void)state;
	start(&f);
	answer(&f, 1, VERDICT_CLEAN);
	/* peer_run() forgets what the console said before: speak after it has begun */
	if (!fork()) {
		usleep(100 * 1000);
		say(&f, "[ 9.0] WARNING: CPU: 0 PID: 9 at fs/fuse/dev.c:1 "
			"fuse_request_end+0x1/0x2\n");
		answer(&f, 2, VERDICT_CLEAN);
		_exit(0);
	}
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_CLEAN);
	result_release(&res);
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_KERNEL);
	assert_int_equal(res.poisoned, 1);
	assert_non_null(strstr(res.reason, "WARNING in fuse_request_end"));
	result_release(&res);
	tear_down(&f);
}

/* A report that comes after the result of its run is still told, and the guest is not used further. */
static void test_late_report(void **state)
{
	struct fixture f;
	struct result res;

	(void)state;
	start(&f);
	answer(&f, 1, VERDICT_CLEAN);
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_CLEAN);
	result_release(&res);
	say(&f, "[ 9.0] INFO: task init:9 blocked for more than 15 seconds.\n");
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_KERNEL);
	assert_int_equal(res.poisoned, 1);
	assert_non_null(strstr(res.reason, "before this run"));
	result_release(&res);
	tear_down(&f);
}

static void test_wrong_version(void **state)
{
	struct fixture f;
	struct frame frame;
	struct frame_reader rd;
	char err[300] = "";

	(void)state;
	set_up(&f);
	frame_reader_init(&rd, f.peer.channel);
	assert_int_equal(frame_read(&rd, 1000, &frame), 0);
	frame_release(&frame);
	frame_reader_release(&rd);
	assert_int_equal(
		frame_write(f.theirs, FRAME_HELLO, 0, "{\"version\":2}", 13, 1000), 0);
	assert_int_equal(peer_hello(&f.peer, f.peer.channel, -1, 1000, err), -EPROTO);
	assert_non_null(strstr(err, "protocol version"));
	tear_down(&f);
}

static void test_complaint_of_init(void **state)
{
	struct fixture f;
	char err[300] = "";

	(void)state;
	set_up(&f);
	close(f.theirs);
	f.theirs = -1;
	peer_flush(&f.peer);
	say(&f,
	    "[ 1.0] shortfuse-init: fusectl: No such device: this kernel has no FUSE\n");
	assert_int_equal(peer_hello(&f.peer, f.peer.channel, -1, 1000, err), -ECONNRESET);
	assert_non_null(strstr(err, "has no FUSE"));
	tear_down(&f);
}

static void test_process_killed(void **state)
{
	static const char *const argv[] = {"/bin/sleep", "60", NULL};
	struct spawn sp = {.argv = argv, .out = -1, .err = -1, .cpu = -1};
	struct fixture f;
	struct result res;
	time_t begin;

	(void)state;
	start(&f);
	assert_int_equal(spawn_process(&sp, &f.peer.proc), 0);
	assert_false(process_ended(&f.peer.proc, 0));
	kill(f.peer.proc.pid, SIGKILL);
	begin = time(NULL);
	run(&f, &res);
	assert_true(time(NULL) - begin < 10); /* at once, not at the run's deadline */
	assert_int_equal(res.verdict, VERDICT_INFRA);
	assert_non_null(strstr(res.reason, "killed by signal 9"));
	result_release(&res);
	tear_down(&f);
}

/* The id of the next RUN frame that the peer sent; 0: there is none. */
static uint32_t sent(struct frame_reader *reader)
{
	struct frame frame;
	uint32_t id;

	if (frame_read(reader, 0, &frame) < 0)
		return 0;
	assert_int_equal(frame.type, FRAME_RUN);
	id = frame.id;
	frame_release(&frame);
	return id;
}

static void run_other(struct fixture *f, struct result *res)
{
	struct scenario scn;

	scenario_init(&scn);
	scn.config.threads = 3;
	result_init(res);
	assert_int_equal(peer_run(&f->peer, &scn, 0, res), 0);
}

static void test_sent_ahead(void **state)
{
	struct frame_reader reader;
	struct scenario scn;
	struct fixture f;
	struct result res;

	(void)state;
	start(&f);
	frame_reader_init(&reader, f.theirs);
	scenario_init(&scn);
	peer_next(&f.peer, &scn, 0);
	answer(&f, 1, VERDICT_CLEAN);
	answer(&f, 2, VERDICT_PINNED);
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_CLEAN);
	assert_int_equal(sent(&reader), 1);
	assert_int_equal(sent(&reader), 2);
	/* Its answer may be there already; nothing is sent for it. */
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_PINNED);
	assert_int_equal(sent(&reader), 0);
	/* Something else is run instead: the answer to what was sent ahead is nobody's. */
	peer_next(&f.peer, &scn, 0);
	answer(&f, 3, VERDICT_CLEAN);
	answer(&f, 4, VERDICT_PINNED);
	answer(&f, 5, VERDICT_HELD);
	run(&f, &res);
	assert_int_equal(res.verdict, VERDICT_CLEAN);
	run_other(&f, &res);
	assert_int_equal(res.verdict, VERDICT_HELD);
	for (uint32_t id = 3; id <= 5; id++)
		assert_int_equal(sent(&reader), id);
	assert_int_equal(sent(&reader), 0);
	result_release(&res);
	frame_reader_release(&reader);
	tear_down(&f);
}

static void test_spawn_errors(void **state)
{
	static const char *const argv[] = {"/nonexistent/program", NULL};
	struct spawn sp = {.argv = argv, .out = -1, .err = -1, .cpu = -1};
	struct process proc = {.pidfd = -1};

	(void)state;
	assert_int_equal(spawn_process(&sp, &proc), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_panic),
		cmocka_unit_test(test_init_died),
		cmocka_unit_test(test_channel_lost),
		cmocka_unit_test(test_noise_on_channel),
		cmocka_unit_test(test_warn_with_result),
		cmocka_unit_test(test_late_report),
		cmocka_unit_test(test_wrong_version),
		cmocka_unit_test(test_complaint_of_init),
		cmocka_unit_test(test_process_killed),
		cmocka_unit_test(test_sent_ahead),
		cmocka_unit_test(test_spawn_errors),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
