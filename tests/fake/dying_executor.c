/* SPDX-License-Identifier: MIT */
/*
 * An executor that dies on demand: /init of a guest that answers "clean" to every scenario, but for those whose
 * max_background says how to end. For tests of what a host makes of it.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/executor/guest.h"
#include "harness/protocol/proto.h"
#include "harness/protocol/result.h"
#include "harness/scenario/codec.h"

#define HELLO                                                                            \
	"{\"version\":1,\"release\":\"fake\",\"cpus\":1,\"unit_us\":100,\"grace_ms\":"   \
	"50,"                                                                            \
	"\"patience_ms\":6000}"

enum { DIE_PANIC = 101, DIE_OOM, DIE_EXIT, DIE_NOISE, DIE_SILENCE, DIE_HANG, DIE_WEDGE };

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(1);
}

_Noreturn static void fill_memory(void)
{
	for (;;) {
		void *block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (block == MAP_FAILED)
			_exit(1);
	}
}

/* Nobody else gets this CPU any more, kernel threads included. */
_Noreturn static void hang(void)
{
	const struct sched_param param = {.sched_priority = 99};

	write_file("/proc/sys/kernel/sched_rt_runtime_us", "-1");
	sched_setscheduler(0, SCHED_FIFO, &param);
	for (;;)
		;
}

/* Half an answer, and then nobody reads or writes. */
static void wedge(int channel)
{
	static const char some[64];

	frame_write(channel, FRAME_LOG, 0, some, sizeof(some), 5000);
	if (write(channel, "SF", 2) < 0)
		_exit(1);
	for (;;)
		pause();
}

static void die(int channel, unsigned int how)
{
	static const char noise[] = "login: a getty that nobody asked for speaks here\n";

	switch (how) {
	case DIE_PANIC:
		write_file("/proc/sysrq-trigger", "c");
		break;
	case DIE_OOM:
		fill_memory();
	case DIE_EXIT:
		_exit(1);
	case DIE_NOISE:
		if (write(channel, noise, sizeof(noise)) < 0)
			_exit(1);
		pause();
		break;
	case DIE_SILENCE:
		for (;;)
			pause();
	case DIE_HANG:
		hang();
	case DIE_WEDGE:
		wedge(channel);
	}
}

static void answer(int channel, const struct frame *frame)
{
	struct scenario scn;
	struct result res;
	uint8_t *buf;
	uint32_t len;

	scenario_decode(frame->data + sizeof(struct run_request),
			frame->len - sizeof(struct run_request), &scn);
	die(channel, scn.config.max_background);
	result_init(&res);
	if (result_encode(&res, &buf, &len) < 0)
		_exit(1);
	frame_write(channel, FRAME_RESULT, frame->id, buf, len, 5000);
	free(buf);
}

int main(void)
{
	struct guest_info guest;
	struct frame_reader reader;
	struct frame frame;

	if (!guest_is_init()) {
		fprintf(stderr, "dying_executor: only as init of a guest\n");
		return 2;
	}
	if (guest_setup(&guest) < 0)
		guest_poweroff();
	frame_write(guest.channel, FRAME_HELLO, 0, HELLO, sizeof(HELLO) - 1, 5000);
	frame_reader_init(&reader, guest.channel);
	while (!frame_read(&reader, -1, &frame)) {
		if (frame.type == FRAME_RUN)
			answer(guest.channel, &frame);
		frame_release(&frame);
	}
	guest_poweroff();
}
