/* SPDX-License-Identifier: MIT */
/* shortfuse doctor: what this machine can do, what it cannot, and what to do about it. */

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "targets/auto.h"
#include "targets/plumbing/accel.h"
#include "targets/plumbing/executable.h"
#include "targets/kernel/fetch.h"
#include "targets/kernel/image.h"
#include "targets/target.h"

enum state { OK, MISSING, NOTE }; /* NOTE: works, but somebody should know */

struct finding {
	enum state state;
	char what[240], advice[200];
};

__attribute__((format(printf, 3, 4))) static void say(struct finding *f, enum state state,
						      const char *format, ...)
{
	va_list ap;

	f->state = state;
	va_start(ap, format);
	vsnprintf(f->what, sizeof(f->what), format, ap);
	va_end(ap);
}

static void advise(struct finding *f, const char *advice)
{
	snprintf(f->advice, sizeof(f->advice), "%s", advice);
}

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

static void check_root(struct finding *f)
{
	say(f, geteuid() ? MISSING : OK,
	    geteuid() ? "uid %u" : "uid %u, as it must be for mounts", geteuid());
	advise(f, "run as root, on a machine that may be rebooted; --target uml and "
		  "qemu: need no root");
}

static void check_executor(struct finding *f)
{
	char path[4096], err[300];

	if (executor_path(path, sizeof(path), err) < 0)
		say(f, MISSING, "%.230s", err);
	else
		say(f, OK, "%.230s", path);
	advise(f, "run 'make'");
}

static void check_dev_fuse(struct finding *f)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		say(f, MISSING, "%s", strerror(errno));
	else
		say(f, OK, "opens");
	if (fd >= 0)
		close(fd);
	advise(f, "'modprobe fuse'; in a container: give it the device /dev/fuse");
}

/* In a child, in mount and pid namespaces of its own: what every run on the host begins with. */
static void check_namespaces(struct finding *f)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
			_exit(errno);
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(errno);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	if (status)
		say(f, MISSING, "unshare(CLONE_NEWNS | CLONE_NEWPID): %s",
		    strerror(status));
	else
		say(f, OK, "pid and mount namespaces can be made");
	advise(f, "needs CAP_SYS_ADMIN: not in an unprivileged container");
}

static void check_fusectl(struct finding *f)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("none", "/sys/fs/fuse/connections", "fusectl", 0, NULL) < 0)
			_exit(errno == EBUSY ? 0 : errno);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	if (status)
		say(f, MISSING, "mount of fusectl: %s", strerror(status));
	else
		say(f, OK, "mounts: stuck connections can be aborted");
	advise(f,
	       "without it a stuck run stays until reboot; is the module fuse loaded?");
}

static void check_timeouts(struct finding *f)
{
	static const char *const names[] = {"default_request_timeout",
					    "max_request_timeout"};
	char path[100], value[40];

	say(f, OK, "no request timeout is set");
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/sys/fs/fuse/%s", names[i]);
		if (!read_line(path, value, sizeof(value)) && strcmp(value, "0") != 0)
			say(f, NOTE, "fs.fuse.%s is %s: the kernel heals hangs by itself",
			    names[i], value);
	}
	advise(f, "'sysctl fs.fuse.default_request_timeout=0 "
		  "fs.fuse.max_request_timeout=0'");
}

static void check_hung_task(struct finding *f)
{
	char warnings[40];

	if (read_line("/proc/sys/kernel/hung_task_warnings", warnings, sizeof(warnings)) <
	    0)
		say(f, NOTE, "this kernel detects no hung tasks");
	else if (!strcmp(warnings, "0"))
		say(f, NOTE,
		    "hung_task_warnings is 0: the kernel reports no more hung tasks");
	else
		say(f, OK, "hung_task_warnings is %s", warnings);
	advise(f, "'sysctl kernel.hung_task_warnings=-1'");
}

static void check_cgroup(struct finding *f)
{
	char line[600];
	FILE *file = fopen("/proc/self/mounts", "re");
	bool v2 = false, pids = false;

	while (file && fgets(line, sizeof(line), file)) {
		v2 |= strstr(line, " cgroup2 ") != NULL;
		pids |= strstr(line, " cgroup ") && strstr(line, "pids");
	}
	if (file)
		fclose(file);
	if (v2 || pids)
		say(f, OK, "%s", pids ? "v1 with the controller pids" : "v2");
	else
		say(f, NOTE, "not mounted: a run's number of tasks is not limited");
	advise(f, "'mount -t cgroup2 none /sys/fs/cgroup'");
}

static void check_tracer(struct finding *f)
{
	char line[300];
	const char *path = "/sys/kernel/tracing/available_tracers";

	if (read_line(path, line, sizeof(line)) < 0 &&
	    read_line("/sys/kernel/debug/tracing/available_tracers", line, sizeof(line)) <
		    0)
		say(f, NOTE, "tracefs is not mounted or locked: feedback is 'wait' only");
	else if (!strstr(line, "function"))
		say(f, NOTE,
		    "this kernel has no function tracer: feedback is 'wait' only");
	else
		say(f, OK, "available");
	advise(f, "Debian's kernels have it: --target qemu:6.12");
}

static void check_afl(struct finding *f)
{
	if (access("/usr/bin/afl-fuzz", X_OK) < 0)
		say(f, MISSING, "/usr/bin/afl-fuzz: %s", strerror(errno));
	else
		say(f, OK, "/usr/bin/afl-fuzz");
	advise(f,
	       "'apt-get install afl++' (or 'make deps'); 'run', 'qualify' work without");
}

