/* SPDX-License-Identifier: MIT */
/* Tries whether KVM really runs a guest. */

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "accel.h"
#include "executable.h"
#include "spawn.h"

#define PROBE_MS 8000

static int read_line(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "re");
	int ret = file && fgets(buf, (int)size, file) ? 0 : -ENOENT;

	if (file)
		fclose(file);
	if (!ret)
		buf[strcspn(buf, "\n")] = '\0';
	return ret;
}

/* The cheap part: is there a device, may we open it, does it make a machine? */
static bool device_works(char *why)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;

	if (fd < 0) {
		snprintf(why, 200, "/dev/kvm: %s", strerror(errno));
		return false;
	}
	vm = ioctl(fd, KVM_CREATE_VM, 0UL);
	if (vm < 0)
		snprintf(why, 200, "/dev/kvm opens, but makes no machine: %s",
			 strerror(errno));
	else
		close(vm);
	close(fd);
	return vm >= 0;
}

/* Reads what QEMU and its guest print until one of the texts is seen. 1 good, 0 bad or end, -ETIMEDOUT. */
static int await_text(int fd, const char *good, const char *bad)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	char buf[16384];
	size_t have = 0;
	ssize_t n;

	/* The whole time is the deadline: a guest that runs prints within a second. */
	for (int waited = 0; waited < PROBE_MS; waited += 100) {
		int ready = poll(&pfd, 1, 100);

		if (ready <= 0)
			continue;
		n = read(fd, buf + have, sizeof(buf) - 1 - have);
		if (n <= 0)
			return 0;
		have += (size_t)n;
		buf[have] = '\0';
		if (strstr(buf, good))
			return 1;
		if (strstr(buf, bad) || have == sizeof(buf) - 1)
			return 0;
	}
	return -ETIMEDOUT;
}

/*
 * The firmware may run and the kernel still not: a hypervisor below us may lack what the kernel's
 * decompressor needs ("KVM internal error"). So a kernel has to say its name.
 */
static bool kernel_runs(const char *kernel, char *why)
{
	const char *const argv[] = {
		QEMU_PATH,
		"-nodefaults",
		"-no-user-config",
		"-display",
		"none",
		"-M",
		"pc",
		"-accel",
		"kvm",
		"-cpu",
		"host",
		"-m",
		"256",
		"-no-reboot",
		"-kernel",
		kernel,
		"-append",
		"console=ttyS0 earlyprintk=serial,ttyS0,115200 panic=-1",
		"-chardev",
		"stdio,id=console,signal=off",
		"-serial",
		"chardev:console",
		NULL};
	struct spawn sp = {.argv = argv, .cpu = -1};
	struct process proc;
	int pipefd[2], ret;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return false;
	sp.out = sp.err = pipefd[1];
	ret = spawn_process(&sp, &proc);
	close(pipefd[1]);
	if (!ret) {
		ret = await_text(pipefd[0], "Linux version ", "KVM internal error");
		process_kill(&proc, 2000);
	}
	close(pipefd[0]);
	if (ret > 0)
		snprintf(why, 200, "a guest boots with it");
	else if (ret == -ETIMEDOUT)
		snprintf(why, 200, "/dev/kvm opens, but a guest prints nothing in %d s",
			 PROBE_MS / 1000);
	else
		snprintf(why, 200, "/dev/kvm opens, but a guest does not boot: %s",
			 ret ? strerror(-ret) : "KVM internal error");
	return ret > 0;
}

bool accel_kvm_works(const char *kernel, char *why)
{
	char dir[4096], path[4200], boot_id[64] = "", line[300];
	bool ok;
	FILE *file;

	read_line("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	if (cache_dir(NULL, dir, sizeof(dir)) < 0)
		dir[0] = '\0';
	snprintf(path, sizeof(path), "%s/kvm", dir);
	if (dir[0] && !read_line(path, line, sizeof(line)) && boot_id[0] &&
	    !strncmp(line, boot_id, strlen(boot_id)) &&
	    strlen(line) > strlen(boot_id) + 3) {
		snprintf(why, 200, "%.190s", line + strlen(boot_id) + 3);
		return line[strlen(boot_id) + 1] == '1';
	}
	if (!device_works(why))
		return false; /* costs nothing to try again */
	if (!kernel) {
		snprintf(why, 200,
			 "/dev/kvm opens; whether a guest boots is tried with the first "
			 "kernel");
		return false;
	}
	ok = kernel_runs(kernel, why);
	file = dir[0] ? fopen(path, "we") : NULL;
	if (file) {
		fprintf(file, "%s %d %s\n", boot_id, ok, why);
		fclose(file);
	}
	return ok;
}
