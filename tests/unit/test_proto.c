/* SPDX-License-Identifier: MIT */
/* Frames survive slow, torn and noisy streams, or are refused; nothing waits beyond its deadline. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "harness/protocol/proto.h"
#include "harness/util/rng.h"

#define HEADER sizeof(struct frame_header)

enum { READ_END, WRITE_END };

static void open_pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void close_pair(int fds[2])
{
	close(fds[READ_END]);
	close(fds[WRITE_END]);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* The bytes of one frame on the wire. */
static size_t frame_bytes(uint32_t type, uint32_t id, const char *text, uint8_t *buf,
			  size_t size)
{
	int fds[2];
	ssize_t n;

	open_pair(fds);
	assert_int_equal(frame_write(fds[WRITE_END], type, id, text, strlen(text), 1000),
			 0);
	n = read(fds[READ_END], buf, size);
	assert_int_equal(n, HEADER + strlen(text));
	close_pair(fds);
	return n;
}

static void expect_frame(struct frame_reader *rd, uint32_t type, uint32_t id,
			 const char *text)
{
	struct frame frame;

	assert_int_equal(frame_read(rd, 1000, &frame), 0);
	assert_int_equal(frame.type, type);
	assert_int_equal(frame.id, id);
	assert_int_equal(frame.len, strlen(text));
	assert_string_equal((char *)frame.data, text);
	frame_release(&frame);
	assert_null(frame.data);
}

/* Frozen: host and guest may be of different builds. */
static void test_golden_bytes(void **state)
{
	static const uint8_t want[] = {'F',  'S',  'F', '1', 5, 0, 0, 0,
				       0x34, 0x12, 0,	0,   3, 0, 0, 0};
	uint64_t sum = 0xcbf29ce484222325u;
	uint8_t buf[64];

	(void)state;
	assert_int_equal(frame_bytes(FRAME_LOG, 0x1234, "abc", buf, sizeof(buf)), 27);
	assert_memory_equal(buf, want, sizeof(want));
	assert_memory_equal(buf + HEADER, "abc", 3);
	for (size_t i = 4; i < 12; i++)
		sum = (sum ^ buf[i]) * 0x100000001b3u;
	for (size_t i = HEADER; i < 27; i++)
		sum = (sum ^ buf[i]) * 0x100000001b3u;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(buf[16 + i], (uint8_t)(sum >> (8 * i)));
}

static void test_several_at_once(void **state)
{
	struct frame_reader rd;
	struct frame frame;
	int fds[2];

	(void)state;
	open_pair(fds);
	frame_reader_init(&rd, fds[READ_END]);
	assert_int_equal(frame_write(fds[WRITE_END], FRAME_HELLO, 0, "{}", 2, -1), 0);
	assert_int_equal(frame_write(fds[WRITE_END], FRAME_STOP, 7, NULL, 0, 0), 0);
	assert_int_equal(frame_write(fds[WRITE_END], FRAME_LOG, 8, "line", 4, 10), 0);
	expect_frame(&rd, FRAME_HELLO, 0, "{}");
	expect_frame(&rd, FRAME_STOP, 7, "");
	expect_frame(&rd, FRAME_LOG, 8, "line");
	assert_int_equal(frame_read(&rd, 0, &frame), -ETIMEDOUT);
	close(fds[WRITE_END]);
	assert_int_equal(frame_read(&rd, 1000, &frame), -ECONNRESET);
	frame_reader_release(&rd);
	close(fds[READ_END]);
}

/* A timeout in the middle of a frame loses nothing. */
static void test_trickle(void **state)
{
	uint8_t bytes[200];
	size_t len = frame_bytes(FRAME_RESULT, 3, "slow but sure", bytes, sizeof(bytes));
	struct frame_reader rd;
	struct frame frame;
	int fds[2];

	(void)state;
	open_pair(fds);
	frame_reader_init(&rd, fds[READ_END]);
	for (size_t i = 0; i < len - 1; i++) {
		assert_int_equal(write(fds[WRITE_END], bytes + i, 1), 1);
		assert_int_equal(frame_read(&rd, 0, &frame), -ETIMEDOUT);
	}
	assert_int_equal(write(fds[WRITE_END], bytes + len - 1, 1), 1);
	expect_frame(&rd, FRAME_RESULT, 3, "slow but sure");
	frame_reader_release(&rd);
	close_pair(fds);
}

