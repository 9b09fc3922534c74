/* SPDX-License-Identifier: MIT */
/* Sets up a guest that has nothing but the executor as /init, and opens its control
 * channel. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define DEVICE_WAIT_MS 10000
#define FIRST_WAIT_MS  500

static const struct guest_mount {
	const char *source, *target, *type, *data;
	bool needed;
} mounts[] = {
	{"proc", "/proc", "proc", NULL, true},
	{"sys", "/sys", "sysfs", NULL, true},
	{"dev", "/dev", "devtmpfs", NULL, true},
	{"tmp", "/tmp", "tmpfs", "mode=1777", true},
	{"run", "/run", "tmpfs", "mode=755", true},
	{"shm", "/dev/shm", "tmpfs", "mode=1777", true},
	{"debugfs", "/sys/kernel/debug", "debugfs", NULL, false},
	{"tracefs", "/sys/kernel/tracing", "tracefs", NULL, false},
	{"cgroup", "/sys/fs/cgroup", "cgroup2", NULL, false},
};

/* Not every kernel has every one of them. */
static const struct guest_sysctl {
	const char *path, *value;
} sysctls[] = {
	/* A request timeout would heal the finding: fuse_check_timeout() aborts the
	   connection. */
	{"/proc/sys/fs/fuse/default_request_timeout", "0"},
	{"/proc/sys/fs/fuse/max_request_timeout", "0"},
	/* A kernel that hangs says so before the host's patience with a run ends (targets/plumbing/peer.c). */
	{"/proc/sys/kernel/hung_task_timeout_secs", "15"},
	{"/proc/sys/kernel/hung_task_check_interval_secs", "5"},
	{"/proc/sys/kernel/watchdog_thresh", "8"},
	{"/proc/sys/kernel/hung_task_warnings", "-1"},
	{"/proc/sys/kernel/panic_on_oops", "1"},
	{"/proc/sys/kernel/panic", "-1"},
	{"/proc/sys/kernel/printk", "5 4 1 5"}, /* WARN and worse to the console */
	{"/proc/sys/kernel/printk_ratelimit", "0"},
	{"/proc/sys/kernel/core_pattern", ""},
	{"/proc/sys/kernel/randomize_va_space", "0"},
	{"/proc/sys/kernel/sysrq", "1"},
	{"/sys/fs/cgroup/cgroup.subtree_control", "+pids"},
};

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
	char line[300] = "shortfuse-init: ";
	va_list ap;
	int fd;

	va_start(ap, format);
	vsnprintf(line + 16, sizeof(line) - 18, format, ap);
	va_end(ap);
	strcat(line, "\n");
	/* Through the kernel log: it reaches the console even where init has none. */
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		fputs(line, stderr);
	if (fd >= 0)
		close(fd);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* The value of "key=" in the kernel command line, or NULL. */
static char *cmdline_value(const char *key, char *buf, size_t size)
{
	FILE *file = fopen("/proc/cmdline", "re");
	size_t len = strlen(key);
	char line[4096], *save = NULL, *ret = NULL;

	if (!file)
		return NULL;
	if (fgets(line, sizeof(line), file)) {
		for (char *word = strtok_r(line, " \n", &save); word;
		     word = strtok_r(NULL, " \n", &save)) {
			if (strncmp(word, key, len) || word[len] != '=')
				continue;
			snprintf(buf, size, "%s", word + len + 1);
			ret = buf;
		}
	}
	fclose(file);
	return ret;
}

bool guest_is_init(void)
{
	char value[100];

	if (getpid() != 1 || access("/modules.list", F_OK) < 0)
		return false;
	mkdir("/proc", 0755);
	if (access("/proc/cmdline", F_OK) < 0)
		mount("proc", "/proc", "proc", 0, NULL);
	return cmdline_value("shortfuse.channel", value, sizeof(value)) != NULL;
}

static int mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		const struct guest_mount *m = &mounts[i];

		mkdir(m->target, 0755);
		if (!mount(m->source, m->target, m->type, 0, m->data) || errno == EBUSY ||
		    !m->needed)
			continue;
		complain("mount of %s: %s", m->target, strerror(errno));
		return -errno;
	}
	return 0;
}

