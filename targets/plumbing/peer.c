/* SPDX-License-Identifier: MIT */
/* Talks to an executor and judges how it may have ended. */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/scenario/codec.h"
#include "harness/scenario/tables.h"
#include "peer.h"

#define SEND_MS 5000
#define LAST_MS                                                                          \
	300 /* for the last words of a console after a panic or the process's end */
#define STEPS_MS  10000 /* what the executor gives the steps */
#define LADDER_MS 10000
#define KERNEL_MS 10000 /* more for a guest's kernel to notice that it hangs: guest.c */
#define MAX_SCALE 8

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void peer_init(struct peer *peer, const char *name, const struct target_options *opt)
{
	memset(peer, 0, sizeof(*peer));
	peer->name = name;
	peer->channel = peer->spare_channel = peer->proc.pidfd = -1;
	peer->console.fd = peer->console.file = -1;
	peer->verbose = opt->verbose;
}

int peer_release(struct peer *peer)
{
	int ret = process_kill(&peer->proc, 5000);

	console_release(&peer->console);
	frame_reader_release(&peer->reader);
	if (peer->channel >= 0)
		close(peer->channel);
	if (peer->spare_channel >= 0)
		close(peer->spare_channel);
	free(peer->hello);
	peer->hello = NULL;
	peer->channel = peer->spare_channel = -1;
	return ret;
}

int peer_socketpair(int ret[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) < 0)
		return -errno;
	fcntl(ret[0], F_SETFL, O_NONBLOCK);
	return 0;
}

void peer_flush(struct peer *peer)
{
	char buf[4096];

	console_pump(&peer->console);
	console_mark(&peer->console);
	while (recv(peer->channel, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	frame_reader_release(&peer->reader);
	frame_reader_init(&peer->reader, peer->channel);
}

static void note_log(struct peer *peer, const struct frame *frame)
{
	snprintf(peer->last_log, sizeof(peer->last_log), "%.280s", (char *)frame->data);
	if (peer->verbose)
		fprintf(stderr, "%s: %s\n", peer->name, (char *)frame->data);
}

/* The channel on which the guest speaks first is the one. */
static void choose_channel(struct peer *peer, const struct pollfd *spare)
{
	if (peer->spare_channel < 0 || !(spare->revents & POLLIN))
		return;
	close(peer->channel);
	peer->channel = peer->spare_channel;
	peer->spare_channel = -1;
	frame_reader_release(&peer->reader);
	frame_reader_init(&peer->reader, peer->channel);
}

/*
 * The next frame that is no LOG. -ETIMEDOUT at the deadline; -ECONNRESET once the kernel
 * has panicked or the process has ended, whatever else is still readable; -EBADMSG and
 * others of frame_read().
 */
static int next_frame(struct peer *peer, int64_t deadline, struct frame *ret)
{
	for (;;) {
		struct pollfd pfd[4] = {
			{.fd = peer->channel, .events = POLLIN},
			{.fd = peer->console.fd, .events = POLLIN},
			{.fd = peer->proc.pidfd, .events = POLLIN},
			{.fd = peer->spare_channel, .events = POLLIN},
		};
		int64_t left = deadline - now_ms();
		int err = frame_read(&peer->reader, 0, ret);

		if (!err && ret->type != FRAME_LOG)
			return 0;
		if (!err) {
			note_log(peer, ret);
			frame_release(ret);
			continue;
		}
		if (err != -ETIMEDOUT)
			return err;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(pfd, 4, (int)left) < 0 && errno != EINTR)
			return -errno;
		choose_channel(peer, &pfd[3]);
		if (pfd[1].revents)
			console_pump(&peer->console);
		if (peer->console.scan.panicked ||
		    (peer->console.scan.found &&
		     peer->console.scan.hit.severity == KMSG_INFRA &&
		     !strcmp(peer->console.scan.hit.kind, "init")))
			return -ECONNRESET;
		if (pfd[2].revents && process_ended(&peer->proc, 0))
			return frame_read(&peer->reader, 0, ret) ? -ECONNRESET : 0;
	}
}

/* Takes what the console still has to say. */
static void last_words(struct peer *peer)
{
	int64_t deadline = now_ms() + LAST_MS;

	while (peer->console.fd >= 0) {
		struct pollfd pfd = {.fd = peer->console.fd, .events = POLLIN};
		int64_t left = deadline - now_ms();

		if (left <= 0 || poll(&pfd, 1, (int)left) <= 0)
			return;
		console_pump(&peer->console);
	}
}

/* One clause on how it ended, for infra. */
static void describe_end(struct peer *peer, int error, char *buf, size_t size)
{
	int status = peer->proc.status;

	if (peer->console.complaint[0])
		snprintf(buf, size, "%s", peer->console.complaint);
	else if (peer->console.scan.found)
		snprintf(buf, size, "%s", peer->console.scan.hit.title);
	else if (!peer->proc.pid && WIFSIGNALED(status))
		snprintf(buf, size, "its process was killed by signal %d",
			 WTERMSIG(status));
	else if (!peer->proc.pid && WIFEXITED(status) && WEXITSTATUS(status) > 128)
		snprintf(buf, size, "its process was killed by signal %d",
			 WEXITSTATUS(status) - 128);
	else if (!peer->proc.pid)
		snprintf(buf, size, "its process ended with status %d",
			 WEXITSTATUS(status));
	else if (error == -ETIMEDOUT)
		snprintf(buf, size, "no answer in time, and nothing on the console");
	else
		snprintf(buf, size, "its channel: %s", strerror(-error));
	if (peer->last_log[0]) {
		size_t len = strlen(buf);

		snprintf(buf + len, size - len, " (it said: %.200s)", peer->last_log);
	}
}

static unsigned int json_uint(const json_t *root, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(root, key));

	return value > 0 && value < 100000000 ? (unsigned int)value : 0;
}

