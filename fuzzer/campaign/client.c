/* SPDX-License-Identifier: MIT */
/* The client side of a broker's socket. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "broker.h"
#include "client.h"
#include "harness/scenario/codec.h"

void client_init(struct client *client, const char *address)
{
	*client = (struct client){.address = address, .fd = -1};
}

static void disconnect(struct client *client)
{
	if (client->fd < 0)
		return;
	frame_reader_release(&client->reader);
	close(client->fd);
	client->fd = -1;
}

void client_release(struct client *client)
{
	disconnect(client);
}

static int read_result(struct client *client, int timeout_ms, struct result *ret_res)
{
	struct frame frame;
	int ret;

	client->known = false;
	for (;;) {
		ret = frame_read(&client->reader, timeout_ms, &frame);
		if (ret < 0)
			return ret;
		if (frame.type == FRAME_RESULT && frame.id == client->id)
			break;
		client->known |= frame.type == FRAME_KNOWN && frame.id == client->id;
		frame_release(&frame); /* HELLO, LOG, or an answer that came too late */
	}
	ret = result_decode(frame.data, frame.len, ret_res);
	frame_release(&frame);
	return ret;
}

int client_run(struct client *client, const void *scn, size_t len, int timeout_ms,
	       struct result *ret_res)
{
	uint8_t payload[sizeof(struct run_request) + SCN_MAX_BYTES];
	struct run_request request = {0};
	int ret;

	if (client->fd < 0) {
		ret = address_connect(client->address);
		if (ret < 0)
			return ret;
		client->fd = ret;
		frame_reader_init(&client->reader, client->fd);
	}
	/* More bytes than any scenario has: what is past the limits is ignored anyway. */
	if (len > SCN_MAX_BYTES)
		len = SCN_MAX_BYTES;
	memcpy(payload, &request, sizeof(request));
	memcpy(payload + sizeof(request), scn, len);
	client->id++;
	ret = frame_write(client->fd, FRAME_RUN, client->id, payload,
			  sizeof(request) + len, timeout_ms);
	if (ret >= 0)
		ret = read_result(client, timeout_ms, ret_res);
	if (ret < 0)
		disconnect(client);
	return ret;
}