static int load_module(const char *name)
{
	char path[300];
	int fd, ret;

	snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		complain("%s: %s", path, strerror(errno));
		return -ENOENT;
	}
	ret = syscall(SYS_finit_module, fd, "", 0) < 0 ? -errno : 0;
	close(fd);
	if (!ret || ret == -EEXIST)
		return 0;
	complain("module %s: %s", name, strerror(-ret));
	return ret;
}

static int load_modules(void)
{
	FILE *list = fopen("/modules.list", "re");
	char name[200];
	int ret = 0;

	if (!list)
		return 0;
	while (!ret && fscanf(list, "%199s", name) == 1)
		ret = load_module(name);
	fclose(list);
	return ret;
}

static void set_sysctls(void)
{
	struct rlimit none = {0, 0};

	for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		int fd = open(sysctls[i].path, O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (write(fd, sysctls[i].value, strlen(sysctls[i].value)) < 0)
			errno = 0; /* this kernel knows other values */
		close(fd);
	}
	setrlimit(RLIMIT_CORE, &none);
}

/* A terminal would echo and translate the frames: termios(3), raw mode. */
static int make_raw(int fd)
{
	struct termios tio;

	if (tcgetattr(fd, &tio) < 0)
		return errno == ENOTTY || errno == EINVAL ? 0 : -errno;
	cfmakeraw(&tio);
	cfsetspeed(&tio, B115200);
	tio.c_cflag |= CLOCAL | CREAD;
	tio.c_cc[VMIN] = 1;
	tio.c_cc[VTIME] = 0;
	return tcsetattr(fd, TCSANOW, &tio) < 0 ? -errno : 0;
}

/*
 * Opens the device; -EAGAIN as long as the host's side is not there: a virtio port reads end of file and
 * polls POLLHUP until then (port_fops_poll() of drivers/char/virtio_console.c).
 */
static int try_channel(const char *path)
{
	struct pollfd pfd = {.events = POLLIN | POLLOUT};
	int ret;

	pfd.fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pfd.fd < 0)
		return errno == ENXIO || errno == ENODEV ? -ENOENT : -errno;
	ret = poll(&pfd, 1, 0) < 0 || (pfd.revents & POLLHUP) ? -EAGAIN
							      : make_raw(pfd.fd);
	if (!ret)
		return pfd.fd;
	close(pfd.fd);
	return ret;
}

/*
 * paths: one device, or two separated by a comma, where the host does not know what this kernel has: the second is
 * taken if the first has not appeared within FIRST_WAIT_MS.
 */
static int open_channel(char *paths)
{
	int64_t begin = now_ms();
	char *second = strchr(paths, ',');
	int fd;

	if (second)
		*second++ = '\0';
	for (;;) {
		int64_t waited = now_ms() - begin;

		fd = try_channel(paths);
		if (fd == -ENOENT && second && waited > FIRST_WAIT_MS)
			fd = try_channel(second);
		if (fd >= 0)
			return fd;
		if (waited > DEVICE_WAIT_MS)
			break;
		usleep(2000);
	}
	complain("channel %s: %s", paths, strerror(-fd));
	return fd;
}

int guest_setup(struct guest_info *ret)
{
	char path[100] = "", cpu[20];
	int channel, err = mount_all();

	if (err < 0)
		return err;
	err = load_modules();
	if (err < 0)
		return err;
	/* With FUSE as a module its directory appears only now. */
	if (mount("fusectl", "/sys/fs/fuse/connections", "fusectl", 0, NULL) < 0) {
		err = -errno;
		complain("fusectl: %s: this kernel has no FUSE", strerror(-err));
		return err;
	}
	set_sysctls();
	if (!cmdline_value("shortfuse.channel", path, sizeof(path))) {
		complain("no shortfuse.channel= on the kernel command line");
		return -EINVAL;
	}
	channel = open_channel(path);
	if (channel < 0)
		return channel;
	ret->channel = channel;
	ret->cpu = cmdline_value("shortfuse.cpu", cpu, sizeof(cpu)) ? atoi(cpu) : -1;
	return 0;
}

_Noreturn void guest_poweroff(void)
{
	sync();
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	_exit(0);
}