static int take_hello(struct peer *peer, const struct frame *frame, char *err)
{
	json_t *root = json_loads((char *)frame->data, 0, NULL);

	if (frame->type != FRAME_HELLO || !root ||
	    json_uint(root, "version") != PROTO_VERSION) {
		json_decref(root);
		snprintf(err, 300,
			 "%s greeted with something else than protocol version %u",
			 peer->name, PROTO_VERSION);
		return -EPROTO;
	}
	peer->unit_us = json_uint(root, "unit_us");
	peer->grace_ms = json_uint(root, "grace_ms");
	peer->patience_ms = json_uint(root, "patience_ms");
	json_decref(root);
	free(peer->hello);
	peer->hello = strdup((char *)frame->data);
	return peer->hello ? 0 : -ENOMEM;
}

int peer_hello(struct peer *peer, int ours, int spare, int timeout_ms, char *err)
{
	struct frame frame;
	char why[280];
	int ret;

	peer->channel = ours;
	peer->spare_channel = spare;
	frame_reader_init(&peer->reader, ours);
	ret = next_frame(peer, now_ms() + timeout_ms, &frame);
	if (ret < 0) {
		last_words(peer);
		process_ended(&peer->proc, ret == -ETIMEDOUT ? 0 : 200);
		describe_end(peer, ret, why, sizeof(why));
		snprintf(err, 300, "%s did not come up: %s", peer->name, why);
		return ret == -ETIMEDOUT ? ret : -ECONNRESET;
	}
	ret = take_hello(peer, &frame, err);
	frame_release(&frame);
	if (peer->spare_channel >= 0)
		close(peer->spare_channel);
	peer->spare_channel = -1;
	console_pump(&peer->console); /* what it said while it booted is not of a run */
	console_mark(&peer->console);
	return ret;
}

/* FNV-1a 64 */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

