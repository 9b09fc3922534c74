/* SPDX-License-Identifier: MIT */
/* Frames on a byte stream: writes and reads with deadlines, checked by length and
 * checksum. */

#include "proto.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER_SIZE sizeof(struct frame_header)
/* What a pipe or tty takes without blocking once poll(2) calls it writable: pipe(7),
 * PIPE_BUF. */
#define SAFE_WRITE 4096

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int64_t deadline_after(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
}

/* 0 when the descriptor is ready, also for errors, which the read or write then tells. */
static int wait_ready(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int ret;

	if (fd < 0) /* poll(2) would wait, for nothing */
		return -EBADF;
	do {
		int64_t left = deadline == INT64_MAX ? -1 : MAX(deadline - now_ms(), 0);

		ret = poll(&pfd, 1, (int)MIN(left, INT32_MAX));
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	return ret ? 0 : -ETIMEDOUT;
}

static uint64_t fnv1a(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * 0x100000001b3u;
	return sum;
}

static uint64_t frame_sum(const struct frame_header *wire, const void *data, uint32_t len)
{
	uint64_t sum = fnv1a(0xcbf29ce484222325u, &wire->type, sizeof(wire->type));

	sum = fnv1a(sum, &wire->id, sizeof(wire->id));
	return fnv1a(sum, data, len);
}

void frame_release(struct frame *frame)
{
	free(frame->data);
	*frame = (struct frame){0};
}

/*
 * One write that does not block; the number of bytes or -errno, -EAGAIN included. A socket says itself that it is full;
 * of anything else poll(2) has to be asked before.
 */
static ssize_t write_some(int fd, const void *data, size_t len, bool *is_socket)
{
	ssize_t n;

	if (*is_socket) {
		n = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0 || errno != ENOTSOCK)
			return n >= 0 ? n : -errno;
		*is_socket = false;
		return -EAGAIN;
	}
	n = write(fd, data, MIN(len, (size_t)SAFE_WRITE));
	return n >= 0 ? n : -errno;
}

static int write_all(int fd, const void *data, size_t len, int64_t deadline)
{
	const uint8_t *p = data;
	bool is_socket = true, wait = false;

	while (len) {
		int ret = wait ? wait_ready(fd, POLLOUT, deadline) : 0;
		ssize_t n;

		if (ret < 0)
			return ret;
		n = write_some(fd, p, len, &is_socket);
		wait = !is_socket || n == -EAGAIN;
		if (n == -EAGAIN || n == -EINTR)
			continue;
		if (n < 0)
			return n == -ECONNRESET ? -EPIPE : (int)n;
		p += n;
		len -= n;
	}
	return 0;
}

int frame_write(int fd, uint32_t type, uint32_t id, const void *data, uint32_t len,
		int timeout_ms)
{
	struct frame_header wire = {
		.magic = htole32(FRAME_MAGIC),
		.type = htole32(type),
		.id = htole32(id),
		.len = htole32(len),
	};
	int64_t deadline = deadline_after(timeout_ms);
	uint8_t *whole;
	int ret;

	if (len > FRAME_MAX)
		return -EMSGSIZE;
	/* In one piece: a header alone would wake the reader for nothing. */
	whole = malloc(sizeof(wire) + len);
	if (!whole)
		return -ENOMEM;
	wire.sum = htole64(frame_sum(&wire, data, len));
	memcpy(whole, &wire, sizeof(wire));
	if (len)
		memcpy(whole + sizeof(wire), data, len);
	ret = write_all(fd, whole, sizeof(wire) + len, deadline);
	free(whole);
	return ret;
}

void frame_reader_init(struct frame_reader *rd, int fd)
{
	*rd = (struct frame_reader){.fd = fd};
}

void frame_reader_release(struct frame_reader *rd)
{
	free(rd->buf);
	*rd = (struct frame_reader){.fd = -1};
}

/*
 * As read(2), at most until the deadline: -ETIMEDOUT. Whether there is something at once a socket says itself, to wait
 * takes poll(2): a recv(2) that sleeps wakes up also when the peer reads (unix_write_space()).
 */
static ssize_t read_some(int fd, void *buf, size_t size, bool at_once, int64_t deadline)
{
	int ret = at_once ? 0 : wait_ready(fd, POLLIN, deadline);
	ssize_t n;

	if (ret < 0)
		return ret;
	n = recv(fd, buf, size, MSG_DONTWAIT);
	if (n >= 0 || errno != ENOTSOCK) {
		if (n < 0 && errno == EAGAIN && at_once)
			return -ETIMEDOUT;
		return n >= 0 ? n : -errno;
	}
	ret = at_once ? wait_ready(fd, POLLIN, deadline) : 0;
	if (ret < 0)
		return ret;
	n = read(fd, buf, size);
	return n >= 0 ? n : -errno;
}

/* Reads what is there, once. The buffer grows with what arrives, not with what a header
 * claims. */
static int fill(struct frame_reader *rd, bool at_once, int64_t deadline)
{
	ssize_t n;

	if (rd->have == rd->size) {
		size_t size = rd->size ? rd->size * 2 : 4096;
		uint8_t *buf = realloc(rd->buf, size);

		if (!buf)
			return -ENOMEM;
		rd->buf = buf;
		rd->size = size;
	}
	n = read_some(rd->fd, rd->buf + rd->have, rd->size - rd->have, at_once, deadline);
	if (n < 0)
		return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
	if (n == 0)
		return -ECONNRESET;
	rd->have += n;
	return 0;
}

/* 1: a whole good frame was taken off the buffer, 0: more bytes are needed, or -errno. */
static int take(struct frame_reader *rd, struct frame *ret_frame)
{
	struct frame_header wire;
	struct frame frame;

	if (rd->have < sizeof(wire.magic))
		return 0;
	memset(&wire, 0, sizeof(wire));
	memcpy(&wire, rd->buf, MIN(rd->have, HEADER_SIZE));
	if (le32toh(wire.magic) != FRAME_MAGIC)
		return -EBADMSG;
	if (rd->have < HEADER_SIZE)
		return 0;
	frame.type = le32toh(wire.type);
	frame.id = le32toh(wire.id);
	frame.len = le32toh(wire.len);
	if (frame.len > FRAME_MAX)
		return -EBADMSG;
	if (rd->have < HEADER_SIZE + frame.len)
		return 0;
	if (le64toh(wire.sum) != frame_sum(&wire, rd->buf + HEADER_SIZE, frame.len))
		return -EBADMSG;
	frame.data = malloc(frame.len + 1);
	if (!frame.data)
		return -ENOMEM;
	memcpy(frame.data, rd->buf + HEADER_SIZE, frame.len);
	frame.data[frame.len] = 0;
	rd->have -= HEADER_SIZE + frame.len;
	memmove(rd->buf, rd->buf + HEADER_SIZE + frame.len, rd->have);
	*ret_frame = frame;
	return 1;
}

int frame_read(struct frame_reader *rd, int timeout_ms, struct frame *ret_frame)
{
	int64_t deadline = deadline_after(timeout_ms);

	for (;;) {
		int ret = take(rd, ret_frame);

		if (ret)
			return ret < 0 ? ret : 0;
		ret = fill(rd, !timeout_ms, deadline);
		if (ret < 0)
			return ret;
	}
}
