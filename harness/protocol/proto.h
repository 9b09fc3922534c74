/* SPDX-License-Identifier: MIT */
/*
 * The exec protocol: frames on a byte stream between a host and an executor.
 *
 *	host                         executor
 *	                          <- HELLO   once, when it can serve
 *	RUN (scenario bytes)      ->
 *	                          <- RESULT  exactly one for each RUN, same id
 *	STOP                      ->         the executor cleans up and exits 0
 *	                          <- LOG     a line of text for a person, at any time
 *
 * A frame: struct frame_header (little endian, 24 bytes), then len bytes. The checksum covers type, id and
 * payload: a torn or noisy line is seen as -EBADMSG and never as a result. The stream may be a socket, a
 * virtio port or a serial line in raw mode.
 */
#ifndef SF_PROTO_H
#define SF_PROTO_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC   0x31465346u /* "FSF1" */
#define FRAME_MAX     (8u << 20)  /* bytes of payload */
#define PROTO_VERSION 1u

enum frame_type { FRAME_HELLO = 1, FRAME_RUN, FRAME_RESULT, FRAME_STOP, FRAME_LOG };

struct frame_header {
	uint32_t magic, type, id, len;
	uint64_t sum; /* FNV-1a 64 of type, id (little endian) and payload */
};

struct frame {
	uint32_t type, id, len;
	uint8_t *data; /* len bytes and a NUL; owned, freed by frame_release() */
};

void frame_release(struct frame *frame);

/*
 * Writes one frame completely. 0, -EPIPE, -ETIMEDOUT after timeout_ms (-1: none), -EMSGSIZE above FRAME_MAX, -ENOMEM or
 * -errno. After a failure the stream may hold half a frame and is of no more use. The caller ignores SIGPIPE.
 * Deadlines hold for sockets, pipes and anything that is O_NONBLOCK; a blocking tty may overrun by one write.
 */
int frame_write(int fd, uint32_t type, uint32_t id, const void *data, uint32_t len,
		int timeout_ms);

/*
 * Reads one frame completely; only whole frames take bytes off *buffered state, so a caller may go on after
 * -ETIMEDOUT. 0, -ETIMEDOUT, -ECONNRESET at end of file, -EBADMSG (magic, length or checksum), -errno.
 */
struct frame_reader {
	int fd;
	uint8_t *buf;
	size_t have, size;
};
void frame_reader_init(struct frame_reader *rd, int fd);
void frame_reader_release(struct frame_reader *rd);
int frame_read(struct frame_reader *rd, int timeout_ms, struct frame *ret_frame);

/* Payload of HELLO: JSON text {"version":1,"release":"6.12...","cpus":2,"unit_us":150,"grace_ms":50,
 * "features":["fifo","kmsg",...]}; "patience_ms":N where the host should wait no longer for a run. Payload of RUN: struct run_request, then the scenario's bytes. */
enum {
	RUN_DETAILS = 1 << 0,  /* JSON also for a clean run */
	RUN_NO_LADDER = 1 << 1 /* reserved */
};

struct run_request {
	uint32_t flags;
	uint32_t budget_ms; /* for the steps alone, 0: default */
};

#endif
