/* SPDX-License-Identifier: MIT */
/*
 * A raw FUSE server for tests that need tasks which hang for real: one file, "f", and one opcode of
 * the test's choice that is read and never answered. Everything is made in a mount namespace of the
 * test's own, and aborted at the end, so nothing stays.
 */
#ifndef SF_TEST_RAW_FUSE_H
#define SF_TEST_RAW_FUSE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODE_F 2

/* What the server does with requests for the file "f"; in shared memory. */
struct control {
	volatile int drop; /* an opcode that is read and not answered, 0: none */
	volatile int dropped, interrupts;
};

static struct control *control;
static char mnt[] = "/tmp/ustack-XXXXXX";
static unsigned int conn;
static pid_t server, victim;
static int dev = -1;

/* ---- a raw FUSE server: a root directory with one file, "f", of one page of code ---- */

/* mov %rdi, %rax; call-like: syscall(rdi)(rsi, rdx) for the code-on-FUSE test:
 *	mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; syscall; ret */
static const unsigned char code[] = {0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7,
				     0x48, 0x89, 0xd6, 0x0f, 0x05, 0xc3};

static void reply(uint64_t unique, int error, const void *data, size_t size)
{
	char buf[8192];
	struct fuse_out_header *out = (struct fuse_out_header *)buf;

	out->len = (uint32_t)(sizeof(*out) + size);
	out->error = error;
	out->unique = unique;
	if (size)
		memcpy(out + 1, data, size);
	if (write(dev, buf, out->len) < 0)
		return; /* interrupted and gone: ENOENT */
}

static struct fuse_attr attr_of(uint64_t node)
{
	struct fuse_attr attr = {.ino = node, .nlink = 1, .blksize = 4096};

	attr.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755;
	attr.size = node == FUSE_ROOT_ID ? 0 : 4096;
	return attr;
}

static void answer(const struct fuse_in_header *in)
{
	struct fuse_init_out init = {.major = 7, .minor = 31, .max_write = 4096};
	struct fuse_entry_out entry = {.nodeid = NODE_F, .attr = attr_of(NODE_F)};
	struct fuse_attr_out attr = {.attr = attr_of(in->nodeid)};
	struct fuse_open_out open_out = {0};
	char page[4096] = {0};

	switch (in->opcode) {
	case FUSE_INIT:
		reply(in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		if (strcmp((const char *)(in + 1), "f"))
			reply(in->unique, -ENOENT, NULL, 0);
		else
			reply(in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		reply(in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		reply(in->unique, 0, &open_out, sizeof(open_out));
		break;
	case FUSE_READ:
		memcpy(page, code, sizeof(code));
		reply(in->unique, 0, page, sizeof(page));
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_ACCESS:
		reply(in->unique, 0, NULL, 0);
		break;
	case FUSE_INTERRUPT:
		control->interrupts++;
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		break;
	default:
		reply(in->unique, -ENOSYS, NULL, 0);
	}
}

static _Noreturn void serve(void)
{
	static char buf[1 << 17];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		const struct fuse_in_header *in = (const struct fuse_in_header *)buf;
		ssize_t n = read(dev, buf, sizeof(buf));

		if (n < 0 && errno == ENODEV)
			_exit(0);
		if (n < (ssize_t)sizeof(*in))
			continue;
		if (in->nodeid == NODE_F && (int)in->opcode == control->drop)
			control->dropped++;
		else
			answer(in);
	}
}

/* ---- set-up and the way out ---- */

static void abort_connection(void)
{
	char path[64];
	int fd;

	if (access("/sys/fs/fuse/connections", F_OK))
		return;
	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", conn);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) /* in a mount namespace of our own: nothing stays */
		mount("fusectl", "/sys/fs/fuse/connections", "fusectl", 0, NULL);
	if (fd < 0)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) < 0)
		print_message("abort of connection %u: %s\n", conn, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static int mount_setup(void **state)
{
	char options[128];
	struct statx stx;

	(void)state;
	memset(control, 0, sizeof(*control));
	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 dev);
	if (dev < 0 || mount("ustack", mnt, "fuse", MS_NOSUID | MS_NODEV, options))
		return -1;
	statx(AT_FDCWD, mnt, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &stx);
	conn = stx.stx_dev_minor;
	server = fork();
	if (server == 0)
		serve();
	close(dev);
	dev = -1;
	return 0;
}

static int mount_teardown(void **state)
{
	(void)state;
	if (victim > 0)
		kill(victim, SIGKILL);
	abort_connection();
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	if (victim > 0)
		waitpid(victim, NULL, 0);
	server = victim = 0;
	/* busy for a moment: the victim's files are closed behind its back */
	for (int i = 0; i < 100 && umount2(mnt, 0) && errno == EBUSY; i++)
		usleep(10000);
	return umount2(mnt, MNT_DETACH) == 0 ? -1 : 0; /* it was still there */
}

#endif
