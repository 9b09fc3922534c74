/* SPDX-License-Identifier: MIT */
/* Serves the exec protocol: a scenario in, a result out. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "executor.h"
#include "harness/scenario/codec.h"
#include "isolate.h"
#include "priority.h"
#include "run.h"
#include "server.h"
#include "start.h"
#include "warden.h"

#define SEND_MS	   10000
#define RUNAWAY_US 500000

/*
 * All in one mapping, since fork(2) copies every mapping's description. Shared, as private pages are copied after a
 * fork when they are written.
 */
struct shared {
	struct arena arena;
	struct executor ex;
	struct run run;
};

/* Private: what was written before fork(2) the child reads without a page fault. */
static struct actor_env actor_env;

struct executor *executor_new(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return NULL;
	actor_env = (struct actor_env){
		.arena = &shared->arena,
		.mnt = DIR_MOUNT,
		.outside = DIR_OUTSIDE,
		.runaway = {RUNAWAY_US, RUNAWAY_US},
		.daemon_body = daemon_body,
	};
	shared->ex.arena = &shared->arena;
	shared->ex.run = &shared->run;
	shared->ex.actors = &actor_env;
	return &shared->ex;
}

/* Out of the way of the run's tasks: they close everything from FD_HARNESS on. */
static int move_fd(int fd)
{
	int moved;

	if (fd < 0)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, FD_HARNESS);
	close(fd);
	return moved;
}

static unsigned int read_number(const char *path)
{
	char buf[24] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, buf, sizeof(buf) - 1) < 0)
		buf[0] = '\0';
	close(fd);
	return (unsigned int)strtoul(buf, NULL, 10);
}

void executor_set_server(struct executor *ex, const char *command)
{
	ex->server = command;
}

int executor_init(struct executor *ex, int channel, int cpu, char *err)
{
	int ret;

	ex->channel = channel;
	ex->cpu = cpu;
	ret = isolate_descriptors(ex, err);
	if (!ret)
		ret = isolate_mounts(ex, err);
	if (!ret)
		ret = server_init(ex, err);
	if (ret < 0)
		return ret;
	priority_init(ex);
	isolate_calibrate(ex);
	ret = procfs_open(&ex->procfs, "/proc");
	if (ret < 0) {
		snprintf(err, 200, "/proc: %s", strerror(-ret));
		return ret;
	}
	ex->procfs.fd = move_fd(ex->procfs.fd);
	procfs_calibrate(&ex->procfs);
	ex->children_fd = move_fd(open("/proc/1/task/1/children", O_RDONLY | O_CLOEXEC));
	ex->hung_task_s = read_number("/proc/sys/kernel/hung_task_timeout_secs");
	ret = daemon_body_prepare(ex->actors, ex->server != NULL);
	if (ret < 0) {
		snprintf(err, 200, "the daemon's session: %s", strerror(-ret));
		return ret;
	}
	kmsg_open(&ex->kmsg); /* absent in some containers: then no kernel log */
	ex->kmsg.fd = move_fd(ex->kmsg.fd);
	return warden_start(ex);
}

static int send_hello(const struct executor *ex)
{
	struct utsname uts;
	char text[300];
	int len;

	uname(&uts);
	len = snprintf(text, sizeof(text),
		       "{\"version\":%u,\"release\":\"%s\",\"cpus\":%ld,\"unit_us\":%u,"
		       "\"grace_ms\":%u,\"features\":[%s]}",
		       PROTO_VERSION, uts.release, sysconf(_SC_NPROCESSORS_ONLN),
		       ex->unit_us, ex->grace_ms, ex->realtime ? "\"fifo\"" : "");
	return frame_write(ex->channel, FRAME_HELLO, 0, text, (uint32_t)len, SEND_MS);
}

static int serve_run(struct executor *ex, const struct frame *frame)
{
	struct run_request request;
	struct scenario scn;
	struct result *res = &ex->res;
	uint8_t *buf;
	uint32_t len;
	int ret;

	if (frame->len < sizeof(request))
		return -EBADMSG;
	memcpy(&request, frame->data, sizeof(request));
	scenario_decode(frame->data + sizeof(request), frame->len - sizeof(request),
			&scn);
	result_init(res);
	if (ex->poisoned) {
		res->verdict = VERDICT_INFRA;
		res->poisoned = 1;
		snprintf(res->reason, sizeof(res->reason),
			 "not run: the run before has poisoned this kernel");
	} else {
		executor_run(ex, &scn, &request, res);
		ex->poisoned = res->poisoned;
	}
	ret = result_encode(res, &buf, &len);
	result_release(res);
	if (ret < 0)
		return ret;
	ret = frame_write(ex->channel, FRAME_RESULT, frame->id, buf, len, SEND_MS);
	free(buf);
	return ret;
}

int executor_serve(struct executor *ex)
{
	struct frame_reader reader;
	int ret = send_hello(ex);

	frame_reader_init(&reader, ex->channel);
	while (!ret) {
		struct frame frame;

		ret = frame_read(&reader, -1, &frame);
		if (ret < 0)
			break;
		if (frame.type == FRAME_STOP) {
			frame_release(&frame);
			break;
		}
		if (frame.type == FRAME_RUN)
			ret = serve_run(ex, &frame);
		frame_release(&frame);
	}
	frame_reader_release(&reader);
	return ret == -ECONNRESET ? 0 : ret;
}