static void check_qemu(struct finding *f)
{
	if (access(QEMU_PATH, X_OK) < 0)
		say(f, MISSING, QEMU_PATH ": %s", strerror(errno));
	else
		say(f, OK, QEMU_PATH);
	advise(f, "'apt-get install qemu-system-x86'");
}

static void check_kvm(struct finding *f)
{
	char path[4096], err[300], why[200];
	struct image image = {0};
	bool have = false, works;

	for (const char *const *k = kernel_names; *k && !have; k++)
		have = !fetch_cached(*k, path, sizeof(path), err) &&
		       !image_open_qemu(*k, &image, err);
	works = accel_kvm_works(have ? image.kernel : NULL, why);
	image_release(&image);
	say(f, works ? OK : NOTE, "%s%s", why,
	    works ? "" : "; QEMU emulates (TCG), 5-10 times slower");
	advise(f,
	       "on a machine with nested virtualisation, or on real hardware, it works");
}

/* Booted, not just looked at: it needs ptrace and memory that may be executed, which a sandbox may refuse. */
static void check_uml(struct finding *f)
{
	struct target_options options = {.spec = "uml", .cpu = -1};
	struct target *target;
	struct image image;
	char err[300] = "";
	int ret = image_open_uml(NULL, &image, err);

	advise(f, "'apt-get install user-mode-linux' (or 'make deps'): scratch kernels "
		  "without QEMU and KVM");
	if (ret < 0) {
		say(f, MISSING, "%.230s", err);
		return;
	}
	ret = target_open(&options, &target, err);
	if (ret < 0) {
		say(f, MISSING, "%.60s: %.170s", image.kernel, err);
		advise(f, "'shortfuse run --target uml -v FILE' shows its console; "
			  "ptrace has to be allowed");
	} else {
		say(f, OK, "%.150s, Linux %.60s, boots", image.kernel, image.release);
		target_close(target);
	}
	image_release(&image);
}

static void check_kernels(struct finding *f)
{
	char path[4096], err[300];
	size_t used = 0;

	for (const char *const *k = kernel_names; *k; k++)
		if (!fetch_cached(*k, path, sizeof(path), err))
			used += (size_t)snprintf(f->what + used, sizeof(f->what) - used,
						 "%s%s", used ? ", " : "", *k);
	f->state = used ? OK : MISSING;
	if (!used)
		say(f, MISSING, "none is downloaded");
	advise(f, "'shortfuse kernel fetch 6.1 6.12'");
}

/* needed: host runs are not possible without it. */
static const struct check {
	const char *name;
	bool needed;
	void (*run)(struct finding *f);
} checks[] = {
	{"root", true, check_root},
	{"executor", true, check_executor},
	{"/dev/fuse", true, check_dev_fuse},
	{"namespaces", true, check_namespaces},
	{"fusectl", true, check_fusectl},
	{"request timeouts", false, check_timeouts},
	{"hung task report", false, check_hung_task},
	{"cgroup", false, check_cgroup},
	{"function tracer", false, check_tracer},
	{"afl-fuzz", false, check_afl},
	{"user-mode Linux", false, check_uml},
	{"QEMU", false, check_qemu},
	{"KVM", false, check_kvm},
	{"kernels", false, check_kernels},
};

#define N_CHECKS (sizeof(checks) / sizeof(checks[0]))

static const struct argp argp = {
	NULL,
	NULL,
	"",
	"Tells what this machine can do, and why not. Exit status 0: scenarios can run "
	"on --target host.",
	NULL,
	NULL,
	NULL};

static void say_line(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
}

/* What "make fuzz" would do: the kernel that it would take boots. */
static void tell_fuzz(bool host, bool scratch, bool afl)
{
	static char target[SPEC_MAX];
	char err[AUTO_ERROR] = "no scratch kernel can run here";
	int ret = scratch ? target_resolve("auto", target, say_line, err) : -ENODEV;

	if (ret < 0)
		printf("'make fuzz': %s%s\n", err,
		       host ? "; 'make fuzz TARGET=host' fuzzes this machine's own kernel"
			    : "");
	else if (!afl)
		printf("'make fuzz' would take %s, but afl-fuzz is missing; 'make deps' "
		       "installs it\n",
		       target);
	else
		printf("'make fuzz' takes %s\n", target);
}

int cmd_doctor(int argc, char **argv)
{
	static const char *const states[] = {"ok", "missing", "note"};
	bool host = true, uml = true, qemu = true, afl = true;
	struct utsname uts;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	uname(&uts);
	printf("%-17s %-8s %s %s\n", "kernel", "ok", uts.sysname, uts.release);
	for (size_t i = 0; i < N_CHECKS; i++) {
		struct finding f = {0};

		checks[i].run(&f);
		printf("%-17s %-8s %s\n", checks[i].name, states[f.state], f.what);
		if (f.state != OK)
			printf("%-17s %-8s -> %s\n", "", "", f.advice);
		if (f.state != MISSING)
			continue;
		host &= !checks[i].needed;
		uml &= checks[i].run != check_uml && checks[i].run != check_executor;
		qemu &= checks[i].run != check_qemu && checks[i].run != check_kernels &&
			checks[i].run != check_executor;
		afl &= checks[i].run != check_afl;
	}
	if (!host)
		printf("\nhost runs are not possible here\n");
	printf("\ntargets that can run here:%s%s%s%s\n", host ? " host" : "",
	       uml ? " uml" : "", qemu ? " qemu" : "",
	       host || uml || qemu ? "" : " none");
	tell_fuzz(host, uml || qemu, afl);
	return host ? EXIT_CLEAN : EXIT_INFRA;
}
