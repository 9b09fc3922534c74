/* SPDX-License-Identifier: MIT */
/* Unix sockets between a broker and its clients. */

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"

static int make_address(const char *address, struct sockaddr_un *un, socklen_t *len)
{
	size_t n = strlen(address);

	if (!n)
		return -EINVAL;
	if (n >= sizeof(un->sun_path))
		return -ENAMETOOLONG;
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, address, n);
	*len = offsetof(struct sockaddr_un, sun_path) + n + 1;
	if (address[0] == '@') {
		un->sun_path[0] = '\0';
		*len -= 1;
	}
	return 0;
}

int address_listen(const char *address)
{
	struct sockaddr_un un;
	socklen_t len;
	int ret, fd;

	ret = make_address(address, &un, &len);
	if (ret < 0)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&un, len) || listen(fd, 16) ||
	    (address[0] != '@' && chmod(address, 0600))) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int address_connect(const char *address)
{
	struct sockaddr_un un;
	socklen_t len;
	int ret, fd;

	ret = make_address(address, &un, &len);
	if (ret < 0)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&un, len)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

bool address_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}
