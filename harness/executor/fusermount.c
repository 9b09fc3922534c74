/* SPDX-License-Identifier: MIT */
/* The fusermount of a server under test: answers with a socket where a mount was asked for. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "server.h"

/* As send_fd() of libfuse's util/fusermount.c: one byte, and the descriptor beside it. */
static int send_fd(int to, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.space,
			     .msg_controllen = sizeof(control.space)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(to, &msg, 0) == 1 ? 0 : 1;
}

int fusermount_main(int argc, char **argv)
{
	const char *to = getenv("_FUSE_COMMFD");

	/* Nothing was mounted here, so nothing is unmounted. */
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "-u") || !strcmp(argv[i], "--unmount"))
			return 0;
	return to ? send_fd(atoi(to), SERVER_FD) : 1;
}
