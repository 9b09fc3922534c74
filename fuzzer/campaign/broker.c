/* SPDX-License-Identifier: MIT */
/* Serves scenarios that clients send over a unix socket. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "broker.h"
#include "harness/scenario/codec.h"

#define CLIENTS_MAX	 16
#define FRAME_TIMEOUT_MS 2000

struct peers {
	struct frame_reader reader[CLIENTS_MAX];
	unsigned int n;
};

static void drop_peer(struct peers *peers, unsigned int i)
{
	close(peers->reader[i].fd);
	frame_reader_release(&peers->reader[i]);
	peers->reader[i] = peers->reader[--peers->n];
}

static void accept_peer(const struct broker *broker, struct peers *peers)
{
	int fd = accept4(broker->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (peers->n == CLIENTS_MAX || !address_trusted(fd)) {
		close(fd);
		return;
	}
	frame_reader_init(&peers->reader[peers->n++], fd);
}

/* The details stay here: a client that did not ask for them has no use for 100 KiB of
 * JSON. */
static int answer(const struct broker *broker, int fd, uint32_t id, uint32_t flags,
		  const struct result *res)
{
	struct result plain = *res;
	uint8_t *buf;
	uint32_t len;
	int ret;

	if (broker->mark)
		plain.signature = broker->mark(broker->ctx, res);
	if (!(flags & RUN_DETAILS)) {
		plain.json = NULL;
		plain.json_len = 0;
	}
	ret = result_encode(&plain, &buf, &len);
	if (ret < 0)
		return ret;
	ret = frame_write(fd, FRAME_RESULT, id, buf, len, FRAME_TIMEOUT_MS);
	free(buf);
	return ret;
}

static int serve_run(const struct broker *broker, int fd, const struct frame *frame,
		     bool *ret_lost)
{
	struct run_request request;
	struct scenario scn;
	struct result res;
	int ret;

	if (frame->len < sizeof(request)) {
		*ret_lost = true;
		return 0;
	}
	memcpy(&request, frame->data, sizeof(request));
	scenario_decode(frame->data + sizeof(request), frame->len - sizeof(request),
			&scn);
	result_init(&res);
	ret = broker->run(broker->ctx, &scn, request.flags, &res);
	if (ret >= 0) {
		if (broker->known && broker->known(broker->ctx, &res))
			frame_write(fd, FRAME_KNOWN, frame->id, NULL, 0,
				    FRAME_TIMEOUT_MS);
		*ret_lost = answer(broker, fd, frame->id, request.flags, &res) < 0;
		if (broker->after)
			broker->after(broker->ctx, &scn, &res);
	}
	result_release(&res);
	return ret;
}

/* One frame of a client. Negative: the owner wants to end. */
static int serve_peer(const struct broker *broker, struct peers *peers, unsigned int i)
{
	struct frame frame;
	bool lost = false;
	int ret;

	ret = frame_read(&peers->reader[i], FRAME_TIMEOUT_MS, &frame);
	if (ret < 0) {
		drop_peer(peers, i);
		return 0;
	}
	if (frame.type == FRAME_RUN)
		ret = serve_run(broker, peers->reader[i].fd, &frame, &lost);
	else if (frame.type == FRAME_STOP)
		lost = true;
	frame_release(&frame);
	if (lost)
		drop_peer(peers, i);
	return ret;
}

int broker_loop(const struct broker *broker)
{
	struct pollfd fds[2 + CLIENTS_MAX];
	struct peers peers = {.n = 0};
	int ret = 0;

	while (ret >= 0) {
		fds[0] = (struct pollfd){.fd = broker->stop_fd, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = broker->listen_fd, .events = POLLIN};
		for (unsigned int i = 0; i < peers.n; i++)
			fds[2 + i] = (struct pollfd){.fd = peers.reader[i].fd,
						     .events = POLLIN};
		if (poll(fds, 2 + peers.n, -1) < 0) {
			if (errno == EINTR)
				continue;
			ret = -errno;
			break;
		}
		if (fds[0].revents)
			break;
		/* From the last one down: drop_peer() moves the last one into the gap. */
		for (unsigned int i = peers.n; i-- > 0 && ret >= 0;)
			if (fds[2 + i].revents)
				ret = serve_peer(broker, &peers, i);
		if (fds[1].revents)
			accept_peer(broker, &peers);
	}
	while (peers.n)
		drop_peer(&peers, 0);
	return ret < 0 ? ret : 0;
}