static void test_torn(void **state)
{
	uint8_t bytes[200];
	size_t len = frame_bytes(FRAME_RESULT, 3, "half", bytes, sizeof(bytes));

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		struct frame_reader rd;
		struct frame frame;
		int fds[2];

		open_pair(fds);
		frame_reader_init(&rd, fds[READ_END]);
		assert_int_equal(write(fds[WRITE_END], bytes, cut), cut);
		close(fds[WRITE_END]);
		assert_int_equal(frame_read(&rd, 1000, &frame), -ECONNRESET);
		assert_int_equal(frame_read(&rd, 1000, &frame), -ECONNRESET);
		frame_reader_release(&rd);
		close(fds[READ_END]);
	}
}

/* No single flipped bit gives a frame; once bad, the stream stays bad. */
static void test_noise(void **state)
{
	uint8_t bytes[200];
	size_t len = frame_bytes(FRAME_RESULT, 3, "noise", bytes, sizeof(bytes));

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct frame_reader rd;
		struct frame frame;
		int fds[2], ret;

		open_pair(fds);
		frame_reader_init(&rd, fds[READ_END]);
		bytes[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(write(fds[WRITE_END], bytes, len), len);
		bytes[bit / 8] ^= 1 << bit % 8;
		ret = frame_read(&rd, 0, &frame);
		if (bit / 32 == 3 && ret == -ETIMEDOUT) {
			/* A length that grew: the rest is still awaited. */
			shutdown(fds[WRITE_END], SHUT_WR);
		} else {
			assert_int_equal(ret, -EBADMSG);
			assert_int_equal(write(fds[WRITE_END], bytes, len), len);
		}
		ret = frame_read(&rd, 0, &frame);
		assert_true(ret == -EBADMSG || ret == -ECONNRESET);
		frame_reader_release(&rd);
		close_pair(fds);
	}
}

/* Four wrong bytes are enough to refuse; a huge length is refused before any of it arrives. */
static void test_refused_early(void **state)
{
	static const struct frame_header huge = {
		.magic = FRAME_MAGIC, .type = FRAME_LOG, .len = FRAME_MAX + 1};
	struct frame_reader rd;
	struct frame frame;
	int fds[2];

	(void)state;
	open_pair(fds);
	frame_reader_init(&rd, fds[READ_END]);
	assert_int_equal(write(fds[WRITE_END], "[   ", 4), 4);
	assert_int_equal(frame_read(&rd, 1000, &frame), -EBADMSG);
	frame_reader_release(&rd);
	frame_reader_init(&rd, fds[READ_END]);
	assert_int_equal(write(fds[WRITE_END], &huge, HEADER), HEADER);
	assert_int_equal(frame_read(&rd, 1000, &frame), -EBADMSG);
	frame_reader_release(&rd);
	assert_int_equal(frame_write(fds[WRITE_END], FRAME_LOG, 0, "", FRAME_MAX + 1, 0),
			 -EMSGSIZE);
	close_pair(fds);
}

static void test_random_streams(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (unsigned int i = 0; i < 2000; i++) {
		uint32_t magic = FRAME_MAGIC;
		struct frame_reader rd;
		struct frame frame;
		uint8_t buf[300];
		int fds[2];

		for (size_t b = 0; b < sizeof(buf); b++)
			buf[b] = rng_next(&rng);
		if (rng_chance(&rng, 1, 2))
			memcpy(buf, &magic, sizeof(magic));
		if (rng_chance(&rng, 1, 2))
			memset(buf + 13, 0, 3);
		open_pair(fds);
		frame_reader_init(&rd, fds[READ_END]);
		assert_int_equal(write(fds[WRITE_END], buf, sizeof(buf)), sizeof(buf));
		close(fds[WRITE_END]);
		assert_true(frame_read(&rd, 1000, &frame) < 0);
		frame_reader_release(&rd);
		close(fds[READ_END]);
	}
}

