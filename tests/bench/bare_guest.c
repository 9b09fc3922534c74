/* SPDX-License-Identifier: MIT */
/* /init of a guest that runs the bare C loop (bare_loop.c) instead of scenarios: the reference in that guest. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/executor/guest.h"
#include "harness/protocol/proto.h"
#include "harness/protocol/result.h"

#define HELLO                                                                            \
	"{\"version\":1,\"release\":\"bare\",\"cpus\":1,\"unit_us\":100,\"grace_ms\":"   \
	"50}"
#define SECONDS "2"

int bare_loop_main(int argc, char **argv); /* main() of bare_loop.c */

static void run_loop(char *buf, size_t size)
{
	static char *argv[] = {"bare_loop", "-t", SECONDS, "-p", "0", NULL};
	int out[2];
	ssize_t n;
	pid_t pid;

	buf[0] = '\0';
	if (pipe(out) < 0)
		return;
	pid = fork();
	if (!pid) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		exit(bare_loop_main(5, argv));
	}
	close(out[1]);
	n = read(out[0], buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	close(out[0]);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	struct guest_info guest;
	struct frame_reader reader;
	struct frame frame;

	if (!guest_is_init())
		return 2;
	if (guest_setup(&guest) < 0)
		guest_poweroff();
	frame_write(guest.channel, FRAME_HELLO, 0, HELLO, sizeof(HELLO) - 1, 5000);
	frame_reader_init(&reader, guest.channel);
	while (!frame_read(&reader, -1, &frame)) {
		struct result res;
		uint8_t *buf;
		uint32_t len;

		result_init(&res);
		run_loop(res.reason, sizeof(res.reason));
		if (!result_encode(&res, &buf, &len))
			frame_write(guest.channel, FRAME_RESULT, frame.id, buf, len,
				    5000);
		free(buf);
		frame_release(&frame);
	}
	guest_poweroff();
}