/* verdict, title and console log as JSON; what an executor that lived would have told. */
static void attach_console(struct peer *peer, struct result *res)
{
	const struct verdict_info *verdict = &verdict_table[res->verdict];
	json_t *root = json_pack(
		"{s:s, s:s, s:s, s:s}", "verdict", verdict->name, "severity",
		severity_names[verdict->severity], "reason", res->reason, "title",
		peer->console.scan.found ? peer->console.scan.hit.title : "");
	json_t *lines = json_array();
	char *save = NULL, *copy = strdup(peer->console.text ? peer->console.text : "");

	for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		json_array_append_new(lines, json_stringn_nocheck(line, strlen(line)));
	free(copy);
	json_object_set_new(root, "kmsg", lines);
	free(res->json);
	res->json = json_dumps(root, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	res->json_len = res->json ? (uint32_t)strlen(res->json) : 0;
	json_decref(root);
}

static void set_kernel(struct peer *peer, struct result *res)
{
	res->verdict = VERDICT_KERNEL;
	res->rung = RUNG_NONE;
	res->poisoned = 1;
	snprintf(res->reason, sizeof(res->reason), "%s's console: %.300s", peer->name,
		 peer->console.scan.hit.title);
	res->root_hash = hash_text(0xcbf29ce484222325u, peer->console.scan.hit.title);
	res->signature = hash_text(res->root_hash, "kernel");
	attach_console(peer, res);
}

static void set_infra(struct peer *peer, int error, struct result *res)
{
	char why[300];

	describe_end(peer, error, why, sizeof(why));
	res->verdict = VERDICT_INFRA;
	res->rung = RUNG_NONE;
	res->poisoned = 1;
	snprintf(res->reason, sizeof(res->reason), "%s was lost: %.300s", peer->name,
		 why);
	attach_console(peer, res);
}

/* No RESULT will come. Kernel evidence makes it a finding, everything else is our own
 * trouble. */
static void judge_loss(struct peer *peer, int error, struct result *res)
{
	peer->dead = true;
	last_words(peer);
	process_ended(&peer->proc, error == -ETIMEDOUT ? 0 : LAST_MS);
	result_release(res);
	result_init(res);
	if (peer->console.scan.found && peer->console.scan.hit.severity >= KMSG_BUG)
		set_kernel(peer, res);
	else
		set_infra(peer, error, res);
}

/* How long a run may take; measured by what fork, exit, wait cost there (HELLO's grace_ms
 * is 50 at least). */
static int deadline_ms(const struct peer *peer, const struct scenario *scn)
{
	unsigned int scale = peer->grace_ms / 50;

	if (peer->patience_ms)
		return (int)(peer->patience_ms + scenario_wait_ms(scn));
	scale = scale < 1 ? 1 : scale > MAX_SCALE ? MAX_SCALE : scale;
	return (int)(STEPS_MS + scenario_wait_ms(scn) + LADDER_MS * scale +
		     (peer->guest ? KERNEL_MS : 0));
}

static int send_run(struct peer *peer, const struct scenario *scn, uint32_t flags)
{
	uint8_t buf[sizeof(struct run_request) + SCN_MAX_BYTES];
	struct run_request request = {.flags = flags};
	int len = scenario_encode(scn, buf + sizeof(request), SCN_MAX_BYTES);

	if (len < 0)
		return len;
	memcpy(buf, &request, sizeof(request));
	return frame_write(peer->channel, FRAME_RUN, ++peer->next_id, buf,
			   (uint32_t)sizeof(request) + (uint32_t)len, SEND_MS);
}

/* The console may know of a bug that the executor had not read in its kernel log yet. */
static void judge_console(struct peer *peer, struct result *res)
{
	const struct kmsg_scan *scan = &peer->console.scan;

	console_pump(&peer->console);
	if (!scan->found || scan->hit.severity < KMSG_BUG)
		return;
	if (res->verdict != VERDICT_KERNEL && res->verdict != VERDICT_UNREAPABLE)
		set_kernel(peer, res);
	/* WARN_ONCE() warns no second time before a reset. */
	res->poisoned = 1;
}

/* Sends the run, unless that was done ahead, and then the one after it. */
static int send_runs(struct peer *peer, const struct scenario *scn, uint32_t flags,
		     uint32_t *ret_id)
{
	bool sent = peer->ahead.sent && peer->ahead.flags == flags &&
		    scenario_equal(&peer->ahead.scn, scn);
	int ret = sent ? 0 : send_run(peer, scn, flags);

	*ret_id = sent ? peer->ahead.id : peer->next_id;
	peer->ahead.sent = !ret && peer->ahead.planned;
	peer->ahead.planned = false;
	if (peer->ahead.sent)
		ret = send_run(peer, &peer->ahead.scn, peer->ahead.flags);
	peer->ahead.id = peer->next_id;
	return ret;
}

static void run_until(struct peer *peer, const struct scenario *scn, uint32_t flags,
		      int64_t deadline, struct result *res)
{
	struct frame frame;
	uint32_t id;
	int ret;

	console_mark(&peer->console);
	ret = send_runs(peer, scn, flags, &id);
	while (!ret) {
		ret = next_frame(peer, deadline, &frame);
		if (ret < 0)
			break;
		if (frame.type == FRAME_RESULT && frame.id == id) {
			ret = result_decode(frame.data, frame.len, res);
			frame_release(&frame);
			break;
		}
		frame_release(
			&frame); /* sent ahead in vain, or before a restored snapshot */
	}
	if (ret < 0)
		judge_loss(peer, ret, res);
	else if (peer->guest)
		judge_console(peer, res);
	if (res->poisoned)
		peer->dead = true;
}

/*
 * What the console said since the last run: a bug that showed itself late must not be lost, even if
 * it is another scenario's.
 */
static bool spoke_meanwhile(struct peer *peer, struct result *res)
{
	const struct kmsg_scan *scan = &peer->console.scan;
	char late[sizeof(res->reason)];

	console_pump(&peer->console);
	if (!peer->guest || !scan->found || scan->hit.severity < KMSG_BUG)
		return false;
	last_words(peer);
	set_kernel(peer, res);
	snprintf(late, sizeof(late), "before this run, %.350s", res->reason);
	memcpy(res->reason, late, sizeof(late));
	peer->dead = true;
	return true;
}

int peer_run(struct peer *peer, const struct scenario *scn, uint32_t flags,
	     struct result *res)
{
	if (peer->dead)
		set_infra(peer, -ENOTCONN, res);
	else if (!spoke_meanwhile(peer, res))
		run_until(peer, scn, flags, now_ms() + deadline_ms(peer, scn), res);
	return 0;
}

void peer_next(struct peer *peer, const struct scenario *scn, uint32_t flags)
{
	peer->ahead.planned = true;
	peer->ahead.scn = *scn;
	peer->ahead.flags = flags;
}

int peer_revive(struct peer *peer, const char *hello, int timeout_ms)
{
	struct frame frame = {.type = FRAME_HELLO, .data = (uint8_t *)hello};
	struct scenario scn;
	struct result res;
	char err[300];
	int ret = take_hello(peer, &frame, err);

	if (ret < 0)
		return ret;
	peer->dead = false;
	peer->last_log[0] = '\0';
	scenario_init(&scn);
	result_init(&res);
	run_until(peer, &scn, 0, now_ms() + timeout_ms, &res);
	ret = peer->dead || res.verdict == VERDICT_INFRA ? -EIO : 0;
	result_release(&res);
	return ret;
}

int peer_stop(struct peer *peer, int ms)
{
	if (!peer->dead && peer->channel >= 0 && peer->hello &&
	    !frame_write(peer->channel, FRAME_STOP, 0, NULL, 0, 200))
		process_ended(&peer->proc, ms);
	return peer_release(peer);
}