struct job {
	int fd;
	uint8_t *data;
	uint32_t len;
	int ret;
};

static void *write_job(void *arg)
{
	struct job *job = arg;

	job->ret = frame_write(job->fd, FRAME_RESULT, 1, job->data, job->len, 10000);
	return NULL;
}

static void big_frame(int fds[2])
{
	struct job job = {.fd = fds[WRITE_END], .len = FRAME_MAX};
	struct frame_reader rd;
	struct frame frame;
	pthread_t thread;

	job.data = malloc(job.len);
	for (uint32_t i = 0; i < job.len; i++)
		job.data[i] = i * 7 + (i >> 8);
	assert_int_equal(pthread_create(&thread, NULL, write_job, &job), 0);
	frame_reader_init(&rd, fds[READ_END]);
	assert_int_equal(frame_read(&rd, 10000, &frame), 0);
	pthread_join(thread, NULL);
	assert_int_equal(job.ret, 0);
	assert_int_equal(frame.len, job.len);
	assert_true(!memcmp(frame.data, job.data, job.len));
	frame_release(&frame);
	frame_reader_release(&rd);
	free(job.data);
}

/* The largest frame through a socket and through a pipe, blocking and not. */
static void test_big(void **state)
{
	int fds[2];

	(void)state;
	open_pair(fds);
	big_frame(fds);
	close_pair(fds);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	big_frame(fds);
	close_pair(fds);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	big_frame(fds);
	close_pair(fds);
}

/* Nobody reads: the writer gives up in time, whatever kind of descriptor it has. */
static void test_write_deadline(void **state)
{
	static const int flags[] = {0, O_NONBLOCK};
	uint8_t *data = calloc(1, FRAME_MAX);

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		int64_t start = now_ms();
		int fds[2];

		if (i < 2)
			assert_int_equal(pipe2(fds, O_CLOEXEC | flags[i]), 0);
		else
			open_pair(fds);
		if (i == 3)
			fcntl(fds[WRITE_END], F_SETFL, O_NONBLOCK);
		assert_int_equal(
			frame_write(fds[WRITE_END], FRAME_LOG, 0, data, FRAME_MAX, 50),
			-ETIMEDOUT);
		assert_in_range(now_ms() - start, 50, 2000);
		close_pair(fds);
	}
	free(data);
}

static void test_read_deadline(void **state)
{
	int64_t start = now_ms();
	struct frame_reader rd;
	struct frame frame;
	int fds[2];

	(void)state;
	open_pair(fds);
	frame_reader_init(&rd, fds[READ_END]);
	assert_int_equal(frame_read(&rd, 50, &frame), -ETIMEDOUT);
	assert_in_range(now_ms() - start, 50, 2000);
	/* poll(2) said readable, somebody else was faster: must not block */
	fcntl(fds[READ_END], F_SETFL, O_NONBLOCK);
	assert_int_equal(frame_read(&rd, 0, &frame), -ETIMEDOUT);
	frame_reader_release(&rd);
	close_pair(fds);
}

static void test_peer_gone(void **state)
{
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN); /* the caller's part, for what is no socket */
	open_pair(fds);
	close(fds[READ_END]);
	assert_int_equal(frame_write(fds[WRITE_END], FRAME_LOG, 0, "x", 1, 1000), -EPIPE);
	close(fds[WRITE_END]);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[READ_END]);
	assert_int_equal(frame_write(fds[WRITE_END], FRAME_LOG, 0, "x", 1, 1000), -EPIPE);
	close(fds[WRITE_END]);
	assert_int_equal(frame_write(-1, FRAME_LOG, 0, "x", 1, -1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_bytes),
		cmocka_unit_test(test_several_at_once),
		cmocka_unit_test(test_trickle),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_refused_early),
		cmocka_unit_test(test_random_streams),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_write_deadline),
		cmocka_unit_test(test_read_deadline),
		cmocka_unit_test(test_peer_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
